package reminders

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

var (
	_ workloads.Keyed = (*Workload)(nil)
	_ workloads.Alone = (*Workload)(nil)
)

// Workload is reminders with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

type settings struct{ numEvents, keys, hops, seed int64 }

func defaults() settings { return settings{numEvents: 1000, keys: 100, hops: 3} }

func (s *settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, 1<<40),
		workloads.Integer("keys", &s.keys, 1, 1<<28),
		workloads.Integer("hops", &s.hops, 1, 100),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
	}
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("reminders", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 160 records over 6 keys, due twice each.
func (w *Workload) Small() { w.settings.numEvents, w.settings.keys, w.settings.hops = 160, 6, 2 }

// Graph returns source -> remind -> sink.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	source := func() dataflow.Operator { return operators.NewSource(w.settings.open) }
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "remind", Parallelism: parallelism, Keyed: true, New: func() dataflow.Operator { return &reminder{settings: w.settings} }},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: keyHash},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Reference follows each record by itself.
func (w *Workload) Reference() ([][]byte, error) {
	var rows [][]byte
	for seq := range uint64(w.settings.numEvents) {
		at := w.settings.time(seq) - w.settings.lag(seq)
		for hop := range uint64(w.settings.hops) {
			if hop > 0 {
				at += w.settings.gap(seq, byte(hop))
			}
			rows = append(rows, appendRow(nil, int64(seq), hop, w.settings.key(seq), at))
		}
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
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(row[8*i:]) }
	return appendRow(dst, int64(word(0)), word(1), word(2), int64(word(3)))
}

// Key returns the row: none is replaced.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

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

func appendRow(dst []byte, seq int64, hop, key uint64, at int64) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	dst = append(dst, `,"hop":`...)
	dst = strconv.AppendUint(dst, hop, 10)
	dst = append(dst, `,"key":`...)
	dst = strconv.AppendUint(dst, key, 10)
	dst = append(dst, `,"at":`...)
	dst = strconv.AppendInt(dst, at, 10)
	return append(dst, '}')
}

// draw returns a number below n that belongs to a record and a purpose.
func (s *settings) draw(seq, purpose, n uint64) uint64 {
	return state.HashUint64(state.HashUint64(seq^uint64(s.seed)<<32)+purpose) % n
}

// key returns the key of a record.
func (s *settings) key(seq uint64) uint64 { return s.draw(seq, 1, uint64(s.keys)) }

// time returns the event time of a record.
func (s *settings) time(seq uint64) int64 { return int64(seq)*step - int64(s.draw(seq, 2, jitter)) }

// lag is how far behind its event time a record is due first.
func (s *settings) lag(seq uint64) int64 { return int64(s.draw(seq, 3, 200)) }

// gap is the time from the reminder before to reminder hop.
func (s *settings) gap(seq uint64, hop byte) int64 {
	return int64(s.draw(seq, 3+uint64(hop), 130)) - 30
}
