package dataflow

import (
	"fmt"
	"testing"

	"weir/id"
	"weir/trace"
)

const e1, e2 = id.Epoch(1<<20 | 1), id.Epoch(1<<20 | 2)

func middle(t *testing.T, half func(p *script) Protocol, settings ...func(c *Config)) *rig {
	t.Helper()
	r := newRig(t, "middle", &forward{}, half, settings...)
	r.start(1, TaskPlan{})
	return r
}

func TestContiguity(t *testing.T) {
	for name, seq := range map[string]id.Seq{"a gap": 4, "a repetition": 2} {
		r := middle(t, nil)
		r.arrive(0, 1, "a", "b")
		r.arrive(0, seq, "c")
		if r.failure == nil {
			t.Errorf("%s goes unnoticed", name)
		}
		r.fails(fmt.Sprintf("item %d arrived behind 2: the channel lost or repeated something", seq))
		if r.turns() > 0 {
			t.Error("a failed task works on")
		}
	}
}

func TestCredits(t *testing.T) {
	r := middle(t, nil)
	r.connect(0)
	for i := range 7 {
		r.arrive(0, id.Seq(i+1), fmt.Sprint(i))
	}
	if n := r.turns(); n != 6 {
		t.Errorf("%d turns, want 2 on credits and 4 for the queue", n)
	}
	r.want("sent", r.wire(0), "1 0 | 2 1")
	if r.credits[0] != 6 {
		t.Errorf("%d credits for 6 buffers consumed", r.credits[0])
	}
	if len(r.recycled) != 6 {
		t.Errorf("%d buffers recycled, want 6", len(r.recycled))
	}
	r.step(Event{Kind: EvCredit, N: 1})
	r.want("sent", r.wire(0), "1 0 | 2 1 | 3 2")
	if n := r.turns(); n != 1 {
		t.Errorf("%d turns with one place in the queue, want 1", n)
	}
	// Barriers and ends use no credit, but stay in line.
	r.p.k.Broadcast(0, e1, InBand, nil)
	r.p.k.Broadcast(0, e2, Marker, nil)
	r.want("sent", r.wire(0), "1 0 | 2 1 | 3 2")
	r.step(Event{Kind: EvCredit, N: 4})
	r.want("sent", r.wire(0), "1 0 | 2 1 | 3 2 | 4 3 | 5 4 | 6 5 | 7 6 | barrier 1.1 | barrier 1.2")
	// A credit of a connection that is gone is none.
	r.step(Event{Kind: EvCutOutput})
	r.step(Event{Kind: EvCredit, N: 4})
	r.sent[0] = nil
	r.connect(9)
	for i := range 3 {
		r.arrive(0, id.Seq(i+8), "x")
	}
	r.turns()
	r.want("sent on the new connection", r.wire(0), "9 x | 10 x")
}

// TestPositions: records, a watermark and in-band control items have one each,
// overtaking ones, markers and the end of the stream none.
func TestPositions(t *testing.T) {
	r := middle(t, nil, func(c *Config) { c.Credits = 9 })
	r.connect(0)
	r.step(Event{Kind: EvArrive, Buffer: data(1, 5, "a", "b")})
	r.step(Event{Kind: EvArrive, Port: 1, Buffer: data(1, 5)})
	r.turns()
	r.p.k.Broadcast(0, e1, InBand, nil)
	r.p.k.Broadcast(0, e2, Overtake, nil)
	r.p.k.Broadcast(0, e2+1, Marker, nil)
	r.item(0, EndData, 4)
	r.item(1, EndData, 2)
	r.turns()
	r.p.k.Finish()
	r.want("sent", r.wire(0), "1 a b wm 5 | barrier 1.1 | barrier 1.2 | barrier 1.3 | 5 end | gone")
	if at := r.task.kernel().SealedUpTo(0); at != 5 {
		t.Errorf("sealed up to %d, want 5", at)
	}
	if in := [2]id.Seq{r.task.kernel().Delivered(0), r.task.kernel().Delivered(1)}; in != [2]id.Seq{4, 2} {
		t.Errorf("delivered %v, want [4 2]", in)
	}
}

// TestOvertakingOrder: ahead of everything, in the order of sending.
func TestOvertakingOrder(t *testing.T) {
	r := middle(t, nil)
	r.arrive(0, 1, "a")
	r.arrive(0, 2, "b")
	r.turns()
	r.p.k.Broadcast(0, e1, Overtake, nil)
	r.p.k.Broadcast(0, e2, Overtake, nil)
	r.connect(0)
	r.want("sent", r.wire(0), "barrier 1.1 | barrier 1.2 | 1 a | 2 b")
}

