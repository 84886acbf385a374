// Package catalog lists the state backends: one entry each. It is the only place
// that knows them all.
package catalog

import (
	"fmt"
	"strings"

	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// Settings are what whoever runs a job decides about its backend. The zero value
// is a live backend at its own sizes.
type Settings struct {
	// Deterministic is for simulation: the same calls have the same effects in the
	// same order, without work in the background.
	Deterministic bool
	// CacheBytes is the size of a cache that all stores of the backend share and
	// WriteCacheBytes the memory of one store's entries; 0: the backend's defaults.
	// A backend that keeps all state in memory has neither.
	CacheBytes, WriteCacheBytes int64
}

// Backend is one backend of the catalog.
type Backend struct {
	Name string // in command lines, results and handles of snapshots
	// Local: its stores keep files in the local directory that they are opened
	// with; one without needs no disk there.
	Local bool
	// New makes the backend. If it has a method Close(), the caller calls it when
	// all its stores are closed.
	New func(Settings) (state.Backend, error)
}

// All returns the backends in the order of reports.
func All() []Backend {
	return []Backend{
		{heap.Name, false, func(s Settings) (state.Backend, error) { return heap.Backend{Simulated: s.Deterministic}, nil }},
		{pebblestate.NameFull, true, newPebble(true)},
		{pebblestate.NameIncremental, true, newPebble(false)},
	}
}

func newPebble(full bool) func(Settings) (state.Backend, error) {
	return func(s Settings) (state.Backend, error) {
		return pebblestate.New(pebblestate.Config{
			Full: full, Deterministic: s.Deterministic, CacheBytes: s.CacheBytes, WriteCacheBytes: s.WriteCacheBytes,
		})
	}
}

// Names returns the names of All.
func Names() []string {
	var names []string
	for _, b := range All() {
		names = append(names, b.Name)
	}
	return names
}

// Lookup returns the backend called name; the error lists the known ones.
func Lookup(name string) (Backend, error) {
	for _, b := range All() {
		if b.Name == name {
			return b, nil
		}
	}
	return Backend{}, fmt.Errorf("unknown state backend %q; known: %s", name, strings.Join(Names(), ", "))
}
