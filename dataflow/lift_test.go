package dataflow

import (
	"fmt"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
)

// announced is a protocol that is told of queued control items.
type announced struct{ *script }

func (p announced) Announce(in int, b *Buffer) { p.note("announced %d %s", in, b.Epoch) }

// marker brings a barrier behind what is queued, without a number.
func (r *rig) marker(in int, e id.Epoch) {
	r.step(Event{Kind: EvArrive, Port: in, Buffer: &Buffer{Item: Control, Epoch: e, Watermark: NoWatermark}})
}

// captured renders the channel state of a snapshot.
func (s *Snapshot) captured() string {
	var all []string
	for _, c := range s.In {
		all = append(all, fmt.Sprintf("in %d: %s", c.Channel, render(c.Buffer)))
	}
	for _, c := range s.Out {
		all = append(all, fmt.Sprintf("out %d: %s", c.Channel, render(c.Buffer)))
	}
	return strings.Join(all, ", ")
}

// TestAnnounce: a control item is announced as it is queued, one that overtakes is
// not, nor is one that is put in line later.
func TestAnnounce(t *testing.T) {
	r := middle(t, func(p *script) Protocol { return announced{p} })
	r.arrive(0, 1, "a")
	r.marker(0, e1)
	r.want("before its turn", strings.Join(r.p.log, ", "), "announced 0 1.1")
	r.p.control = func(in int, b *Buffer) {
		if b.Over {
			r.p.k.Demote(in, b)
		}
	}
	r.step(Event{Kind: EvArrive, Port: 1, Buffer: &Buffer{Item: Control, Epoch: e1, Over: true, Watermark: NoWatermark}})
	r.turns()
	r.want("in all", strings.Join(r.p.log, ", "), "announced 0 1.1, control 1 1.1, control 1 1.1, control 0 1.1")
}

// TestLiftInput: what was ahead of the barrier is taken, what is behind it is not,
// and the barrier does not come again.
func TestLiftInput(t *testing.T) {
	r := middle(t, nil)
	r.arrive(0, 1, "a")
	r.marker(0, e1)
	r.arrive(0, 2, "b")
	r.marker(1, e1)
	d := r.p.k.Begin(e1, 0)
	for in, want := range []bool{true, true} {
		if got := r.p.k.LiftInput(in, e1); got != want {
			t.Errorf("input %d: lifted %v", in, got)
		}
	}
	if r.p.k.LiftInput(0, e1) || r.p.k.LiftInput(0, e2) {
		t.Error("lifted a barrier that is not queued")
	}
	d.Seal()
	r.settle()
	r.want("captured", r.stored("snap/t2/1.1").captured(), "in 0: 1 a")
	r.turns()
	r.want("came later", strings.Join(r.p.log, ", "), "stored 1.1")
	if at := r.p.k.Delivered(0); at != 2 {
		t.Errorf("delivered up to %d, want 2", at)
	}
}

// full is a task whose output has a third record queued for want of credit.
func full(t *testing.T) *rig {
	r := middle(t, nil)
	r.connect(0)
	for i, rec := range []string{"a", "b", "c"} {
		r.arrive(0, id.Seq(i+1), rec)
	}
	r.turns()
	return r
}

func (r *rig) written(e id.Epoch) bool {
	return r.disk.Do(state.Op{Kind: state.OpGet, Key: string(SnapshotKey(r.info.ID, e))}).Status == state.OK
}

// TestLiftOutput: a draft waits for its barrier to leave the queue; a barrier that is
// lifted goes at once, and what it overtook is in the snapshot.
func TestLiftOutput(t *testing.T) {
	r := full(t)
	r.p.k.Broadcast(0, e1, Marker, nil)
	d := r.p.k.Begin(e1, 0)
	d.Hold()
	d.Seal()
	r.settle()
	if r.written(e1) {
		t.Fatal("written, and its barrier could still overtake")
	}
	if r.p.k.LiftOutput(0, e2) || !r.p.k.LiftOutput(0, e1) || r.p.k.LiftOutput(0, e1) {
		t.Error("a barrier is lifted once")
	}
	r.settle()
	r.want("sent", r.wire(0), "1 a | 2 b | barrier 1.1")
	s := r.stored("snap/t2/1.1")
	r.want("captured", s.captured(), "out 0: 3 c")
	if s.Sealed[0] != 3 {
		t.Errorf("sealed up to %d, want 3", s.Sealed[0])
	}
}

// TestHold: a barrier that leaves in its place takes nothing with it, whichever of two drafts
// it is of, and one whose draft is given up is waited for no more.
func TestHold(t *testing.T) {
	r := full(t)
	for _, e := range []id.Epoch{e1, e2} {
		r.p.k.Broadcast(0, e, Marker, nil)
		d := r.p.k.Begin(e, 0)
		d.Hold()
		d.Seal()
	}
	r.p.k.Abandon(e1)
	r.settle()
	if r.written(e2) {
		t.Fatal("written, and its barrier could still overtake")
	}
	r.step(Event{Kind: EvCredit, N: 1})
	r.settle()
	r.want("sent", r.wire(0), "1 a | 2 b | 3 c | barrier 1.1 | barrier 1.2")
	r.want("captured", r.stored("snap/t2/1.2").captured(), "")
}

// TestCutWhileHeld: with the connection goes the barrier, and nothing can be lifted.
func TestCutWhileHeld(t *testing.T) {
	r := full(t)
	r.p.k.Broadcast(0, e1, Marker, nil)
	d := r.p.k.Begin(e1, 0)
	d.Hold()
	d.Seal()
	r.step(Event{Kind: EvCutOutput})
	if r.p.k.LiftOutput(0, e1) {
		t.Error("lifted a barrier that is gone")
	}
	r.settle()
	if r.written(e1) {
		t.Error("written without what was queued ahead of the barrier")
	}
}

// TestForbiddenEdgesAreNotLifted, nor does a draft wait for their barriers.
func TestForbiddenEdgesAreNotLifted(t *testing.T) {
	r := full(t)
	r.task.outputs[0].Forbidden, r.task.inputs[1].Forbidden = true, true
	r.marker(1, e1)
	r.p.k.Broadcast(0, e1, Marker, nil)
	d := r.p.k.Begin(e1, 0)
	d.Hold()
	d.Seal()
	if r.p.k.LiftInput(1, e1) || r.p.k.LiftOutput(0, e1) {
		t.Error("lifted")
	}
	r.settle()
	r.want("captured", r.stored("snap/t2/1.1").captured(), "")
}
