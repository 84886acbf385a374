package sessions

import (
	"cmp"
	"slices"
	"strconv"
)

// record is a source record.
type record struct {
	seq  uint64
	time int64
}

// window is a session as its row shows it.
type window struct {
	start, end int64
	count, sum uint64
}

// Reference gives up all records that may be.
func (w *Workload) Reference() ([][]byte, error) {
	var rows [][]byte
	for key, records := range w.settings.byKey() { //det:unordered the rows are sorted
		rows = w.settings.answerOf(rows, key, records)
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// byKey returns the records of each key by time.
func (s *settings) byKey() map[uint64][]record {
	all := make(map[uint64][]record)
	for seq := range uint64(s.numEvents) {
		key := s.key(seq)
		all[key] = append(all[key], record{seq, s.time(seq)})
	}
	for _, records := range all { //det:unordered each by itself
		slices.SortFunc(records, func(a, b record) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.seq, b.seq)) })
	}
	return all
}

// answerOf appends the reference rows of a key.
func (s *settings) answerOf(rows [][]byte, key uint64, records []record) [][]byte {
	for _, v := range s.windowsOf(nil, records, s.mayBeGivenUp) {
		rows = append(rows, v.appendTo(nil, key))
	}
	for _, r := range records {
		if s.mayBeGivenUp(r.seq) {
			rows = append(rows, r.appendTo(nil, key))
		}
	}
	return rows
}

// windowsOf appends the sessions of the records of a key, without those that are
// given up: they are cut where no record is for gap.
func (s *settings) windowsOf(dst []window, records []record, givenUp func(seq uint64) bool) []window {
	open := false
	for _, r := range records {
		if givenUp(r.seq) {
			continue
		}
		if !open || r.time >= dst[len(dst)-1].end {
			dst, open = append(dst, window{start: r.time}), true
		}
		last := &dst[len(dst)-1]
		last.end = r.time + s.gap
		last.count++
		last.sum += r.seq
	}
	return dst
}

func (v window) appendTo(dst []byte, key uint64) []byte {
	dst = strconv.AppendUint(append(dst, `{"key":`...), key, 10)
	dst = strconv.AppendInt(append(dst, `,"start":`...), v.start, 10)
	dst = strconv.AppendInt(append(dst, `,"end":`...), v.end, 10)
	dst = strconv.AppendUint(append(dst, `,"count":`...), v.count, 10)
	dst = strconv.AppendUint(append(dst, `,"sum":`...), v.sum, 10)
	return append(dst, '}')
}

func (r record) appendTo(dst []byte, key uint64) []byte {
	dst = strconv.AppendUint(append(dst, `{"late":`...), r.seq, 10)
	dst = strconv.AppendUint(append(dst, `,"key":`...), key, 10)
	dst = strconv.AppendInt(append(dst, `,"time":`...), r.time, 10)
	return append(dst, '}')
}
