package keyedcount

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"strconv"

	"weir/workloads"
)

var (
	_ workloads.Timed    = (*Workload)(nil)
	_ workloads.Sized    = (*Workload)(nil)
	_ workloads.Measured = (*Workload)(nil)
	_ workloads.Totals   = (*Workload)(nil)
)

// Answers finds the record that brought a key to the count of a row, by the
// intended time that the row has from it. Rows made by the end of the input
// answer none, nor does one with the time 0, which looks like them.
func (w *Workload) Answers(int) (workloads.Answers, error) {
	g := NewGenerator(w.settings)
	record := func(row []byte) int64 {
		nanos := int64(binary.LittleEndian.Uint64(row[rowTimeOffset:]))
		if nanos == 0 {
			return -1
		}
		return g.seqAt(nanos)
	}
	return workloads.Answers{Record: record, Prompt: w.settings.EmitEvery > 0}, nil
}

// seqAt is the inverse of nanos: records are at least a nanosecond apart.
func (g *Generator) seqAt(nanos int64) int64 {
	since := uint64(nanos - g.settings.StartNanos)
	hi, lo := since>>32, since<<32
	if hi >= g.step {
		return -1
	}
	seq, rest := bits.Div64(hi, lo, g.step)
	if rest > 0 {
		seq++
	}
	return int64(seq)
}

const (
	// fillPerKey is the number of records per key that fill the state: all but one
	// key in a thousand have then been seen.
	fillPerKey  = 7
	keyBytes    = 24 // a key and what belongs to it, without its value
	storedRow   = 40 // a committed row in its log
	mostRecords = 20_000_000
)

// Size counts a key's state and the rows of its records.
func (w *Workload) Size(records int64) workloads.Size {
	s := &w.settings
	rows := s.Keys
	if s.EmitEvery > 0 {
		rows += records / s.EmitEvery
	}
	return workloads.Size{Fill: fillPerKey * s.Keys, State: s.Keys * (s.ValueSize + keyBytes), Output: storedRow * rows, MostRecords: mostRecords}
}

// Measured is 100,000 keys with 100 bytes each, and a row for every 20th record
// of a key.
func (w *Workload) Measured() map[string]string {
	return map[string]string{"keys": "100000", "valueSize": "100", "emitEvery": "20"}
}

// Total is the count of a key.
func (w *Workload) Total(row []byte) (key string, n uint64, err error) {
	var x struct{ Key, Count uint64 }
	if err := json.Unmarshal(row, &x); err != nil {
		return "", 0, fmt.Errorf("keyedcount: row %.80q: %w", row, err)
	}
	return strconv.FormatUint(x.Key, 10), x.Count, nil
}

// Key returns the key of a row and its count, which only grows.
func (w *Workload) Key(row []byte) (key []byte, version uint64) {
	return row[:8], binary.LittleEndian.Uint64(row[8:])
}
