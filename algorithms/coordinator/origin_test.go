package coordinator_test

import (
	"errors"
	"strings"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
)

// shares are those of a savepoint of a job source 2, count 2, sink 1.
func shares() (*savepoint.Manifest, []*savepoint.Index) {
	m := &savepoint.Manifest{Job: "job", Epoch: id.MakeEpoch(3, 4), Groups: 16}
	var all []*savepoint.Index
	for _, o := range (coordinator.Shape{{Name: "source", Parallelism: 2}, {Name: "count", Parallelism: 2}, {Name: "sink", Parallelism: 1}}) {
		op := savepoint.Operator{Name: o.Name}
		for i := range o.Parallelism {
			x := &savepoint.Index{}
			x.ID, x.Operator, x.Instance, x.Instances = id.TaskID(len(all)), o.Name, i, o.Parallelism
			switch o.Name {
			case "source":
				x.Splits = []savepoint.Split{{Split: i}, {Split: 2 + i}}
			case "sink":
				x.Pending = []id.Epoch{m.Epoch}
			}
			all = append(all, x)
			op.Parts = append(op.Parts, savepoint.PartRef{Task: x.ID})
		}
		m.Operators = append(m.Operators, op)
	}
	return m, all
}

// asks are the tasks of a job with these operators and parallelisms; a source has four splits.
func asks(shape coordinator.Shape) (all []dataflow.TaskInfo) {
	for _, o := range shape {
		for i := range o.Parallelism {
			t := dataflow.TaskInfo{ID: id.TaskID(len(all)), Name: o.Name, Index: i, Parallelism: o.Parallelism, NumGroups: 16}
			switch o.Name {
			case "source":
				t.Role, t.Splits = dataflow.RoleSource, 4
			case "sink":
				t.Role = dataflow.RoleSink
			}
			all = append(all, t)
		}
	}
	return all
}

func TestBegin(t *testing.T) {
	same := coordinator.Shape{{Name: "source", Parallelism: 1}, {Name: "count", Parallelism: 3}, {Name: "sink", Parallelism: 2}}
	for what, c := range map[string]struct {
		from  dataflow.Origin
		shape coordinator.Shape
		says  []string // nothing: it begins
		names string   // of the tasks' operators in the savepoint
	}{
		"other parallelism": {shape: same, names: "source count count count sink sink"},
		"other order":       {shape: coordinator.Shape{same[2], same[0], same[1]}, names: "sink sink source count count count"},
		"an operator more":  {shape: append(same[:3:3], coordinator.Operator{Name: "top", Parallelism: 1}), names: "source count count count sink sink -"},
		"renamed": {
			from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "count", To: "sum"}}}, shape: coordinator.Shape{same[0], {Name: "sum", Parallelism: 1}, same[2]}, names: "source count sink sink",
		},
		"a sink is none any more": {
			from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "count", To: "sink"}, {From: "sink", To: "count"}}}, shape: same, says: []string{"sink[0]", `"count"`, "sealed 1 transactions"},
		},
		"dropped": {from: dataflow.Origin{Dropped: []string{"count"}}, shape: coordinator.Shape{same[0], same[2]}, names: "source sink sink"},
		"dropped and begun anew": {
			from: dataflow.Origin{Dropped: []string{"count"}}, shape: same, names: "source - - - sink sink",
		},
		"an operator less":       {shape: coordinator.Shape{same[0], same[2]}, says: []string{`"count"`, "source, sink", "--allow-dropped count", "--rename count=NAME"}},
		"renamed, not there":     {from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "cuont", To: "sum"}}}, shape: same, says: []string{`"cuont"`, "source, count, sink"}},
		"renamed, to nothing":    {from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "count", To: "sum"}}}, shape: same, says: []string{`"sum"`, "source, count, sink"}},
		"renamed to another's":   {from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "count", To: "sink"}}}, shape: same, says: []string{`"count"`, `"sink"`, "--allow-dropped"}},
		"renamed and dropped":    {from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "count", To: "sum"}}, Dropped: []string{"count"}}, shape: coordinator.Shape{same[0], {Name: "sum", Parallelism: 1}, same[2]}, says: []string{`"count"`, `"sum"`}},
		"dropped, not there":     {from: dataflow.Origin{Dropped: []string{"top"}}, shape: same, says: []string{`"top"`, "source, count, sink"}},
		"a sink is dropped":      {from: dataflow.Origin{Dropped: []string{"sink"}}, shape: same[:2], says: []string{"sink[0]", "sealed 1 transactions", "--rename sink=NAME"}},
		"splits of what is none": {from: dataflow.Origin{Renamed: []dataflow.Renamed{{From: "source", To: "count"}, {From: "count", To: "source"}}}, shape: same, says: []string{`"source"`, "4 splits", "0 in the job"}},
	} {
		m, parts := shares()
		c.from.Root = "saved/7"
		b, err := coordinator.Begin("job", &c.from, m, parts, asks(c.shape))
		if len(c.says) > 0 {
			if err == nil || !errors.Is(err, state.ErrIncompatible) {
				t.Errorf("%s: %v", what, err)
				continue
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%s: %v does not say %q", what, err, text)
				}
			}
			continue
		}
		var names []string
		for _, s := range b {
			names = append(names, s.Operator)
			if s.Operator == "" {
				names[len(names)-1] = "-"
			}
			if s.Root != "saved/7" || s.Epoch != m.Epoch || s.Names != 5 {
				t.Errorf("%s: %+v", what, s)
			}
		}
		if got := strings.Join(names, " "); err != nil || got != c.names {
			t.Errorf("%s: tasks begin with %q, want %q; %v", what, got, c.names, err)
		}
	}
}

