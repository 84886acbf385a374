package sessions

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"weir/workloads"
)

// Answer returns a collector of rows.
func (w *Workload) Answer() workloads.Answer {
	return &answer{settings: w.settings, keys: map[uint64]*rowsOf{}}
}

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// answer takes the rows of each key together.
type answer struct {
	settings settings
	keys     map[uint64]*rowsOf
}

// rowsOf are the rows of one key.
type rowsOf struct {
	windows []window
	late    []record
}

// Add takes a row of a sink.
func (a *answer) Add(row []byte) error {
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(row[at:]) }
	switch len(row) {
	case recordBytes:
		k := a.of(word(8))
		k.late = append(k.late, record{word(0), int64(word(16))})
	case rowBytes:
		k := a.of(word(0))
		k.windows = append(k.windows, window{int64(word(8)), int64(word(16)), word(24), word(32)})
	default:
		return fmt.Errorf("sessions: a row of %d bytes; those of sessions have %d, records %d", len(row), rowBytes, recordBytes)
	}
	return nil
}

func (a *answer) of(key uint64) *rowsOf {
	k := a.keys[key]
	if k == nil {
		k = &rowsOf{}
		a.keys[key] = k
	}
	return k
}

// Rows returns the reference rows of each key whose rows some execution explains,
// and the last rows of others. The error names a key whose rows no execution
// without failures gives.
func (a *answer) Rows() (rows [][]byte, err error) {
	all := a.settings.byKey()
	for key := range all { //det:unordered rows and errors are put in order
		a.of(key)
	}
	var wrong []error
	for key, k := range a.keys { //det:unordered rows and errors are put in order
		k.sort()
		exact := k.judge(&a.settings, key, all[key])
		if exact != nil {
			wrong = append(wrong, exact)
		}
		if exact == nil || k.contains(&a.settings, all[key]) {
			rows = a.settings.answerOf(rows, key, all[key])
		} else {
			rows = k.raw(rows, key)
		}
	}
	slices.SortFunc(rows, slices.Compare)
	if len(wrong) > 0 {
		err = slices.MinFunc(wrong, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	}
	return rows, err
}

func (k *rowsOf) sort() {
	slices.SortFunc(k.windows, window.compare)
	slices.SortFunc(k.late, func(a, b record) int { return cmp.Compare(a.seq, b.seq) })
}

func (v window) compare(o window) int {
	return cmp.Or(cmp.Compare(v.start, o.start), cmp.Compare(v.end, o.end), cmp.Compare(v.count, o.count), cmp.Compare(v.sum, o.sum))
}

// judge says why no execution without failures gives these rows; nil: one does.
func (k *rowsOf) judge(s *settings, key uint64, records []record) error {
	for i, r := range k.late {
		switch {
		case !slices.Contains(records, r):
			return fmt.Errorf("sessions: key %d has no record %d of time %d, which was given up", key, r.seq, r.time)
		case !s.mayBeGivenUp(r.seq):
			return fmt.Errorf("sessions: record %d of key %d was given up, and it was not late by more than is allowed", r.seq, key)
		case i > 0 && r.seq == k.late[i-1].seq:
			return fmt.Errorf("sessions: record %d of key %d was given up twice", r.seq, key)
		}
	}
	want := s.windowsOf(nil, records, k.gaveUp)
	for _, v := range want {
		if !slices.Contains(k.windows, v) {
			return fmt.Errorf("sessions: key %d lacks the session %s, which is that of all its records that were not given up", key, v.appendTo(nil, key))
		}
	}
	for i, v := range k.windows {
		if i > 0 && v == k.windows[i-1] {
			return fmt.Errorf("sessions: row %s is there twice", v.appendTo(nil, key))
		}
		if !slices.ContainsFunc(want, v.within) {
			return fmt.Errorf("sessions: row %s is no part of a session of key %d", v.appendTo(nil, key), key)
		}
	}
	return nil
}

func (k *rowsOf) gaveUp(seq uint64) bool {
	_, found := slices.BinarySearchFunc(k.late, seq, func(r record, seq uint64) int { return cmp.Compare(r.seq, seq) })
	return found
}

// within reports whether v may be a row that a session had before its last one.
func (v window) within(last window) bool {
	return v == last || v.start >= last.start && v.end <= last.end && v.count < last.count
}

// mostGuessed bounds the rows of one key of which it is guessed which were taken back.
const mostGuessed = 12

// contains reports whether the rows of some execution are among these: rows that a
// rollback took back may be there too.
func (k *rowsOf) contains(s *settings, records []record) bool {
	n := min(len(k.late), mostGuessed)
	var want []window
	for back := range 1 << n {
		gaveUp := func(seq uint64) bool {
			i, found := slices.BinarySearchFunc(k.late, seq, func(r record, seq uint64) int { return cmp.Compare(r.seq, seq) })
			return found && s.mayBeGivenUp(seq) && (i >= n || back>>i&1 == 0)
		}
		want = s.windowsOf(want[:0], records, gaveUp)
		if !slices.ContainsFunc(want, func(v window) bool { return !slices.Contains(k.windows, v) }) {
			return true
		}
	}
	return false
}

// raw appends the last rows of the sessions of a key, and the records given up.
func (k *rowsOf) raw(rows [][]byte, key uint64) [][]byte {
	for i, v := range k.windows {
		replaced := func(o window) bool { return v != o && v.within(o) }
		if i > 0 && v == k.windows[i-1] || !slices.ContainsFunc(k.windows, replaced) {
			rows = append(rows, v.appendTo(nil, key))
		}
	}
	for _, r := range k.late {
		rows = append(rows, r.appendTo(nil, key))
	}
	return rows
}
