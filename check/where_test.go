package check

import (
	"testing"

	"weir/id"
	"weir/trace"
)

// TestWhere: a violation says how the parties stood when it was seen, and the
// report how they stood at the end.
func TestWhere(t *testing.T) {
	const begun, done, lost = id.Epoch(1), id.Epoch(2), id.Epoch(3)
	start := []trace.Event{{Kind: trace.PlanExecuted, Attempt: 1}}
	for task := range id.TaskID(5) {
		start = append(start, trace.Event{Kind: trace.TaskStarting, Task: task, Attempt: 1}, trace.Event{Kind: trace.TaskRestored, Task: task, Attempt: 1}, trace.Event{Kind: trace.TaskReady, Task: task, Attempt: 1})
	}
	none := trace.Coordinator
	for _, c := range []struct {
		name string
		then []trace.Event
		task id.TaskID
		of   id.Epoch
		want string
	}{
		{"nothing yet", []trace.Event{{Kind: trace.Triggered, Epoch: begun}}, none, begun, "step=triggered round=begun task=none coordinator=up job=running"},
		{"all stored", []trace.Event{{Kind: trace.Triggered, Epoch: begun}, {Kind: trace.AllAcked, Epoch: begun}}, none, begun, "step=all-acked round=stored task=none coordinator=up job=running"},
		{"true", []trace.Event{{Kind: trace.Completed, Epoch: done}}, 4, done, "step=completed round=completed task=running coordinator=up job=running"},
		{"given up", []trace.Event{{Kind: trace.Aborted, Epoch: lost}}, 4, lost, "step=aborted round=given-up task=running coordinator=up job=running"},
		{"no longer kept", []trace.Event{{Kind: trace.Completed, Epoch: done}, {Kind: trace.Subsumed, Epoch: done}}, none, done, "step=subsumed round=subsumed task=none coordinator=up job=running"},
		{"another epoch", []trace.Event{{Kind: trace.Completed, Epoch: done}}, none, lost, "step=completed round=none task=none coordinator=up job=running"},
		{"of one task", []trace.Event{{Kind: trace.SnapshotBegun, Task: 2, Epoch: begun, Attempt: 1}}, 2, begun, "step=snapshot-begun round=begun task=running coordinator=up job=running"},
		{"drained", []trace.Event{{Kind: trace.TaskDrained, Task: 2, Attempt: 1}}, 2, 0, "step=task-drained round=none task=drained coordinator=up job=running"},
		{"gone", []trace.Event{{Kind: trace.TaskLeft, Task: 2, Attempt: 1}}, 2, 0, "step=task-left round=none task=left coordinator=up job=running"},
		{"gave up", []trace.Event{{Kind: trace.TaskFailed, Task: 2, Attempt: 1}}, 2, 0, "step=task-failed round=none task=failed coordinator=up job=broken"},
		{"coordinator", []trace.Event{{Kind: trace.CoordinatorCrashed}}, none, 0, "step=coordinator-crashed round=none task=none coordinator=down job=broken"},
		{"it is back", []trace.Event{{Kind: trace.CoordinatorCrashed}, {Kind: trace.CoordinatorStarted}}, none, 0, "step=coordinator-started round=none task=none coordinator=up job=broken"},
		{"recovering", []trace.Event{{Kind: trace.WorkerCrashed}, {Kind: trace.PlanExecuted, Attempt: 2}, {Kind: trace.TaskStarting, Task: 3, Attempt: 2}}, 3, 0, "step=task-starting round=none task=restoring coordinator=up job=recovering"},
		{"a replaced one", []trace.Event{{Kind: trace.TaskStarting, Task: 3, Attempt: 2}, {Kind: trace.TaskFailed, Task: 3, Attempt: 1}}, 3, 0, "step=task-starting round=none task=restoring coordinator=up job=running"},
		{"recovered", []trace.Event{{Kind: trace.WorkerCrashed}, {Kind: trace.PlanExecuted, Attempt: 2}, {Kind: trace.TaskReady, Task: 0, Attempt: 2}, {Kind: trace.TaskReady, Task: 1, Attempt: 2}, {Kind: trace.TaskReady, Task: 2, Attempt: 2}, {Kind: trace.TaskReady, Task: 3, Attempt: 2}, {Kind: trace.TaskReady, Task: 4, Attempt: 2}}, 3, 0, "step=task-ready round=none task=running coordinator=up job=running"},
	} {
		k, err := New(worldExpect())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range append(append([]trace.Event{}, start...), c.then...) {
			k.Observe(&e)
		}
		if got := k.where(c.task, c.of).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if end := k.Finish(End{}).Stood; end.Step != trace.Kinds || end.Job != k.stand.stage {
			t.Errorf("%s: stood %s at the end", c.name, end)
		}
		k.Reset()
		if got := k.where(3, begun).String(); got != "step=emitted round=none task=waiting coordinator=up job=starting" {
			t.Errorf("%s: after a reset %s", c.name, got)
		}
	}
}

// TestViolationsSayWhere: what an oracle reports carries it.
func TestViolationsSayWhere(t *testing.T) {
	w := newWorld(t)
	w.middle()
	j := judge{&w.c.model, Commit}
	j.violate(4, 0, "planted")
	v := w.c.verdict.Violations
	if len(v) != 1 || v[0].Where != w.c.where(4, 0) || v[0].Where.Task == NoTask || v[0].Where.Job == Starting {
		t.Errorf("%+v", v)
	}
}
