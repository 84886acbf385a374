package dataflow

import (
	"fmt"
	"slices"

	"weir/state"
	"weir/trace"
)

// A task of a job that goes on with another shape is made of several snapshots: its
// TaskPlan.Former. It takes over keyed state and timers by key group, lists by their mode,
// and the splits that its plan names; it settles what old instances of a sink had sealed;
// and before anything else it sends again what was under way from the senders whose place it
// takes, through its own partitioning and at positions of its own. RFC 0006 says why.

// readFormers fetches the snapshot objects of another shape.
func (t *Task) readFormers() {
	r := t.restore
	r.formers = make([]*Snapshot, len(r.plan.Former))
	r.toRead = len(r.formers)
	for i := range r.plan.Former {
		op := state.Op{Kind: state.OpGet, Key: string(r.plan.Former[i].Ref)}
		t.host.Store(t.ticket(&effect{kind: effectRestoreGet, op: op, idx: i}), op)
	}
}

// formerRead takes one of them. When all are there everything but keyed state is rebuilt.
func (t *Task) formerRead(i int, data []byte) {
	r := t.restore
	f := &r.plan.Former[i]
	s, err := DecodeSnapshot(data)
	switch {
	case err != nil:
	case s.Job != t.job:
		err = fmt.Errorf("the snapshot belongs to job %q, this is job %q: give each job a storage directory of its own: %w", s.Job, t.job, state.ErrIncompatible)
	case s.Task != f.Name || s.Index != f.Index:
		err = fmt.Errorf("the snapshot belongs to %s[%d], the plan takes it for one of %s[%d]: %w", s.Task, s.Index, f.Name, f.Index, state.ErrIncompatible)
	case SnapshotKey(f.Task, s.Epoch) != f.Ref:
		err = misplaced(s)
	}
	if err != nil {
		t.failFor(trace.Unreadable, fmt.Errorf("restore: %s: %w", f.Ref, err))
		return
	}
	r.formers[i] = s
	if r.toRead--; r.toRead > 0 {
		return
	}
	var tr state.Transfer
	err = t.formerSplits()
	if err == nil {
		tr, err = t.formerState()
	}
	if err != nil {
		t.failFor(trace.Unreadable, fmt.Errorf("restore from another shape: %w", err))
		return
	}
	t.host.Transfer(t.ticket(&effect{kind: effectRestoreTransfer}), tr)
}

// own calls f with the snapshots of the instances of the task's own vertex.
func (r *restoring) own(f func(f *Former, s *Snapshot)) {
	for i, s := range r.formers {
		if former := &r.plan.Former[i]; !former.Receiver {
			f(former, s)
		}
	}
}

// succeeds reports that the task takes the place of an old instance of its vertex.
func (t *Task) succeeds(f *Former) bool {
	return !f.Receiver && f.Index%t.info.Parallelism == t.info.Index
}

// formerSplits goes on with the splits of the plan, each from the snapshot that has it.
func (t *Task) formerSplits() error {
	r := t.restore
	for _, index := range r.plan.Splits {
		var had []SplitHeader
		r.own(func(_ *Former, s *Snapshot) {
			for _, x := range s.Splits {
				if x.Split == index {
					had = append(had, x)
				}
			}
		})
		if len(had) != 1 {
			return fmt.Errorf("the plan gives it split %d, whose offset stands in %d snapshots: %w", index, len(had), state.ErrIncompatible)
		}
		if err := t.takeSplit(had[0]); err != nil {
			return fmt.Errorf("%w: %w", err, state.ErrIncompatible) // trying again is of no use
		}
	}
	return nil
}

// formerState begins to restore keyed state, timers and lists. What old sinks have
// sealed is not theirs to hand out: it is settled.
func (t *Task) formerState() (state.Transfer, error) {
	var handles []state.Handle
	var failed error
	t.restore.own(func(_ *Former, s *Snapshot) {
		h := s.Handle
		var err error
		if h.Operator, err = state.WithoutSealed(h.Operator); err != nil {
			failed = err
		}
		handles = append(handles, h)
	})
	if failed != nil {
		return nil, failed
	}
	return t.store.Restore(handles)
}

