package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

// answered tells of an answer: live of a task, or of a checkpoint, or of a task's snapshot.
func (w *world) answered(t id.TaskID, e id.Epoch, got, is uint64) {
	w.tell(trace.Event{Kind: trace.Queried, Task: t, Channel: trace.NoChannel, Epoch: e, Sum: got, To: is, Data: []byte("k")})
}

// TestAnswersAreWhatThereIs: of both levels, wrong entries, and entries where there are none.
func TestAnswersAreWhatThereIs(t *testing.T) {
	for _, x := range []struct {
		task    id.TaskID
		e       id.Epoch
		got, is uint64
		words   string
	}{
		{2, 0, 7, 7, ""},
		{2, 0, 0, 0, ""},
		{2, 0, 0, 7, "answered with entries of hash 0000000000000000; what was there has 0000000000000007"},
		{trace.Coordinator, epoch(1, 1), 7, 7, ""},
		{trace.Coordinator, epoch(1, 1), 8, 7, "epoch 1.1: a query about key 6b was answered with entries of hash 0000000000000008"},
		{trace.Coordinator, epoch(1, 2), 7, 7, "epoch 1.2: a query about key 6b was answered from a checkpoint that is not complete"},
	} {
		w := newWorld(t)
		w.middle()
		w.answered(x.task, x.e, x.got, x.is)
		if r := w.finish(epoch(1, 9)); x.words != "" {
			mustFire(t, r, x.words, Queries)
		} else {
			mustPass(t, r)
		}
	}
}

// TestAnswersAreOfWhoRuns: an incarnation that was replaced answers nobody any more.
func TestAnswersAreOfWhoRuns(t *testing.T) {
	for _, stale := range []bool{true, false} {
		w := newWorld(t)
		w.middle()
		w.crash("w0")
		w.restore(epoch(1, 1))
		if stale {
			w.tell(trace.Event{Kind: trace.Queried, Task: 2, Channel: trace.NoChannel, Attempt: 1, Sum: 7, To: 7})
		} else {
			w.answered(2, 0, 7, 7)
		}
		w.flow()
		if r := w.finish(epoch(2, 9)); stale {
			mustFire(t, r, "answered by attempt 1, which does not run", Queries)
		} else {
			mustPass(t, r)
		}
	}
}

// TestAnswersDoNotGoBack: behind an answer of a newer checkpoint comes none of an older one,
// unless the job has fallen back as it may.
func TestAnswersDoNotGoBack(t *testing.T) {
	for _, fallen := range []bool{true, false} {
		w := newWorld(t)
		if fallen {
			w.c.MayFallBack()
		}
		w.middle()
		w.answered(trace.Coordinator, epoch(1, 1), 7, 7)
		w.snapshot(epoch(1, 2))
		w.complete(epoch(1, 2))
		w.answered(trace.Coordinator, epoch(1, 2), 7, 7)
		w.crash("w0")
		w.coordinator(trace.FellBack, epoch(1, 2))
		w.restore(epoch(1, 1))
		w.answered(trace.Coordinator, epoch(1, 1), 7, 7)
		w.flow()
		if r := w.finish(epoch(2, 1)); (r.Counts[Queries] == 0) != fallen {
			t.Errorf("fallen back %v: %v", fallen, r.Violations)
		}
	}
}

// TestAnAnswerOnItsWayThroughAFallback: of the checkpoint that was passed over meanwhile; the next one is of the
// one before, and none is of one before that.
func TestAnAnswerOnItsWayThroughAFallback(t *testing.T) {
	for _, further := range []bool{false, true} {
		w := newWorld(t)
		w.c.MayFallBack()
		w.middle()
		for _, e := range []id.Epoch{epoch(1, 2), epoch(1, 3)} {
			w.snapshot(e)
			w.complete(e)
		}
		w.crash("w0")
		w.coordinator(trace.FellBack, epoch(1, 3))
		w.answered(trace.Coordinator, epoch(1, 3), 7, 7)
		w.answered(trace.Coordinator, epoch(1, 2), 7, 7)
		if further {
			w.answered(trace.Coordinator, epoch(1, 1), 7, 7)
		}
		if r := w.c.Finish(End{Time: w.now}); (r.Counts[Queries] > 0) != further {
			t.Errorf("further %v: %v", further, r.Violations)
		}
	}
}

// TestAnswersOfALineDoNotGoBack: behind an answer of a newer snapshot of a task comes none of an older one;
// those of another task are for themselves.
func TestAnswersOfALineDoNotGoBack(t *testing.T) {
	for _, back := range []bool{true, false} {
		w := newWorld(t, uncoordinated)
		w.local(2, epoch(1, 1))
		w.advanced(2, epoch(1, 1))
		w.local(1, epoch(1, 1))
		w.advanced(1, epoch(1, 1))
		w.answered(2, epoch(1, 1), 7, 7)
		w.local(2, epoch(1, 2))
		w.advanced(2, epoch(1, 2))
		w.answered(2, epoch(1, 2), 7, 7)
		w.answered(1, epoch(1, 1), 7, 7)
		if back {
			w.answered(2, epoch(1, 1), 7, 7)
		}
		if r := w.verdict(); (r.Counts[Queries] > 0) != back {
			t.Errorf("back %v: %v", back, r.Violations)
		}
	}
}

// TestAnswersOfALineAreFinal: a snapshot that the line has not reached may be rolled back.
func TestAnswersOfALineAreFinal(t *testing.T) {
	for _, final := range []bool{true, false} {
		w := newWorld(t, uncoordinated)
		w.local(2, epoch(1, 1))
		if final {
			w.advanced(2, epoch(1, 1))
		}
		w.answered(2, epoch(1, 1), 7, 7)
		if r := w.verdict(); (r.Counts[Queries] == 0) != final {
			t.Errorf("final %v: %v", final, r.Violations)
		}
	}
}
