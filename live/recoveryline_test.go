package live

import (
	"slices"
	"testing"

	"weir/id"
	"weir/trace"
	"weir/trace/cost"
)

func TestSnapshotsThatTheLinePassesOver(t *testing.T) {
	var l CheckpointLog
	stored := func(task id.TaskID, index uint32, time int64) {
		e := id.MakeEpoch(1, index)
		l.Observe(&trace.Event{Kind: trace.SnapshotBegun, Task: task, Epoch: e, Time: time})
		l.Observe(&trace.Event{Kind: trace.SnapshotStored, Task: task, Epoch: e, Time: time + 5})
	}
	advance := func(task id.TaskID, index uint32, time int64) {
		l.Observe(&trace.Event{Kind: trace.LineAdvanced, Task: task, Epoch: id.MakeEpoch(1, index), Time: time})
	}
	stored(0, 1, 10)
	stored(1, 1, 20)
	advance(0, 1, 30)
	stored(1, 2, 40)
	stored(0, 2, 50)
	stored(1, 3, 60)
	advance(1, 3, 70) // past 1 and 2
	advance(0, 2, 71)
	stored(1, 4, 80)
	advance(1, 4, 90)
	stored(1, 5, 100) // may be on the line yet

	want := []LineMove{{30, 0, id.MakeEpoch(1, 1), 10}, {70, 1, id.MakeEpoch(1, 3), 60}, {71, 0, id.MakeEpoch(1, 2), 50}, {90, 1, id.MakeEpoch(1, 4), 80}}
	if got := l.Line(); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, s := range l.Local() {
		if over := s.Task == 1 && s.Epoch.Index() < 3; s.PassedOver != over {
			t.Errorf("snapshot %v of %v: passed over %v", s.Epoch, s.Task, s.PassedOver)
		}
	}
}

func TestStateOfTasksThatHaveLeftCounts(t *testing.T) {
	var l CheckpointLog
	round := func(index uint32, state map[id.TaskID]int64) {
		e := id.MakeEpoch(1, index)
		l.Observe(&trace.Event{Kind: trace.Triggered, Task: trace.Coordinator, Epoch: e, Time: int64(index)})
		for task, n := range state {
			l.Observe(&trace.Event{Kind: trace.SnapshotBegun, Task: task, Epoch: e, Time: int64(index)})
			c := new(cost.Vector[int64]).Set(cost.State, n)
			if n != 7 {
				c.Set(cost.Changed, 1)
			}
			l.ObserveCost(task, e, c)
		}
		l.Observe(&trace.Event{Kind: trace.Completed, Task: trace.Coordinator, Epoch: e, Time: int64(index)})
	}
	round(1, map[id.TaskID]int64{0: 100, 1: 20})
	round(2, map[id.TaskID]int64{1: 30}) // task 0 has left
	round(3, map[id.TaskID]int64{1: 7, 2: 8})
	round(4, nil)
	for i, want := range []struct {
		state, changed int64
		known          bool
	}{{120, 2, true}, {130, 1, true}, {115, 0, false}, {115, 0, false}} {
		got := &l.Completed()[i].Cost
		if got.Get(cost.State) != want.state || got.Get(cost.Changed) != want.changed || got.Has(cost.Changed) != want.known {
			t.Errorf("checkpoint %d: got %+v, want %+v", i+1, got, want)
		}
	}
}