// takeOver sets the task to where the one of its formers stood that was furthest behind:
// that is its watermark. Key groups of others are ahead of it, see aheadOf. Timers up to it
// that an old instance had not fired yet fire in the next turns, and the outputs, which
// are new, are told of it behind what is sent again.
func (t *Task) takeOver(r *restoring) {
	low := int64(EndOfTime)
	r.own(func(f *Former, s *Snapshot) {
		low = min(low, s.Watermark)
		t.finished = append(t.finished, s.Finished...)
		if s.Drained {
			t.finished = append(t.finished, state.GroupsOf(f.Index, f.Parallelism, t.info.NumGroups))
		}
	})
	t.finished = slices.Compact(t.finished)
	if t.cfg.Mutant != MutantForgetWatermark {
		t.watermark, t.atLow = low, 0
		t.ahead = t.aheadOf(r)
	}
	for i := range t.inputs {
		t.inputs[i].awaits = r.savepoint == nil // which has nothing in flight
	}
	t.firing = t.watermark != NoWatermark
	t.advancing = t.firing
}

// sendAgain puts what was under way from the senders whose place the task takes into its
// own outputs: of each old channel first what its receiver had captured, then what was
// captured at the sender. Watermarks and ends among it are dropped: the task says its own.
func (t *Task) sendAgain(r *restoring) error {
	for i := range r.plan.Former {
		f, s := &r.plan.Former[i], r.formers[i]
		if f.Receiver {
			if err := t.sendCaptured(f, s.In, s.InEdges); err != nil {
				return err
			}
		}
	}
	for i := range r.plan.Former {
		f, s := &r.plan.Former[i], r.formers[i]
		if t.succeeds(f) && !f.Left {
			if err := t.sendCaptured(f, s.Out, s.OutEdges); err != nil {
				return err
			}
		}
	}
	t.flush()
	for i := range t.outputs {
		t.outputs[i].sentAgain()
	}
	return nil
}

// sendCaptured sends records again that a former had captured on one of its sides.
func (t *Task) sendCaptured(f *Former, captured []CapturedBuffer, edges []EdgeHeader) error {
	for _, c := range captured {
		if c.Buffer.Records == 0 {
			continue
		}
		e, peer, ok := edgeOf(edges, c.Channel, f.Index)
		if !ok {
			return fmt.Errorf("%s: a buffer of channel %d, which has no edge: %w", f.Ref, c.Channel, state.ErrCorrupt)
		}
		receiver, receivers := peer, e.Channels
		if f.Receiver {
			if e.Peer != t.info.Name || peer%t.info.Parallelism != t.info.Index {
				continue // another sender's
			}
			receiver, receivers = f.Index, f.Parallelism
		}
		if err := t.route(f, e, receiver, receivers, c.Buffer); err != nil {
			return fmt.Errorf("%s: %w", f.Ref, err)
		}
	}
	return nil
}

// route sends the records of one captured buffer through the partitioning of their edge.
func (t *Task) route(f *Former, e *EdgeHeader, receiver, receivers int, b *Buffer) error {
	to := e.Peer
	if f.Receiver {
		to = f.Name
	}
	out := t.ctx.edgeTo(t.graph, to, e)
	if out == nil {
		return fmt.Errorf("records are under way from %s to %s (output port %d, input port %d), and there is no such edge: %w", t.info.Name, to, e.Port, e.Input, state.ErrIncompatible)
	}
	one := Output{t: t, edges: []edgeOut{*out}}
	stay := receivers == len(out.outs)
	switch out.partitioning {
	case Broadcast:
		// The other receivers have taken it, or have captured one of their own.
		if !stay {
			return fmt.Errorf("records to one of several receivers are under way on the broadcast edge %s -> %s, whose receivers change: rescale from a savepoint, or with an algorithm that captures nothing there: %w", t.info.Name, to, state.ErrIncompatible)
		}
		one.edges[0] = edgeOut{partitioning: Forward, outs: out.outs[receiver : receiver+1]}
	case Rebalance:
		// Receivers that stay go on from their own event time. Another one may be further.
		if stay {
			one.edges[0] = edgeOut{partitioning: Forward, outs: out.outs[receiver : receiver+1], next: out.next}
		}
	case Hash, Forward: // to whom it was for, if that one stays
	}
	if t.cfg.Mutant == MutantSentToOldPlace {
		one.edges[0] = edgeOut{partitioning: Forward, outs: out.outs[receiver%len(out.outs):]}
	}
	for rec, rest := NextRecord(b.Data); rec != nil; rec, rest = NextRecord(rest) {
		one.Emit(rec)
	}
	out.next = one.edges[0].next
	return nil
}

