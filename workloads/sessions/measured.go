package sessions

import (
	"encoding/binary"

	"weir/workloads"
)

var (
	_ workloads.Timed    = (*Workload)(nil)
	_ workloads.Sized    = (*Workload)(nil)
	_ workloads.Measured = (*Workload)(nil)
)

// Answers finds the record that made a row: of a record that was given up, that
// record; of a session the one that let the watermark pass its end, or, if that
// came before, the session's last record.
func (w *Workload) Answers(int) (workloads.Answers, error) {
	if err := w.Validate(); err != nil {
		return workloads.Answers{}, err
	}
	n := w.settings.numEvents
	return workloads.Answers{Record: func(row []byte) int64 {
		if len(row) == recordBytes {
			return int64(binary.LittleEndian.Uint64(row))
		}
		// Every split must have promised the end; it does so in front of its first
		// record from this one on, that is behind the record before that.
		passes := (int64(binary.LittleEndian.Uint64(row[16:])) + jitter + step - 1) / step
		last := int64(binary.LittleEndian.Uint64(row[40:]))
		if passes > n {
			return -1 // the end of the input made it
		}
		return max(passes-1, last, 0)
	}}, nil
}

const (
	sessionBytes = 80 // of state: a session and its timer
	storedRow    = 56
	mostRecords  = 5_000_000
)

// Size counts the sessions that are kept at a time, a row for each and a row for
// each late record.
func (w *Workload) Size(records int64) workloads.Size {
	s := &w.settings
	fill := (s.gap + s.lateness + jitter) / step
	perSession := max(1, fill/s.keys)
	return workloads.Size{
		Fill: 2 * fill, State: min(s.keys, fill) * sessionBytes,
		Output: storedRow * (records/perSession + 2*records*s.latePercent/100), MostRecords: mostRecords,
	}
}

// Measured is 100,000 keys and sessions of about three records.
func (w *Workload) Measured() map[string]string {
	return map[string]string{"keys": "100000", "gap": "1000000", "lateness": "200000"}
}
