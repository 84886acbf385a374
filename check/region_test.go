package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

// pipes is a world of two pipelines that nothing connects, tasks 0 and 2, and 1, 3 and 4, with
// a complete checkpoint 1.1 and a round under way.
func pipes(t testing.TB) *world {
	w := newWorld(t, rolls(ScopeRegion), func(x *Expect) {
		x.Channels, x.Pace = []Channel{{From: 0, To: 2}, {From: 1, To: 3}, {From: 3, To: 4}}, Pace{}
	})
	w.pass(0, 0)
	w.pass(1, 1)
	w.bare(epoch(1, 1))
	w.complete(epoch(1, 1))
	w.pass(0, 2)
	w.pass(1, 3)
	w.coordinator(trace.Triggered, epoch(1, 2))
	return w
}

// bare takes a snapshot of every task, with nothing in flight.
func (w *world) bare(e id.Epoch) {
	for t := range id.TaskID(5) {
		w.begun(t, e)
		w.task(trace.SnapshotStored, t, e)
	}
	w.saved[e] = w.clone()
}

// pass has a source hand record r out, and its pipeline take it.
func (w *world) pass(p int, r uint32) {
	o := w.offset[p]
	w.offset[p]++
	w.tell(trace.Event{Kind: trace.Emitted, Task: id.TaskID(p), Channel: trace.NoChannel, Split: id.SplitID(p), From: o, To: o + 1})
	for ch := range w.x.Channels {
		c := &w.x.Channels[ch]
		if int(c.From)%2 != p && (p != 1 || ch != 2) {
			continue
		}
		w.sealed[ch]++
		w.tell(trace.Event{Kind: trace.Sealed, Task: c.From, Channel: id.ChannelID(ch), From: w.sealed[ch] - 1, To: w.sealed[ch], Data: frame(r)})
		w.taken[ch]++
		w.tell(trace.Event{Kind: trace.Delivered, Task: c.To, Channel: id.ChannelID(ch), From: w.taken[ch] - 1, To: w.taken[ch], Data: frame(r)})
		w.sum[c.To] += uint64(r) + 1
	}
}

// replan has a plan go back to checkpoint e that restarts some tasks and keeps the others.
func (w *world) replan(e id.Epoch, restarted ...id.TaskID) {
	w.replanTo(e, e, restarted...)
}

// replanTo is replan, but the tasks go back to a checkpoint that the plan does not name.
func (w *world) replanTo(base, e id.Epoch, restarted ...id.TaskID) {
	old := w.attempt
	w.attempt++
	w.coordinator(trace.PlanExecuted, base)
	again := map[id.TaskID]bool{}
	for _, t := range restarted {
		again[t] = true
		w.task(trace.TaskStarting, t, 0)
		was := w.saved[e]
		w.sum[t] = was.sum[t]
		if t < 2 {
			w.offset[t] = was.offset[t]
		}
		for ch, c := range w.x.Channels {
			if c.From == t {
				w.sealed[ch] = was.sealed[ch]
			}
			if c.To == t {
				w.taken[ch] = was.taken[ch]
			}
		}
		w.restored(t, e)
	}
	for t := range id.TaskID(5) {
		w.attempt = old
		if again[t] {
			w.attempt++
		}
		w.task(trace.TaskReady, t, 0)
	}
	w.attempt = old + 1
}

func (w *world) report() *Report { return w.c.Finish(End{Time: w.now}) }

// fail has a task give up by itself.
func (w *world) fail(t id.TaskID) {
	w.tell(trace.Event{Kind: trace.TaskFailed, Task: t, Channel: trace.NoChannel, Text: "broken"})
}

// TestRegionRestartsAlone: the region of a failed task goes back, the other one goes on, and
// the next checkpoint holds both.
func TestRegionRestartsAlone(t *testing.T) {
	w := pipes(t)
	w.fail(2)
	w.pass(1, 5)
	w.replan(epoch(1, 1), 0, 2)
	w.pass(1, 7)
	w.pass(0, 2)
	for x := range id.TaskID(5) { // who is kept keeps its attempt
		if x != 0 && x != 2 {
			w.attempt = 1
		}
		w.begun(x, epoch(2, 1))
		w.task(trace.SnapshotStored, x, epoch(2, 1))
		w.attempt = 2
	}
	w.coordinator(trace.Completed, epoch(2, 1))
	r := w.report()
	for _, o := range []Oracle{Rollback, Cut, Restore, Conservation} {
		if r.Counts[o] > 0 {
			t.Errorf("%s: %v", o, r.Violations)
		}
	}
	if r.Kept != 3 {
		t.Errorf("%d tasks were kept, want 3", r.Kept)
	}
}

func TestRegionIsWhole(t *testing.T) {
	for _, x := range []struct {
		failed    id.TaskID
		restarted []id.TaskID
		words     string
	}{
		{2, []id.TaskID{2}, "t0 (source[0]) is kept by attempt a2, which restarts a task that edges connect with it"},
		{4, []id.TaskID{3, 4}, "t1 (source[1]) is kept by attempt a2"},
		{2, []id.TaskID{0, 1, 2, 3, 4}, "attempt a2 restarts the region of t1 (source[1]), every task of which has lived on since the newest failure"},
		{2, []id.TaskID{1, 3, 4}, "attempt a2 restarts the region of t1 (source[1]), every task of which has lived on"},
	} {
		w := pipes(t)
		w.fail(x.failed)
		w.pass(1, 5)
		if x.failed == 4 {
			w.pass(0, 4)
		}
		w.replan(epoch(1, 1), x.restarted...)
		if r := w.report(); !contains(r, Rollback, x.words) {
			t.Errorf("t%d failed, %v were restarted: nothing says %q: %v", x.failed, x.restarted, x.words, r.Violations)
		}
	}
}

// TestAllRegionsMayRestart: where something else than a task has failed, or the plan before was
// not carried out.
func TestAllRegionsMayRestart(t *testing.T) {
	for _, why := range []trace.Kind{trace.CoordinatorCrashed, trace.CoordinatorStarted, trace.FailedOver, trace.FellBack, trace.PlanExecuted} {
		w := pipes(t)
		w.fail(2)
		w.pass(1, 5)
		if why == trace.PlanExecuted {
			w.replan(epoch(1, 1), 0, 2)
			w.fail(2)
			w.pass(1, 7)
		} else {
			w.coordinator(why, 0)
		}
		w.replan(epoch(1, 1), 0, 1, 2, 3, 4)
		if n := w.report().Counts[Rollback]; n > 0 {
			t.Errorf("%s: %d violations", why, n)
		}
	}
}

// TestRegionGoesBackToTheCheckpoint: that which the plan names, with all tasks that are not kept.
func TestRegionGoesBackToTheCheckpoint(t *testing.T) {
	w := pipes(t)
	w.bare(epoch(1, 2))
	w.fail(2)
	w.replanTo(epoch(1, 1), epoch(1, 2), 0, 2)
	if r := w.report(); !contains(r, Cut, "recovery a2 keeps 3 tasks and goes back to 1.1 with the others, one of which restored 1.2") {
		t.Errorf("%v", r.Violations)
	}
}
