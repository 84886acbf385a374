package check

import (
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// located is an algorithm without rounds whose storage the checker can tell apart.
func located(x *Expect) {
	uncoordinated(x)
	x.Logs, x.Pace = true, Pace{Trim: 5e6}
	l := &x.Layout
	l.LogKey = func(ch id.ChannelID) string { return "log/" + ch.String() }
	l.SnapshotKey = snapKey
	l.OwnerOf = func(key string) (o Owner, ok bool) {
		kind, rest, _ := strings.Cut(key, "/")
		task, name, _ := strings.Cut(rest, "/")
		name, _, _ = strings.Cut(name, "-")
		e, err := id.ParseEpoch(name)
		if err != nil || len(task) != 2 {
			return o, false
		}
		return Owner{id.TaskID(task[1] - '0'), e, kind == "snap"}, true
	}
	l.References = func(key string, data []byte) ([]string, error) {
		if strings.HasPrefix(key, "snap/") && strings.HasPrefix(string(data), "files/") {
			return strings.Fields(string(data)), nil
		}
		return nil, nil
	}
}

// stored takes a snapshot of one task that needs so many files, with its message
// log behind it.
func (w *world) stored(t id.TaskID, e id.Epoch, files ...string) {
	w.begun(t, e)
	for ch, c := range w.x.Channels {
		if c.From == t {
			w.tell(trace.Event{Kind: trace.StoreApplied, Task: t, Op: trace.Append, Key: w.x.Layout.LogKey(id.ChannelID(ch)), From: w.sealed[ch]})
		}
	}
	for _, f := range files {
		w.do(state.Op{Kind: state.OpPut, Key: f, Data: []byte("x")})
	}
	w.do(state.Op{Kind: state.OpPut, Key: snapKey(t, e), Data: []byte(strings.Join(files, " "))})
	w.task(trace.SnapshotStored, t, e)
}

func (w *world) advanced(t id.TaskID, e id.Epoch) { w.task(trace.LineAdvanced, t, e) }

// ahead runs until every task but the sink has snapshots 1.1 and 1.2 that fit
// together; the sink has 1.1, and 1.2 with an item that no snapshot of task 2 has sent.
func ahead(t *testing.T) *world {
	w := newWorld(t, located)
	w.emit(0, 2)
	w.emit(1, 2)
	w.flow()
	for x := range id.TaskID(5) {
		w.stored(x, epoch(1, 1), "files/t"+string(rune('0'+x))+"/1.1-1")
	}
	w.emit(0, 2)
	w.deliver(0, 2)
	for x := range id.TaskID(4) {
		w.stored(x, epoch(1, 2))
	}
	w.emit(0, 2)
	w.flow()
	w.stored(4, epoch(1, 2))
	return w
}

func (w *world) verdict() *Report { return w.c.Finish(End{Time: w.now, Done: false}) }

func TestTheLineIsComputed(t *testing.T) {
	w := ahead(t)
	for x := range id.TaskID(4) {
		w.advanced(x, epoch(1, 2))
	}
	w.advanced(4, epoch(1, 1))
	if r := w.verdict(); r.Safety() > 0 {
		t.Error(r.Violations)
	}
	w.advanced(4, epoch(1, 2))
	mustFire(t, w.verdict(), "task t4, epoch 1.2: the recovery line is said to have reached epoch 1.2; the newest consistent one of all that can be restored stands at 1.1", Commit, Progress)
}

func TestOutputInFrontOfTheLineBecomesVisible(t *testing.T) {
	w := ahead(t)
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Epoch: epoch(1, 1)})
	if r := w.verdict(); r.Counts[Commit] > 0 {
		t.Error(r.Violations)
	}
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Epoch: epoch(1, 2)})
	mustFire(t, w.verdict(), "task t4, epoch 1.2: output became visible before its checkpoint was durable", Commit, Progress)
}

func (w *world) remove(key string) { w.do(state.Op{Kind: state.OpDelete, Key: key}) }

func TestWhatALineNeedsStays(t *testing.T) {
	w := ahead(t)
	w.remove("snap/t3/1.1") // behind the line
	w.remove("files/t3/1.1-1")
	if r := w.verdict(); r.Counts[StorageWhole] > 0 {
		t.Error(r.Violations)
	}
	w.remove("files/t4/1.1-1")
	mustFire(t, w.verdict(), "files/t4/1.1-1 was deleted, which a snapshot on the recovery line or in front of it needs", StorageWhole, Progress)
	w = ahead(t)
	w.remove("snap/t4/1.2")
	mustFire(t, w.verdict(), "snap/t4/1.2 was deleted, and the recovery line of a total failure stands at 1.1", StorageWhole, Progress)
}

