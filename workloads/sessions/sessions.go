package sessions

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/workloads"
)

// Workload is sessions with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("sessions", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 240 records over 6 keys, about four to a session, of which every
// fifth is late and half of those by more than is allowed.
func (w *Workload) Small() {
	s := &w.settings
	s.numEvents, s.keys, s.gap, s.lateness, s.latePercent = 240, 6, 90, 60, 10
}

// Validate reports late records where no lateness is allowed.
func (w *Workload) Validate() error { return w.settings.validate() }

// Graph returns source -> sessions -> sink, the side output of sessions included.
// Which records are late is a matter of the order in which splits arrive, so that
// run again the operator may give up others.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	source := func() dataflow.Operator { return operators.NewSource(w.settings.open) }
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "sessions", Parallelism: parallelism, Keyed: true, NonDeterministic: true, New: w.settings.windows},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: keyHash},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
			{From: 1, Port: operators.LatePort, To: 2, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// TooLate says whether a record that comes at a watermark is given up: it is older
// than that by more than is allowed.
func (w *Workload) TooLate(rec []byte, watermark int64) bool {
	return watermark > int64(binary.LittleEndian.Uint64(rec[16:]))+w.settings.lateness
}

// KeyHash returns the hash of a source record's key.
func (w *Workload) KeyHash(rec []byte) uint64 { return keyHash(rec) }

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec) }

// InputLines writes a JSON object per record: seq, key and time.
func (w *Workload) InputLines(out io.Writer) error {
	b := bufio.NewWriter(out)
	for seq := range uint64(w.settings.numEvents) {
		if _, err := fmt.Fprintf(b, "{\"seq\":%d,\"key\":%d,\"time\":%d}\n", seq, w.settings.key(seq), w.settings.time(seq)); err != nil {
			return err
		}
	}
	return b.Flush()
}
