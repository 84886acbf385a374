package coordinator

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"weir/dataflow"
	"weir/state"
)

// LeasePrefix is where the claims to lead a job stand: lease/NUMBER. Whoever made the
// one of the highest number leads. It is never deleted, those below it are.
const LeasePrefix = "lease/"

// MutantUnfenced: a coordinator does not mind that another one has claimed the lead.
const MutantUnfenced dataflow.Mutant = "unfenced"

const (
	leaseMagic   = "WEIRLEAS"
	leaseVersion = 1
)

// Lease is a claim to lead a job, made by conditional create.
type Lease struct {
	Job    string
	Number uint64 // from 1
	Holder uint64 // JobInfo.Nonce of who claims
	// Duration is how long it is good for, counted by each from when it knows of the
	// lease; 0: until the next one is made, by whom somebody else has chosen.
	Duration dataflow.Nanos
}

// LeaseKey is the storage key of lease n.
func LeaseKey(n uint64) string { return LeasePrefix + strconv.FormatUint(n, 10) }

// NumberOfLease returns the number in the key of a lease, false for other keys.
func NumberOfLease(key string) (uint64, bool) {
	number, ok := strings.CutPrefix(key, LeasePrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 64)
	return n, err == nil
}

// LeaseNumbers returns the numbers of the leases among rows, and the highest; 0: there is
// none.
func LeaseNumbers(rows []state.Entry) (highest uint64, all []uint64) {
	for _, row := range rows {
		if n, ok := NumberOfLease(row.Key); ok {
			highest, all = max(highest, n), append(all, n)
		}
	}
	return highest, all
}

// Encode returns the bytes of the lease.
func (l *Lease) Encode() []byte {
	b := append([]byte(leaseMagic), leaseVersion, 0)
	b = state.AppendString(b, l.Job)
	b = binary.LittleEndian.AppendUint64(b, l.Number)
	b = binary.LittleEndian.AppendUint64(b, l.Holder)
	return binary.LittleEndian.AppendUint64(b, uint64(l.Duration))
}

// DecodeLease reads a lease.
func DecodeLease(src []byte) (*Lease, error) {
	rd, err := open(src, leaseMagic, leaseVersion, "lease")
	if err != nil {
		return nil, err
	}
	l := &Lease{Job: string(rd.Bytes()), Number: rd.Uint64(), Holder: rd.Uint64(), Duration: dataflow.Nanos(rd.Uint64())}
	if err := rd.Done(); err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	return l, nil
}

// lead is what a client knows of its own claim.
type lead struct {
	job    string
	nonce  uint64
	number uint64 // of its newest lease; 0: it claims nothing, and is not asked for a claim
	lost   bool
}

// Claim takes the lead: it creates the lease above the highest there is, unless that
// one is of this coordinator already. Whoever looks from then on sees the claim, so
// that what this client reads afterwards holds all that the others still believe to
// have done. then gets why there is none.
func (c *Client) Claim(j *dataflow.JobInfo, then func(error)) {
	if c.lead.number != 0 {
		then(nil)
		return
	}
	c.lead.job, c.lead.nonce = j.Name, j.Nonce
	c.newestLease(func(newest *Lease, err error) {
		switch {
		case err != nil:
			then(err)
		case newest == nil:
			c.createLease(1, then)
		case newest.Holder == j.Nonce:
			c.lead.number = newest.Number
			then(nil)
		default:
			c.createLease(newest.Number+1, then)
		}
	})
}

func (c *Client) createLease(n uint64, then func(error)) {
	l := Lease{Job: c.lead.job, Number: n, Holder: c.lead.nonce}
	c.Do(state.Op{Kind: state.OpCreate, Key: LeaseKey(n), Data: l.Encode()}, func(r state.Result) {
		switch r.Status {
		case state.OK:
			c.lead.number = n
			c.dropLease(n - 1)
			then(nil)
		case state.Lost: // somebody claims at the same time: the later one leads
			c.createLease(n+1, then)
		default:
			then(Error(LeaseKey(n), r))
		}
	})
}

// Confirm calls then if no other coordinator had claimed the lead when storage
// looked, which is after this call: a coordinator that claims it later will find all
// that was durable before the call. If another one leads this client is done: then is
// not called, nothing that is under way is heard of any more, and Deposed is called.
// Without a claim there is nothing to confirm. err: storage would not say.
func (c *Client) Confirm(then func(err error)) {
	if c.lead.number == 0 {
		then(nil)
		return
	}
	c.newestLease(func(newest *Lease, err error) {
		mine := newest != nil && newest.Holder == c.lead.nonce
		if err == nil && !mine && c.Mutant != MutantUnfenced {
			c.depose()
			return
		}
		then(err)
	})
}

// newestLease reads the lease of the highest number, nil: there is none. Older ones
// than this client's own are deleted in passing.
func (c *Client) newestLease(then func(*Lease, error)) {
	c.Do(state.Op{Kind: state.OpList, Key: LeasePrefix}, func(r state.Result) {
		if r.Status != state.OK {
			then(nil, Error("list "+LeasePrefix, r))
			return
		}
		highest, all := LeaseNumbers(r.List)
		for _, n := range all {
			if n < c.lead.number {
				c.dropLease(n)
			}
		}
		switch highest {
		case 0:
			then(nil, nil)
		case c.lead.number:
			then(&Lease{Job: c.lead.job, Number: highest, Holder: c.lead.nonce}, nil)
		default:
			c.readLease(highest, then)
		}
	})
}

func (c *Client) readLease(n uint64, then func(*Lease, error)) {
	c.Do(state.Op{Kind: state.OpGet, Key: LeaseKey(n)}, func(r state.Result) {
		if r.Status == state.NotFound { // a newer one stands by now
			c.newestLease(then)
			return
		}
		if r.Status != state.OK {
			then(nil, Error("read "+LeaseKey(n), r))
			return
		}
		l, err := DecodeLease(r.Data)
		switch {
		case err != nil:
			err = fmt.Errorf("%s: %w", LeaseKey(n), err)
		case l.Job != c.lead.job:
			err = fmt.Errorf("%s: %w", LeaseKey(n), anotherJob(l.Job, c.lead.job))
		case l.Holder == c.lead.nonce:
			c.lead.number = max(c.lead.number, n)
		}
		then(l, err)
	})
}

// dropLease deletes a lease below the client's own.
func (c *Client) dropLease(n uint64) {
	if n > 0 {
		c.Do(state.Op{Kind: state.OpDelete, Key: LeaseKey(n)}, nil)
	}
}

// depose ends the client: another coordinator leads.
func (c *Client) depose() {
	c.lead.lost = true
	clear(c.ops)
	clear(c.timers)
	if c.Deposed != nil {
		c.Deposed()
	}
}

func anotherJob(has, this string) error {
	return fmt.Errorf("this storage belongs to job %q, this is job %q: give each job a directory of its own", has, this)
}
