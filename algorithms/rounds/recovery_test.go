package rounds

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// TestLateRecordDoesNotCount: it was under way when the tasks failed, and lands
// after the plan that did not see it.
func TestLateRecordDoesNotCount(t *testing.T) {
	d := newDesk(t, 1).start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.held = "create chk/"
	d.tick(10 * second)
	d.ackAll(ep(1, 2))
	record := d.ops[0].op
	d.c.Failed([]id.TaskID{0}, nil)
	d.settle()
	if p := d.newest(); p.Number != 2 || p.Tasks[0].Ref != "snap/t0/1.1" || p.Tasks[0].Stable != ep(1, 1) {
		t.Fatalf("the plan is %+v, want one from 1.1", p)
	}
	if r := d.disk.Do(record); r.Status != state.OK {
		t.Fatal(r.Status)
	}
	d.held = ""
	d.start().settle()
	if p := d.newest(); p.Number != 3 || p.Tasks[0].Ref != "snap/t0/1.1" {
		t.Errorf("the plan is %+v: the late record counts", p)
	}
	d.want("storage after the next sweep", d.keys(), "chk/1.1 snap/t0/1.1")
}

// TestRecordOfThePlansOwnCounts: its coordinator died before it knew.
func TestRecordOfThePlansOwnCounts(t *testing.T) {
	d := newDesk(t, 1).start().ready()
	d.held = "create chk/"
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.disk.Do(d.ops[0].op)
	d.held = ""
	d.start().settle()
	if p := d.newest(); p.Number != 2 || p.Tasks[0].Ref != "snap/t0/1.1" {
		t.Errorf("the plan is %+v, want one from 1.1", p)
	}
}

// TestPlanNumberIsTaken: somebody else made the plan; theirs counts, and the
// next number is tried.
func TestPlanNumberIsTaken(t *testing.T) {
	d := newDesk(t, 1)
	d.held = "create plan/1"
	d.start().settle()
	other := coordinator.PlanRecord{Job: "job", Nonce: 99, Shape: coordinator.ShapeOf(d.job.Tasks), Plan: dataflow.Plan{Number: 1, Tasks: make([]dataflow.TaskPlan, 1)}}
	d.disk.Do(state.Op{Kind: state.OpCreate, Key: coordinator.PlanKey(1), Data: other.Encode()})
	d.held = ""
	d.settle()
	if p := d.newest(); len(d.plans) != 1 || p.Number != 2 {
		t.Errorf("%d plans, the newest is %d; want plan 2 alone", len(d.plans), p.Number)
	}
	// Meeting its own bytes, after an unknown outcome, it has won.
	d.c.Failed([]id.TaskID{0}, nil)
	i := slices.IndexFunc(d.ops, func(o issued) bool { return o.op.Key == coordinator.PlanKey(3) })
	d.disk.Do(d.ops[i].op)
	d.end(i, state.Result{Status: state.Failed})
	d.settle()
	if p := d.newest(); p.Number != 3 {
		t.Errorf("the newest plan is %d, want 3", p.Number)
	}
}

func TestStorageOfAnotherJob(t *testing.T) {
	d := newDesk(t, 1).start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	before := d.keys()
	d.job.Name = "other"
	d.start().settle()
	d.fails("lease/1", `this storage belongs to job "job", this is job "other"`, "give each job a directory of its own")
	d.want("storage", d.keys(), before)

	d = newDesk(t, 1).start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.job.Tasks = append(d.job.Tasks, dataflow.TaskInfo{ID: 1, Name: "another"})
	d.start().settle()
	d.fails("chk/1.1", `this job has the operators "another", of which its snapshots hold nothing`, "it was: op0 1; it is: op0 1, another 1")
}

func retaining(n int, fallback bool) func(c *dataflow.CheckpointConfig) {
	return func(c *dataflow.CheckpointConfig) { c.Retain, c.Fallback = n, fallback }
}

