package check

import (
	"testing"

	"weir/trace"
)

func TestBrokenChannelOfALiveTask(t *testing.T) {
	for _, reason := range []string{
		"input c3: item 9 arrived behind 7: the channel lost or repeated something",
		"input c3: restored item 9 does not follow 7",
		"the external store does not know a transaction that must be committed: output is lost",
	} {
		w := newWorld(t)
		w.tell(trace.Event{Kind: trace.TaskFailed, Task: 3, Text: reason})
		mustFire(t, w.c.Finish(End{Time: w.now}), "task t3: t3 (count[1]) gave up: "+reason, Contiguity, Progress)
	}
}

func TestReplacedTasksAndOtherReasonsAreNoBreach(t *testing.T) {
	w := newWorld(t)
	w.crash("w0")
	w.restore(0)
	w.tell(trace.Event{Kind: trace.TaskFailed, Attempt: 1, Task: 3, Text: "the channel lost or repeated something"})
	w.tell(trace.Event{Kind: trace.TaskFailed, Task: 3, Text: "the external store has fenced this attempt: a newer one runs"})
	r := w.c.Finish(End{Time: w.now})
	mustFire(t, r, "", Progress)
	if r.TaskFailures != 2 {
		t.Errorf("%d task failures", r.TaskFailures)
	}
}
