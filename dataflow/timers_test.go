package dataflow

import (
	"fmt"
	"strings"
	"testing"

	"weir/id"
	"weir/trace"
)

// few lets so many timers fire in a turn.
func few(n int) func(c *Config) { return func(c *Config) { c.TimersPerTurn = n } }

// advance brings a watermark on both inputs, at position seq, and gives one turn
// for the first; the second one puts the watermark under way when it is served.
func (r *rig) advance(seq id.Seq, wm int64) {
	for in := range 2 {
		r.step(Event{Kind: EvArrive, Port: in, Buffer: data(seq, wm)})
	}
	r.step(Event{Kind: EvTurn})
	r.step(Event{Kind: EvTurn})
}

// TestSlices: many due timers take several turns; a barrier passes between two,
// and data waits for the last of them.
func TestSlices(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil, few(2))
	r.start(1, TaskPlan{})
	r.connect(0)
	op.then = func(_ int64, key string) { op.ctx.Out(0).Emit([]byte("due " + key)) }
	for i := range 5 {
		op.ctx.Timer(int64(i), fmt.Append(nil, "k", i))
	}
	r.advance(1, 9)
	r.want("fired with the buffer", fmt.Sprint(op.due), "[0 k0 1 k1]")
	r.arrive(0, 2, "later")
	r.barrier(1, e1, 2)
	passed := len(r.p.log)
	r.step(Event{Kind: EvTurn})
	r.want("fired when the barrier passes", fmt.Sprint(op.due, len(r.p.log) > passed), "[0 k0 1 k1] true")
	r.step(Event{Kind: EvTurn})
	r.want("fired with the next turn", fmt.Sprint(op.due, op.seen), "[0 k0 1 k1 2 k2 3 k3] []")
	r.turns()
	r.want("at the end", fmt.Sprint(op.due, op.seen), "[0 k0 1 k1 2 k2 3 k3 4 k4] [later]")
	r.want("sent", r.wire(0), "1 due k0 due k1 | 3 due k2 due k3")
	r.step(Event{Kind: EvCredit, N: 5})
	r.want("sent", r.wire(0), "1 due k0 due k1 | 3 due k2 due k3 | 5 due k4 wm 9 | 7 later")
}

// TestRestoreBetweenSlices: the watermark under way is part of the snapshot, with
// the buffer that brought it counted as delivered; each timer fires once, and what
// follows the last of them still does.
func TestRestoreBetweenSlices(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil, few(2))
	r.start(1, TaskPlan{})
	for i := range 5 {
		op.ctx.Timer(int64(i), fmt.Append(nil, "k", i))
	}
	for in := range 2 {
		r.item(in, EndData, 1)
	}
	r.step(Event{Kind: EvTurn})
	r.step(Event{Kind: EvTurn})
	r.want("fired before", fmt.Sprint(op.due), "[0 k0 1 k1]")
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	s := r.stored("snap/t2/1.1")
	if !s.Firing || !s.Advancing || s.Watermark != EndOfTime || s.Drained || s.Delivered[1] != 1 {
		t.Errorf("the header is %+v", s.Header)
	}

	op2 := &forward{}
	r.job.Graph.Vertices[1].New = func() Operator { return op2 }
	r.renew()
	r.start(2, TaskPlan{Ref: "snap/t2/1.1"})
	r.connect(0)
	r.want("fired by the restore itself", fmt.Sprint(op2.due), "[]")
	r.turns()
	r.want("fired after", fmt.Sprint(op2.due, op2.ctx.Watermark()), fmt.Sprint("[2 k2 3 k3 4 k4] ", EndOfTime))
	r.want("sent", r.wire(0), "1 end")
}

