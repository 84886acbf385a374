package check

import (
	"testing"

	"weir/trace"
)

func TestBrokenChannelOfALiveTask(t *testing.T) {
	for _, cause := range []trace.Cause{trace.Gap, trace.RestoredGap, trace.OutputLost} {
		const reason = "in words that no oracle reads"
		w := newWorld(t)
		w.tell(trace.Event{Kind: trace.TaskFailed, Task: 3, Cause: cause, Text: reason})
		mustFire(t, w.c.Finish(End{Time: w.now}), "task t3: t3 (count[1]) gave up: "+reason, Contiguity, Progress)
	}
}

func TestReplacedTasksAndOtherReasonsAreNoBreach(t *testing.T) {
	w := newWorld(t)
	w.crash("w0")
	w.restore(0)
	w.tell(trace.Event{Kind: trace.TaskFailed, Attempt: 1, Task: 3, Cause: trace.Gap, Text: "too late"})
	w.tell(trace.Event{Kind: trace.TaskFailed, Task: 3, Cause: trace.FencedOff, Text: "a newer one runs: output is lost, the channel lost or repeated something"})
	r := w.c.Finish(End{Time: w.now})
	mustFire(t, r, "", Progress)
	if r.TaskFailures != 2 {
		t.Errorf("%d task failures", r.TaskFailures)
	}
}

// TestLostByAFault: after a fault that makes the external store lose something a task
// may give up for that, and for nothing else.
func TestLostByAFault(t *testing.T) {
	w := newWorld(t)
	w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Cause: trace.OutputLost})
	w.tell(trace.Event{Kind: trace.TaskFailed, Task: 3, Cause: trace.OutputLost, Text: "rows are gone"})
	mustFire(t, w.c.Finish(End{Time: w.now}), "", Progress)
	w = newWorld(t)
	w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Cause: trace.OutputLost})
	w.tell(trace.Event{Kind: trace.TaskFailed, Task: 3, Cause: trace.Gap, Text: "a gap"})
	mustFire(t, w.c.Finish(End{Time: w.now}), "task t3: t3 (count[1]) gave up: a gap", Contiguity, Progress)
}
