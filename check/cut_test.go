package check

import (
	"strings"
	"testing"

	"weir/id"
	"weir/trace"
)

func TestCutMissesWhatIsInFlight(t *testing.T) {
	for _, k := range []trace.Kind{trace.CapturedIn, trace.CapturedOut} {
		w := newWorld(t)
		w.emit(0, 6)
		w.emit(1, 5)
		w.mute = w.mute.With(k)
		w.snapshot(epoch(1, 1))
		w.mute = 0
		w.complete(epoch(1, 1))
		mustFire(t, w.finish(epoch(1, 2)), "lost when the checkpoint is restored", Cut)
	}
}

// TestCutCapturesUndeclared: what is in flight is captured on both ends; each is a
// violation where it is not declared, and nothing else is.
func TestCutCapturesUndeclared(t *testing.T) {
	for words, declared := range map[string]Captures{
		"task t2, epoch 1.1: captured-in on channel": {Outputs: true}, "task t0, epoch 1.1: captured-out on channel": {Inputs: true},
	} {
		w := newWorld(t, func(x *Expect) { x.Captures = declared })
		w.emit(0, 6)
		w.emit(1, 5)
		w.snapshot(epoch(1, 1))
		w.complete(epoch(1, 1))
		mustFire(t, w.finish(epoch(1, 2)), words, Cut)
	}
}

func TestCutSaysWhichRecords(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 6)
	w.mute = w.mute.With(trace.CapturedOut)
	w.snapshot(epoch(1, 1))
	w.mute = 0
	w.complete(epoch(1, 1))
	mustFire(t, w.finish(epoch(1, 2)), "behind 3 records that are neither in the state of the checkpoint nor captured in flight; the first is record 0", Cut)
}

func TestCutCapturesTwice(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 6)
	w.snapshot(epoch(1, 1))
	w.captureAll(2, 0, epoch(1, 1), false) // the sender has captured it too
	w.complete(epoch(1, 1))
	mustFire(t, w.finish(epoch(1, 2)), "are captured both", Cut)
}

// TestCutHasEffectsWithoutCause: the receiver's snapshot is taken after the
// sender's, with something from in between.
func TestCutHasEffectsWithoutCause(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 1)
	w.flow()
	w.coordinator(trace.Triggered, epoch(1, 1))
	for t := range id.TaskID(5) {
		w.begun(t, epoch(1, 1))
		w.task(trace.SnapshotStored, t, epoch(1, 1))
		if t == 1 {
			w.emit(0, 4)
			w.flow()
		}
	}
	w.saved[epoch(1, 1)] = w.clone()
	w.mute = w.mute.With(trace.StoreApplied)
	w.coordinator(trace.Completed, epoch(1, 1))
	r := w.c.Finish(End{Time: w.now, Err: errStop})
	mustFire(t, r, "effects without their cause", Cut, StorageWhole, Progress)
	if r.Counts[Cut] < 3 { // two channels and the records
		t.Errorf("%d violations of the cut", r.Counts[Cut])
	}
}

func TestCutLacksATask(t *testing.T) {
	w := newWorld(t)
	w.snapshotWithout(3, epoch(1, 1))
	w.complete(epoch(1, 1))
	mustFire(t, w.finish(epoch(1, 2)), "without a snapshot of t3 (count[1])", Cut)
}

func TestAtLeastOnceMayOverlapButNotLose(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })
	w.emit(0, 4)
	w.flow()
	w.begun(0, epoch(1, 1)) // the source's instant
	w.task(trace.SnapshotStored, 0, epoch(1, 1))
	w.emit(0, 4)
	w.flow() // what follows is in the others' snapshots
	for t := id.TaskID(1); t < 5; t++ {
		w.begun(t, epoch(1, 1))
		w.task(trace.SnapshotStored, t, epoch(1, 1))
	}
	w.record(epoch(1, 1))
	w.coordinator(trace.Completed, epoch(1, 1))
	if r := w.c.Finish(End{Time: w.now}); r.Counts[Cut] > 0 {
		t.Errorf("%v", r.Violations)
	}

	w = newWorld(t, func(x *Expect) { x.State, x.Output = AtLeastOnce, AtLeastOnce })
	w.emit(0, 4)
	w.mute = w.mute.With(trace.CapturedIn, trace.CapturedOut)
	w.snapshot(epoch(1, 1))
	w.mute = 0
	w.complete(epoch(1, 1))
	mustFire(t, w.finish(epoch(1, 2)), "neither in the state", Cut)
}

