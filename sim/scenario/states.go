package scenario

import (
	"fmt"

	"weir/state"
	"weir/state/heap"
)

func StateNames() []string { return []string{"heap"} }

func newBackend(name string) (state.Backend, error) {
	if name != "heap" {
		return nil, fmt.Errorf("no")
	}
	return heap.Backend{}, nil
}
