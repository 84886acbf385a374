package scenario

import (
	"fmt"
	"strings"

	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// StateNames returns the names of the state backends.
func StateNames() []string {
	return []string{heap.Name, pebblestate.NameFull, pebblestate.NameIncremental}
}

// newBackend returns the backend called name for simulation.
func newBackend(name string) (state.Backend, error) {
	switch name {
	case heap.Name:
		return heap.Backend{}, nil
	case pebblestate.NameFull, pebblestate.NameIncremental:
		return pebblestate.New(pebblestate.Config{Deterministic: true, Full: name == pebblestate.NameFull})
	}
	return nil, fmt.Errorf("unknown state backend %q; known: %s", name, strings.Join(StateNames(), ", "))
}
