package check

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

func TestStorageStaysWhole(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	w.subsume(epoch(1, 1))
	w.crash("w0")
	w.restore(epoch(1, 2))
	mustPass(t, w.finish(epoch(2, 1)))
}

func TestReferencedObjectDeleted(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.do(state.Op{Kind: state.OpDelete, Key: "snap/t3/1.1"})
	mustFire(t, w.c.Finish(End{Time: w.now}), "snap/t3/1.1 was deleted, which the retained checkpoint needs", StorageWhole, Progress)
}

func TestNewestRecordDeleted(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.do(state.Op{Kind: state.OpDelete, Key: "chk/1.1"})
	mustFire(t, w.c.Finish(End{Time: w.now}), "the record of the newest complete checkpoint was deleted", StorageWhole, Progress)
}

func TestCompleteWithoutARecord(t *testing.T) {
	w := newWorld(t)
	w.snapshot(epoch(1, 1))
	w.coordinator(trace.Completed, epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "its record cannot be read: chk/1.1: not found", StorageWhole, Progress)
}

func TestCompleteBeforeASnapshotIsDurable(t *testing.T) {
	w := newWorld(t)
	w.mute = w.mute.With(trace.SnapshotStored)
	w.snapshot(epoch(1, 1))
	w.mute = 0
	w.complete(epoch(1, 1))
	r := w.finish(epoch(1, 2))
	mustFire(t, r, "complete before the snapshot of t0 (source[0]) was durable", StorageWhole)
}

func TestDamageIsFoundAtACrash(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.store.Corrupt("snap/t2/1.1", 5)
	w.crash("w0")
	mustFire(t, w.c.Finish(End{Time: w.now}), "the retained checkpoint cannot be restored: snap/t2/1.1", StorageWhole, Progress)
}

func TestDamageByAFaultIsNoViolation(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Cause: trace.Damage, Key: "snap/t2/1.1"})
	w.store.Corrupt("snap/t2/1.1", 5)
	w.crash("w0")
	mustFire(t, w.c.Finish(End{Time: w.now}), "", Progress)
}

// TestDamageExcusesWhatItHit: what another object has lost is no fault's doing.
func TestDamageExcusesWhatItHit(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Cause: trace.Damage, Key: "snap/t2/1.1"})
	w.store.Corrupt("snap/t1/1.1", 5)
	w.crash("w0")
	mustFire(t, w.c.Finish(End{Time: w.now}), "the retained checkpoint cannot be restored: snap/t1/1.1", StorageWhole, Progress)
}

// TestAnotherWriteStandsInPlaceOfARecord: it is whole, and no record. A fault that has put
// it there excuses that one record.
func TestAnotherWriteStandsInPlaceOfARecord(t *testing.T) {
	for _, c := range []struct{ struck, words string }{{"chk/1.1", ""}, {"snap/t2/1.1", "record chk/1.1: no record"}} {
		w := newWorld(t, func(x *Expect) {
			x.Layout.References = func(key string, data []byte) ([]string, error) {
				if string(data) == "astray" {
					return nil, errors.New("no record")
				}
				return nil, nil
			}
		})
		w.snapshot(epoch(1, 1))
		w.record(epoch(1, 1))
		w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Cause: trace.Damage, Key: c.struck})
		w.store.Do(state.Op{Kind: state.OpPut, Key: "chk/1.1", Data: []byte("astray")})
		w.coordinator(trace.Completed, epoch(1, 1))
		r := w.c.Finish(End{Time: w.now})
		if c.words != "" {
			mustFire(t, r, c.words, StorageWhole, Progress)
		} else if r.Counts[StorageWhole] > 0 {
			t.Error(r.Violations)
		}
	}
}

func TestFileNameReused(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.store.Corrupt("snap/t2/1.1", 5)
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: 2, Op: trace.Put, Key: "snap/t2/1.1"})
	mustFire(t, w.c.Finish(End{Time: w.now}), "was written again: snap/t2/1.1", StorageWhole, Progress)
}

func TestLeftoversAreFound(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1-7", Data: []byte("x")})
	w.list("files/")
	mustFire(t, w.finish(epoch(1, 2)), "needed by nothing and were not deleted: files/t2/1.1-7", StorageWhole)
}

func TestWhatLandsAfterTheLastLookIsExempt(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.last(epoch(1, 2))
	w.sweep()
	w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1-7", Data: []byte("x")})
	// The listing takes effect but its outcome is lost; another one is answered
	// when the job has ended.
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Op: trace.List, Key: "files/"})
	w.over()
	w.list("files/")
	mustPass(t, w.c.Finish(End{Time: w.now}))
}

