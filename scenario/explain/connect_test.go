package explain

import (
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// recorded tells events of a job of a source and a sink, one channel between them.
func recorded(events ...trace.Event) *Run {
	r := NewRecorder(Job{Tasks: []dataflow.TaskInfo{
		{ID: 0, Name: "source", Role: dataflow.RoleSource, Outputs: []dataflow.Channel{{ID: 0, Peer: 1}}},
		{ID: 1, Vertex: 1, Name: "sink", Role: dataflow.RoleSink, Inputs: []dataflow.Channel{{ID: 0, Peer: 0}}},
	}, WorkerOf: func(t id.TaskID) int { return int(t) }}, func() []check.Violation { return nil })
	for i := range events {
		events[i].Time = int64(i)
		r.Observe(&events[i])
	}
	return r.Run(nil)
}

func (r *Run) has(from, to int, w Way) bool {
	for _, a := range r.Arrows {
		if a == (Arrow{from, to, w}) {
			return true
		}
	}
	return false
}

// TestOperations: a retry is not taken for what it repeats, and an effect that comes
// after all answers belongs to the operation that was reported as failed.
func TestOperations(t *testing.T) {
	put := func(k trace.Kind, o trace.Outcome, a id.Attempt) trace.Event {
		return trace.Event{Kind: k, Task: 1, Channel: trace.NoChannel, Attempt: a, Op: trace.Put, Key: "snap/t1/1.1", Outcome: o}
	}
	r := recorded(
		put(trace.StoreIssued, 0, 1),          // 0
		put(trace.StoreDone, trace.Failed, 1), // 1
		put(trace.StoreIssued, 0, 1),          // 2
		put(trace.StoreApplied, 0, 1),         // 3
		put(trace.StoreDone, trace.OK, 1),     // 4
		trace.Event{Kind: trace.TaskStarting, Task: 1, Channel: trace.NoChannel, Attempt: 2}, // 5
		put(trace.StoreApplied, 0, 0), // 6: of a task that is gone, whose attempt nobody knows
		put(trace.StoreIssued, 0, 2),  // 7
		put(trace.StoreApplied, 0, 2), // 8
	)
	for _, a := range []Arrow{{0, 1, Answer}, {2, 3, Request}, {3, 4, Answer}, {0, 6, Request}, {3, 6, Read}, {7, 8, Request}, {6, 8, Read}} {
		if !r.has(a.From, a.To, a.Way) {
			t.Errorf("no %s from %d to %d; there are %v", a.Way, a.From, a.To, r.Arrows)
		}
	}
	if r.notes[6] == "" || r.notes[3] != "" || r.notes[8] != "" {
		t.Errorf("late are %v, want event 6 alone", r.notes)
	}
	if past := r.Past(4); past[1] != true || past[6] {
		t.Errorf("the past of the answer is %v", past)
	}
}

// TestVisible: rows become visible by the operation whose effect is told behind them.
func TestVisible(t *testing.T) {
	commit := func(k trace.Kind) trace.Event {
		return trace.Event{Kind: k, Task: 1, Channel: trace.NoChannel, Attempt: 1, Op: trace.Commit, Epoch: id.MakeEpoch(1, 1)}
	}
	rows := trace.Event{Kind: trace.OutputCommitted, Task: 1, Channel: trace.NoChannel, Epoch: id.MakeEpoch(1, 1), To: 3}
	r := NewRecorder(Job{Tasks: make([]dataflow.TaskInfo, 2), WorkerOf: func(id.TaskID) int { return 0 }}, func() []check.Violation { return nil })
	for i, e := range []trace.Event{commit(trace.ExtIssued), rows, commit(trace.ExtApplied)} {
		e.Time = int64(min(i, 1))
		r.Observe(&e)
	}
	run := r.Run(nil)
	if !run.has(0, 1, Request) || !run.has(0, 2, Request) {
		t.Errorf("the arrows are %v", run.Arrows)
	}
}

// TestChannels: records and barriers go from sender to receiver; what a recovery puts
// back comes from where it was put back, not from who sent it.
func TestChannels(t *testing.T) {
	on := func(k trace.Kind, task id.TaskID, to uint64, e id.Epoch, w trace.Way) trace.Event {
		return trace.Event{Kind: k, Task: task, From: to - 1, To: to, Epoch: e, Way: w}
	}
	e := id.MakeEpoch(1, 1)
	r := recorded(
		on(trace.Sealed, 0, 1, 0, 0),                     // 0
		on(trace.Sealed, 0, 2, 0, 0),                     // 1
		on(trace.BarrierSent, 0, 0, e, trace.InBand),     // 2
		on(trace.Delivered, 1, 1, 0, 0),                  // 3
		on(trace.BarrierReceived, 1, 0, e, trace.InBand), // 4
		on(trace.Injected, 1, 2, 0, trace.FromInput),     // 5
		on(trace.Delivered, 1, 2, 0, trace.Reinjected),   // 6
	)
	for _, a := range []Arrow{{0, 3, Buffer}, {2, 4, Barrier}, {5, 6, Local}} {
		if !r.has(a.From, a.To, a.Way) {
			t.Errorf("no %s from %d to %d; there are %v", a.Way, a.From, a.To, r.Arrows)
		}
	}
	if r.has(1, 6, Buffer) {
		t.Error("what was put back comes from its sender")
	}
}
