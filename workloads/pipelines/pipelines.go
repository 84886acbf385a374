package pipelines

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
	"weir/workloads"
)

// count is the number of pipelines.
const count = 2

// Workload is pipelines with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

type settings struct{ numEvents, keys, seed int64 }

func defaults() settings { return settings{numEvents: 1000, keys: 100} }

func (s *settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, 1<<40),
		workloads.Integer("keys", &s.keys, 1, 1<<28),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
	}
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("pipelines", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 240 records over 6 keys of each pipeline.
func (w *Workload) Small() { w.settings.numEvents, w.settings.keys = 240, 6 }

// Graph returns both pipelines.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g := &dataflow.Graph{}
	for p := range count {
		source := func() dataflow.Operator {
			return operators.NewSource(func(index, of int) (operators.Partition, error) {
				return w.settings.open(p, index, of), nil
			})
		}
		at := len(g.Vertices)
		g.Vertices = append(g.Vertices,
			dataflow.Vertex{Name: fmt.Sprintf("source-%d", p), Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			dataflow.Vertex{Name: fmt.Sprintf("count-%d", p), Parallelism: parallelism, Keyed: true, New: func() dataflow.Operator { return &counter{pipeline: uint64(p)} }},
			dataflow.Vertex{Name: fmt.Sprintf("sink-%d", p), Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		)
		last := []dataflow.Partitioning{dataflow.Rebalance, dataflow.Forward}[p]
		g.Edges = append(g.Edges,
			dataflow.Edge{From: at, To: at + 1, Partitioning: dataflow.Hash, Key: keyHash},
			dataflow.Edge{From: at + 1, To: at + 2, Partitioning: last},
		)
	}
	return g, nil
}

// Reference counts the records of each pipeline one after the other.
func (w *Workload) Reference() ([][]byte, error) {
	seen := map[[2]uint64]uint64{}
	var rows [][]byte
	for seq := range uint64(w.settings.numEvents) {
		at := [2]uint64{seq % count, w.settings.key(seq)}
		seen[at]++
		rows = append(rows, appendRow(nil, at[0], at[1], seen[at]))
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// Answer returns a collector of rows.
func (w *Workload) Answer() workloads.Answer {
	return &workloads.OnceAnswer{Workload: w.Name(), RowBytes: rowBytes, Append: w.AppendCanonical}
}

// AppendCanonical appends the canonical form of a row.
func (w *Workload) AppendCanonical(dst, row []byte) []byte {
	return appendRow(dst, binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:]), binary.LittleEndian.Uint64(row[16:]))
}

// Key returns the row: none is replaced.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec) }

// InputLines writes a JSON object per record: seq, pipeline and key.
func (w *Workload) InputLines(out io.Writer) error {
	b := bufio.NewWriter(out)
	for seq := range uint64(w.settings.numEvents) {
		if _, err := fmt.Fprintf(b, "{\"seq\":%d,\"pipeline\":%d,\"key\":%d}\n", seq, seq%count, w.settings.key(seq)); err != nil {
			return err
		}
	}
	return b.Flush()
}

func appendRow(dst []byte, pipeline, key, n uint64) []byte {
	dst = append(dst, `{"pipeline":`...)
	dst = strconv.AppendUint(dst, pipeline, 10)
	dst = append(dst, `,"key":`...)
	dst = strconv.AppendUint(dst, key, 10)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendUint(dst, n, 10)
	return append(dst, '}')
}

// key returns the key of a record.
func (s *settings) key(seq uint64) uint64 {
	return state.HashUint64(seq^uint64(s.seed)<<32) % uint64(s.keys)
}
