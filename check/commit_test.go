package check

import (
	"fmt"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

func TestRecoveryBehindVisibleOutput(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	w.crash("w0")
	w.restore(epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "restored from epoch 1.1 although the output of epoch 1.2 is visible", Commit, Progress)
}

func TestOutputVisibleBeforeTheCheckpointIsDurable(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.commit(epoch(1, 2))
	w.record(epoch(1, 2))
	w.coordinator(trace.Completed, epoch(1, 2))
	mustFire(t, w.finish(epoch(1, 3)), "before its checkpoint was durable", Commit)
}

// TestDamagedRecordWasDurable: a record that has landed makes its output good, whatever becomes
// of its bytes; one that is deleted, or landed damaged, does not.
func TestDamagedRecordWasDurable(t *testing.T) {
	for _, c := range []struct{ name, want string }{{"damaged later", ""}, {"landed damaged", "before its checkpoint was durable"}, {"deleted", "before its checkpoint was durable"}} {
		w := newWorld(t, func(x *Expect) { x.Layout.EpochOf = epochBehindSlash })
		w.middle()
		w.snapshot(epoch(1, 2))
		w.mute = kinds(trace.StoreApplied) // told below
		w.record(epoch(1, 2))
		w.mute = 0
		key := w.x.Layout.RecordKey(epoch(1, 2))
		w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Cause: trace.Damage, Key: key})
		landed := trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Op: trace.Create, Key: key}
		switch c.name {
		case "damaged later":
			w.tell(landed)
			w.store.Corrupt(key, 5)
		case "landed damaged":
			w.store.Corrupt(key, 5)
			w.tell(landed)
		default:
			w.tell(landed)
			w.do(state.Op{Kind: state.OpDelete, Key: key})
		}
		w.commit(epoch(1, 2))
		found := false
		for _, v := range w.c.Violations() {
			found = found || v.Oracle == Commit
			if v.Oracle == Commit && (c.want == "" || !strings.Contains(v.Text, c.want)) {
				t.Errorf("%s: %s", c.name, v)
			}
		}
		if found != (c.want != "") {
			t.Errorf("%s: violations %v, want %q", c.name, w.c.Violations(), c.want)
		}
	}
}

// epochBehindSlash is that of a name like chk/1.2.
func epochBehindSlash(key string) (id.Epoch, bool) {
	var attempt id.Attempt
	var index uint32
	_, text, _ := strings.Cut(key, "/")
	n, _ := fmt.Sscanf(text, "%d.%d", &attempt, &index)
	return id.MakeEpoch(attempt, index), n == 2
}

func TestUncoordinatedOutputVisibleBeforeItsSnapshotIsDurable(t *testing.T) {
	w := newWorld(t, uncoordinated)
	w.emit(0, 2)
	w.flow()
	w.begun(4, epoch(1, 1))
	w.txn[epoch(1, 1)], w.open = w.open, nil
	w.commit(epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "before its checkpoint was durable", Commit, Progress)
}

func TestTransactionVisibleTwice(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.txn[epoch(1, 1)] = nil
	w.complete(epoch(1, 2))
	r := w.finish(epoch(1, 3))
	mustFire(t, r, "epoch 1.1: the rows of the transaction became visible a second time", Commit)
	if r.CommitsRetried != 1 {
		t.Errorf("%d commits retried", r.CommitsRetried)
	}
}

func TestRolledBackOutputBecomesVisible(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.crash("w0")
	kept := w.txn[epoch(1, 2)]
	w.restore(epoch(1, 1))
	w.flow()
	w.snapshot(epoch(2, 1))
	w.txn[epoch(1, 2)] = kept // not aborted
	w.complete(epoch(2, 1))
	mustFire(t, w.finish(epoch(2, 2)), "epoch 1.2: output of a history that was rolled back became visible", Commit, Output)
}

func TestOutputWithoutSnapshot(t *testing.T) {
	w := newWorld(t)
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Epoch: epoch(1, 9)})
	mustFire(t, w.c.Finish(End{Time: w.now}), "there is no snapshot", Commit, Progress)
}

// lateCommit has the commit of 1.1 land while a recovery from 1.2 is under way:
// the coordinator that died had made its record, nobody saw it complete, and
// the one that took over has let 1.1 go.
func lateCommit(t *testing.T, record bool) *Report {
	w := newWorld(t)
	w.middle()
	commits := watcherOf[*commit](w.c)
	commits.sinks[4].visible = nil // as if the first commit had not come through
	rows := w.c.output.rows
	w.c.output.rows = nil
	w.snapshot(epoch(1, 2))
	if record {
		w.record(epoch(1, 2))
	}
	w.coordinator(trace.CoordinatorCrashed, 0)
	w.coordinator(trace.Subsumed, epoch(1, 1))
	w.attempt++
	w.coordinator(trace.PlanExecuted, epoch(1, 2))
	w.do(state.Op{Kind: state.OpDelete, Key: "chk/1.1"})
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Channel: trace.NoChannel, Attempt: 1, Epoch: epoch(1, 1)})
	w.c.output.rows = rows
	return w.c.Finish(End{Time: w.now})
}

func TestCommitLandsDuringTheRecoveryFromANewerCheckpoint(t *testing.T) {
	mustFire(t, lateCommit(t, true), "", Progress)
	mustFire(t, lateCommit(t, false), "before its checkpoint was durable", Commit, Progress, StorageWhole)
}

// TestTransactionLeftOpen: at the end, and not before.
func TestTransactionLeftOpen(t *testing.T) {
	for _, ends := range []bool{false, true} {
		w := newWorld(t, func(x *Expect) {
			x.Open = func(t id.TaskID, dst []id.Epoch) []id.Epoch {
				if t == 4 {
					dst = append(dst, epoch(1, 1))
				}
				return dst
			}
		})
		w.middle()
		if !ends {
			if r := w.c.Finish(End{Time: w.now}); r.Counts[Commit] > 0 {
				t.Errorf("a job that has not ended may have transactions open: %v", r.Violations)
			}
			continue
		}
		mustFire(t, w.finish(epoch(1, 2)), "its transaction is open for ever", Commit)
	}
}
