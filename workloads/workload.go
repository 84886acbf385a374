// Package workloads defines what a workload is: a job's graph over a
// deterministic source, the sequential reference answer, and how committed
// output is compared with it. Each workload is a package of its own with a
// function New; workloads/catalog lists them all.
package workloads

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"weir/dataflow"
	"weir/id"
)

// Workload is one workload with its settings. It is not safe for concurrent
// use while settings change; afterwards Graph and its operators are, and
// everything else is for one goroutine at a time.
type Workload interface {
	// Name is what the command line calls it, for example "nexmark-q5".
	Name() string
	// Set gives a setting a value in its text form. An unknown name is an error
	// that lists the known ones; a bad value one that says what it may be. On an
	// error nothing changes.
	Set(name, value string) error
	// SettingNames returns the known names in a fixed order.
	SettingNames() []string
	// Settings returns "name=value" for every setting that is not at its default,
	// in the order of SettingNames: what to Set to get the same workload again.
	Settings() []string
	// Small applies the settings of sweeps: a few hundred small records.
	Small()
	// Events returns the number of source records over all splits.
	Events() int
	// SetEvents sets it.
	SetEvents(n int) error
	// Validate reports settings that do not go together.
	Validate() error
	// Graph returns the job's graph. Every vertex has the given parallelism, and its
	// sources may be given any number of splits; SplitOf says which records each holds. sink
	// makes the operator of a sink vertex.
	Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error)
	// Reference returns the answer of a sequential evaluation that shares no code
	// with the operators: canonical rows, sorted bytewise.
	Reference() ([][]byte, error)
	// Answer returns a collector of committed sink rows.
	Answer() Answer
	// Canonical is Answer over rows that are all at hand.
	Canonical(rows [][]byte) ([][]byte, error)
	// RecordID returns the sequence number of a source record as it travels from
	// the source, from 0. It is an error to pass anything else.
	RecordID(rec []byte) uint64
	// InputLines writes the input in its canonical text form, a line per record
	// in order of sequence.
	InputLines(w io.Writer) error
}

// SplitOf returns which records split s of a job holds: those with sequence mod
// of = p. Splits go round the source vertices first, then by their index.
func SplitOf(tasks []dataflow.TaskInfo, s id.SplitID) (p, of int) {
	vertex, sources, before, index, splits := -1, 0, 0, 0, 0
	for k := range tasks { // in order of vertices
		t := &tasks[k]
		if t.Role != dataflow.RoleSource || t.Vertex == vertex {
			continue
		}
		vertex = t.Vertex
		if i := int(s - t.FirstSplit); i >= 0 && i < t.Splits {
			before, index, splits = sources, i, t.Splits
		}
		sources++
	}
	return index*sources + before, splits * sources
}

// Answer collects committed sink rows, in any order.
type Answer interface {
	// Add takes one row as the sink got it. It is borrowed.
	Add(row []byte) error
	// Rows returns the canonical rows, sorted bytewise. The error says what is
	// wrong with the rows by themselves, without the reference: a duplicate or a
	// missing update, for example. The rows are valid beside it.
	Rows() ([][]byte, error)
}

// Collect adds rows to a and returns its answer.
func Collect(a Answer, rows [][]byte) ([][]byte, error) {
	for _, r := range rows {
		if err := a.Add(r); err != nil {
			return nil, err
		}
	}
	return a.Rows()
}

// PlainAnswer is the Answer of workloads whose sink rows are canonical rows
// already. The zero value is ready for use.
type PlainAnswer struct {
	rows  [][]byte
	arena []byte
}

// Add keeps a copy of row.
func (a *PlainAnswer) Add(row []byte) error {
	if cap(a.arena)-len(a.arena) < len(row) {
		a.arena = make([]byte, 0, max(min(2*cap(a.arena), 1<<20), 4<<10, len(row)))
	}
	at := len(a.arena)
	a.arena = append(a.arena, row...)
	a.rows = append(a.rows, a.arena[at:len(a.arena):len(a.arena)])
	return nil
}

// Rows returns the rows in bytewise order.
func (a *PlainAnswer) Rows() ([][]byte, error) {
	slices.SortFunc(a.rows, bytes.Compare)
	return a.rows, nil
}

// Digest returns the SHA-256, in lower-case hex, of rows in the order given,
// each ended with a newline.
func Digest(rows [][]byte) string {
	h := sha256.New()
	for _, row := range rows {
		h.Write(row)
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}