// TestPastTimers: a timer at or behind the watermark fires after the buffer in
// whose processing it was set, in order; one that a timer sets fires among them.
func TestPastTimers(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil, few(2))
	r.start(1, TaskPlan{})
	r.connect(0)
	r.advance(1, 5)
	op.each = func(rec string) {
		op.ctx.Timer(5, []byte(rec))
		op.ctx.Timer(2, []byte(rec))
		op.ctx.Timer(6, []byte(rec))
	}
	op.then = func(at int64, key string) {
		if at == 2 && key == "a" {
			op.ctx.Timer(1, []byte("by a timer"))
			op.ctx.Timer(8, []byte("by a timer"))
		}
	}
	r.arrive(0, 2, "b", "a")
	r.step(Event{Kind: EvTurn})
	r.want("fired with the buffer", fmt.Sprint(op.due), "[2 a 1 by a timer]")
	r.step(Event{Kind: EvCredit, N: 5})
	r.turns()
	r.want("fired", fmt.Sprint(op.due), "[2 a 1 by a timer 2 b 5 a 5 b]")
	r.want("watermark", fmt.Sprint(op.ctx.Watermark()), "5")
	op.due = nil
	for in := range 2 {
		r.step(Event{Kind: EvArrive, Port: in, Buffer: data(id.Seq(4-2*in), 8)})
	}
	r.turns()
	r.want("fired", fmt.Sprint(op.due), "[6 a 6 b 8 by a timer]")
	op.due = nil
	op.finish = func() { op.ctx.Timer(3, []byte("at the end")) }
	r.item(0, EndData, 5)
	r.item(1, EndData, 3)
	r.turns()
	r.want("fired", fmt.Sprint(op.due), "[3 at the end]")
}

// TestProcessingTimers: they fire when the clock has reached them, in slices, and
// a restored task asks for the time again.
func TestProcessingTimers(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil, few(2))
	r.start(1, TaskPlan{})
	for i := range 4 {
		op.ctx.ProcessingTimer(int64(30-i), []byte("k"))
	}
	op.ctx.ProcessingTimer(40, []byte("late"))
	op.ctx.ProcessingTimer(28, []byte("none"))
	op.ctx.CancelProcessingTimer(28, []byte("none"))
	r.want("asked for", fmt.Sprint(r.done), "[timer 30 timer 29 timer 28 timer 27]")
	r.clock = 31
	r.step(Event{Kind: EvTimer, Ticket: r.alarm})
	r.want("fired outside a turn", fmt.Sprint(op.due), "[]")
	r.step(Event{Kind: EvTurn})
	r.want("fired in a turn", fmt.Sprint(op.due), "[clock 27 k clock 28 k]")
	r.snapshotNow()
	r.turns()
	r.want("fired", fmt.Sprint(op.due), "[clock 27 k clock 28 k clock 29 k clock 30 k]")

	op2 := &forward{}
	r.job.Graph.Vertices[1].New = func() Operator { return op2 }
	r.renew()
	r.clock = 35
	r.start(2, TaskPlan{Ref: "snap/t2/1.1"})
	if !strings.Contains(fmt.Sprint(r.done), "timer 0") {
		t.Errorf("the restored task has asked for %v", r.done)
	}
	r.step(Event{Kind: EvTimer, Ticket: r.alarm})
	r.turns()
	r.want("fired after the restore", fmt.Sprint(op2.due), "[clock 29 k clock 30 k]")
	r.item(0, EndData, 1)
	r.item(1, EndData, 1)
	r.turns()
	r.clock = 50
	r.step(Event{Kind: EvTimer, Ticket: r.alarm})
	r.turns()
	r.want("fired after the end", fmt.Sprint(op2.due), "[clock 29 k clock 30 k]")
}