// edgeTo returns the edge to a vertex between the ports of e, nil: there is none.
func (c *Context) edgeTo(g *Graph, to string, e *EdgeHeader) *edgeOut {
	place := make(map[int]int) // of the next edge, by port
	for i := range g.Edges {
		x := &g.Edges[i]
		if x.From != c.t.info.Vertex {
			continue
		}
		if g.Vertices[x.To].Name == to && x.Port == e.Port && x.Input == e.Input {
			return &c.outs[x.Port].edges[place[x.Port]]
		}
		place[x.Port]++
	}
	return nil
}

// EdgeHeader says which channels of a task lie on one edge, in its order: what a captured
// buffer is of can be told where numbers of channels mean nothing any more.
type EdgeHeader struct {
	Peer        string // vertex at the other end
	Port, Input int    // output port of the sender, input port of the receiver
	Channels    int
	Forward     bool // the only channel leads to the instance with the task's own index
}

// edgeOf returns the edge of a channel and the index of the instance at its other end.
func edgeOf(edges []EdgeHeader, channel, own int) (e *EdgeHeader, peer int, ok bool) {
	for i := range edges {
		e = &edges[i]
		if channel < e.Channels {
			if e.Forward {
				return e, own, true
			}
			return e, channel, true
		}
		channel -= e.Channels
	}
	return nil, 0, false
}

// edgesOf describes one side of a task.
func (t *Task) edgesOf(channels []Channel, receives bool) (edges []EdgeHeader) {
	last := -1
	for i := range channels {
		c := &channels[i]
		if c.Edge != last {
			last = c.Edge
			e := &t.graph.Edges[last]
			peer := e.To
			if receives {
				peer = e.From
			}
			edges = append(edges, EdgeHeader{Peer: t.graph.Vertices[peer].Name, Port: e.Port, Input: e.Input, Forward: e.Partitioning == Forward})
		}
		edges[len(edges)-1].Channels++
	}
	return edges
}

// edgeSection is the part of a snapshot object that describes the edges of the task. It is
// the same in all snapshots of an incarnation.
func (t *Task) edgeSection() []byte {
	if t.edges == nil {
		t.edges = appendEdges(t.edges, t.edgesOf(t.info.Inputs, true))
		t.edges = appendEdges(t.edges, t.edgesOf(t.info.Outputs, false))
	}
	return t.edges
}

func appendEdges(b []byte, edges []EdgeHeader) []byte {
	b = appendUvarint(b, uint64(len(edges)))
	for i := range edges {
		e := &edges[i]
		b = AppendRecord(b, []byte(e.Peer))
		for _, v := range [...]int{e.Port, e.Input, e.Channels} {
			b = appendUvarint(b, uint64(v))
		}
		b = append(b, byte(flags(e.Forward, false)))
	}
	return b
}

// readEdges reads the edges of one side in the place of old ones.
func readEdges(r *state.Reader, old []EdgeHeader) []EdgeHeader {
	const least = 5 // bytes that one takes
	n := r.Count(least)
	old = slices.Grow(old[:0], n)[:n]
	for i := range old {
		e := &old[i]
		*e = EdgeHeader{Peer: again(e.Peer, r.Bytes()), Port: int(r.Size()), Input: int(r.Size()), Channels: int(r.Size()), Forward: r.Byte() != 0}
	}
	if n == 0 {
		return nil
	}
	return old
}