// TestForbiddenIsNotOvertaken: a pointwise edge gets its barrier in line.
func TestForbiddenIsNotOvertaken(t *testing.T) {
	r := middle(t, nil)
	r.task.outputs[0].Forbidden = true
	r.arrive(0, 1, "a")
	r.turns()
	r.p.k.Broadcast(0, e1, Overtake, nil)
	d := r.p.k.Begin(e1, 0)
	d.Outputs()
	if len(d.out) != 0 {
		t.Error("output of a forbidden edge is captured")
	}
	r.connect(0)
	r.want("sent", r.wire(0), "1 a | barrier 1.1")
}

func TestDedups(t *testing.T) {
	r := middle(t, func(p *script) Protocol { return deduping{p} })
	r.connect(0)
	r.arrive(0, 1, "a", "b")
	known := r.arrive(0, 1, "a")
	partly := r.arrive(0, 2, "b", "c", "d")
	before := render(partly)
	r.arrive(0, 4, "d")
	if r.turns() != 2 {
		t.Error("something else than two buffers is handled")
	}
	r.want("sent", r.wire(0), "1 a b | 3 c d")
	r.want("a partly known buffer, which its sender may hold", render(partly), before)
	if r.credits[0] != 4 {
		t.Errorf("%d credits for 4 buffers", r.credits[0])
	}
	if n := r.saw(trace.Dropped); n != 2 {
		t.Errorf("%d dropped, want 2", n)
	}
	for _, b := range r.recycled {
		if b == known {
			t.Error("a dropped buffer is recycled; its sender may hold it")
		}
	}
	if r.failure != nil {
		t.Error(r.failure)
	}
}

func TestHolderReleases(t *testing.T) {
	r := middle(t, func(p *script) Protocol { return holding{p} })
	r.connect(0)
	for i, s := range []string{"a", "b", "c"} {
		r.arrive(0, id.Seq(i+1), s)
	}
	r.turns()
	r.want("sent before any release", r.wire(0), "")
	r.p.k.Broadcast(0, e1, Overtake, nil)
	r.want("sent", r.wire(0), "barrier 1.1")
	r.p.k.Release(0, 2)
	r.p.k.Release(0, 1) // an older release takes nothing back
	r.want("sent", r.wire(0), "barrier 1.1 | 1 a | 2 b")
	r.step(Event{Kind: EvCredit, N: 2})
	r.want("sent", r.wire(0), "barrier 1.1 | 1 a | 2 b")
	r.p.k.Release(0, 3)
	r.want("sent", r.wire(0), "barrier 1.1 | 1 a | 2 b | 3 c")
}

func TestStampsAreFixedWhenSealed(t *testing.T) {
	r := middle(t, func(p *script) Protocol { return stamping{p} })
	r.arrive(0, 1, "a")
	r.turns()
	r.p.k.Broadcast(0, e1, InBand, nil)
	r.p.k.Broadcast(0, e2, Overtake, nil)
	r.connect(0)
	want := []string{"0 after 2", "0 after 1", "0 after 2"} // the overtaking one was sealed last and sent first
	for i, b := range r.sent[0] {
		if string(b.Stamp) != want[i] {
			t.Errorf("%s is stamped %q, want %q", render(b), b.Stamp, want[i])
		}
	}
}

// TestConnectedSkipsWhatIsKnown: whole buffers and the known part of one.
func TestConnectedSkipsWhatIsKnown(t *testing.T) {
	r := middle(t, nil)
	r.arrive(0, 1, "a")
	r.arrive(0, 2, "b", "c", "d")
	r.arrive(0, 5, "e")
	r.turns()
	held := r.task.outputs[0].q.at(1)
	r.connect(3)
	r.want("sent", r.wire(0), "4 d | 5 e")
	r.want("the buffer that a draft may hold", render(held), "2 b c d")
}

func TestResendReplacesTheQueue(t *testing.T) {
	r := middle(t, nil)
	r.p.linked = func(out int, seen id.Seq) {
		r.p.k.Resend(out, []*Buffer{data(seen+1, NoWatermark, "b"), data(seen+2, NoWatermark, "c")})
	}
	r.arrive(0, 1, "a", "b", "c")
	r.turns()
	r.connect(1)
	r.want("sent", r.wire(0), "2 b | 3 c")
}