// TestWhatARecoveryGivesUpMayGo: that is known when it has ended.
func TestWhatARecoveryGivesUpMayGo(t *testing.T) {
	for _, key := range []string{"snap/t4/1.2", "snap/t4/1.1"} {
		w := ahead(t)
		w.crash("w0")
		w.attempt++
		w.coordinator(trace.PlanExecuted, 0)
		w.remove(key)
		w.task(trace.TaskStarting, 4, 0)
		w.tell(trace.Event{Kind: trace.TaskRestored, Task: 4, Channel: trace.NoChannel, Epoch: epoch(1, 1), Sum: w.sumAt(4, epoch(1, 1))})
		w.tell(trace.Event{Kind: trace.Injected, Task: 4, Channel: 4, From: 2, To: 6, Way: trace.FromLog})
		for x := range id.TaskID(5) {
			w.task(trace.TaskReady, x, 0)
		}
		if r := w.verdict(); (r.Counts[StorageWhole] > 0) != (key == "snap/t4/1.1") {
			t.Errorf("%s: %v", key, r.Violations)
		}
	}
}

// TestWhatALinePassesGoes: with the next advances of the line it is looked at again.
func TestWhatALinePassesGoes(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		w := ahead(t)
		if deleted {
			for x := range id.TaskID(4) {
				w.remove(snapKey(x, epoch(1, 1)))
				w.remove("files/" + x.String() + "/1.1-1")
			}
		}
		for range 10 {
			w.now += 2e6
			w.advanced(3, epoch(1, 2))
		}
		if r := w.verdict(); deleted && r.Safety() > 0 {
			t.Error(r.Violations)
		} else if !deleted {
			mustFire(t, r, "/1.1", StorageWhole, Progress)
		}
	}
}

// TestWhatLandsAgainIsGarbageFromThen: the time in which it was not there does not count.
func TestWhatLandsAgainIsGarbageFromThen(t *testing.T) {
	for _, gone := range []bool{false, true} {
		w := ahead(t)
		for x := range id.TaskID(3) {
			w.remove(snapKey(x, epoch(1, 1)))
			w.remove("files/" + x.String() + "/1.1-1")
		}
		w.remove("files/t3/1.1-1")
		bound := w.x.Pace.Trim
		w.now += bound
		w.advanced(3, epoch(1, 2)) // from here on it is found useless
		if gone {
			w.remove(snapKey(3, epoch(1, 1)))
		}
		w.now += bound
		if gone {
			w.do(state.Op{Kind: state.OpPut, Key: snapKey(3, epoch(1, 1)), Data: []byte("files/t3/1.1-1")})
			w.now++
			w.list("snap/") // now it is known
		}
		w.now += bound / 2
		w.advanced(3, epoch(1, 2))
		if r := w.verdict(); gone && r.Counts[StorageWhole] > 0 {
			t.Error(r.Violations)
		} else if !gone {
			mustFire(t, r, "snap/t3/1.1 is needed by no recovery", StorageWhole, Progress)
		}
	}
}

func TestWhatARecoveryDroppedGoes(t *testing.T) {
	for _, listed := range []bool{false, true} {
		w := ahead(t)
		w.crash("w0")
		w.recover(epoch(1, 2), epoch(1, 1), 0)
		if listed { // too late to be found by the answer
			w.tell(trace.Event{Kind: trace.StoreIssued, Task: trace.Coordinator, Op: trace.List, Key: "snap/"})
		}
		for x := range id.TaskID(4) {
			w.remove(snapKey(x, epoch(1, 1)))
			w.remove("files/" + x.String() + "/1.1-1")
		}
		for range 10 {
			w.now += 2e6
			w.advanced(3, epoch(1, 2))
		}
		if r := w.verdict(); r.Counts[StorageWhole] > 0 == listed {
			t.Errorf("listed %v: %v", listed, r.Violations)
		}
	}
}

func TestALogIsTrimmedTooFar(t *testing.T) {
	w := ahead(t)
	trim := func(ch id.ChannelID, to uint64) {
		w.tell(trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Op: trace.Trim, Key: w.x.Layout.LogKey(ch), From: to})
	}
	trim(0, 2)
	trim(4, 2)
	if r := w.verdict(); r.Counts[MessageLogs] > 0 {
		t.Error(r.Violations)
	}
	trim(4, 3)
	mustFire(t, w.verdict(), "log/c4 is trimmed up to position 3, and on the recovery line of a total failure t4 (sink[0]) has position 2", MessageLogs, Progress)
}

func TestASnapshotLandsBeforeItsLog(t *testing.T) {
	w := newWorld(t, located)
	w.emit(0, 4)
	w.begun(0, epoch(1, 1))
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: 0, Op: trace.Append, Key: "log/c0", From: 1})
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: 0, Op: trace.Append, Key: "log/c1", From: 2})
	w.do(state.Op{Kind: state.OpPut, Key: snapKey(0, epoch(1, 1))})
	mustFire(t, w.verdict(), "task t0, epoch 1.1: the snapshot is in storage, and log/c0 ends at position 1 of the 2 that its task had sent", MessageLogs, Progress)
}
