package check

import (
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// logged runs uncoordinated with an entry in the log of channel 0 that the line
// passes, then for so many milliseconds, in which more may happen.
func logged(t *testing.T, millis int, more func(w *world)) *Report {
	w := newWorld(t, uncoordinated, func(x *Expect) {
		x.Logs, x.Pace.Trim, x.Pace.End = true, 5e6, 0
		x.Layout.LogKey = func(ch id.ChannelID) string { return "log/" + ch.String() }
	})
	w.emit(0, 1)
	w.flow()
	data := state.AppendEntry(nil, 1, 1, []byte("entry"))
	w.store.Do(state.Op{Kind: state.OpAppend, Key: "log/c0", Data: data, Attempt: 1, From: 0, To: 1})
	w.local(0, epoch(1, 1))
	w.local(2, epoch(1, 1))
	w.tell(trace.Event{Kind: trace.LineAdvanced, Task: 2, Channel: trace.NoChannel, Epoch: epoch(1, 1)})
	more(w)
	for k := range millis {
		w.now += 1e6
		w.local(3, epoch(1, k+1))
	}
	return &w.c.verdict
}

func TestLogsAreTrimmedWhileTheJobRuns(t *testing.T) {
	const words = "log/c0 still has position 1, although the recovery line passed position 1"
	mustFire(t, logged(t, 12, func(*world) {}), words, MessageLogs)
	mustPass(t, logged(t, 4, func(*world) {}))
	mustPass(t, logged(t, 12, func(w *world) { w.store.Do(state.Op{Kind: state.OpTrim, Key: "log/c0", To: 1}) }))
	mustPass(t, logged(t, 12, func(w *world) { // the trim may have died with it
		w.tell(trace.Event{Kind: trace.CoordinatorCrashed, Task: trace.Coordinator})
	}))
	mustPass(t, logged(t, 12, func(w *world) { // or have been held up
		w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, To: 20e6})
	}))
}
