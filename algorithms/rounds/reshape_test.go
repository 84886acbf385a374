package rounds

import (
	"fmt"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// becomes gives the job sources that feed counters.
func (d *desk) becomes(sources, counters int) *desk {
	d.job.Tasks = nil
	for i := range sources {
		t := dataflow.TaskInfo{Name: "source", Role: dataflow.RoleSource, Index: i, Parallelism: sources, Splits: 3}
		for k := range counters {
			t.Outputs = append(t.Outputs, dataflow.Channel{Peer: id.TaskID(sources + k)})
		}
		d.job.Tasks = append(d.job.Tasks, t)
	}
	for i := range counters {
		d.job.Tasks = append(d.job.Tasks, dataflow.TaskInfo{Name: "count", Index: i, Parallelism: counters})
	}
	for i := range d.job.Tasks {
		d.job.Tasks[i].ID = id.TaskID(i)
	}
	return d
}

// checkpoint completes the next round; the first counter, if there is one, has captured
// records.
func (d *desk) checkpoint(e id.Epoch) {
	d.tick(10 * second)
	for i := range d.job.Tasks {
		s := dataflow.Stored{Ref: dataflow.SnapshotKey(id.TaskID(i), e), Header: dataflow.Header{Epoch: e}}
		if t := &d.job.Tasks[i]; t.Name == "count" && t.Index == 0 {
			s.InBytes = 10
		}
		d.disk.Do(state.Op{Kind: state.OpPut, Key: string(s.Ref), Data: []byte(s.Ref)})
		d.say(id.TaskID(i), coordinator.Message{Kind: coordinator.Ack, Epoch: e, Stored: &s})
	}
	d.settle()
}

// from renders what a plan makes a task of.
func from(t *dataflow.TaskPlan) string {
	s := fmt.Sprintf("%s splits %v stable %s", t.Ref, t.Splits, t.Stable)
	for _, f := range t.Former {
		s += fmt.Sprintf(", %s of %s[%d/%d]", f.Ref, f.Name, f.Index, f.Parallelism)
		if f.Receiver {
			s += " to send again"
		}
	}
	return s
}

// TestGoesOnWithAnotherShape: each task gets the snapshots that it is made of, as often as
// the job starts before its first checkpoint; after that its own. What the older shape has
// left in storage goes when it is not retained any more.
func TestGoesOnWithAnotherShape(t *testing.T) {
	d := newDesk(t, 0, retaining(1, false)).becomes(2, 2).start().ready()
	d.checkpoint(ep(1, 1))
	d.becomes(1, 3)
	for n := range 2 { // again, from the same base
		d.start().ready()
		p := d.newest()
		if int(p.Number) != 2+n || len(p.Tasks) != 4 {
			t.Fatalf("plan %d for %d tasks; %v", p.Number, len(p.Tasks), d.failed)
		}
		d.want("the source", from(&p.Tasks[0]), " splits [0 1 2] stable 1.1, snap/t0/1.1 of source[0/2], snap/t1/1.1 of source[1/2], snap/t2/1.1 of count[0/2] to send again")
		for i := 1; i < 4; i++ {
			d.want("a counter", from(&p.Tasks[i]), " splits [] stable 1.1, snap/t2/1.1 of count[0/2], snap/t3/1.1 of count[1/2]")
		}
		d.want("storage", d.keys(), "chk/1.1 snap/t0/1.1 snap/t1/1.1 snap/t2/1.1 snap/t3/1.1")
	}
	// The fallen start leaves nothing; a failure of tasks is the same once more.
	d.c.Failed([]id.TaskID{0}, nil)
	d.ready()
	d.want("after a failure", from(&d.newest().Tasks[1]), " splits [] stable 1.1, snap/t2/1.1 of count[0/2], snap/t3/1.1 of count[1/2]")
	d.checkpoint(ep(4, 1))
	d.want("storage", d.keys(), "chk/4.1 snap/t0/4.1 snap/t1/4.1 snap/t2/4.1 snap/t3/4.1")
	d.start().ready()
	d.want("a task with a checkpoint of its own", from(&d.newest().Tasks[0]), "snap/t0/4.1 splits [0 1 2] stable 4.1")
}

// TestUnchangedOperatorsKeepTheirSnapshot, all but sources, whose splits may move.
func TestUnchangedOperatorsKeepTheirSnapshot(t *testing.T) {
	d := newDesk(t, 0).becomes(3, 2).start().ready()
	d.checkpoint(ep(1, 1))
	d.becomes(2, 2).start().ready()
	d.want("a counter", from(&d.newest().Tasks[3]), " splits [] stable 1.1, snap/t4/1.1 of count[1/2]")
	d.want("a source", from(&d.newest().Tasks[1]), " splits [1] stable 1.1, snap/t0/1.1 of source[0/3], snap/t1/1.1 of source[1/3], snap/t2/1.1 of source[2/3], snap/t3/1.1 of count[0/2] to send again")
}

// TestFallsBackToAnotherShape: the only checkpoint of the new shape is damaged.
func TestFallsBackToAnotherShape(t *testing.T) {
	d := newDesk(t, 0, retaining(2, true)).becomes(1, 2).start().ready()
	d.checkpoint(ep(1, 1))
	d.becomes(1, 1).start().ready()
	d.checkpoint(ep(2, 1))
	d.want("storage", d.keys(), "chk/1.1 chk/2.1 snap/t0/1.1 snap/t0/2.1 snap/t1/1.1 snap/t1/2.1 snap/t2/1.1")
	d.disk.Do(state.Op{Kind: state.OpGet, Key: "chk/2.1"}).Data[12] ^= 1
	d.start().ready()
	d.want("the counter", from(&d.newest().Tasks[1]), " splits [] stable 1.1, snap/t1/1.1 of count[0/2], snap/t2/1.1 of count[1/2]")
	if d.saw("fell-back") != 1 {
		t.Errorf("passed over silently: %q", d.log)
	}
}

// TestALeavingTaskIsNotCarriedOverFromAnotherShape: what the base says of a task with the
// same number is another's.
func TestALeavingTaskIsNotCarriedOverFromAnotherShape(t *testing.T) {
	d := newDesk(t, 0).becomes(1, 1).start().ready()
	d.checkpoint(ep(1, 1))
	d.becomes(1, 2).start().ready()
	d.tick(10 * second)
	d.say(1, coordinator.Message{Kind: Leaving, Epoch: ep(1, 9)})
	d.ack(0, ep(2, 1), false)
	d.ack(2, ep(2, 1), false)
	d.settle()
	d.want("storage", d.keys(), "chk/1.1 snap/t0/1.1 snap/t0/2.1 snap/t1/1.1 snap/t2/2.1")
}

// TestAnotherNumberOfSplitsIsRefused, whatever else changes, and nothing is touched.
func TestAnotherNumberOfSplitsIsRefused(t *testing.T) {
	d := newDesk(t, 0).becomes(2, 1).start().ready()
	d.checkpoint(ep(1, 1))
	d.becomes(1, 1)
	d.job.Tasks[0].Splits = 2
	before := d.keys()
	d.start().settle()
	d.fails("assigns split 2 of source, which has 2 splits", "a job keeps the number of its splits")
	d.want("storage", d.keys(), before)
}

func TestLoopsAreRefused(t *testing.T) {
	d := newDesk(t, 0).becomes(1, 1).start().ready()
	d.checkpoint(ep(1, 1))
	d.becomes(1, 2)
	d.job.Tasks[1].Heads = 2
	d.start().settle()
	d.fails("chk/1.1", "count lies in a loop", "rescale from a savepoint")
}