func TestBeginRefusesOtherJobs(t *testing.T) {
	shape := coordinator.Shape{{Name: "source", Parallelism: 1}, {Name: "count", Parallelism: 3}, {Name: "sink", Parallelism: 2}}
	m, parts := shares()
	if _, err := coordinator.Begin("other", &dataflow.Origin{}, m, parts, asks(shape)); err == nil || !strings.Contains(err.Error(), `"job"`) || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("another job: %v", err)
	}
	tasks := asks(shape)
	for i := range tasks {
		tasks[i].NumGroups = 128
	}
	if _, err := coordinator.Begin("job", &dataflow.Origin{}, m, parts, tasks); err == nil || !strings.Contains(err.Error(), "16 key groups and the job 128") {
		t.Errorf("other key groups: %v", err)
	}
	tasks = asks(shape)
	tasks[0].Splits = 5
	if _, err := coordinator.Begin("job", &dataflow.Origin{}, m, parts, tasks); err == nil || !strings.Contains(err.Error(), "4 splits in the savepoint and 5 in the job") {
		t.Errorf("other splits: %v", err)
	}
}

// TestBeginningOfALaterPlan: a job of another shape by now begins with the same, by name.
func TestBeginningOfALaterPlan(t *testing.T) {
	m, parts := shares()
	was := coordinator.Shape{{Name: "source", Parallelism: 1}, {Name: "count", Parallelism: 3}, {Name: "sink", Parallelism: 2}}
	b, err := coordinator.Begin("job", &dataflow.Origin{Root: "saved"}, m, parts, asks(was))
	if err != nil {
		t.Fatal(err)
	}
	p := &coordinator.PlanRecord{Job: "job", Shape: was, Plan: dataflow.Plan{Number: 4, Tasks: make([]dataflow.TaskPlan, 6)}}
	b.Into(&p.Plan)
	again, err := coordinator.DecodePlan(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	now := coordinator.Shape{{Name: "source", Parallelism: 2}, {Name: "count", Parallelism: 1}, {Name: "sink", Parallelism: 1}, {Name: "top", Parallelism: 1}}
	var names []string
	for _, s := range again.Beginning(asks(now)) {
		names = append(names, s.Operator)
	}
	if got := strings.Join(names, ","); got != "source,source,count,sink," {
		t.Errorf("tasks begin with %q", got)
	}
	if b := (&coordinator.PlanRecord{Plan: dataflow.Plan{Tasks: make([]dataflow.TaskPlan, 2)}}).Beginning(asks(now)); b != nil || b.Epoch() != 0 {
		t.Errorf("a job that began empty begins with %v", b)
	}
}
