package check

import (
	"slices"
	"strings"
	"testing"

	"weir/id"
	"weir/trace"
)

// TestRightChangesPass: what a change of the graph does when all is well.
func TestRightChangesPass(t *testing.T) {
	for _, to := range []shape{wide, slim, narrow} {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		w.becomes(to, epoch(1, 1))
		mustPass(t, w.finish(epoch(2, 1)))
	}
	t.Run("three graphs", func(t *testing.T) {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		w.becomes(wide, epoch(1, 1))
		w.middle(epoch(2, 1))
		w.becomes(slim, epoch(2, 1))
		w.middle(epoch(3, 1))
		w.becomes(narrow, epoch(3, 1))
		r := w.finish(epoch(4, 1))
		mustPass(t, r)
		if r.Checkpoints != 4 || r.Duplicates+r.Losses != 0 || r.CommittedRows != legsRecords || r.LostWork != 0 {
			t.Errorf("stats %+v", r.Stats)
		}
	})
	t.Run("the changed job goes back to where it came from, twice", func(t *testing.T) {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		w.becomes(wide, epoch(1, 1))
		w.emit(0, 3)
		w.flow()
		w.crash()
		w.restore(epoch(1, 1))
		w.snapshot(epoch(3, 1)) // never completes
		w.emit(1, 3)
		w.flow()
		w.crash()
		w.restore(epoch(1, 1))
		w.middle(epoch(4, 1))
		w.emit(2, 2)
		w.flow()
		w.crash()
		w.restore(epoch(4, 1))
		r := w.finish(epoch(5, 1))
		mustPass(t, r)
		if r.LostWork == 0 || r.RestoredTasks != 4*wide.tasks() {
			t.Errorf("stats %+v", r.Stats)
		}
	})
	t.Run("the graph is what it was before, and nothing was complete meanwhile", func(t *testing.T) {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		w.becomes(wide, epoch(1, 1))
		w.emit(0, 2)
		w.flow()
		w.becomes(narrow, epoch(1, 1))
		w.crash()
		w.restore(epoch(1, 1))
		w.middle(epoch(4, 1))
		w.becomes(wide, epoch(4, 1))
		mustPass(t, w.finish(epoch(5, 1)))
	})
	t.Run("the work behind the checkpoint is lost", func(t *testing.T) {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		n := w.deliveredBehind()
		w.becomes(wide, epoch(1, 1))
		r := w.finish(epoch(2, 1))
		mustPass(t, r)
		if r.LostWork != int64(n) {
			t.Errorf("%d records lost, want %d", r.LostWork, n)
		}
	})
	t.Run("the record of a checkpoint whose completion nobody saw", func(t *testing.T) {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		w.emit(0, 2)
		w.snapshot(epoch(1, 2))
		w.record(epoch(1, 2))
		w.becomes(wide, epoch(1, 2))
		mustPass(t, w.finish(epoch(2, 1)))
	})
	t.Run("a damaged checkpoint is passed over, and the graph before last goes on", func(t *testing.T) {
		w := newLegs(t, narrow, func(x *Expect) { x.Output = AtLeastOnce })
		w.c.MayFallBack()
		w.middle(epoch(1, 1))
		w.becomes(wide, epoch(1, 1))
		w.middle(epoch(2, 1))
		w.change(slim)
		w.coordinator(trace.FellBack, epoch(2, 1))
		w.restore(epoch(1, 1))
		r := w.finish(epoch(3, 1))
		mustPass(t, r) // whose rows come twice, as nobody promises better then
		if r.Losses != 0 || r.LostWork == 0 {
			t.Errorf("stats %+v", r.Stats)
		}
	})
	t.Run("after Reset the first graph is back", func(t *testing.T) {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		w.becomes(wide, epoch(1, 1))
		mustPass(t, w.finish(epoch(2, 1)))
		w.again(narrow)
		w.middle(epoch(1, 1))
		w.becomes(slim, epoch(1, 1))
		mustPass(t, w.finish(epoch(2, 1)))
		w.again(narrow)
		mustPass(t, w.finish(epoch(1, 1)))
	})
}

// again begins another run.
func (w *legs) again(s shape) {
	w.store.Reset(0)
	w.c.Reset()
	w.now, w.attempt, w.shape = 0, 0, s
	clear(w.saved)
	clear(w.open)
	w.restore(0)
}

