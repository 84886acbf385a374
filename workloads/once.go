package workloads

import (
	"bytes"
	"fmt"
)

// OnceAnswer is the Answer of workloads whose sink rows all have one size, stand in
// the answer one by one, and are there once each.
type OnceAnswer struct {
	Workload string
	RowBytes int
	// Append appends the canonical form of a row.
	Append func(dst, row []byte) []byte

	plain   PlainAnswer
	scratch []byte
}

// Add takes a row of a sink.
func (a *OnceAnswer) Add(row []byte) error {
	if len(row) != a.RowBytes {
		return fmt.Errorf("%s: a row of %d bytes; rows have %d", a.Workload, len(row), a.RowBytes)
	}
	a.scratch = a.Append(a.scratch[:0], row)
	return a.plain.Add(a.scratch)
}

// Rows returns the rows; the error names one that is there twice.
func (a *OnceAnswer) Rows() ([][]byte, error) {
	rows, err := a.plain.Rows()
	for i := 1; i < len(rows) && err == nil; i++ {
		if bytes.Equal(rows[i], rows[i-1]) {
			err = fmt.Errorf("%s: row %s is there twice", a.Workload, rows[i])
		}
	}
	return rows, err
}