// TestAnswerToADeadCoordinatorIsNoLook: a listing of a coordinator that has died
// is carried out late, after an object that landed late too.
func TestAnswerToADeadCoordinatorIsNoLook(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.last(epoch(1, 2))
	w.sweep()
	w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1-7", Data: []byte("x")})
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Op: trace.List, Key: "files/"})
	w.tell(trace.Event{Kind: trace.StoreDone, Task: trace.Coordinator, Op: trace.List, Key: "files/", Outcome: trace.OK}) // nobody who lives has asked
	w.over()
	mustPass(t, w.c.Finish(End{Time: w.now}))
}

// TestOneThatWasReplacedDoesNotLook: it goes on and lists what it began to, and deletes
// nothing of its successor's. What that one has found itself it must delete.
func TestOneThatWasReplacedDoesNotLook(t *testing.T) {
	for _, by := range []trace.Cause{trace.FencedOff, trace.NoCause} {
		w := newWorld(t)
		w.middle()
		w.last(epoch(1, 2))
		w.sweep()
		w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1-7", Data: []byte("x")})
		for _, k := range []trace.Kind{trace.StoreIssued, trace.StoreApplied, trace.StoreDone} {
			w.tell(trace.Event{Kind: k, Task: trace.Coordinator, Op: trace.List, Key: "files/", Cause: by, Outcome: trace.OK})
		}
		if r := w.over(); by == trace.NoCause {
			mustFire(t, r, "were not deleted: files/t2/1.1-7", StorageWhole)
		} else {
			mustPass(t, r)
		}
	}
}

// TestTheAttemptOfOneThatWasReplacedIsNone: to look, where a recovery had to.
func TestTheAttemptOfOneThatWasReplacedIsNone(t *testing.T) {
	for _, by := range []trace.Cause{trace.FencedOff, trace.NoCause} {
		w := newWorld(t)
		w.middle()
		w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1-7", Data: []byte("x")})
		w.crash("w0")
		w.restore(epoch(1, 1))
		w.tell(trace.Event{Kind: trace.StoreIssued, Task: trace.Coordinator, Op: trace.List, Key: "files/", Cause: by})
		w.last(epoch(2, 1))
		w.list("chk/")
		w.list("snap/")
		if r := w.over(); by == trace.FencedOff {
			mustFire(t, r, "were not deleted: files/t2/1.1-7", StorageWhole)
		} else {
			mustPass(t, r)
		}
	}
}

// TestALateRepetitionIsNoLateObject: a put whose outcome was unknown was
// repeated, and the first one lands when the second has long been found.
func TestALateRepetitionIsNoLateObject(t *testing.T) {
	w := newWorld(t, func(x *Expect) {
		x.Layout.Roots = func(keys []string) []string { return []string{"snap/final"} }
		x.Layout.References = func(key string, data []byte) ([]string, error) {
			if key == "snap/final" {
				return []string{string(data)}, nil
			}
			return nil, nil
		}
		x.Layout.RecordKey = nil
	})
	put := state.Op{Kind: state.OpPut, Key: "snap/final", Data: []byte("files/final")}
	w.do(put)
	w.do(state.Op{Kind: state.OpPut, Key: "files/final", Data: []byte("x")})
	w.list("snap/")
	w.list("files/")
	w.do(put)
	w.c.done = true
	o := watcherOf[*wholeStorage](w.c)
	o.Finish(End{})
	if n := w.c.verdict.Counts[StorageWhole]; n > 0 {
		t.Errorf("%v", w.c.verdict.Violations)
	}
	w.do(state.Op{Kind: state.OpDelete, Key: "snap/final"})
	w.do(put) // nobody can know of this one
	o.Finish(End{})
	mustFire(t, &w.c.verdict, "needed by nothing and were not deleted: files/final", StorageWhole)
}

// TestALateObjectMakesNoneUseless: where the newest snapshot of a task is all that counts, one that
// lands when the job has looked for the last time is not the newest for anybody; one that
// was found is, and what is older has to go.
func TestALateObjectMakesNoneUseless(t *testing.T) {
	for _, found := range []bool{false, true} {
		w := newWorld(t, func(x *Expect) {
			x.Layout.Roots = func(keys []string) []string { return []string{slices.Max(keys)} }
			x.Layout.RecordKey = nil
		})
		w.do(state.Op{Kind: state.OpPut, Key: "snap/t5/5.25"})
		w.list("snap/")
		w.do(state.Op{Kind: state.OpPut, Key: "snap/t5/5.26"})
		if found {
			w.list("snap/")
		}
		w.c.done = true
		watcherOf[*wholeStorage](w.c).Finish(End{})
		if !found && w.c.verdict.Counts[StorageWhole] > 0 {
			t.Error(w.c.verdict.Violations)
		} else if found {
			mustFire(t, &w.c.verdict, "1 of 2 objects in storage are needed by nothing and were not deleted: snap/t5/5.25", StorageWhole)
		}
	}
}

