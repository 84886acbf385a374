package keyedcount

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// answer takes the row with the largest count of each key and notes which
// counts were there: updates of a key may come in any order.
type answer struct {
	every uint64
	keys  map[uint64]*keyRows
	first error // the first key that is wrong by itself
}

type keyRows struct {
	count, sum uint64
	seen       []uint64 // bit i: the row with the (i+1)-th multiple of every is there
	final      uint64   // count of the row that the end of the input made
	finals     int      // such rows
}

// Add takes a row of the sink.
func (a *answer) Add(row []byte) error {
	if len(row) != rowBytes {
		return fmt.Errorf("keyedcount: a row of %d bytes; rows have %d", len(row), rowBytes)
	}
	key, count, sum := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:]), binary.LittleEndian.Uint64(row[16:])
	k := a.keys[key]
	if k == nil {
		k = &keyRows{}
		a.keys[key] = k
	}
	if count > maxCount {
		return fmt.Errorf("keyedcount: key %d has a row with count %d, more than there can be records", key, count)
	}
	if !k.note(count, a.every) && a.first == nil {
		a.first = fmt.Errorf("keyedcount: key %d has more than one row with count %d: duplicate", key, count)
	}
	if count >= k.count {
		k.count, k.sum = count, sum
	}
	return nil
}

const maxCount = 1 << 40

// note reports whether the count is new.
func (k *keyRows) note(count, every uint64) bool {
	if every == 0 || count == 0 || count%every != 0 {
		isNew := k.finals == 0 || k.final != count
		k.final = count
		k.finals++
		return isNew
	}
	i := count/every - 1
	for uint64(len(k.seen)) <= i/64 {
		k.seen = append(k.seen, 0)
	}
	isNew := k.seen[i/64]>>(i%64)&1 == 0
	k.seen[i/64] |= 1 << (i % 64)
	return isNew
}

// missing returns an expected count that no row has, 0 if there is none.
func (k *keyRows) missing(every uint64) uint64 {
	if every == 0 {
		return 0
	}
	for i := range k.count / every {
		if i/64 >= uint64(len(k.seen)) || k.seen[i/64]>>(i%64)&1 == 0 {
			return (i + 1) * every
		}
	}
	return 0
}

// Rows returns the final row of each key. The error names a key with a
// duplicate or missing row.
func (a *answer) Rows() ([][]byte, error) {
	rows := make([][]byte, 0, len(a.keys))
	failed := a.first
	for _, key := range slices.Sorted(maps.Keys(a.keys)) {
		k := a.keys[key]
		rows = append(rows, appendRow(nil, key, k.count, k.sum))
		if failed != nil {
			continue
		}
		if m := k.missing(a.every); m != 0 {
			failed = fmt.Errorf("keyedcount: key %d has no row with count %d, but one with %d: a lost update", key, m, k.count)
		} else if k.finals > 1 || k.finals == 1 && k.final != k.count {
			failed = fmt.Errorf("keyedcount: key %d has %d final rows, one with count %d, and its largest count is %d: the input ended more than once", key, k.finals, k.final, k.count)
		}
	}
	slices.SortFunc(rows, bytes.Compare)
	return rows, failed
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
	totals := make(map[uint64]total)
	for seq := range uint64(g.settings.NumEvents) {
		r := g.Record(seq)
		t := totals[r.Key]
		totals[r.Key] = total{t.count + 1, t.sum + r.Value}
	}
	rows := make([][]byte, 0, len(totals))
	for key, t := range totals { //det:unordered the rows are sorted
		rows = append(rows, appendRow(nil, key, t.count, t.sum))
	}
	slices.SortFunc(rows, bytes.Compare)
	return rows
}
