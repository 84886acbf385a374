package check

import (
	"testing"

	"weir/trace"
)

// TestFallingBackIsAllowed: a recovery that has passed over a damaged checkpoint goes
// behind visible output, and commits again what there was since, if that is allowed; nothing may be lost.
func TestFallingBackIsAllowed(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		w := newWorld(t)
		if allowed {
			w.c.MayFallBack()
		}
		w.middle()
		w.snapshot(epoch(1, 2))
		w.complete(epoch(1, 2))
		w.crash("w0")
		w.coordinator(trace.FellBack, epoch(1, 2))
		w.restore(epoch(1, 1))
		w.flow()
		r := w.finish(epoch(2, 1))
		if allowed && (r.FellBack != 1 || r.Counts[Commit] > 0 || r.Counts[Output] > 0) {
			t.Errorf("%d times fallen back: %v", r.FellBack, r.Violations)
		}
		if !allowed && r.Counts[Commit] == 0 {
			t.Error("a recovery behind visible output that nobody has allowed passes")
		}
	}
}

// TestRoundsThatFailAreNoStandstill: a refusal costs a round, and is a fault that
// strikes when storage answers; rounds that take too long are counted with the gap.
func TestRoundsThatFailAreNoStandstill(t *testing.T) {
	for _, outcome := range []trace.Outcome{trace.Refused, trace.Failed} {
		w := newWorld(t, func(x *Expect) { x.Pace.End = 0 })
		w.middle()
		for range 2 {
			w.now += 6e5
			w.tell(trace.Event{Kind: trace.StoreDone, Task: 0, Op: trace.Put, Key: "snap/t0/1.2", Outcome: outcome})
		}
		w.coordinator(trace.TimedOut, epoch(1, 2))
		r := w.finish(epoch(1, 3))
		if refused := outcome == trace.Refused; refused == (r.Counts[Progress] > 0) || r.GapTimeouts != 1 {
			t.Errorf("%s: %d rounds timed out in the longest gap; %v", outcome, r.GapTimeouts, r.Violations)
		}
	}
}
