package heap_test

import (
	"testing"

	"weir/state"
	"weir/state/heap"
	"weir/state/statetest"
)

func TestConformance(t *testing.T) {
	statetest.RunBackend(t, func(t *testing.T, groups state.GroupRange) state.Store {
		return open(t, groups)
	})
}

var _ = heap.Name
