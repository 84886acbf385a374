package pebblestate

import (
	"bytes"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// merged calls f in order for everything from lower up to but not including
// upper: what changed says, and where it says nothing, the database. It stops
// when f returns false. Slices are valid during the call of f.
func (s *Store) merged(changed []field, lower, upper []byte, f func(key, value []byte) bool) {
	stopped := false
	emit := func(c field) bool {
		stopped = !c.deleted && !f(c.key, c.value)
		return !stopped
	}
	err := s.scanDatabase(lower, upper, func(key, value []byte) bool {
		for len(changed) > 0 {
			c := changed[0]
			order := bytes.Compare(c.key, key)
			if order > 0 {
				break
			}
			changed = changed[1:]
			if !emit(c) {
				return false
			}
			if order == 0 {
				return true
			}
		}
		stopped = !f(key, value)
		return !stopped
	})
	if err != nil {
		s.fail("read a range", err)
		return
	}
	for _, c := range changed {
		if stopped || !emit(c) {
			return
		}
	}
}

// scanDatabase calls f for what the database has in a range.
func (s *Store) scanDatabase(lower, upper []byte, f func(key, value []byte) bool) error {
	db := s.reader()
	if db == nil {
		return nil
	}
	return scan(db, lower, upper, f)
}

func scan(db *pebble.DB, lower, upper []byte, f func(key, value []byte) bool) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !f(it.Key(), value) {
			break
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// changedCells returns copies of the entries of a table in memory that the
// database need not have, in order.
func (s *Store) changedCells(table uint8) []field {
	pinned := s.pinned()
	return s.cellsThat(table, func(r cell) bool { return r.is(flagDirty) || pinned != 0 && r.run() == pinned })
}

// cellsThat returns copies of the entries of a table in memory for which f is true, in order.
func (s *Store) cellsThat(table uint8, f func(cell) bool) []field {
	var out []field
	for _, slot := range s.cache.slots {
		if slot.piece == 0 {
			continue
		}
		r := cell(s.cache.bytes(slot.piece))
		if r.table() != table || !f(r) {
			continue
		}
		key := appendKey(make([]byte, 0, keyHeader+r.keyLen()), table, r.group(), r.key())
		out = append(out, field{key: key, value: bytes.Clone(r.value()), deleted: r.is(flagDeleted)})
	}
	slices.SortFunc(out, func(a, b field) int { return bytes.Compare(a.key, b.key) })
	return out
}

// changedFields returns the fields in memory from lower up to upper, in order.
func (s *Store) changedFields(lower, upper []byte) []field {
	newer := s.tree.collect(nil, lower, upper)
	if p := s.pending; p != nil && !p.applied.Load() {
		return overlay(newer, p.tree.collect(nil, lower, upper))
	}
	return newer
}