// deliveredBehind lets the counting tasks take records behind a checkpoint, and returns how many.
func (w *legs) deliveredBehind() int {
	n := 0
	for ch := range w.shape.counts * w.shape.sources {
		n += len(w.at.queue[ch])
		w.deliver(ch, 1<<30)
	}
	return n
}

// TestWrongChangesAreSeen: each mistake of those who change the graph, and who says so.
func TestWrongChangesAreSeen(t *testing.T) {
	for _, x := range []struct {
		name  string
		wrong func(w *legs) *Report
		words string
		by    []Oracle
	}{
		{"the state of one former instance is forgotten", func(w *legs) *Report {
			w.spoil = func(s *standing) {
				for k := range s.counted {
					s.counted[k] = slices.DeleteFunc(s.counted[k], func(r uint32) bool { return narrow.count(r) == 0 })
				}
			}
			w.becomes(wide, epoch(1, 1))
			return w.verdict()
		}, "the state of all instances of count is not that of its former instances", []Oracle{Restore, Progress}},
		{"the state of one is taken twice", func(w *legs) *Report {
			w.spoil = func(s *standing) { s.counted[1] = append(s.counted[1], s.counted[0]...) }
			w.becomes(wide, epoch(1, 1))
			return w.verdict()
		}, "the state of all instances of count is not that of its former instances", []Oracle{Restore, Progress}},
		{"a split goes on at a wrong offset", func(w *legs) *Report {
			w.spoil = func(s *standing) { s.offset[3]++ }
			w.becomes(wide, epoch(1, 1))
			return w.verdict()
		}, "the source goes on from offset 5 of split s3; the checkpoint has 4", []Oracle{Restore, Progress}},
		{"no task goes on with the splits", func(w *legs) *Report {
			w.mute = trace.Mask(0).With(trace.SplitTaken)
			w.becomes(wide, epoch(1, 1))
			return w.verdict()
		}, "no task of the changed graph goes on with split s0", []Oracle{Restore, Progress}},
		{"two tasks go on with a split", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			w.tell(trace.Event{Kind: trace.SplitTaken, Task: 1, Channel: trace.NoChannel, To: w.at.offset[0]})
			return w.verdict()
		}, "it takes split s0, which t0 (source[0]) reads", []Oracle{Conservation, Progress}},
		{"what was in flight is lost", func(w *legs) *Report {
			w.resend = func(rs []uint32) []uint32 { return rs[1:] }
			w.becomes(wide, epoch(1, 1))
			w.snapshot(epoch(2, 1))
			w.complete(epoch(2, 1))
			return w.verdict()
		}, "that are neither in the state of the checkpoint nor captured in flight", []Oracle{Cut, Progress}},
		{"what was in flight is lost, and no checkpoint sees it before the end", func(w *legs) *Report {
			w.resend = func([]uint32) []uint32 { return nil }
			w.becomes(wide, epoch(1, 1))
			return w.finish(epoch(2, 1))
		}, "records are missing from the final state", []Oracle{Effect, Cut, Output}},
		{"what was in flight comes twice", func(w *legs) *Report {
			w.resend = func(rs []uint32) []uint32 { return append(rs, rs...) }
			w.becomes(wide, epoch(1, 1))
			w.snapshot(epoch(2, 1))
			w.complete(epoch(2, 1))
			return w.verdict()
		}, "records are in the checkpoint more often than the sources", []Oracle{Cut, Progress}},
		{"an older checkpoint than the newest, although nothing of the newest is visible", func(w *legs) *Report {
			w.emit(0, 1)
			w.snapshot(epoch(1, 2))
			w.record(epoch(1, 2))
			w.coordinator(trace.Completed, epoch(1, 2))
			w.becomes(wide, epoch(1, 1))
			return w.verdict()
		}, "the changed graph goes on from 1.1, and checkpoint 1.2 is complete", []Oracle{Restore, Progress}},
		{"an older checkpoint than what is visible", func(w *legs) *Report {
			w.emit(0, 1)
			w.snapshot(epoch(1, 2))
			w.complete(epoch(1, 2))
			w.becomes(wide, epoch(1, 1))
			return w.verdict()
		}, "restored from epoch 1.1 although the output of epoch 1.2 is visible", []Oracle{Commit, Restore, Progress}},
		{"from nothing", func(w *legs) *Report {
			w.becomes(wide, 0)
			return w.verdict()
		}, "the changed graph goes on from 0", []Oracle{Restore, Commit, Progress}},
		{"a checkpoint that never was", func(w *legs) *Report {
			w.saved[epoch(1, 7)] = w.saved[epoch(1, 1)]
			w.becomes(wide, epoch(1, 7))
			return w.verdict()
		}, "restored a snapshot that the task never began", []Oracle{Restore, StorageWhole, Progress}},
		{"tasks of two checkpoints", func(w *legs) *Report {
			w.emit(0, 1)
			w.snapshot(epoch(1, 2))
			w.complete(epoch(1, 2))
			w.change(wide)
			w.attempt++
			w.at, _ = w.from(epoch(1, 2))
			w.coordinator(trace.PlanExecuted, epoch(1, 2))
			for i := range id.TaskID(wide.tasks()) {
				w.stands(trace.TaskRestored, trace.SplitTaken, i, epoch(1, 2-int(i%2)), 0)
			}
			for i := range id.TaskID(wide.tasks()) {
				w.task(trace.TaskReady, i, 0)
			}
			return w.verdict()
		}, "the task is made of 1.1, and the plan goes back to 1.2", []Oracle{Restore, Cut, Commit, Progress}},
		{"a share was not consistent, and nobody had heard of the checkpoint", func(w *legs) *Report {
			w.emit(0, 2)
			w.mute = trace.Mask(0).With(trace.CapturedIn)
			w.snapshot(epoch(1, 2))
			w.mute = 0
			w.record(epoch(1, 2))
			w.becomes(wide, epoch(1, 2))
			return w.verdict()
		}, "lost when the checkpoint is restored", []Oracle{Cut, Progress}},
		{"a transaction of a lost round is committed when the graph is what it was", func(w *legs) *Report {
			w.emit(0, 1)
			w.snapshot(epoch(1, 2))
			w.becomes(wide, epoch(1, 1))
			w.becomes(narrow, epoch(1, 1))
			w.shows(transaction{4, epoch(1, 2)}, nil)
			return w.verdict()
		}, "output of a history that was rolled back became visible", []Oracle{Commit, Progress}},
		{"the state is not what it was when the graph is what it was", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			saved := w.saved[epoch(1, 1)]
			saved.counted[0] = saved.counted[0][1:]
			w.becomes(narrow, epoch(1, 1))
			return w.verdict()
		}, "the restored state is not that of the snapshot", []Oracle{Restore, Progress}},
		{"an abandoned history of the former graph comes back", func(w *legs) *Report {
			w.snapshot(epoch(1, 2))
			w.crash()
			w.restore(epoch(1, 1))
			w.record(epoch(1, 2)) // late
			w.becomes(wide, epoch(1, 2))
			return w.verdict()
		}, "an abandoned history came back to life", []Oracle{Restore, Progress}},
		{"a former sink's transaction is committed again", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			w.shows(transaction{4, epoch(1, 1)}, nil)
			return w.verdict()
		}, "became visible a second time", []Oracle{Commit, Progress}},
		{"a former sink's transaction of a round that was lost is committed", func(w *legs) *Report {
			w.emit(0, 1)
			w.flow()
			w.snapshot(epoch(1, 2))
			w.becomes(wide, epoch(1, 1))
			w.shows(transaction{4, epoch(1, 2)}, nil)
			return w.verdict()
		}, "output of a history that was rolled back became visible", []Oracle{Commit, Progress}},
		{"a transaction of a task that there never was", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			w.shows(transaction{9, epoch(1, 1)}, nil)
			return w.verdict()
		}, "output became visible of a task that the graph did not have", []Oracle{Commit, Progress}},
		{"an epoch of the former graph is used again", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			w.task(trace.SnapshotBegun, 4, epoch(1, 2))
			return w.verdict()
		}, "a snapshot began with epoch 1.2, which is of the time before the graph changed", []Oracle{Conservation, Progress}},
		{"garbage of the former graph is left", func(w *legs) *Report {
			w.snapshot(epoch(1, 2)) // never completes
			w.becomes(wide, epoch(1, 1))
			w.list()
			w.last(epoch(2, 1))
			w.list()
			return w.over()
		}, "5 of 22 objects in storage are needed by nothing and were not deleted: snap/t0/1.2", []Oracle{StorageWhole}},
		{"an object that the changed job may go back to is deleted", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			w.delete(snapKey(2, epoch(1, 1)))
			return w.verdict()
		}, "was deleted, which the retained checkpoint needs", []Oracle{StorageWhole, Progress}},
		{"a task is kept through the change", func(w *legs) *Report {
			w.becomes(wide, epoch(1, 1))
			w.task(trace.TaskReady, 3, 0)
			return w.verdict()
		}, "is kept by attempt", []Oracle{Rollback, Progress}},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newLegs(t, narrow)
			w.middle(epoch(1, 1))
			r := x.wrong(w)
			mustFire(t, r, x.words, x.by...)
		})
	}
}

