package lease

import (
	"fmt"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Config says for how long who leads.
type Config struct {
	// Duration is how long a lease is good for. After a leader has died nobody leads for
	// as long, at least.
	Duration dataflow.Nanos
	// Renew is the time from one renewal to the next, and from one look of a candidate
	// to the next.
	Renew dataflow.Nanos
	// Drift bounds by how much two clocks differ after one of them has counted Duration.
	Drift dataflow.Nanos
}

// DefaultConfig returns the defaults of the field's leader elections: a lease of 15 s,
// renewed every 5 s, and clocks that differ by less than 1 s over it.
func DefaultConfig() Config { return Config{Duration: 15e9, Renew: 5e9, Drift: 1e9} }

// Validate reports settings with which nobody leads for long.
func (c *Config) Validate() error {
	switch {
	case c.Duration <= 0 || c.Renew <= 0 || c.Drift < 0:
		return fmt.Errorf("lease: duration %d ns, renew %d ns, drift %d ns: the first two must be above 0, and none below", c.Duration, c.Renew, c.Drift)
	case c.Renew+c.Drift >= c.Duration:
		return fmt.Errorf("lease: a renewal after %d ns comes too late: a lease of %d ns is believed for %d ns, with a drift of %d ns", c.Renew, c.Duration, c.Duration-c.Drift, c.Drift)
	}
	return nil
}

// Host is what a party asks of its process. Store and After are answered later, by
// Done and Timer.
type Host interface {
	After(d dataflow.Nanos) id.Ticket
	Store(op state.Op) id.Ticket
	// Now is the process's own clock, in nanoseconds. It does not go back.
	Now() int64
	// Acquired: the party holds the lease.
	Acquired()
	// Expired: the party holds the lease no longer, and is done.
	Expired()
}

// The mistakes of a party; see dataflow.Mutant.
const (
	MutantActsOn     dataflow.Mutant = "acts-on"     // a holder goes on after its lease has ended
	MutantOverwrites dataflow.Mutant = "overwrites"  // a renewal is written over whatever stands there
	MutantUnverified dataflow.Mutant = "unverified"  // a lease counts as soon as it is created
	MutantCountsLate dataflow.Mutant = "counts-late" // a holder counts from when it hears that it has the lease
)

// Party is one process's candidacy for the lease, and its time as the holder. It ends
// when the lease does: for another one there is another party, with another nonce.
// It is stepped by its host, on one goroutine.
type Party struct {
	h      Host
	cfg    Config
	job    string
	nonce  uint64
	mutant dataflow.Mutant
	client *coordinator.Client

	seen  uint64 // the newest lease of somebody else
	since int64  // when this party first knew of it
	wait  dataflow.Nanos

	number uint64 // of the newest lease of its own, verified; 0: it is a candidate
	until  int64  // by its own clock it holds the lease before that
	over   bool
}

// NewParty returns a candidate for the lease of a job. nonce differs between all
// parties that ever touch the same storage, and is JobInfo.Nonce of the coordinator that it
// becomes. cfg is valid.
func NewParty(h Host, cfg Config, job string, nonce uint64, m dataflow.Mutant) *Party {
	return &Party{h: h, cfg: cfg, job: job, nonce: nonce, mutant: m, client: coordinator.NewClient(h)}
}

// Start begins to campaign.
func (p *Party) Start() { p.look() }

// Done takes the outcome of a storage operation.
func (p *Party) Done(t id.Ticket, r state.Result) { p.client.Done(t, r) }

// Timer takes an expiry.
func (p *Party) Timer(t id.Ticket) { p.client.Timer(t) }

// Number returns the number of the lease that the party holds; 0: none.
func (p *Party) Number() uint64 {
	if !p.Holds() {
		return 0
	}
	return p.number
}

// Holds reports whether the party holds the lease now. Whatever a coordinator is given
// it is given only if so: a process that stood still may find that its lease has ended
// before its timer tells it.
func (p *Party) Holds() bool {
	return p.number != 0 && !p.over && (p.h.Now() < p.until || p.mutant == MutantActsOn)
}

// End ends the party: nothing that is under way is heard of any more. It says nothing
// to storage; a lease it holds runs out.
func (p *Party) End() {
	p.over = true
	p.client = coordinator.NewClient(p.h)
}

// look lists the leases, and asks for the next one if the newest has run out.
func (p *Party) look() {
	p.newest(func(n uint64, _ []uint64) {
		if n != p.seen {
			p.read(n)
			return
		}
		if left := dataflow.Nanos(p.since-p.h.Now()) + p.wait; n != 0 && left > 0 {
			p.client.After(min(left, p.cfg.Renew), p.look)
			return
		}
		p.acquire(n + 1)
	})
}

// newest lists the leases: the highest number, 0 for none, and all of them. A storage that
// does not answer is asked again.
func (p *Party) newest(then func(highest uint64, all []uint64)) {
	p.client.Do(state.Op{Kind: state.OpList, Key: coordinator.LeasePrefix}, func(r state.Result) {
		if r.Status != state.OK {
			p.client.After(p.cfg.Renew, func() { p.newest(then) })
			return
		}
		then(coordinator.LeaseNumbers(r.List))
	})
}

// read waits a lease out that the party has not seen before, from now on.
func (p *Party) read(n uint64) {
	p.client.Do(state.Op{Kind: state.OpGet, Key: coordinator.LeaseKey(n)}, func(r state.Result) {
		wait := p.cfg.Duration
		if r.Status == state.OK {
			if l, err := coordinator.DecodeLease(r.Data); err == nil {
				wait = max(wait, l.Duration)
			}
		}
		// One that is gone, or cannot be read, is waited out like one's own.
		p.seen, p.since, p.wait = n, p.h.Now(), wait
		p.client.After(min(wait, p.cfg.Renew), p.look)
	})
}

// acquire asks for lease n.
func (p *Party) acquire(n uint64) {
	p.create(state.OpCreate, n, func(ok bool, from int64) {
		if !ok {
			p.look()
			return
		}
		p.hold(n, from)
		if p.over {
			return
		}
		p.h.Acquired()
	})
}

// renew asks for the lease after the party's own.
func (p *Party) renew() {
	kind := state.OpCreate
	if p.mutant == MutantOverwrites {
		kind = state.OpPut
	}
	p.create(kind, p.number+1, func(ok bool, from int64) {
		if !ok {
			p.expire() // somebody else has it, before its time: clocks have broken the bound
			return
		}
		p.hold(p.number+1, from)
	})
}

// create makes lease n and then looks whether it is the newest. from is a time before
// it was asked for.
func (p *Party) create(kind state.OpKind, n uint64, then func(ok bool, from int64)) {
	from := p.h.Now()
	l := coordinator.Lease{Job: p.job, Number: n, Holder: p.nonce, Duration: p.cfg.Duration}
	p.client.Do(state.Op{Kind: kind, Key: coordinator.LeaseKey(n), Data: l.Encode()}, func(r state.Result) {
		if r.Status != state.OK {
			then(false, from)
			return
		}
		believed := p.mutant == MutantUnverified
		if believed {
			then(true, from)
		}
		p.newest(func(highest uint64, all []uint64) {
			newest := highest == n || p.mutant == MutantOverwrites
			if newest {
				p.dropOlder(all, n)
			}
			if !believed {
				then(newest, from)
			}
		})
	})
}

// dropOlder deletes the leases below n, which is the newest.
func (p *Party) dropOlder(all []uint64, n uint64) {
	for _, old := range all {
		if old < n {
			p.client.Do(state.Op{Kind: state.OpDelete, Key: coordinator.LeaseKey(old)}, nil)
		}
	}
}

// hold begins the time of lease n, and sees to the next one.
func (p *Party) hold(n uint64, from int64) {
	if p.mutant == MutantCountsLate {
		from = p.h.Now()
	}
	p.number, p.until = n, from+int64(p.cfg.Duration-p.cfg.Drift)
	if !p.Holds() {
		p.expire() // the answer came too late
		return
	}
	p.client.After(dataflow.Nanos(max(from+int64(p.cfg.Renew)-p.h.Now(), 0)), p.renew)
	p.watch(n)
}

// watch ends the party when lease n has ended and was not renewed.
func (p *Party) watch(n uint64) {
	p.client.After(dataflow.Nanos(max(p.until-p.h.Now(), 0)), func() {
		switch {
		case p.number != n:
		case p.h.Now() < p.until: // the timer was early, by the clock
			p.watch(n)
		default:
			p.expire()
		}
	})
}

func (p *Party) expire() {
	if p.over || p.mutant == MutantActsOn {
		return
	}
	p.End()
	p.h.Expired()
}
