package rounds

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
)

// save puts a savepoint of a job of as many sources and counters below root.
func (d *desk) save(root string, e id.Epoch, sources, counters int) {
	d.t.Helper()
	m := &savepoint.Manifest{Job: d.job.Name, Epoch: e, Groups: 16}
	put := func(key string, data []byte) {
		if r := d.disk.Do(state.Op{Kind: state.OpPut, Key: key, Data: data}); r.Status != state.OK {
			d.t.Fatal(r.Err)
		}
	}
	task := id.TaskID(0)
	for _, o := range []struct {
		name string
		n    int
	}{{"source", sources}, {"count", counters}} {
		op := savepoint.Operator{Name: o.name}
		for i := range o.n {
			x := savepoint.Index{Job: m.Job, Epoch: e, Task: savepoint.Task{ID: task, Operator: o.name, Instance: i, Instances: o.n, Groups: state.GroupsOf(i, o.n, m.Groups)}}
			for s := i; o.name == "source" && s < 3; s += o.n {
				x.Splits = append(x.Splits, savepoint.Split{Split: s})
			}
			data := x.Encode()
			put(savepoint.IndexKey(root, task), data)
			op.Parts = append(op.Parts, savepoint.PartRef{Task: task, Size: int64(len(data)), Sum: xxhash.Sum64(data)})
			task++
		}
		m.Operators = append(m.Operators, op)
	}
	put(savepoint.ManifestKey(root), m.Encode())
}

// edit writes an object anew as f makes it.
func (d *desk) edit(key string, f func(b []byte) []byte) {
	b := slices.Clone(d.disk.Do(state.Op{Kind: state.OpGet, Key: key}).Data)
	d.disk.Do(state.Op{Kind: state.OpPut, Key: key, Data: f(b)})
}

// begun renders what a plan has tasks begin with.
func begun(p *dataflow.Plan) string {
	var all []string
	for i := range p.Tasks {
		t := &p.Tasks[i]
		s := string(t.Ref)
		if t.Saved != nil {
			s += fmt.Sprintf("%s/%s %s", t.Saved.Root, t.Saved.Operator, t.Saved.Epoch)
		}
		all = append(all, fmt.Sprintf("%s, stable %s", s, t.Stable))
	}
	return strings.Join(all, "; ")
}

func (d *desk) withGroups() *desk {
	for i := range d.job.Tasks {
		d.job.Tasks[i].NumGroups = 16
	}
	return d
}

// TestBeginsFromASavepoint: the first plan has all begin with the savepoint, above its attempt, and so have
// all that come before there is a checkpoint, also those of a coordinator that is not told of the
// savepoint. Nothing of it is deleted, unless it is the job's own.
func TestBeginsFromASavepoint(t *testing.T) {
	for _, claimed := range []bool{false, true} {
		d := newDesk(t, 0, retaining(1, false)).becomes(1, 2).withGroups()
		d.save("saved/1", ep(3, 9), 2, 1)
		d.job.From = &dataflow.Origin{Root: "saved/1", Claimed: claimed}
		const beginning = "saved/1/source 3.9, stable 3.9; saved/1/count 3.9, stable 3.9; saved/1/count 3.9, stable 3.9"
		for n := range 2 {
			d.start().ready()
			if p := d.newest(); p.Number != id.Attempt(4+n) || begun(p) != beginning {
				t.Fatalf("plan %d: %s; %v", p.Number, begun(p), d.failed)
			}
			d.job.From = nil // it stands in the plan
		}
		d.c.Failed([]id.TaskID{0}, nil)
		d.ready()
		if p := d.newest(); p.Number != 6 || begun(p) != beginning {
			t.Fatalf("plan %d: %s; %v", p.Number, begun(p), d.failed)
		}
		d.checkpoint(ep(6, 1))
		want := "chk/6.1 saved/1/manifest saved/1/t0 saved/1/t1 saved/1/t2 snap/t0/6.1 snap/t1/6.1 snap/t2/6.1"
		if claimed {
			want = "chk/6.1 snap/t0/6.1 snap/t1/6.1 snap/t2/6.1"
		}
		d.want("storage", d.keys(), want)
		d.c.Failed([]id.TaskID{0}, nil)
		d.ready()
		for i, tp := range d.newest().Tasks {
			if want := string(dataflow.SnapshotKey(id.TaskID(i), ep(6, 1))); string(tp.Ref) != want || tp.Stable != ep(6, 1) {
				t.Errorf("behind a checkpoint task %d begins with %q, stable %s", i, tp.Ref, tp.Stable)
			}
		}
		d.want("storage", d.keys(), want)
	}
}