// TestReshapeRefusesWhatCannotBeFollowed: and leaves the checker as it was.
func TestReshapeRefusesWhatCannotBeFollowed(t *testing.T) {
	for words, alter := range map[string]func(x *Expect){
		"what is promised":                  func(x *Expect) { x.Output = AtLeastOnce },
		"the input changes":                 func(x *Expect) { x.Splits = x.Splits[:2] },
		`operator "sink" of task "sink[0]"`: func(x *Expect) { x.Tasks[len(x.Tasks)-1].Operator = "drain" },
		"outside the tasks":                 func(x *Expect) { x.Channels = []Channel{{From: 0, To: 99}} },
	} {
		w := newLegs(t, narrow)
		w.middle(epoch(1, 1))
		x := wide.expect()
		if x.Tasks[len(x.Tasks)-1].Operator == "sink" {
			x.Tasks = x.Tasks[:len(x.Tasks)-1] // one sink
		}
		x.Channels = x.Channels[:0]
		alter(&x)
		if err := w.c.Reshape(x); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: error %v", words, err)
		}
		mustPass(t, w.finish(epoch(1, 2)))
	}
	x := narrow.expect()
	x.Coordinated = false
	c, err := New(x)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Reshape(x); err == nil || !strings.Contains(err.Error(), "job-wide rounds") {
		t.Errorf("without rounds: error %v", err)
	}
}

