// Package statetest is the conformance suite that every state backend and every
// checkpoint storage must pass, and what tests of other packages need beside
// it: a storage in memory and a way to drive transfers.
package statetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"

	"weir/state"
)

// Memory is the naive storage: objects in a map, no logs. It checks what every
// caller has to keep to (no object is put twice with different bytes) and is
// safe for concurrent use. OpAppend, OpReadLog, OpTrim and OpFence are Refused.
type Memory struct {
	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	data []byte
	sum  uint64
}

// NewMemory returns an empty Memory.
func NewMemory() *Memory { return &Memory{objects: make(map[string]object)} }

// Do carries out op.
func (m *Memory) Do(op state.Op) state.Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, there := m.objects[op.Key]
	switch op.Kind {
	case state.OpPut:
		if there && !bytes.Equal(old.data, op.Data) {
			return state.Result{Status: state.Refused, Err: fmt.Errorf("put %q: the name is taken by other bytes", op.Key)}
		}
		m.objects[op.Key] = object{slices.Clone(op.Data), xxhash.Sum64(op.Data)}
		return state.Result{Status: state.OK}
	case state.OpCreate:
		if there && !bytes.Equal(old.data, op.Data) {
			return state.Result{Status: state.Lost, Data: old.data}
		}
		m.objects[op.Key] = object{slices.Clone(op.Data), xxhash.Sum64(op.Data)}
		return state.Result{Status: state.OK}
	case state.OpGet:
		if !there {
			return state.Result{Status: state.NotFound}
		}
		if xxhash.Sum64(old.data) != old.sum {
			return state.Result{Status: state.Corrupt, Err: fmt.Errorf("get %q: checksum mismatch", op.Key)}
		}
		return state.Result{Status: state.OK, Data: old.data}
	case state.OpDelete:
		delete(m.objects, op.Key)
		return state.Result{Status: state.OK}
	case state.OpList:
		return state.Result{Status: state.OK, List: m.list(op.Key)}
	default:
		return state.Result{Status: state.Refused, Err: fmt.Errorf("%s %q: the naive storage keeps no logs", op.Kind, op.Key)}
	}
}

func (m *Memory) list(prefix string) []state.Entry {
	var rows []state.Entry
	for key, o := range m.objects { //det:unordered sorted below
		if strings.HasPrefix(key, prefix) {
			rows = append(rows, state.Entry{Key: key, Size: int64(len(o.data))})
		}
	}
	slices.SortFunc(rows, func(a, b state.Entry) int { return strings.Compare(a.Key, b.Key) })
	return rows
}

// Damage replaces the bytes of an object by what f makes of a copy of them.
// With resum the storage's own checksum is renewed, so that only the reader can
// see the damage; without, Get is Corrupt.
func (m *Memory) Damage(key string, resum bool, f func(data []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.objects[key]
	o.data = f(slices.Clone(o.data))
	if resum {
		o.sum = xxhash.Sum64(o.data)
	}
	m.objects[key] = o
}

// Drive carries a transfer to its end over a storage, as a driver would. It
// gives up on a transfer that makes no progress in a million calls.
func Drive(tr state.Transfer, st state.Storage) error {
	var results []state.Result
	for range 1_000_000 {
		ops, done, err := tr.Next(results)
		if err != nil {
			return err
		}
		if done {
			if len(ops) > 0 {
				return fmt.Errorf("transfer is done and wants %d operations", len(ops))
			}
			return nil
		}
		results = make([]state.Result, len(ops))
		for i := range ops {
			results[i] = st.Do(ops[i])
		}
	}
	return errors.New("transfer does not end")
}
