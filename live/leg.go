package live

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"weir/dataflow"
	"weir/internal/dataflow/roster"
)

// A leg is what a job does between two changes of its graph: with one graph, on one set of
// tasks. Storage, the external store, the source log, the clock, coordinator processes and
// observers outlive it. What tells one leg from another is its address: a task is known by its
// number within one only.
type leg struct {
	job      *dataflow.Job
	info     []dataflow.TaskInfo
	counters []counters
	timing   atomic.Pointer[timing] // of the change that it is to end with or has begun with; nil: nobody measures
}

// newLeg returns the leg of a valid job.
func newLeg(job *dataflow.Job) (*leg, error) {
	info, err := job.Graph.Expand(job.Config.Groups)
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	l := &leg{job: job, info: info, counters: make([]counters, len(info))}
	for i := range l.counters {
		l.counters[i].info = &info[i]
	}
	return l, nil
}

// becomes returns why a job that runs as l cannot go on as next.
func (l *leg) becomes(next *leg) error {
	p := next.job.Algorithm.Properties()
	now := l.job.Algorithm.Properties()
	names := func(g *dataflow.Graph) (all []string) {
		for i := range g.Vertices {
			all = append(all, g.Vertices[i].Name)
		}
		return all
	}
	switch {
	case next.job.Name != l.job.Name || p != now:
		return errors.New("it would be another job, or under another algorithm")
	case !slices.Equal(names(l.job.Graph), names(next.job.Graph)):
		return errors.New("it would have other operators")
	case splitsOf(l.info) != splitsOf(next.info):
		return fmt.Errorf("it would have %d splits, and has %d", splitsOf(next.info), splitsOf(l.info))
	case l.job.Config.Checkpoint.OnCancel == dataflow.DeleteOnCancel:
		return errors.New("checkpoint.on-cancel is delete, so that a job that is stopped leaves nothing to go on from")
	}
	return p.RefusesChange(l.job.Graph, next.job.Graph)
}

// splitsOf returns how many splits the sources of a job have.
func splitsOf(info []dataflow.TaskInfo) (n int) {
	for i := range info {
		n = max(n, int(info[i].FirstSplit)+info[i].Splits)
	}
	return n
}

// use makes a leg the one that runs.
func (c *control) use(l *leg) {
	c.leg, c.runners = l, make([]*runner, len(l.info))
	c.j.leg.Store(l)
}

// change ends the leg and begins the next one: all tasks end, without a crash, and a coordinator
// starts, in the process that leads, which finds in storage what it goes on from. What
// the tasks have under way with storage and the external store takes effect as that of the
// crashed does, and nobody hears of it.
func (c *control) change() {
	next, t := c.changes.next, c.leg.timing.Load()
	t.stop(c)
	for _, r := range c.runners {
		if r != nil {
			r.halt()
		}
	}
	s := c.seat
	s.over, s.p.seat, c.seat = true, nil, nil
	c.roster.Reshape(next.info)
	next.timing.Store(t)
	c.use(next)
	c.changes.begun()
	c.send(rescaled(next))
	by := nonce()
	if x := s.p.candidacy; x != nil {
		by = x.nonce // under the lease that this process has
	}
	s.p.lead(by, "")
}

// aliveIn returns the newest incarnation of a task of a leg, if it runs.
func (c *control) aliveIn(l *leg, t *dataflow.TaskInfo) (r *runner, ok bool) {
	if l != c.leg || c.roster.Phase(t.ID) != roster.Alive {
		return nil, false
	}
	return c.runners[t.ID], true
}