// TestSavepointThatDoesNotFit: the job fails before it has made a plan.
func TestSavepointThatDoesNotFit(t *testing.T) {
	for what, c := range map[string]struct {
		do   func(d *desk)
		says string
	}{
		"no manifest":        {func(d *desk) { d.disk.Do(state.Op{Kind: state.OpDelete, Key: "saved/1/manifest"}) }, "not found"},
		"no index":           {func(d *desk) { d.disk.Do(state.Op{Kind: state.OpDelete, Key: "saved/1/t1"}) }, `"saved/1/t1"`},
		"a damaged manifest": {func(d *desk) { d.edit("saved/1/manifest", func(b []byte) []byte { b[12] ^= 1; return b }) }, "corrupt"},
		"a damaged index":    {func(d *desk) { d.edit("saved/1/t2", func(b []byte) []byte { return b[:len(b)-1] }) }, `"saved/1/t2"`},
		"another job":        {func(d *desk) { d.job.Name = "other" }, `"other"`},
		"an operator gone":   {func(d *desk) { d.job.Tasks = d.job.Tasks[:1] }, "--allow-dropped count"},
	} {
		d := newDesk(t, 0, retaining(1, false)).becomes(1, 2).withGroups()
		d.save("saved/1", ep(3, 9), 2, 1)
		d.job.From = &dataflow.Origin{Root: "saved/1"}
		c.do(d)
		before := d.keys()
		d.start().settle()
		if len(d.failed) != 1 || !strings.Contains(d.failed[0].Error(), c.says) || len(d.plans) > 0 {
			t.Errorf("%s: %v, %d plans", what, d.failed, len(d.plans))
		}
		d.want(what+": storage", d.keys(), before)
	}
}

// TestJobThatIsOverDeletesItsOwnSavepoint, which is the one that its plans name and no other,
// whatever a coordinator was launched with, and whichever of them is left to do it.
func TestJobThatIsOverDeletesItsOwnSavepoint(t *testing.T) {
	const kept = "saved/2/manifest saved/2/t0 saved/2/t1 saved/2/t2"
	leavingNothing := func(c *dataflow.CheckpointConfig) { c.OnCancel = dataflow.DeleteOnCancel }
	for what, do := range map[string]func(d *desk){
		"continued without a launch": func(d *desk) {
			d.start().settle()
			d.job.From = nil
			d.start().settle()
			d.c.Stop()
		},
		"launched again with another": func(d *desk) {
			d.start().settle()
			d.job.From = &dataflow.Origin{Root: "saved/2", Claimed: true}
			d.start().settle()
			d.c.Stop()
		},
		"launched with another at its end": func(d *desk) {
			d.start().settle()
			d.held = "delete saved/"
			d.c.Stop()
			d.settle()
			d.held, d.job.From = "", &dataflow.Origin{Root: "saved/2", Claimed: true}
			d.start()
		},
		"stopped while it reads it": func(d *desk) {
			d.held = "get saved/"
			d.start().settle()
			d.held = ""
			d.c.Stop()
		},
		"stopped while it reads its plans": func(d *desk) {
			d.start()
			d.c.Stop()
		},
		"stopped while it deletes it": func(d *desk) {
			d.start().ready()
			d.held = "delete saved/1/t"
			d.checkpoint(ep(4, 1))
			d.c.Failed([]id.TaskID{0}, nil)
			d.settle()
			d.c.Stop()
			d.settle()
			d.held, d.job.From = "", nil
			d.start()
		},
	} {
		d := newDesk(t, 0, retaining(1, false), leavingNothing).becomes(1, 2).withGroups()
		d.save("saved/1", ep(3, 9), 2, 1)
		d.save("saved/2", ep(3, 10), 2, 1)
		d.job.From = &dataflow.Origin{Root: "saved/1", Claimed: true}
		do(d)
		d.settle()
		d.want(what+": storage", d.keys(), kept)
		if d.done == 0 || len(d.failed) > 0 {
			t.Errorf("%s: done %d, failed %v", what, d.done, d.failed)
		}
	}
}