// TestAChangeIsNoBetterThanAFailure: what is promised for failures is promised for it, and
// not that nothing is repeated.
func TestAChangeIsNoBetterThanAFailure(t *testing.T) {
	for _, output := range []Guarantee{AtLeastOnce, ExactlyOnce} {
		w := newLegs(t, narrow, func(x *Expect) {
			x.Output, x.Key = output, func(row []byte) ([]byte, uint64) { return row, 1 }
		})
		w.middle(epoch(1, 1))
		w.becomes(wide, epoch(1, 1))
		w.last(epoch(2, 1))
		w.shows(transaction{9, epoch(2, 2)}, []uint32{3})
		r := w.verdict()
		if n := r.Counts[Output]; (n > 0) != (output == ExactlyOnce) {
			t.Errorf("guarantee %d: %v", output, r.Violations)
		}
	}
}

// TestRowsTakenBackByAChange: a sink whose rows are visible at once had handed over
// more than the checkpoint knows. It comes again, which is what a rollback does.
func TestRowsTakenBackByAChange(t *testing.T) {
	atOnce := func(x *Expect) {
		x.Output, x.AtOnce, x.Rollback = AtLeastOnce, true, ScopeAll
		x.Key = func(row []byte) ([]byte, uint64) { return row, 1 }
	}
	for _, late := range []bool{false, true} {
		w := newLegs(t, narrow, atOnce)
		w.middle(epoch(1, 1))
		w.mute = w.mute.With(trace.OutputCommitted)
		w.flow()
		w.mute = 0
		show := func(attempt id.Attempt, rows ...uint32) {
			w.tell(trace.Event{Kind: trace.OutputCommitted, Attempt: attempt, Task: 4, Channel: trace.NoChannel, To: uint64(len(rows)), Data: frame(rows...)})
		}
		if late {
			w.becomes(wide, epoch(1, 1))
			show(1, 3, 7)
		} else {
			show(1, 3, 7)
			w.becomes(wide, epoch(1, 1))
		}
		if r := w.verdict(); r.RowsTakenBack != 2 {
			t.Errorf("late %v: %d rows taken back, want 2", late, r.RowsTakenBack)
		}
	}
}