// TestTheBaseOfARecoveryIsWatched: its completion was not seen.
func TestTheBaseOfARecoveryIsWatched(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.snapshot(epoch(1, 2))
	w.record(epoch(1, 2))
	w.coordinator(trace.CoordinatorCrashed, 0)
	w.restore(epoch(1, 2))
	w.do(state.Op{Kind: state.OpDelete, Key: "chk/1.1"}) // the one that took over retains the newest only
	w.do(state.Op{Kind: state.OpDelete, Key: "snap/t2/1.1"})
	if r := w.c.Finish(End{Time: w.now}); r.Counts[StorageWhole] > 0 {
		t.Errorf("%v", r.Violations)
	}
	w.do(state.Op{Kind: state.OpDelete, Key: "snap/t2/1.2"})
	mustFire(t, w.c.Finish(End{Time: w.now}), "snap/t2/1.2 was deleted", StorageWhole, Progress)
}

// withPlans has the oracle know plans, which say which records count.
func withPlans(x *Expect) {
	x.Layout.EpochOf = func(key string) (id.Epoch, bool) {
		if n, ok := strings.CutPrefix(key, "plan/"); ok {
			return epoch(int(n[0]-'0'), 0), true
		}
		e, err := id.ParseEpoch(key[strings.LastIndexByte(key, '/')+1:])
		return e, err == nil
	}
}

// TestWhoWasReplacedMayDelete: the newest checkpoint that anybody has heard of, while
// a newer one is in storage, which its successor will find; not without it, not before
// it was replaced, and not once a plan has passed that one over.
func TestWhoWasReplacedMayDelete(t *testing.T) {
	for _, c := range []struct{ replaced, landed, planned, good bool }{
		{replaced: true, landed: true, good: true}, {landed: true}, {replaced: true}, {replaced: true, landed: true, planned: true},
	} {
		w := newWorld(t, withPlans)
		w.do(state.Op{Kind: state.OpCreate, Key: "plan/1"})
		w.middle()
		w.snapshot(epoch(1, 2))
		if c.replaced {
			w.coordinator(trace.CoordinatorCrashed, 0)
		}
		if c.landed {
			w.record(epoch(1, 2))
		}
		if c.planned {
			w.do(state.Op{Kind: state.OpCreate, Key: "plan/2"})
		}
		w.do(state.Op{Kind: state.OpDelete, Key: "chk/1.1"})
		if r := w.c.Finish(End{Time: w.now}); !c.good {
			mustFire(t, r, "the record of the newest complete checkpoint was deleted: chk/1.1", StorageWhole, Progress)
		} else if r.Counts[StorageWhole] > 0 {
			t.Error(r.Violations)
		}
	}
}

// TestARecordThatNobodyHasHeardOfCounts: until a newer plan has passed it over.
func TestARecordThatNobodyHasHeardOfCounts(t *testing.T) {
	for _, planned := range []bool{false, true} {
		w := newWorld(t, withPlans)
		w.do(state.Op{Kind: state.OpCreate, Key: "plan/1"})
		w.middle()
		w.snapshot(epoch(1, 2))
		w.record(epoch(1, 2)) // its answer is lost
		if planned {
			w.do(state.Op{Kind: state.OpCreate, Key: "plan/2"})
		}
		w.do(state.Op{Kind: state.OpDelete, Key: "snap/t2/1.2"})
		if r := w.c.Finish(End{Time: w.now}); !planned {
			mustFire(t, r, "snap/t2/1.2 was deleted, and chk/1.2 is in storage, which needs it", StorageWhole, Progress)
		} else if r.Counts[StorageWhole] > 0 {
			t.Error(r.Violations)
		}
	}
}

// TestARecordSaysWhoHadLeft: of a share that it carries over.
func TestARecordSaysWhoHadLeft(t *testing.T) {
	for _, says := range []bool{true, false} {
		w := newWorld(t, func(x *Expect) {
			x.Layout.Left = func([]byte) ([]bool, error) { return []bool{says, false, false, false, false}, nil }
		})
		w.emit(0, worldRecords)
		w.flow()
		w.snapshot(epoch(1, 1))
		w.complete(epoch(1, 1))
		w.task(trace.TaskLeft, 0, 0)
		w.snapshotWithout(0, epoch(1, 2))
		w.complete(epoch(1, 2))
		if r := w.c.Finish(End{Time: w.now}); !says {
			mustFire(t, r, "task t0, epoch 1.2: the share of t0 (source[0]) is carried over, and the record does not say", StorageWhole, Progress)
		} else if r.Safety() > 0 {
			t.Error(r.Violations)
		}
	}
}