// TestLeftSendsItsEndAgain: a task that has left ends the stream of every new connection.
func TestLeftSendsItsEndAgain(t *testing.T) {
	r := middle(t, nil)
	r.connect(0)
	r.item(0, EndData, 1)
	r.item(1, EndData, 1)
	r.turns()
	r.p.k.Finish()
	r.want("sent", r.wire(0), "1 end | gone")
	if !r.left {
		t.Error("nobody is told that the task has left")
	}
	for range 2 {
		r.step(Event{Kind: EvCutOutput})
		r.sent[0] = nil
		r.connect(1)
		r.want("sent to a new receiver", r.wire(0), "gone")
	}
	// Left behind are credits, cuts and connections; a plan is answered.
	r.arrive(0, 2, "late")
	r.step(Event{Kind: EvMessage, Data: []byte("hello")})
	r.step(Event{Kind: EvKeep, Attempt: 2, Plan: &TaskPlan{Mode: Keep}})
	if len(r.ready) != 2 {
		t.Error("a task that has left does not answer a plan")
	}
	if r.failure != nil || r.task.Runnable() {
		t.Errorf("a task that has left works: %v", r.failure)
	}
}

func TestBlockedInputWaits(t *testing.T) {
	r := middle(t, nil)
	r.connect(0)
	r.p.k.Block(0)
	r.p.k.Block(0)
	r.arrive(0, 1, "a")
	r.arrive(1, 1, "b")
	if n := r.turns(); n != 1 {
		t.Errorf("%d turns, want 1", n)
	}
	r.want("sent", r.wire(0), "1 b")
	r.p.k.Unblock(0)
	r.turns()
	r.want("sent", r.wire(0), "1 b | 2 a")
	// A cut empties a blocked input without upsetting the count of what can be served.
	r.p.k.Block(1)
	r.arrive(1, 2, "c")
	r.step(Event{Kind: EvCutInput, Port: 1})
	r.p.k.Unblock(1)
	if r.task.Runnable() {
		t.Error("nothing is queued, and the task wants a turn")
	}
	r.arrive(1, 2, "c")
	if n := r.turns(); n != 1 || r.failure != nil {
		t.Errorf("%d turns after the cut, want 1 (%v)", n, r.failure)
	}
}

// TestFailureSendsNothing: what a failed turn has produced stays where it is.
func TestFailureSendsNothing(t *testing.T) {
	op := &forward{fail: "x"}
	r := newRig(t, "middle", op, nil)
	r.start(1, TaskPlan{})
	r.connect(0)
	op.ctx.Timer(3, []byte("x"))
	r.step(Event{Kind: EvArrive, Port: 1, Buffer: data(1, 5)})
	r.turns()
	r.step(Event{Kind: EvArrive, Buffer: data(1, 5, "a")})
	r.turns()
	r.fails("a bad timer")
	r.want("sent by the failed turn", r.wire(0), "")

	r = newRig(t, "middle", &forward{fail: "x"}, nil)
	r.start(1, TaskPlan{})
	r.connect(0)
	r.arrive(0, 1, "a", "x")
	r.turns()
	r.fails("a bad record")
	r.want("sent by the failed turn", r.wire(0), "")
}

// TestWatermark: the least of all inputs, and it never goes back.
func TestWatermark(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil)
	r.start(1, TaskPlan{})
	r.connect(0)
	op.ctx.Timer(7, []byte("k"))
	op.ctx.Timer(7, []byte("k"))
	op.ctx.Timer(4, []byte("l"))
	next := [2]id.Seq{1, 1}
	for _, s := range []struct {
		in int
		wm int64
	}{{0, 10}, {1, 3}, {1, 2}, {0, 5}, {1, 7}, {1, 20}} {
		r.step(Event{Kind: EvArrive, Port: s.in, Buffer: data(next[s.in], s.wm)})
		next[s.in]++
		r.turns()
		r.step(Event{Kind: EvCredit, N: 1})
	}
	r.want("timers", fmt.Sprint(op.due), "[4 l 7 k]")
	r.want("sent", r.wire(0), "1 wm 3 | 2 wm 7 | 3 wm 10")
	r.item(0, EndData, next[0])
	r.turns()
	r.want("sent with one input at its end", r.wire(0), "1 wm 3 | 2 wm 7 | 3 wm 10 | 4 wm 20")
	r.item(1, EndData, next[1])
	r.turns()
	r.want("at the end", fmt.Sprint(op.ctx.Watermark()), fmt.Sprint(EndOfTime))
	r.step(Event{Kind: EvCredit, N: 1})
	r.want("sent at the end", r.wire(0), "1 wm 3 | 2 wm 7 | 3 wm 10 | 4 wm 20 | 5 end")
}
