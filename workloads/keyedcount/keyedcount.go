package keyedcount

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/workloads"
)

// Workload is keyedcount with its settings.
type Workload struct{ settings Settings }

// New returns the workload at its defaults.
func New() workloads.Workload { return &Workload{Defaults()} }

// With returns the workload of settings.
func With(s Settings) *Workload { return &Workload{s} }

// Name returns "keyedcount".
func (w *Workload) Name() string { return "keyedcount" }

// Set sets one setting by name.
func (w *Workload) Set(name, value string) error {
	return workloads.Set(w.Name(), w.settings.list(), name, value)
}

// SettingNames returns the names that Set knows.
func (w *Workload) SettingNames() []string { return workloads.Names(w.settings.list()) }

// Settings returns what differs from the defaults.
func (w *Workload) Settings() []string {
	d := Defaults()
	return workloads.Changes(w.settings.list(), d.list())
}

// Small makes it 240 records over 12 keys.
func (w *Workload) Small() { w.settings.NumEvents, w.settings.Keys = 240, 12 }

// Events returns the number of records.
func (w *Workload) Events() int { return int(w.settings.NumEvents) }

// SetEvents sets the number of records.
func (w *Workload) SetEvents(n int) error { return w.Set("numEvents", strconv.Itoa(n)) }

// Validate reports a setting out of its range, which Set would have refused.
func (w *Workload) Validate() error {
	copied := w.settings
	for _, s := range copied.list() {
		if err := s.Set(s.Get()); err != nil {
			return fmt.Errorf("%s: setting %s: %w", w.Name(), s.Name, err)
		}
	}
	return nil
}

// Graph returns source -> (hash by key) count -> (round robin) sink.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	g := NewGenerator(w.settings)
	source := func() dataflow.Operator {
		return operators.NewSource(func(index, of int) (operators.Partition, error) { return g.partition(index, of), nil })
	}
	count := func() dataflow.Operator {
		return &counter{valueSize: int(w.settings.ValueSize), every: uint64(w.settings.EmitEvery)}
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "count", Parallelism: parallelism, Keyed: true, New: count},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: keyHash},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Reference returns the final row of each key.
func (w *Workload) Reference() ([][]byte, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return reference(NewGenerator(w.settings)), nil
}

// Answer returns a collector that takes the largest count of each key, and
// whose error names a key with a duplicate or missing row.
func (w *Workload) Answer() workloads.Answer {
	return &answer{every: uint64(w.settings.EmitEvery), keys: make(map[uint64]*keyRows)}
}

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec[seqOffset:]) }

// InputLines writes a JSON object per record: seq, key, value and ts, which is
// the intended time in ns.
func (w *Workload) InputLines(out io.Writer) error {
	if err := w.Validate(); err != nil {
		return err
	}
	b := bufio.NewWriter(out)
	g := NewGenerator(w.settings)
	var line []byte
	for seq := range uint64(w.settings.NumEvents) {
		r := g.Record(seq)
		line = strconv.AppendUint(append(line[:0], `{"seq":`...), r.Seq, 10)
		line = strconv.AppendUint(append(line, `,"key":`...), r.Key, 10)
		line = strconv.AppendUint(append(line, `,"value":`...), r.Value, 10)
		line = strconv.AppendInt(append(line, `,"ts":`...), r.Nanos, 10)
		line = append(line, '}', '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}
