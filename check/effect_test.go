package check

import (
	"testing"

	"weir/trace"
)

// repeat delivers a record once more, behind the back of positions.
func (w *world) repeat(r uint32) {
	w.tell(trace.Event{Kind: trace.Delivered, Task: 2, Channel: 0, From: w.taken[0], To: w.taken[0], Data: frame(r)})
}

func TestEffectCountsRecordsInTheSurvivingState(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.flow()
	w.repeat(4)
	r := w.finish(epoch(2, 1))
	mustFire(t, r, "record 4 (2 times, want 1; in t2 (count[0]))", Effect, Cut)
	if r.Duplicates != 1 || r.Losses != 0 {
		t.Errorf("%d duplicates, %d losses", r.Duplicates, r.Losses)
	}
}

func TestEffectMissesRecords(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 4)
	w.mute = w.mute.With(trace.Delivered)
	w.deliver(0, 2) // records 0 and 4
	w.mute = 0
	r := w.finish(epoch(1, 1))
	mustFire(t, r, "2 of 240 records are missing from the final state: record 0 (0 times, want 1), 4 (0", Effect, Cut, Conservation)
	if r.Losses != 2 {
		t.Errorf("%d losses", r.Losses)
	}
}

func TestWeakerGuaranteesAreSeenAndAllowed(t *testing.T) {
	atLeast := newWorld(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })
	atLeast.middle()
	atLeast.crash("w0")
	atLeast.restore(epoch(1, 1))
	atLeast.repeat(8)
	r := atLeast.finish(epoch(2, 1))
	mustPass(t, r)
	if r.Duplicates != 1 || r.Losses != 0 {
		t.Errorf("%d duplicates, %d losses", r.Duplicates, r.Losses)
	}

	atMost := newWorld(t, func(x *Expect) {
		x.State, x.Output, x.AtOnce, x.Coordinated, x.Pace.Checkpoint = AtMostOnce, AtMostOnce, true, false, 0
	})
	atMost.emit(0, 4)
	atMost.deliver(0, 1)
	atMost.crash("w0")
	resumed := live{offset: atMost.offset}
	atMost.saved[0] = resumed
	atMost.restore(0)
	r = atMost.finish(epoch(2, 1))
	mustPass(t, r)
	if r.Duplicates != 0 || r.Losses != 4 {
		t.Errorf("%d duplicates, %d losses", r.Duplicates, r.Losses)
	}
}

func TestWithoutFailuresNoGuaranteeIsWeaker(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })
	w.middle()
	w.repeat(8)
	mustFire(t, w.finish(epoch(1, 2)), "record 8 (2 times", Effect)
}

func TestWeakerGuaranteesHaveALimit(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.mute = w.mute.With(trace.Delivered)
	w.deliver(0, 1)
	w.mute = 0
	mustFire(t, w.finish(epoch(2, 1)), "missing from the final state", Effect, Cut, Conservation)
}

func TestCopiesMayDiffer(t *testing.T) {
	w := newWorld(t, func(x *Expect) {
		x.Copies = func(r uint64) int {
			if r == 8 {
				return 2
			}
			return 1
		}
	})
	w.emit(0, 6)
	w.flow()
	w.repeat(8)
	mustPass(t, w.finish(epoch(1, 1)))
}
