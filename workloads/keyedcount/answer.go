package keyedcount

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"weir/state"
)

// answer takes the row with the largest count of each key and notes which
// counts were there: updates of a key may come in any order.
type answer struct {
	every uint64
	dense []keyRows           // by key, as far as they are below denseKeys
	keys  map[uint64]*keyRows // the others
	first error               // the first key that is wrong by itself
}

// denseKeys is the number of keys up to which totals stand in a slice by key,
// which is several times as fast as a map.
const denseKeys = 1 << 22

// of returns what is known of a key.
func (a *answer) of(key uint64) *keyRows {
	if key < denseKeys {
		if key >= uint64(len(a.dense)) {
			a.dense = append(a.dense, make([]keyRows, max(key+1-uint64(len(a.dense)), uint64(len(a.dense)), 64))...)
		}
		return &a.dense[key]
	}
	k := a.keys[key]
	if k == nil {
		k = &keyRows{}
		a.keys[key] = k
	}
	return k
}

type keyRows struct {
	present    bool
	count, sum uint64
	seen       []uint64 // bit i: the row with count first + i*every is there
	final      uint64   // count of the row that the end of the input made
	finals     int      // such rows
}

// Add takes a row of the sink.
func (a *answer) Add(row []byte) error {
	if len(row) != rowBytes {
		return fmt.Errorf("keyedcount: a row of %d bytes; rows have %d", len(row), rowBytes)
	}
	key, count, sum := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:]), binary.LittleEndian.Uint64(row[16:])
	if count > maxCount {
		return fmt.Errorf("keyedcount: key %d has a row with count %d, more than there can be records", key, count)
	}
	k := a.of(key)
	k.present = true
	if !k.note(count, a.every, first(key, a.every)) && a.first == nil {
		a.first = fmt.Errorf("keyedcount: key %d has more than one row with count %d: duplicate", key, count)
	}
	if a.first == nil && (count > k.count && sum < k.sum || count < k.count && sum > k.sum) {
		a.first = fmt.Errorf("keyedcount: key %d has a row with count %d and sum %d, and one with count %d and sum %d: a sum never falls", key, count, sum, k.count, k.sum)
	}
	if count >= k.count {
		k.count, k.sum = count, sum
	}
	return nil
}

const maxCount = 1 << 40

// first returns the count at which a key makes its first row: 1 to every.
func first(key, every uint64) uint64 {
	if every == 0 {
		return 0
	}
	return every - phase(state.HashUint64(key))%every
}

// note reports whether the count is new.
func (k *keyRows) note(count, every, first uint64) bool {
	if every == 0 || count < first || (count-first)%every != 0 {
		isNew := k.finals == 0 || k.final != count
		k.final = count
		k.finals++
		return isNew
	}
	i := (count - first) / every
	for uint64(len(k.seen)) <= i/64 {
		k.seen = append(k.seen, 0)
	}
	isNew := k.seen[i/64]>>(i%64)&1 == 0
	k.seen[i/64] |= 1 << (i % 64)
	return isNew
}

// missing returns an expected count that no row has, 0 if there is none.
func (k *keyRows) missing(every, first uint64) uint64 {
	if every == 0 || k.count < first {
		return 0
	}
	for i := range (k.count-first)/every + 1 {
		if i/64 >= uint64(len(k.seen)) || k.seen[i/64]>>(i%64)&1 == 0 {
			return first + i*every
		}
	}
	return 0
}

// Rows returns the final row of each key. The error names a key with a
// duplicate or missing row.
func (a *answer) Rows() ([][]byte, error) {
	var rows rowList
	failed := a.first
	judge := func(key uint64, k *keyRows) {
		rows.add(key, k.count, k.sum)
		if failed != nil {
			return
		}
		if m := k.missing(a.every, first(key, a.every)); m != 0 {
			failed = fmt.Errorf("keyedcount: key %d has no row with count %d, but one with %d: a lost update", key, m, k.count)
		} else if k.finals > 1 || k.finals == 1 && k.final != k.count {
			failed = fmt.Errorf("keyedcount: key %d has %d final rows, one with count %d, and its largest count is %d: the input ended more than once", key, k.finals, k.final, k.count)
		}
	}
	for key := range a.dense {
		if k := &a.dense[key]; k.present {
			judge(uint64(key), k)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(a.keys)) {
		judge(key, a.keys[key])
	}
	return rows.sorted(), failed
}

// rowList collects canonical rows.
type rowList struct {
	rows  [][]byte
	arena []byte
}

func (l *rowList) add(key, count, sum uint64) {
	const most = 96 // bytes of a row
	if cap(l.arena)-len(l.arena) < most {
		l.arena = make([]byte, 0, min(max(4<<10, 2*cap(l.arena)), 64<<10))
	}
	at := len(l.arena)
	l.arena = appendRow(l.arena, key, count, sum)
	l.rows = append(l.rows, l.arena[at:len(l.arena):len(l.arena)])
}

func (l *rowList) sorted() [][]byte {
	slices.SortFunc(l.rows, bytes.Compare)
	return l.rows
}

func appendRow(dst []byte, key, count, sum uint64) []byte {
	dst = append(dst, `{"key":`...)
	dst = strconv.AppendUint(dst, key, 10)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendUint(dst, count, 10)
	dst = append(dst, `,"sum":`...)
	dst = strconv.AppendUint(dst, sum, 10)
	return append(dst, '}')
}

// reference counts the records one after the other.
func reference(g *Generator) [][]byte {
	type total struct{ count, sum uint64 }
	dense := make([]total, min(g.keys, denseKeys))
	sparse := map[uint64]total{}
	for seq := range uint64(g.settings.NumEvents) {
		r := g.Record(seq)
		if r.Key < uint64(len(dense)) {
			t := &dense[r.Key]
			t.count, t.sum = t.count+1, t.sum+r.Value
			continue
		}
		t := sparse[r.Key]
		sparse[r.Key] = total{t.count + 1, t.sum + r.Value}
	}
	var rows rowList
	for key, t := range dense {
		if t.count > 0 {
			rows.add(uint64(key), t.count, t.sum)
		}
	}
	for key, t := range sparse { //det:unordered the rows are sorted
		rows.add(key, t.count, t.sum)
	}
	return rows.sorted()
}
