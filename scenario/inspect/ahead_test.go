package inspect

import (
	"strings"
	"testing"

	"weir/state/savepoint"
)

// TestGroupsAheadAreRefused: a savepoint has no place for how far single key groups have come.
func TestGroupsAheadAreRefused(t *testing.T) {
	task := &Task{Task: savepoint.Task{Operator: "count", Instance: 1}, ahead: true}
	s := &Snapshot{Found: Found{Complete: true}, Operators: []*Operator{{Name: "count", Tasks: []*Task{task}}}}
	if _, err := Convert(s, nil, nil); err == nil || !strings.Contains(err.Error(), "count[1]") || !strings.Contains(err.Error(), "later checkpoint") {
		t.Errorf("%v", err)
	}
}
