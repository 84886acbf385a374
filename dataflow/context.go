package dataflow

import (
	"fmt"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// Context is all that an operator knows of the world. It is valid from Open to
// the end of the incarnation and is used only inside the operator's calls.
type Context struct {
	t     *Task
	outs  []*Output // by port
	keyed bool
	// declared: the vertex is NonDeterministic.
	declared bool
	err      error // of List in Operator.Open
}

// Info describes the task.
func (c *Context) Info() *TaskInfo { return c.t.info }

// Store returns the keyed state of the task; open tables in Operator.Open. A
// vertex that is not Keyed has none: its tables do not open. State that expires by
// processing time opens only if the vertex is NonDeterministic: what is read of it
// depends on Now. Event time is the watermark, and while a timer of event time fires
// the time of that timer: what a timer finds expired depends on no order of arrival.
func (c *Context) Store() state.Store {
	store := c.t.store
	if c.t.cfg.Mutant == MutantUnmigrated {
		store = unmigrated{store}
	}
	if !c.keyed {
		return unkeyed{store, c.t.info.Name}
	}
	if !c.declared {
		return deterministic{store, c.t.info.Name}
	}
	return store
}

// deterministic is the store of a task that does the same, given the same again.
type deterministic struct {
	state.Store
	name string
}

// Table refuses state that expires by the clock of the worker.
func (s deterministic) Table(d state.Descriptor) (state.Table, error) {
	if d.TTL.Clock == state.ProcessingTime {
		return nil, fmt.Errorf("%s opens the keyed state %q, which expires by processing time, so that run again it may do something else: set NonDeterministic in the vertex, what algorithm and sink promise depends on it", s.name, d.Name)
	}
	return s.Store.Table(d)
}

// unkeyed is the store of a task whose input is not partitioned by key.
type unkeyed struct {
	state.Store
	name string
}

// Table refuses: a key's records would arrive at several tasks.
func (u unkeyed) Table(d state.Descriptor) (state.Table, error) {
	return nil, fmt.Errorf("%s opens the keyed state %q on a stream that is not partitioned by key: set Keyed in its vertex and give it Hash edges", u.name, d.Name)
}

// List returns the operator list state called name, which is part of every
// snapshot; declare it in Operator.Open. mode says how rescaling hands items out.
// A name that is in use with another mode fails the task.
func (c *Context) List(name string, mode state.Redistribution) *state.OperatorList {
	l, err := c.t.store.List(name, mode)
	if err != nil {
		l = &state.OperatorList{Name: name, Mode: mode}
		if c.err == nil {
			c.err = err
		}
		if c.t.phase == running {
			c.t.fail(err)
		}
	}
	return l
}

// Finished reports that Finish was called for the keys of a group already, by an
// instance of before the parallelism changed: what came of that is on its way, and no
// record of these keys comes any more. An Operator.Finish that emits what stands in
// keyed state must leave it out.
func (c *Context) Finished(group uint16) bool {
	for _, g := range c.t.finished {
		if g.Lo <= group && group < g.Hi {
			return true
		}
	}
	return false
}

// Key returns the key of b with its hash and key group; b is not copied.
func (c *Context) Key(b []byte) state.Key { return state.KeyOf(b, c.t.info.NumGroups) }

// Now returns processing time in nanoseconds, which never goes back while an
// incarnation lives; the next one may live on a worker whose clock is behind. It is a
// recorded choice. The vertex must be NonDeterministic, else the task fails; a sink
// may measure with it.
func (c *Context) Now() int64 {
	c.notDeterministic("Now")
	return c.t.now()
}

// Random returns a random number. It is a recorded choice. The vertex must be
// NonDeterministic, else the task fails.
func (c *Context) Random() uint64 {
	c.notDeterministic("Random")
	return c.t.random()
}

// notDeterministic fails the task of a vertex that does not say that its operator may
// do something else, given the same input again: what is promised depends on it.
// Sinks write what they are given.
func (c *Context) notDeterministic(method string) {
	if !c.declared && c.t.sink == nil {
		c.t.fail(fmt.Errorf("the operator %T of vertex %s calls Context.%s, so that run again it may do something else: set NonDeterministic in the vertex, what algorithm and sink promise depends on it", c.t.op, c.t.info.Name, method))
	}
}

// Watermark returns the event time reached: no later record is older, unless it is late.
func (c *Context) Watermark() int64 {
	c.t.show()
	return c.t.watermark
}

// WatermarkOf returns the event time reached for the keys of a group. It is Watermark,
// but behind a change of the parallelism: what came too late at the instance that
// owned the group before comes too late, until the task itself has come so far. An
// operator that gives records up by the event time asks for it. Timers know nothing of it.
func (c *Context) WatermarkOf(group uint16) int64 {
	c.t.show()
	if c.t.ahead != nil {
		return c.t.aheadAt(group)
	}
	return c.t.watermark
}

// Attempt returns the attempt that started this incarnation.
func (c *Context) Attempt() id.Attempt { return c.t.attempt }

// Timer asks for OnTimer when the watermark reaches at; if it has, OnTimer is
// called at once: after the buffer that is being processed, or in its place in
// the order if timers are firing. The same (at, key) is kept once. Timers are
// keyed state, which the vertex must have.
func (c *Context) Timer(at int64, key []byte) {
	c.t.observeTime(trace.TimerSet, at, key)
	c.t.setTimer(at, key)
}

// CancelTimer forgets a timer; an unknown one is fine.
func (c *Context) CancelTimer(at int64, key []byte) {
	if c.t.timers != nil {
		c.t.observeTime(trace.TimerCancelled, at, key)
		c.t.timers.Cancel(at, c.Key(key))
	}
}

// ProcessingTimer asks for OnProcessingTimer when Now has reached at. Otherwise it
// is like Timer; when the input has ended none fires any more. The vertex must be
// NonDeterministic, else the task fails.
func (c *Context) ProcessingTimer(at int64, key []byte) {
	c.notDeterministic("ProcessingTimer")
	c.t.setClockTimer(at, key)
}

// CancelProcessingTimer forgets a timer; an unknown one is fine.
func (c *Context) CancelProcessingTimer(at int64, key []byte) {
	if c.t.clock != nil {
		c.t.observeClock(trace.TimerCancelled, at, key)
		c.t.clock.Cancel(at, c.Key(key))
	}
}

// Late gives a record up that is older than its operator allows: it is counted, and
// goes out on port p, the operator's side output. Without an edge there it is gone.
// rec is copied.
func (c *Context) Late(p int, rec []byte) {
	c.t.observeTime(trace.RecordLate, c.t.watermark, rec)
	c.Out(p).Emit(rec)
}

// Has reports that the job is run with a deliberate mistake of an operator.
func (c *Context) Has(m Mutant) bool { return c.t.cfg.Mutant == m }

// Out returns the output port p. Ports without an edge swallow what is emitted.
func (c *Context) Out(p int) *Output {
	for len(c.outs) <= p {
		c.outs = append(c.outs, &Output{t: c.t})
	}
	return c.outs[p]
}

// Output is one output port: it encodes records into the open buffers of the
// channels behind it.
type Output struct {
	t     *Task
	edges []edgeOut
}

type edgeOut struct {
	partitioning Partitioning
	key          func(rec []byte) uint64
	outs         []int32 // output index by receiving instance
	byGroup      []int32 // Hash: output index by key group
	next         int     // Rebalance
}

// Emit sends one record to every edge of the port. rec is copied.
func (o *Output) Emit(rec []byte) {
	for i := range o.edges {
		e := &o.edges[i]
		switch e.partitioning {
		case Hash:
			g := state.GroupOf(e.key(rec), len(e.byGroup))
			o.t.outputs[e.byGroup[g]].append(rec)
		case Forward:
			o.t.outputs[e.outs[0]].append(rec)
		case Rebalance:
			o.t.outputs[e.outs[e.next]].append(rec)
			if e.next++; e.next == len(e.outs) {
				e.next = 0
			}
		case Broadcast:
			for _, k := range e.outs {
				o.t.outputs[k].append(rec)
			}
		}
	}
}

// EmitHashed is Emit for a record whose key hash is known already.
func (o *Output) EmitHashed(hash uint64, rec []byte) {
	if len(o.edges) == 1 && o.edges[0].partitioning == Hash {
		e := &o.edges[0]
		o.t.outputs[e.byGroup[state.GroupOf(hash, len(e.byGroup))]].append(rec)
		return
	}
	o.Emit(rec)
}

// rebalanced calls f with every edge that is served round robin.
func (c *Context) rebalanced(f func(e *edgeOut)) {
	for _, o := range c.outs {
		for i := range o.edges {
			if e := &o.edges[i]; e.partitioning == Rebalance {
				f(e)
			}
		}
	}
}

// rotation returns where each round robin stands.
func (c *Context) rotation() (next []uint32) {
	c.rebalanced(func(e *edgeOut) { next = append(next, uint32(e.next)) })
	return next
}

// rotate sets each round robin to where it stood.
func (c *Context) rotate(next []uint32) {
	c.rebalanced(func(e *edgeOut) {
		if len(next) > 0 {
			e.next, next = int(next[0])%max(len(e.outs), 1), next[1:]
		}
	})
}

// wire resolves the edges of a task's vertex into its ports.
func (c *Context) wire(g *Graph) error {
	info := c.t.info
	c.keyed, c.declared = g.Vertices[info.Vertex].Keyed, g.Vertices[info.Vertex].NonDeterministic
	for i := range g.Edges {
		e := &g.Edges[i]
		if e.From != info.Vertex {
			continue
		}
		eo := edgeOut{partitioning: e.Partitioning, key: e.Key}
		for k := range info.Outputs {
			if info.Outputs[k].Edge == i {
				eo.outs = append(eo.outs, int32(k))
			}
		}
		if e.Partitioning == Hash {
			if e.Key == nil {
				return fmt.Errorf("edge %d of %s: a hash edge needs a Key function", i, info.Name)
			}
			eo.byGroup = make([]int32, info.NumGroups)
			for grp := range eo.byGroup {
				eo.byGroup[grp] = eo.outs[state.InstanceOf(uint16(grp), len(eo.outs), info.NumGroups)]
			}
		}
		o := c.Out(e.Port)
		o.edges = append(o.edges, eo)
	}
	c.rewind()
	return nil
}

// rewind starts every round robin, at a different receiver in every sender.
func (c *Context) rewind() {
	c.rebalanced(func(e *edgeOut) { e.next = c.t.info.Index % max(len(e.outs), 1) })
}
