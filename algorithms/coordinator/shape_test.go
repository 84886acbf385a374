package coordinator

import (
	"reflect"
	"testing"

	"weir/dataflow"
)

func TestShape(t *testing.T) {
	s := ShapeOf(sources(5, 1))
	if want := (Shape{{"a", 3}, {"b", 2}, {"sink", 1}}); !reflect.DeepEqual(s, want) || s.Tasks() != 6 {
		t.Fatalf("%v with %d tasks, want %v with 6", s, s.Tasks(), want)
	}
	for name, want := range map[string][2]int{"a": {0, 3}, "b": {3, 2}, "sink": {5, 1}, "none": {0, 0}} {
		if first, n := s.Of(name); int(first) != want[0] || n != want[1] {
			t.Errorf("%s: %d from task %d, want %v", name, n, first, want)
		}
	}
	if other := (Shape{{"a", 2}, {"b", 3}, {"sink", 1}}); s.Equal(other) || s.Tasks() != other.Tasks() {
		t.Error("as many tasks, and they mean something else")
	}
	if err := (Shape{{"a", 7}, {"b", 1}, {"sink", 1}}).Becomes(sources(5, 1)); err != nil {
		t.Errorf("other parallelism: %v", err)
	}
	if err := s.Becomes([]dataflow.TaskInfo{{Name: "sink"}, {Name: "b"}, {Name: "a"}}); err != nil {
		t.Errorf("in another order: %v", err)
	}
}
