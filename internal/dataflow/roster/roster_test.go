package roster

import (
	"testing"

	"weir/dataflow"
	"weir/id"
)

// pair is one channel between two tasks, t0 to t1.
func pair() []dataflow.TaskInfo {
	return []dataflow.TaskInfo{
		{ID: 0, Outputs: []dataflow.Channel{{ID: 0, Peer: 1}}},
		{ID: 1, Inputs: []dataflow.Channel{{ID: 0, Peer: 0}}},
	}
}

// TestNotConnectedWithTheDead is a mistake that the simulator made: whoever became
// ready late was connected with a peer that had been ready and whose death was known.
func TestNotConnectedWithTheDead(t *testing.T) {
	var r Roster
	r.Reset(pair())
	r.Execute(nil, &dataflow.Plan{Number: 1, Tasks: make([]dataflow.TaskPlan, 2)})
	r.Started(0, 1)
	r.Started(1, 1)
	r.Ready(nil, 1, 1, 1, []id.Seq{0})
	r.Died(1, 1)
	r.Noticed(nil, nil, Ref{1, 1})
	for _, e := range r.Ready(nil, 0, 1, 1, nil) {
		if e.Kind == Connect {
			t.Errorf("%+v, but t1 is dead", e)
		}
	}
	// A plan keeps t0 and restarts t1: now they are connected.
	p := &dataflow.Plan{Number: 2, Tasks: []dataflow.TaskPlan{{Mode: dataflow.Keep}, {Mode: dataflow.Restart}}}
	r.Execute(nil, p)
	r.Started(1, 2)
	r.Ready(nil, 0, 1, 2, nil)
	es := r.Ready(nil, 1, 2, 2, []id.Seq{7})
	if len(es) == 0 || es[0].Kind != Connect {
		t.Fatalf("both are ready: %+v", es)
	}
	if seen, ok := r.Connected(0, es[0].Connection); !ok || seen != 7 || !r.Up(0) {
		t.Errorf("connected: %v, %d", ok, seen)
	}
}

// TestNoAllocation runs a job's life again and again: its memory is used again.
func TestNoAllocation(t *testing.T) {
	var r Roster
	tasks, delivered := pair(), []id.Seq{3}
	first := &dataflow.Plan{Number: 1, Tasks: make([]dataflow.TaskPlan, 2)}
	then := &dataflow.Plan{Number: 2, Tasks: []dataflow.TaskPlan{{Mode: dataflow.Keep}, {Mode: dataflow.Restart}}}
	room := make([]Effect, 0, 16)
	life := func() {
		r.Reset(tasks)
		r.Execute(room, first)
		for i := range id.TaskID(2) {
			r.Started(i, 1)
			r.Ready(room, i, 1, 1, delivered)
		}
		if _, ok := r.Connected(0, r.Connection(0)); !ok {
			t.Fatal("not connected")
		}
		r.Execute(room, then)
	}
	if n := testing.AllocsPerRun(100, life); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
