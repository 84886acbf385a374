package live

import (
	"slices"
	"testing"

	"weir/id"
	"weir/trace"
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
			l.ObservePart(task, e, Part{StateBytes: n, ChangedBytes: 1, ChangeKnown: n != 7})
		}
		l.Observe(&trace.Event{Kind: trace.Completed, Task: trace.Coordinator, Epoch: e, Time: int64(index)})
	}
	round(1, map[id.TaskID]int64{0: 100, 1: 20})
	round(2, map[id.TaskID]int64{1: 30}) // task 0 has left
	round(3, map[id.TaskID]int64{1: 7, 2: 8})
	round(4, nil)
	for i, want := range []Checkpoint{{StateBytes: 120, ChangedBytes: 2, ChangeKnown: true}, {StateBytes: 130, ChangedBytes: 1, ChangeKnown: true}, {StateBytes: 115, ChangedBytes: 2}, {StateBytes: 115}} {
		if got := l.Completed()[i]; got.StateBytes != want.StateBytes || got.ChangedBytes != want.ChangedBytes || got.ChangeKnown != want.ChangeKnown {
			t.Errorf("checkpoint %d: got  %+v\nwant %+v", i+1, got, want)
		}
	}
}