// TestDamagedRecord: the newest checkpoint is unreadable. It is never passed over silently.
func TestDamagedRecord(t *testing.T) {
	for _, c := range []struct {
		retain, damaged int
		fallback        bool
		from            string // what is restored; "": the job fails
	}{
		{2, 1, false, ""}, {2, 1, true, "snap/t0/1.1"}, {1, 1, true, ""}, {2, 2, true, ""}, {3, 2, true, "snap/t0/1.1"},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			d := newDesk(t, 1, retaining(c.retain, c.fallback)).start().ready()
			for k := range uint32(max(c.retain, 2)) {
				d.tick(10 * second)
				d.ackAll(ep(1, k+1))
			}
			names := strings.Fields(d.keys())[:c.retain] // chk/ comes first
			for _, key := range names[c.retain-c.damaged:] {
				d.disk.Do(state.Op{Kind: state.OpGet, Key: key}).Data[12] ^= 1
			}
			before := d.keys()
			d.start().settle()
			if c.from == "" {
				d.fails(names[len(names)-1], "checksum")
				if !errors.Is(d.failed[0], state.ErrCorrupt) {
					t.Errorf("%v is not recognizable as damage", d.failed[0])
				}
				d.want("storage: nothing is lost", d.keys(), before)
				return
			}
			if p := d.newest(); string(p.Tasks[0].Ref) != c.from {
				t.Errorf("restored from %s, want %s", p.Tasks[0].Ref, c.from)
			}
			if d.saw("aborted") != c.damaged {
				t.Errorf("passed over silently: %q", d.log)
			}
		})
	}
}

// TestADamagedRecordCountsAsRetained: the one that it has made superfluous is about to
// be deleted by the coordinator that is dead, and nobody is left to delete its snapshots.
func TestADamagedRecordCountsAsRetained(t *testing.T) {
	d := newDesk(t, 1, retaining(2, true)).start().ready()
	for k := range uint32(3) {
		if k == 2 {
			d.held = "delete chk/1.1"
		}
		d.tick(10 * second)
		d.ackAll(ep(1, k+1))
	}
	dying := slices.IndexFunc(d.ops, func(o issued) bool { return o.op.Key == "chk/1.1" })
	op := d.ops[dying].op
	d.disk.Do(state.Op{Kind: state.OpGet, Key: "chk/1.2"}).Data[12] ^= 1
	d.held = "delete"
	d.start().settle()
	d.disk.Do(op)
	d.held = ""
	d.settle()
	d.want("storage", d.keys(), "chk/1.3 snap/t0/1.3")
}

// TestDamagedSnapshot: a task cannot restore its share.
func TestDamagedSnapshot(t *testing.T) {
	cause := fmt.Errorf("op0[0]: restore: %w", &state.OpError{Kind: state.OpGet, Key: "snap/t0/1.2", Status: state.Corrupt})
	for _, c := range []struct {
		retain   int
		fallback bool
		from     string
	}{{2, false, ""}, {2, true, "snap/t0/1.1"}, {1, true, ""}} {
		d := newDesk(t, 1, retaining(c.retain, c.fallback)).start().ready()
		for k := range uint32(2) {
			d.tick(10 * second)
			d.ackAll(ep(1, k+1))
		}
		d.c.Failed([]id.TaskID{0}, nil)
		d.settle()
		d.c.Failed([]id.TaskID{0}, cause)
		d.settle()
		if c.from == "" {
			d.fails("snap/t0/1.2", "checkpoint.fallback")
			continue
		}
		if p := d.newest(); p.Number != 3 || string(p.Tasks[0].Ref) != c.from {
			t.Errorf("plan %d from %s, want 3 from %s", p.Number, p.Tasks[0].Ref, c.from)
		}
		if d.saw("damaged; falling back") != 1 {
			t.Errorf("passed over silently: %q", d.log)
		}
	}
}

// TestTasksThatGiveUpForEver end the job at last; crashes do not.
func TestTasksThatGiveUpForEver(t *testing.T) {
	d := newDesk(t, 1).start().ready()
	for range 3 * 20 {
		d.c.Failed([]id.TaskID{0}, nil)
		d.ready()
	}
	if len(d.failed) > 0 {
		t.Fatalf("crashes fail the job: %v", d.failed)
	}
	d = newDesk(t, 1).start().ready()
	for i := range 20 {
		d.c.Failed([]id.TaskID{0}, errors.New("a bad record"))
		d.ready()
		if len(d.failed) > 0 {
			t.Fatalf("after %d failures: %v", i+1, d.failed)
		}
	}
	d.c.Failed([]id.TaskID{0}, errors.New("a bad record"))
	d.settle()
	d.fails("recoveries in a row", "a bad record")
}

