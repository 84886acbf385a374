package spending

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
	"weir/workloads"
)

var (
	_ workloads.Keyed     = (*Workload)(nil)
	_ workloads.Alone     = (*Workload)(nil)
	_ workloads.Versioned = (*Workload)(nil)
)

// Workload is spending with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

type settings struct{ numEvents, accounts, classes, limitEvery, window, idle, quiet, seed, version int64 }

func defaults() settings {
	return settings{numEvents: 1000, accounts: 40, classes: 4, limitEvery: 50, window: 1000, idle: 600, quiet: 1200}
}

func (s *settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, 1<<40),
		workloads.Integer("accounts", &s.accounts, 1, 1<<28),
		workloads.Integer("classes", &s.classes, 1, 1<<16),
		workloads.Integer("limitEvery", &s.limitEvery, 2, 1<<20),
		workloads.Integer("window", &s.window, 1, 1<<40),
		workloads.Integer("idle", &s.idle, 1, 1<<40),
		workloads.Integer("quiet", &s.quiet, 1, 1<<40),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
		workloads.Integer("version", &s.version, 0, int64(len(tallyVersions))),
	}
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("spending", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 200 records, every eighth of them a limit for one of 3 classes of 9 accounts.
func (w *Workload) Small() {
	s := &w.settings
	s.numEvents, s.accounts, s.classes, s.limitEvery, s.window, s.idle, s.quiet = 200, 9, 3, 8, 250, 120, 300
}

// Versions returns the version that Graph returns, and how many there are.
func (w *Workload) Versions() (now, of int) { return int(w.settings.version), len(tallyVersions) }

// Graph returns source -> split -> watch -> sink.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	return w.GraphOf(int(w.settings.version), parallelism, sink)
}

// GraphOf returns the graph of a version.
func (w *Workload) GraphOf(version, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	s := w.settings
	if s.version = int64(version); version < 0 || version > len(tallyVersions) {
		return nil, fmt.Errorf("spending has no version %d; there are 1 to %d", version, len(tallyVersions))
	}
	source := func() dataflow.Operator { return operators.NewSource(s.open) }
	split := func() dataflow.Operator {
		return &operators.Split{Ports: 2, Port: func(rec []byte) int { return int(rec[recordBytes-1]) }}
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "split", Parallelism: parallelism, New: split},
			{Name: "watch", Parallelism: parallelism, Keyed: true, New: func() dataflow.Operator { return &watcher{settings: s} }},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Forward},
			{From: 1, Port: aPayment, To: 2, Input: aPayment, Partitioning: dataflow.Hash, Key: accountHash},
			{From: 1, Port: aLimit, To: 2, Input: aLimit, Partitioning: dataflow.Broadcast},
			{From: 2, To: 3, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Answer returns a collector of rows.
func (w *Workload) Answer() workloads.Answer {
	return &workloads.OnceAnswer{Workload: w.Name(), RowBytes: rowBytes, Append: w.AppendCanonical}
}

// AppendCanonical appends the canonical form of a row.
func (w *Workload) AppendCanonical(dst, row []byte) []byte {
	var words [rowBytes / 8]int64
	for i := range words {
		words[i] = int64(binary.LittleEndian.Uint64(row[8*i:]))
	}
	if words[0] < 0 {
		return fmt.Appendf(dst, `{"account":%d,"payments":%d}`, words[1], words[3])
	}
	return fmt.Appendf(dst, `{"seq":%d,"account":%d,"limit":%d,"payments":%d,"sum":%d,"mean":%d,"most":%d,"told":%d}`,
		words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7])
}

// Key returns the row: none is replaced.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec) }

// InputLines writes a JSON object per record: a payment or a limit.
func (w *Workload) InputLines(out io.Writer) error {
	s, b := &w.settings, bufio.NewWriter(out)
	for seq := range uint64(s.numEvents) {
		var err error
		if s.isLimit(seq) {
			_, err = fmt.Fprintf(b, "{\"seq\":%d,\"time\":%d,\"class\":%d,\"limit\":%d}\n", seq, s.time(seq), s.account(seq), s.amount(seq))
		} else {
			_, err = fmt.Fprintf(b, "{\"seq\":%d,\"time\":%d,\"account\":%d,\"amount\":%d,\"parts\":%d}\n", seq, s.time(seq), s.account(seq), s.amount(seq), s.parts(seq))
		}
		if err != nil {
			return err
		}
	}
	return b.Flush()
}

// draw returns a number below n that belongs to a record and a purpose.
func (s *settings) draw(seq, purpose, n uint64) uint64 {
	return state.HashUint64(state.HashUint64(seq^uint64(s.seed)<<32)+purpose) % n
}

// isLimit reports that a record is a limit.
func (s *settings) isLimit(seq uint64) bool {
	return seq%uint64(s.limitEvery) == uint64(s.limitEvery)-1
}

// account returns the account of a payment, the class of a limit.
func (s *settings) account(seq uint64) uint64 {
	if s.isLimit(seq) {
		return s.draw(seq, 1, uint64(s.classes))
	}
	return s.draw(seq, 1, uint64(s.accounts))
}

// amount returns what a payment or a limit is of.
func (s *settings) amount(seq uint64) int64 {
	if s.isLimit(seq) {
		return 50 + int64(s.draw(seq, 3, 250))
	}
	return 1 + int64(s.draw(seq, 3, 100))
}

func (s *settings) parts(seq uint64) int64 { return 1 + int64(s.draw(seq, 4, 3)) }

// time returns the event time of a record.
func (s *settings) time(seq uint64) int64 { return int64(seq)*step - int64(s.draw(seq, 2, jitter)) }
