package coordinator

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Operator is one operator of a shape.
type Operator struct {
	Name        string
	Parallelism int
}

// Shape says of which operators a job consists and of how many instances each, in the
// order of its tasks. Names identify operators; numbers of tasks and channels are good
// within one shape only.
type Shape []Operator

// ShapeOf returns the shape of a job.
func ShapeOf(tasks []dataflow.TaskInfo) Shape {
	var s Shape
	for i := range tasks {
		if n := len(s); n > 0 && s[n-1].Name == tasks[i].Name {
			s[n-1].Parallelism++
		} else {
			s = append(s, Operator{tasks[i].Name, 1})
		}
	}
	return s
}

// Tasks is the number of tasks.
func (s Shape) Tasks() (n int) {
	for i := range s {
		n += s[i].Parallelism
	}
	return n
}

// Equal reports that tasks mean the same in both.
func (s Shape) Equal(o Shape) bool { return slices.Equal(s, o) }

// Of returns the first task of an operator and its parallelism, 0: there is none.
func (s Shape) Of(name string) (first id.TaskID, parallelism int) {
	for i := range s {
		if s[i].Name == name {
			return first, s[i].Parallelism
		}
		first += id.TaskID(s[i].Parallelism)
	}
	return 0, 0
}

// String renders a shape: "source 2, count 3, sink 2".
func (s Shape) String() string {
	var b strings.Builder
	for i := range s {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %d", s[i].Name, s[i].Parallelism)
	}
	return b.String()
}

// Becomes returns why a job cannot go on with other tasks from snapshots of shape s:
// operators that only one of both has, or a loop. Other parallelism is no reason.
func (s Shape) Becomes(tasks []dataflow.TaskInfo) error {
	next := ShapeOf(tasks)
	reason := ""
	if gone := s.without(next); gone != "" {
		reason = fmt.Sprintf("its snapshots hold %s, which this job does not have", gone)
	} else if added := next.without(s); added != "" {
		reason = fmt.Sprintf("this job has %s, of which its snapshots hold nothing", added)
	}
	if reason != "" {
		return fmt.Errorf("%s: a job goes on with other parallelism, not with other operators (it was: %s; it is: %s): %w", reason, s, next, state.ErrIncompatible)
	}
	for i := range tasks {
		if tasks[i].Heads > 0 {
			return fmt.Errorf("%s lies in a loop, and what goes round cannot be handed out anew (the job was: %s; it is: %s): rescale from a savepoint: %w", tasks[i].Name, s, next, state.ErrIncompatible)
		}
	}
	return nil
}

// without names the operators of s that o does not have.
func (s Shape) without(o Shape) string {
	var names []string
	for i := range s {
		if _, n := o.Of(s[i].Name); n == 0 {
			names = append(names, strconv.Quote(s[i].Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "the operators " + strings.Join(names, ", ")
}

// operatorBytes is the least that an encoded operator takes.
const operatorBytes = 2

func appendShape(b []byte, s Shape) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	for i := range s {
		b = state.AppendString(b, s[i].Name)
		b = binary.AppendUvarint(b, uint64(s[i].Parallelism))
	}
	return b
}

func readShape(r *state.Reader) Shape {
	n := r.Count(operatorBytes)
	if n == 0 {
		return nil
	}
	s := make(Shape, n)
	for i := range s {
		s[i] = Operator{string(r.Bytes()), int(r.Size())}
	}
	return s
}