// TestStorageHoldsWhatIsReferenced: after every round of random histories, with
// shared files, aborts and restarts of the coordinator, storage holds exactly
// what the retained checkpoints need.
func TestStorageHoldsWhatIsReferenced(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const tasks = 2
		retain := rapid.IntRange(1, 3).Draw(rt, "retain")
		d := newDesk(t, tasks, retaining(retain, false), func(c *dataflow.CheckpointConfig) { c.Tolerated = -1 }).start().ready()
		type checkpoint struct {
			epoch id.Epoch
			files [tasks][]string
		}
		var history []checkpoint
		for range rapid.IntRange(1, 12).Draw(rt, "rounds") {
			d.tick(10 * second)
			cp := checkpoint{epoch: d.lastTriggered()}
			aborted := rapid.IntRange(0, 3).Draw(rt, "abort") == 0
			for i := range tasks {
				if n := len(history); n > 0 { // incremental: some files of the base, and new ones
					for _, f := range history[n-1].files[i] {
						if rapid.Bool().Draw(rt, "kept") {
							cp.files[i] = append(cp.files[i], f)
						}
					}
				}
				for k := range rapid.IntRange(0, 2).Draw(rt, "new") {
					cp.files[i] = append(cp.files[i], fmt.Sprintf("files/t%d/%s-%d", i, cp.epoch, k))
				}
				if i == tasks-1 && aborted {
					d.say(id.TaskID(i), coordinator.Message{Kind: coordinator.Decline, Epoch: cp.epoch, Text: "no"})
				} else {
					d.ack(id.TaskID(i), cp.epoch, false, cp.files[i]...)
				}
			}
			d.settle()
			if !aborted {
				history = append(history, cp)
				history = history[max(0, len(history)-retain):]
			}
			switch rapid.IntRange(0, 5).Draw(rt, "then") {
			case 0:
				d.start().ready()
			case 1:
				d.c.Failed([]id.TaskID{0}, nil)
				d.ready()
			}
			d.settle()
			var want []string
			for _, h := range history {
				want = append(want, "chk/"+h.epoch.String())
				for i := range tasks {
					want = append(append(want, string(dataflow.SnapshotKey(id.TaskID(i), h.epoch))), h.files[i]...)
				}
			}
			slices.Sort(want)
			if got := d.keys(); got != strings.Join(slices.Compact(want), " ") {
				rt.Fatalf("storage holds %s, want %s", got, strings.Join(slices.Compact(want), " "))
			}
		}
		if len(d.failed) > 0 {
			rt.Fatal(d.failed)
		}
	})
}

// TestASweepLeavesARecordThatMayCount: a round is given up, and storage is listed for
// what it has left. Meanwhile tasks fail while the record of the next round is being
// made. It has landed, and until a newer plan has, it counts.
func TestASweepLeavesARecordThatMayCount(t *testing.T) {
	d := newDesk(t, 1, func(c *dataflow.CheckpointConfig) { c.MaxConcurrent, c.Tolerated = 2, 5 }).start().ready()
	d.tick(20 * second)
	d.say(0, coordinator.Message{Kind: coordinator.Decline, Epoch: ep(1, 1), Text: "no"})
	d.held = "create plan/"
	d.ack(0, ep(1, 2), false)
	for i := range d.ops {
		if d.ops[i].op.Kind == state.OpCreate {
			d.disk.Do(d.ops[i].op)
		}
	}
	d.c.Failed([]id.TaskID{0}, nil)
	d.settle()
	d.want("storage while the plan is being made", d.keys(), "chk/1.2 snap/t0/1.2")
	d.held = ""
	d.start().settle()
	if p := d.newest(); p.Tasks[0].Ref != "snap/t0/1.2" {
		t.Errorf("the plan is %+v, want one from 1.2", p)
	}
}