// TestPositionsBehindAStepBack: tasks that go back to the start, under a coordinator that knows of no
// checkpoint, and then on from one: what had been sent and received at its instant on a channel
// that reorders counts again.
func TestPositionsBehindAStepBack(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.Channels[1].Reorders = true })
	w.emit(0, 12)
	w.deliver(1, 2)
	w.snapshot(epoch(1, 1))
	w.complete(epoch(1, 1))
	w.crash("w0")
	w.restart(-1, 0, 0)
	w.emit(0, 4)
	w.restore(epoch(1, 1))
	w.emit(0, 4)
	w.snapshot(epoch(3, 1))
	w.complete(epoch(3, 1))
	for _, v := range w.c.Violations() {
		if v.Oracle == Cut {
			t.Error(v)
		}
	}
}

// TestPositionsOfAFormerGraph: the same where the job is another graph meanwhile, which completes nothing.
func TestPositionsOfAFormerGraph(t *testing.T) {
	w := newLegs(t, narrow, func(x *Expect) {
		for i := range x.Channels {
			x.Channels[i].Reorders = true
		}
	})
	w.middle(epoch(1, 1))
	w.becomes(wide, epoch(1, 1))
	w.becomes(narrow, epoch(1, 1))
	w.middle(epoch(3, 1))
	if r := w.finish(epoch(3, 2)); len(r.Violations) > 0 {
		t.Error(r.Violations)
	}
}

// TestCutOfAChannelThatReorders: as many items as were sent, but other ones.
func TestCutOfAChannelThatReorders(t *testing.T) {
	for captured, want := range map[uint64]string{2: "", 3: "but not the same"} { // the item that is captured; 2 was not delivered
		w := newWorld(t, func(x *Expect) { x.Channels[1].Reorders = true })
		e := epoch(1, 1)
		for p := range uint64(3) {
			w.tell(trace.Event{Kind: trace.Sealed, Task: 0, Channel: 1, From: p, To: p + 1})
		}
		for _, p := range []uint64{2, 0} {
			w.tell(trace.Event{Kind: trace.Delivered, Task: 3, Channel: 1, From: p, To: p + 1})
		}
		for n := range id.TaskID(5) {
			w.begun(n, e)
		}
		w.tell(trace.Event{Kind: trace.CapturedIn, Task: 3, Channel: 1, Epoch: e, From: captured - 1, To: captured})
		for n := range id.TaskID(5) {
			w.task(trace.SnapshotStored, n, e)
		}
		w.mute = w.mute.With(trace.StoreApplied)
		w.coordinator(trace.Completed, e)
		found := ""
		for _, v := range w.c.Finish(End{Time: w.now, Err: errStop}).Violations {
			if v.Oracle == Cut {
				found = v.String()
			}
		}
		if (found == "") != (want == "") || !strings.Contains(found, want) {
			t.Errorf("item %d captured: %q, want %q", captured, found, want)
		}
	}
}

// TestEachSplitIsInTheCutOnce: in the snapshot of one task, and not in two.
func TestEachSplitIsInTheCutOnce(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 3)
	w.mute = w.mute.With(trace.PositionSplit)
	w.snapshot(epoch(1, 1))
	w.mute = 0
	w.complete(epoch(1, 1))
	mustFire(t, w.finish(epoch(1, 2)), "no snapshot of the checkpoint has split s0", Cut)

	w = newWorld(t)
	w.emit(0, 3)
	w.snapshot(epoch(1, 1))
	w.tell(trace.Event{Kind: trace.PositionSplit, Task: 1, Channel: trace.NoChannel, Epoch: epoch(1, 1), Split: 0, To: 3})
	w.complete(epoch(1, 1))
	mustFire(t, w.finish(epoch(1, 2)), "split s0 is in the snapshot of t1 (source[1]) and in another one of the checkpoint", Cut, Conservation)
}
