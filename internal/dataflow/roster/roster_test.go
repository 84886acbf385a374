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

// TestReshape: nothing that was said of the graph before counts in the one after it, and
// numbers go on.
func TestReshape(t *testing.T) {
	var r Roster
	r.Reset(pair())
	for n := range id.Attempt(3) {
		r.Execute(nil, &dataflow.Plan{Number: n + 1, Tasks: make([]dataflow.TaskPlan, 2)})
	}
	r.Started(0, 3)
	r.Started(1, 3)
	r.Ready(nil, 0, 3, 3, nil)
	r.Ready(nil, 1, 3, 3, []id.Seq{0})
	r.Connected(0, r.Connection(0))
	term, connection := r.Term(), r.Connection(0)

	three := append(pair(), dataflow.TaskInfo{ID: 2, Inputs: []dataflow.Channel{{ID: 1, Peer: 0}}})
	three[0].Outputs = append(three[0].Outputs, dataflow.Channel{ID: 1, Peer: 2})
	r.Reshape(three)
	if r.Tasks() != 3 || r.Channels() != 2 || r.Plan() != 3 || r.Term() != term+1 {
		t.Fatalf("%d tasks, %d channels, plan %d, term %d after %d", r.Tasks(), r.Channels(), r.Plan(), r.Term(), term)
	}
	for i := range id.TaskID(3) {
		for x := range Incarnation(5) {
			if r.Current(i, x) || r.Hears(i, x, term) || r.Started(i, x) || r.Died(i, x) {
				t.Errorf("incarnation %d of %s is somebody", x, i)
			}
		}
	}
	for k := range id.ChannelID(2) {
		if _, ok := r.Connected(k, connection); ok || r.Up(k) || r.Connection(k) <= connection {
			t.Errorf("%s is connected, or has the number %d of before (%d)", k, r.Connection(k), connection)
		}
	}
	if _, ok := r.Execute(nil, &dataflow.Plan{Number: 3, Tasks: make([]dataflow.TaskPlan, 3)}); ok {
		t.Error("a plan of before is carried out")
	}
	effects, ok := r.Execute(nil, &dataflow.Plan{Number: 4, Tasks: make([]dataflow.TaskPlan, 3)})
	if !ok || len(effects) != 3 || effects[2].Kind != Start || effects[2].Incarnation != 4 {
		t.Errorf("the first plan comes to %+v", effects)
	}
}