// TestHeldClock: timers that are due wait as long as the protocol holds them, between
// two slices too, while buffers and timers of event time go on; a new incarnation is not held.
func TestHeldClock(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil, few(1))
	r.start(1, TaskPlan{})
	op.ctx.ProcessingTimer(10, []byte("a"))
	op.ctx.ProcessingTimer(11, []byte("b"))
	op.ctx.Timer(5, []byte("e"))
	r.clock = 12
	r.step(Event{Kind: EvTimer, Ticket: r.alarm})
	r.step(Event{Kind: EvTurn})
	if !r.p.k.Firing() {
		t.Error("a timer that is due counts as fired")
	}
	r.p.k.HoldClock(true)
	if r.p.k.Firing() || r.turns() != 0 {
		t.Error("a task with nothing but held timers takes turns")
	}
	if w := r.task.Waits(); !strings.Contains(w, "holds timers of the clock") {
		t.Errorf("it waits: %s", w)
	}
	r.arrive(0, 1, "x")
	r.arrive(1, 1, "y")
	r.advance(2, 9)
	r.turns()
	r.want("done while held", fmt.Sprint(op.due, op.seen), "[clock 10 a 5 e] [y x]") // the rotation begins behind input 0
	r.snapshotNow()
	r.p.k.HoldClock(false)
	r.turns()
	r.want("fired", fmt.Sprint(op.due), "[clock 10 a 5 e clock 11 b]")

	op2 := &forward{}
	r.job.Graph.Vertices[1].New = func() Operator { return op2 }
	r.p.k.HoldClock(true)
	r.renew()
	r.clock = 12
	r.start(2, TaskPlan{Ref: "snap/t2/1.1"})
	r.step(Event{Kind: EvTimer, Ticket: r.alarm})
	r.turns()
	r.want("fired after the restore", fmt.Sprint(op2.due), "[clock 11 b]")
}

func (r *rig) snapshotNow() {
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
}

// TestTimersWithoutKeys: a task that has no keyed state says what is missing.
func TestTimersWithoutKeys(t *testing.T) {
	op := &vault{}
	r := newRig(t, "sink", op, nil)
	r.start(1, TaskPlan{})
	op.ctx.Timer(1, []byte("k"))
	r.fails("needs a method OnTimer and a vertex that is Keyed")
}

// TestTimerMutants: each shows in the one way that it should.
func TestTimerMutants(t *testing.T) {
	run := func(m Mutant) string {
		op := &forward{}
		r := newRig(t, "middle", op, nil, few(2), func(c *Config) { c.Mutant = m })
		r.start(1, TaskPlan{})
		for i := range 4 {
			op.ctx.Timer(int64(i), []byte("k"))
		}
		r.advance(1, 9)
		r.snapshotNow()
		op2 := &forward{}
		r.job.Graph.Vertices[1].New = func() Operator { return op2 }
		r.renew()
		r.start(2, TaskPlan{Ref: "snap/t2/1.1"})
		op2.ctx.Timer(4, []byte("past"))
		r.turns()
		return fmt.Sprint(op.due, op2.due)
	}
	for m, want := range map[Mutant]string{
		"":                    "[0 k 1 k] [2 k 3 k 4 past]",
		MutantFireTwice:       "[0 k 1 k] [1 k 2 k 3 k 4 past]",
		MutantSilentPastTimer: "[0 k 1 k] [2 k 3 k]",
		MutantForgetTimers:    "[0 k 1 k] [4 past]",
	} {
		if got := run(m); got != want {
			t.Errorf("%q: fired %s, want %s", m, got, want)
		}
	}
}

// TestEventTimeIsTold: what passes between a task and its operator is in the trace,
// a watermark when the operator first sees it.
func TestEventTimeIsTold(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil)
	r.start(1, TaskPlan{})
	r.connect(0)
	op.then = func(int64, string) { op.ctx.Watermark() }
	op.ctx.Timer(3, []byte("a"))
	op.ctx.Timer(4, []byte("b"))
	op.ctx.CancelTimer(4, []byte("b"))
	r.advance(1, 9)
	op.ctx.Timer(5, []byte("c"))
	op.ctx.Late(1, []byte("r"))
	var told []string
	for _, e := range r.events {
		switch e.Kind {
		case trace.WatermarkSeen, trace.TimerSet, trace.TimerCancelled, trace.TimerFired, trace.RecordLate:
			told = append(told, fmt.Sprintf("%s %d %s", e.Kind, e.At, e.Data))
		case trace.Delivered:
			told = append(told, fmt.Sprintf("%s %d", e.Kind, e.At))
		default:
		}
	}
	r.want("told", strings.Join(told, ", "), "timer-set 3 a, timer-set 4 b, timer-cancelled 4 b, delivered 9, delivered 9, "+
		"timer-fired 3 a, watermark-seen 9 , timer-set 5 c, record-late 9 r")
}
