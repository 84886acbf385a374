package sampling

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
	"weir/workloads"
)

var (
	_ workloads.Timed = (*Workload)(nil)
	_ workloads.Keyed = (*Workload)(nil)
)

// Workload is sampling with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

// settings: window and change are nanoseconds of the clock.
type settings struct{ numEvents, keys, window, change, seed int64 }

func defaults() settings { return settings{numEvents: 1000, keys: 100, window: 1e9, change: 3e8} }

func (s *settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, 1<<40),
		workloads.Integer("keys", &s.keys, 1, 1<<28),
		workloads.Integer("window", &s.window, 1, math.MaxInt64),
		workloads.Integer("change", &s.change, 1, math.MaxInt64),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
	}
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("sampling", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 240 records over 6 keys, a window of 4 ms and a change every 3 ms.
func (w *Workload) Small() {
	s := &w.settings
	s.numEvents, s.keys, s.window, s.change = 240, 6, 4e6, 3e6
}

// Graph returns source -> sample -> sink.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	source := func() dataflow.Operator { return operators.NewSource(w.settings.open) }
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "sample", Parallelism: parallelism, Keyed: true, NonDeterministic: true, New: func() dataflow.Operator { return &sampler{settings: w.settings} }},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: keyHash},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Reference lists the records: the rest of a row is for Canonical to explain.
func (w *Workload) Reference() ([][]byte, error) {
	var rows [][]byte
	for seq := range uint64(w.settings.numEvents) {
		rows = append(rows, appendRow(nil, seq, w.settings.key(seq)))
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// Answers finds the record in the row. The end of a window answers none.
func (w *Workload) Answers(int) (workloads.Answers, error) {
	record := func(row []byte) int64 {
		if binary.LittleEndian.Uint64(row[8*rowPlace:]) == 0 {
			return -1
		}
		return int64(binary.LittleEndian.Uint64(row[8*rowSeq:]))
	}
	return workloads.Answers{Record: record, Prompt: true}, nil
}

// Answer returns a collector of rows.
func (w *Workload) Answer() workloads.Answer { return &answer{settings: w.settings} }

type answer struct {
	settings settings
	rows     []parsed
}

// Add takes a row of a sink.
func (a *answer) Add(row []byte) error {
	r, err := parse(row)
	if err == nil {
		a.rows = append(a.rows, r)
	}
	return err
}

// Rows returns which records the rows are of; the error says why no execution
// explains them.
func (a *answer) Rows() ([][]byte, error) {
	var rows [][]byte
	for _, r := range a.rows {
		if r[rowPlace] == 0 {
			continue
		}
		rows = append(rows, appendRow(nil, r[rowSeq], r[rowKey]))
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, a.settings.explain(a.rows)
}

// Key returns the row: none is replaced.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec) }

// InputLines writes a JSON object per record: seq and key.
func (w *Workload) InputLines(out io.Writer) error {
	b := bufio.NewWriter(out)
	for seq := range uint64(w.settings.numEvents) {
		if _, err := b.Write(append(appendRow(nil, seq, w.settings.key(seq)), '\n')); err != nil {
			return err
		}
	}
	return b.Flush()
}

func appendRow(dst []byte, seq, key uint64) []byte {
	return fmt.Appendf(dst, `{"seq":%d,"key":%d}`, seq, key)
}

// key returns the key of a record.
func (s *settings) key(seq uint64) uint64 {
	return state.HashUint64(seq^uint64(s.seed)<<32) % uint64(s.keys)
}
