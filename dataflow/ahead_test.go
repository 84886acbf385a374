package dataflow

import (
	"fmt"
	"testing"

	"weir/id"
)

// reachedIn is what WatermarkOf says of each of the eight key groups.
func reachedIn(op *forward) string {
	var all []int64
	for g := range uint16(8) {
		all = append(all, op.ctx.WatermarkOf(g))
	}
	return fmt.Sprint(all)
}

// takeAt stores snapshot 1.1 of instance index of n of middle, whose watermark is wm.
func (r *rig) takeAt(index, n int, wm int64) {
	r.becomes("middle", index, &forward{}, 1, n, 1)
	r.start(1, TaskPlan{})
	r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(1, wm)})
	r.turns()
	r.take()
}

// goesOn stores snapshot e of the task and starts it from there.
func (r *rig) goesOn(e id.Epoch, index, n int) *forward {
	d := r.p.k.Begin(e, 0)
	d.Seal()
	r.settle()
	op := &forward{}
	task := r.info.ID
	r.becomes("middle", index, op, 1, n, 1)
	r.start(e.Attempt()+1, TaskPlan{Ref: SnapshotKey(task, e)})
	r.connect(1)
	return op
}

// reaches delivers watermark wm at a position.
func (r *rig) reaches(at id.Seq, wm int64) {
	r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(at, wm)})
	r.turns()
}

// TestAheadOfTheWatermark: of the keys of a former that was ahead the task knows it, in its
// snapshots too, until it is there itself.
func TestAheadOfTheWatermark(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	r.takeAt(0, 2, 10)
	r.takeAt(1, 2, 7)
	for n, want := range []string{"[10 10 10 7 7 7 7 7]", "[7 7 7 10 7 7 7 7]", "[7 7 7 7 7 7 7 7]"} { // of groups that it does not own it knows nothing
		op := &forward{}
		r.becomes("middle", n, op, 1, 3, 1)
		r.startFrom(nil, former(1, "middle", 0, 2), former(2, "middle", 1, 2))
		r.connect(0)
		r.want(fmt.Sprintf("instance %d", n), reachedIn(op), want)
		r.turns()
		op = r.goesOn(id.MakeEpoch(2, 1), n, 3)
		r.want(fmt.Sprintf("instance %d, restored", n), reachedIn(op), want)
		if free := r.task.ahead == nil; free != (n == 2) {
			t.Errorf("instance %d: nothing is ahead: %v", n, free)
		}
		r.item(0, SentAgain, 1)
		r.reaches(2, 9)
		r.want("at 9", reachedIn(op)[:3], map[bool]string{true: "[9 ", false: "[10"}[n > 0])
		r.reaches(3, 10)
		r.want("at 10", reachedIn(op), "[10 10 10 10 10 10 10 10]")
		if r.task.ahead != nil {
			t.Errorf("at 10 still ahead: %v", r.task.ahead)
		}
	}
}

// TestAheadOverTwoChanges: what a former knew of older ones is taken over where it is later
// than its own, for the keys that it had.
func TestAheadOverTwoChanges(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	for i, wm := range []int64{20, 5, 10, 15} {
		r.takeAt(i, 4, wm)
	}
	formers := []Former{former(1, "middle", 0, 4), former(2, "middle", 1, 4), former(3, "middle", 2, 4), former(4, "middle", 3, 4)}
	for i, at := range []int64{12, 11} {
		op := &forward{}
		r.becomes("middle", i, op, 1, 2, 1)
		r.startFrom(nil, formers...)
		r.connect(0)
		r.want("of four", reachedIn(op), []string{"[20 20 5 5 5 5 5 5]", "[5 5 5 5 10 10 15 15]"}[i])
		r.item(0, SentAgain, 1)
		r.reaches(2, at)
		d := r.p.k.Begin(id.MakeEpoch(2, 1), 0)
		d.Seal()
		r.settle()
	}
	formers = formers[:2]
	for i := range formers {
		formers[i] = Former{Ref: SnapshotKey(id.TaskID(1+i), id.MakeEpoch(2, 1)), Task: id.TaskID(1 + i), Name: "middle", Index: i, Parallelism: 2}
	}
	op := &forward{}
	r.becomes("middle", 0, op, 1, 1, 1)
	r.startFrom(nil, formers...)
	r.connect(0)
	r.want("of two", reachedIn(op), "[20 20 12 12 11 11 15 15]")
	r.want("it stands at", fmt.Sprint(op.ctx.Watermark(), r.task.ahead), "11 [{{0 2} 20} {{2 4} 12} {{6 8} 15}]")

	// An instance that goes on from its own snapshot alone knows what that knew.
	op = &forward{}
	r.becomes("middle", 0, op, 1, 2, 2)
	r.startFrom(nil, formers[0])
	r.connect(0)
	r.want("of itself", reachedIn(op), "[20 20 12 12 12 12 12 12]")

	op = &forward{}
	r.job.Config.Mutant = MutantAheadForgotten
	r.becomes("middle", 0, op, 1, 1, 1)
	r.startFrom(nil, formers...)
	r.want("forgotten", reachedIn(op), "[11 11 11 11 11 11 11 11]")
}

// TestTimersAreNotAhead: a timer fires when the task is there, whoever was there before.
func TestTimersAreNotAhead(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	r.takeAt(0, 2, 10)
	r.takeAt(1, 2, 5)
	op := &forward{}
	op.each = func(rec string) { op.ctx.Timer(8, []byte(rec)) }
	r.becomes("middle", 0, op, 1, 1, 1)
	r.startFrom(nil, former(1, "middle", 0, 2), former(2, "middle", 1, 2))
	r.connect(0)
	r.item(0, SentAgain, 1)
	r.arrive(0, 2, "a")
	r.turns()
	r.want("fired at 5", fmt.Sprint(op.due), "[]")
	r.reaches(3, 8)
	r.want("fired at 8", fmt.Sprint(op.due), "[8 a]")
}
