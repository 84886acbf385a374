package coordinator

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Client issues a coordinator's storage operations and timers and hands their
// outcomes to continuations. An operation whose outcome is unknown is repeated;
// all of them are idempotent.
type Client struct {
	// Mutant is a deliberate mistake: MutantLostAnswerFails, MutantUnfenced, others mean
	// nothing here.
	Mutant dataflow.Mutant
	// Deposed, if not nil, is called once, when it shows that another coordinator
	// leads. From then on the client does nothing.
	Deposed func()

	lead   lead
	host   host
	ops    map[id.Ticket]pendingOp
	timers map[id.Ticket]func()
}

// host is what a client asks of its driver: of a coordinator's, or of that of a process
// that would become one. Both are answered later, by Done and Timer.
type host interface {
	After(d dataflow.Nanos) id.Ticket
	Store(op state.Op) id.Ticket
}

// MutantLostAnswerFails: a record whose creation was not answered counts as not there.
const MutantLostAnswerFails dataflow.Mutant = "lost-answer-fails"

type pendingOp struct {
	op   state.Op
	then func(state.Result)
}

// NewClient returns a client of h.
func NewClient(h host) *Client {
	return &Client{host: h, ops: map[id.Ticket]pendingOp{}, timers: map[id.Ticket]func(){}}
}

// Do issues op; then, if not nil, gets its outcome, which is never Failed. A client
// that was deposed issues nothing.
func (c *Client) Do(op state.Op, then func(state.Result)) {
	if c.lead.lost {
		return
	}
	c.ops[c.host.Store(op)] = pendingOp{op, then}
}

// Done takes an outcome from the driver.
func (c *Client) Done(t id.Ticket, r state.Result) {
	p, ok := c.ops[t]
	if !ok {
		return
	}
	delete(c.ops, t)
	if r.Status == state.Failed && (c.Mutant != MutantLostAnswerFails || !strings.HasPrefix(p.op.Key, RecordPrefix) || p.op.Kind != state.OpCreate) {
		c.Do(p.op, p.then)
		return
	}
	if p.then != nil {
		p.then(r)
	}
}

// After calls f after d; the ticket is for Cancel.
func (c *Client) After(d dataflow.Nanos, f func()) id.Ticket {
	t := c.host.After(d)
	c.timers[t] = f
	return t
}

// Cancel forgets a timer.
func (c *Client) Cancel(t id.Ticket) { delete(c.timers, t) }

// Timer takes an expiry from the driver.
func (c *Client) Timer(t id.Ticket) {
	if f, ok := c.timers[t]; ok {
		delete(c.timers, t)
		f()
	}
}

// List lists several prefixes and calls then with all rows, in order, or with
// the first error.
func (c *Client) List(prefixes []string, then func([]state.Entry, error)) {
	rows := make([][]state.Entry, len(prefixes))
	left := len(prefixes)
	failed := false
	for i, p := range prefixes {
		c.Do(state.Op{Kind: state.OpList, Key: p}, func(r state.Result) {
			if failed {
				return
			}
			if r.Status != state.OK {
				failed = true
				then(nil, Error("list "+p, r))
				return
			}
			rows[i] = r.List
			if left--; left == 0 {
				var all []state.Entry
				for _, l := range rows {
					all = append(all, l...)
				}
				then(all, nil)
			}
		})
	}
}

// Delete removes objects, in order of name, and calls then when all are gone.
func (c *Client) Delete(keys []string, then func()) {
	if len(keys) == 0 {
		if then != nil {
			then()
		}
		return
	}
	sort.Strings(keys)
	left := len(keys)
	gone := func(state.Result) {
		if left--; left == 0 && then != nil {
			then()
		}
	}
	for _, k := range keys {
		c.Do(state.Op{Kind: state.OpDelete, Key: k}, gone)
	}
}

// Sweep deletes every record, snapshot and state file of an epoch below limit
// that is not among live, and calls then when that is done. What it deletes it has
// found before it was confirmed in the lead, so that nothing of a successor is among it.
// What a prefix hides that storage refuses to list the next sweep finds.
func (c *Client) Sweep(limit id.Epoch, prefixes []string, live func(key string) bool, then func()) {
	c.Find(prefixes, func(rows []state.Entry) {
		var dead []string
		for _, row := range rows {
			if e, ok := EpochOfKey(row.Key); ok && e < limit && !live(row.Key) {
				dead = append(dead, row.Key)
			}
		}
		c.DeleteConfirmed(dead, live, then) // a failed listing finds nothing: the next sweep will
	})
}

// DeleteConfirmed deletes, once the client is confirmed in the lead, those of keys
// that are not among live then, and calls then when they are gone.
func (c *Client) DeleteConfirmed(keys []string, live func(key string) bool, then func()) {
	if len(keys) == 0 {
		c.Delete(nil, then)
		return
	}
	c.Confirm(func(err error) {
		if err != nil {
			keys = nil // the next sweep will
		}
		c.Delete(slices.DeleteFunc(keys, live), then)
	})
}

// Find lists several prefixes and calls then with the rows of those that storage lists:
// for whoever looks for what may be deleted.
func (c *Client) Find(prefixes []string, then func([]state.Entry)) {
	var found []state.Entry
	left := len(prefixes)
	for _, p := range prefixes {
		c.Do(state.Op{Kind: state.OpList, Key: p}, func(r state.Result) {
			found = append(found, r.List...)
			if left--; left == 0 {
				then(found)
			}
		})
	}
}

// Error describes an outcome that is not OK.
func Error(what string, r state.Result) error {
	if r.Err != nil {
		return fmt.Errorf("%s: %w", what, r.Err)
	}
	return fmt.Errorf("%s: %s", what, r.Status)
}
