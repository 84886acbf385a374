package coordinator

import (
	"reflect"
	"strings"
	"testing"

	"weir/dataflow"
)

// sources are three instances of one source and two of another, with a sink behind them.
func sources(first, second int) []dataflow.TaskInfo {
	var tasks []dataflow.TaskInfo
	for i := range 3 {
		tasks = append(tasks, dataflow.TaskInfo{Name: "a", Index: i, Parallelism: 3, Splits: first})
	}
	for i := range 2 {
		tasks = append(tasks, dataflow.TaskInfo{Name: "b", Index: i, Parallelism: 2, Splits: second, FirstSplit: 5})
	}
	return append(tasks, dataflow.TaskInfo{Name: "sink", Parallelism: 1})
}

func TestSplitsAreDealtOut(t *testing.T) {
	var none *PlanRecord
	got, err := none.Assignment(sources(5, 1))
	want := Assignment{{0, 3}, {1, 4}, {2}, {0}, nil, nil}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// TestPlansKeepTheAssignment: what the newest plan says stands, whatever a new
// job would be given.
func TestPlansKeepTheAssignment(t *testing.T) {
	p := &PlanRecord{Shape: ShapeOf(sources(5, 1))}
	p.Plan.Tasks = make([]dataflow.TaskPlan, 6)
	odd := Assignment{{4}, {3, 2, 0}, {1}, nil, {0}, nil}
	odd.Into(&p.Plan)
	stored, err := DecodePlan(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stored.Assignment(sources(5, 1)); err != nil || !reflect.DeepEqual(got, odd) {
		t.Errorf("%v, %v; want %v", got, err, odd)
	}
}

func TestAnotherNumberOfSplitsIsRefused(t *testing.T) {
	p := &PlanRecord{Shape: ShapeOf(sources(5, 1))}
	p.Plan.Tasks = make([]dataflow.TaskPlan, 6)
	for want, a := range map[string]Assignment{
		"assigns split 4 of a, which has 5 splits, to 0 instances": {{0, 3}, {1}, {2}, {0}, nil, nil},
		"assigns split 1 of a, which has 5 splits, to 2 instances": {{0, 3, 1}, {1, 4}, {2}, {0}, nil, nil},
		"assigns split 1 of b, which has 1 splits":                 {{0, 3}, {1, 4}, {2}, {0}, {1}, nil},
		"assigns split 0 of sink, which has 0 splits":              {{0, 3}, {1, 4}, {2}, {0}, nil, {0}},
	} {
		a.Into(&p.Plan)
		if _, err := p.Assignment(sources(5, 1)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", a, err, want)
		}
	}
	p.Plan.Tasks = p.Plan.Tasks[:5]
	if _, err := p.Assignment(sources(5, 1)); err == nil || !strings.Contains(err.Error(), "a plan for 5 tasks says that the job has 6 (a 3, b 2, sink 1)") {
		t.Errorf("a plan that contradicts itself: %v", err)
	}
}

// TestSplitsAreDealtOutAnew: in another shape every split is read by one instance, and
// their number stays.
func TestSplitsAreDealtOutAnew(t *testing.T) {
	p := &PlanRecord{Shape: ShapeOf(sources(5, 1))}
	p.Plan.Tasks = make([]dataflow.TaskPlan, 6)
	Assignment{{4}, {3, 2, 0}, {1}, nil, {0}, nil}.Into(&p.Plan)
	fewer := []dataflow.TaskInfo{
		{Name: "a", Parallelism: 2, Splits: 5}, {Name: "a", Index: 1, Parallelism: 2, Splits: 5},
		{Name: "b", Parallelism: 1, Splits: 1, FirstSplit: 5}, {Name: "sink", Parallelism: 1},
	}
	if got, err := p.Assignment(fewer); err != nil || !reflect.DeepEqual(got, Assignment{{0, 2, 4}, {1, 3}, {0}, nil}) {
		t.Errorf("%v, %v", got, err)
	}
	for want, n := range map[string]int{"assigns split 4 of a, which has 4 splits": 4, "assigns split 5 of a, which has 6 splits, to 0 instances": 6} {
		fewer[0].Splits, fewer[1].Splits = n, n
		if _, err := p.Assignment(fewer); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d splits: %v, want %q", n, err, want)
		}
	}
	if _, err := p.Assignment(fewer[2:]); err == nil || !strings.Contains(err.Error(), `its snapshots hold the operators "a", which this job does not have`) {
		t.Errorf("an operator is gone: %v", err)
	}
}
