package dataflow

import (
	"errors"
	"fmt"
	"strings"

	"weir/state"
)

// Errors of Lookup, and of drivers that ask a task for it.
var (
	// ErrNotReady: the task has no state yet, or none any more: it is being restored, or has
	// failed.
	ErrNotReady = errors.New("the task is not ready")
	// ErrUnknownState is wrapped by an error that lists the states there are.
	ErrUnknownState = errors.New("unknown state")
)

// Lookup calls f for what a keyed state has under keys at this moment: i is the index of the key
// in keys. It is no event: nothing of the task changes. Like Step it is called between two steps. The
// entries are valid during the call.
func (t *Task) Lookup(name string, keys []state.Key, f func(i int, d state.Descriptor, e state.KeyedEntry)) (state.Descriptor, error) {
	all, err := t.States()
	if err != nil {
		return state.Descriptor{}, err
	}
	d, err := StateOf(t.info.Name, all, name)
	if err != nil {
		return d, err
	}
	for i := range keys {
		t.store.Lookup(name, keys[i], func(e state.KeyedEntry) bool {
			f(i, d, e)
			return true
		})
	}
	return d, t.store.Err()
}

// States returns the keyed states that the task has, timers among them, by name.
func (t *Task) States() ([]state.Descriptor, error) {
	if t.phase != running && t.phase != left {
		return nil, fmt.Errorf("%w: %s[%d]", ErrNotReady, t.info.Name, t.info.Index)
	}
	return t.store.States(), nil
}

// StateOf finds the keyed state of an operator that can be looked into by key. An error
// lists those there are, and wraps ErrUnknownState.
func StateOf(operator string, all []state.Descriptor, name string) (state.Descriptor, error) {
	var known []string
	for _, d := range all {
		if d.Kind == state.KindTimers {
			continue // they are in order of time
		}
		if d.Name == name {
			return d, nil
		}
		known = append(known, d.Name)
	}
	if len(known) == 0 {
		return state.Descriptor{}, fmt.Errorf("%w: operator %q has no keyed state %q, nor any other", ErrUnknownState, operator, name)
	}
	return state.Descriptor{}, fmt.Errorf("%w: operator %q has no keyed state %q; known: %s", ErrUnknownState, operator, name, strings.Join(known, ", "))
}

// Owned returns by task which of the keys it owns: their indexes. tasks are those of one
// operator. Whoever looks in from outside asks them.
func Owned(tasks []TaskInfo, keys []state.Key, m Mutant) [][]int {
	all := make([][]int, len(tasks))
	for k := range keys {
		owner := state.InstanceOf(keys[k].Group, len(tasks), tasks[0].NumGroups)
		if m == MutantQueryWrongGroup {
			owner = int(keys[k].Hash % uint64(len(tasks)))
		}
		all[owner] = append(all[owner], k)
	}
	return all
}
