package dataflow

import (
	"fmt"
	"reflect"
	"testing"

	"weir/id"
)

// moody asks for everything that an operator may ask for.
type moody struct{ forward }

func (m *moody) Process(port int, b *Buffer) error {
	m.ctx.Out(0).Emit(fmt.Appendf(nil, "%d %d", m.ctx.Random(), m.ctx.Now()))
	return m.forward.Process(port, b)
}

// world gives random numbers and times that do not come again.
type world struct {
	*rig
	n uint64
}

func (w *world) Now() int64               { w.n++; return int64(1000 + w.n) }
func (w *world) Random() uint64           { w.n++; return w.n }
func (w *world) Draw(_ Choice, n int) int { w.n++; return int(w.n) % n }
func (r *rig) in(w *world) *rig           { r.task.host = w; return r }

// TestChoicesAreMadeAgain: a new incarnation with the record of an old one waits
// for the input that was served, and gives the same output whatever comes first.
func TestChoicesAreMadeAgain(t *testing.T) {
	var replay, log []choice
	half := func(p *script) Protocol { return deciding{p, &replay, &log} }
	r := newRig(t, "middle", &moody{}, half, func(c *Config) { c.BatchTimeout, c.Credits, c.QueueBuffers = 7, 99, 99 })
	r.in(&world{rig: r})
	r.start(1, TaskPlan{})
	r.connect(0)
	r.arrive(0, 1, "a")
	r.arrive(1, 1, "b")
	r.arrive(0, 2, "c")
	r.turns()
	r.arrive(1, 2, "d")
	r.turns()
	first, made := r.wire(0), log
	if len(made) != 12 {
		t.Fatalf("%d choices, want 12: an input, a number and a time for each buffer: %v", len(made), made)
	}
	if n := len(r.done); n != 0 {
		t.Errorf("a flush timer is a choice that nobody records: %v", r.done)
	}

	replay, log = append([]choice(nil), made...), nil
	r.renew()
	r.in(&world{rig: r, n: 500})
	r.start(2, TaskPlan{})
	r.connect(0)
	r.arrive(1, 1, "b")
	if n := r.turns(); n != 1 || r.wire(0) != "" {
		t.Errorf("%d turns, sent %q: the recorded input has brought nothing, so the task sleeps until the next arrival", n, r.wire(0))
	}
	r.arrive(1, 2, "d")
	r.arrive(0, 1, "a")
	r.turns()
	r.arrive(0, 2, "c")
	r.arrive(0, 3, "e")
	r.turns()
	if got := r.wire(0); len(got) < len(first) || got[:len(first)] != first {
		t.Errorf("the replay sends %q, the first run sent %q", got, first)
	}
	if !reflect.DeepEqual(log[:len(made)], made) || len(log) != 15 {
		t.Errorf("recorded in the replay: %v, before: %v", log, made)
	}

	replay, log = []choice{{PickInput, 2}}, nil
	r.renew()
	r.start(3, TaskPlan{})
	r.arrive(0, 1, "a")
	r.turns()
	r.fails("input 2 was recorded as the one to serve; there are 2")
}

// TestBatchesAreMadeAgain: a source ends its turns where it did, whatever pace the driver sets.
func TestBatchesAreMadeAgain(t *testing.T) {
	var replay, log []choice
	r := newRig(t, "source", &letters{all: "abcdefg"}, func(p *script) Protocol { return deciding{p, &replay, &log} }, func(c *Config) {
		c.SourceBatch, c.Credits, c.QueueBuffers = 3, 99, 99
	})
	r.start(1, TaskPlan{})
	r.connect(0)
	r.step(Event{Kind: EvTurn, N: 2})
	r.turns()
	r.want("sent", r.wire(0), "1 a b | 3 c d e | 6 f g | 8 end")
	first := r.wire(0)
	replay, log = log, nil
	r.job.Graph.Vertices[0].New = func() Operator { return &letters{all: "abcdefg"} }
	r.renew()
	r.start(2, TaskPlan{})
	r.connect(0)
	for range 3 {
		r.step(Event{Kind: EvTurn, N: 1})
	}
	r.want("sent again", r.wire(0), first)
}

// TestUnblockWakes: what was recorded may be served once its input is open again.
func TestUnblockWakes(t *testing.T) {
	replay, log := []choice{{PickInput, 0}}, []choice(nil)
	r := middle(t, func(p *script) Protocol { return deciding{p, &replay, &log} })
	r.connect(0)
	r.p.k.Block(0)
	r.arrive(0, 1, "a")
	r.arrive(1, 1, "b")
	if n := r.turns(); n != 1 || len(log) != 0 {
		t.Errorf("%d turns, recorded %v", n, log)
	}
	r.p.k.Unblock(0)
	r.turns()
	r.want("sent", r.wire(0), "1 a | 2 b")
	if at := r.p.k.Delivered(1); at != id.Seq(1) {
		t.Errorf("delivered up to %d", at)
	}
}
