package coordinator

import (
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Assignment says which splits each task reads, by TaskID: their indexes in its
// vertex. It stands in the plans of a job, and nowhere else.
type Assignment [][]int

// NewAssignment deals the splits of every source out over its instances: split s
// goes to instance s mod parallelism.
func NewAssignment(tasks []dataflow.TaskInfo) Assignment {
	a := make(Assignment, len(tasks))
	var all []int // of which each task has a part
	for t := range tasks {
		if tasks[t].Index == 0 {
			all = make([]int, 0, tasks[t].Splits)
		}
		from := len(all)
		for s := tasks[t].Index; s < tasks[t].Splits; s += tasks[t].Parallelism {
			all = append(all, s)
		}
		if n := len(all); n > from {
			a[t] = all[from:n:n]
		}
	}
	return a
}

// Assignment returns what the plan has assigned. A job without a plan, nil, gets a
// new one, and so does one of another shape than the plan's, over the same splits. It is
// an error if the plan does not give each split of the job to one instance of its vertex.
func (p *PlanRecord) Assignment(tasks []dataflow.TaskInfo) (Assignment, error) {
	if p == nil {
		return NewAssignment(tasks), nil
	}
	if n, m := len(p.Plan.Tasks), p.Shape.Tasks(); n != m {
		return nil, fmt.Errorf("a plan for %d tasks says that the job has %d (%s): %w", n, m, p.Shape, state.ErrCorrupt)
	}
	if !p.Shape.Equal(ShapeOf(tasks)) {
		if err := p.sameSplits(tasks); err != nil {
			return nil, err
		}
		return NewAssignment(tasks), nil
	}
	a := make(Assignment, len(tasks))
	readers := map[id.SplitID]int{}
	for t := range tasks {
		a[t] = slices.Clone(p.Plan.Tasks[t].Splits)
		for _, s := range a[t] {
			if s >= tasks[t].Splits {
				return nil, changed(&tasks[t], s, "")
			}
			readers[tasks[t].FirstSplit+id.SplitID(s)]++
		}
	}
	for t := range tasks {
		if tasks[t].Index > 0 {
			continue // its vertex is done
		}
		for s := range tasks[t].Splits {
			if n := readers[tasks[t].FirstSplit+id.SplitID(s)]; n != 1 {
				return nil, changed(&tasks[t], s, fmt.Sprintf(", to %d instances", n))
			}
		}
	}
	return a, nil
}

// sameSplits returns an error unless the operators of the plan, whose shape is
// another one, read the splits that those of the job are to read.
func (p *PlanRecord) sameSplits(tasks []dataflow.TaskInfo) error {
	if err := p.Shape.Becomes(tasks); err != nil {
		return err
	}
	for t := range tasks {
		if tasks[t].Index > 0 {
			continue // its vertex is done
		}
		readers := make([]int, tasks[t].Splits)
		first, n := p.Shape.Of(tasks[t].Name)
		for i := range p.Plan.Tasks[first : int(first)+n] {
			for _, s := range p.Plan.Tasks[int(first)+i].Splits {
				if s >= len(readers) {
					return changed(&tasks[t], s, "")
				}
				readers[s]++
			}
		}
		for s, n := range readers {
			if n != 1 {
				return changed(&tasks[t], s, fmt.Sprintf(", to %d instances", n))
			}
		}
	}
	return nil
}

func changed(t *dataflow.TaskInfo, split int, to string) error {
	return fmt.Errorf("the newest plan assigns split %d of %s, which has %d splits%s: a job keeps the number of its splits", split, t.Name, t.Splits, to)
}

// Into writes the assignment into a plan.
func (a Assignment) Into(p *dataflow.Plan) {
	for t := range p.Tasks {
		p.Tasks[t].Splits = a[t]
	}
}
