package enrichment

import (
	"bufio"
	"cmp"
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
	_ workloads.Timed = (*Workload)(nil)
	_ workloads.Keyed = (*Workload)(nil)
	_ workloads.Alone = (*Workload)(nil)
)

// Workload is enrichment with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

type settings struct{ numEvents, keys, classes, ruleEvery, seed int64 }

func defaults() settings { return settings{numEvents: 1000, keys: 100, classes: 8, ruleEvery: 8} }

func (s *settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, 1<<40),
		workloads.Integer("keys", &s.keys, 1, 1<<28),
		workloads.Integer("classes", &s.classes, 1, 1<<16),
		workloads.Integer("ruleEvery", &s.ruleEvery, 2, 1<<20),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
	}
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("enrichment", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 200 records, every fourth of them a rule for one of 3 classes.
func (w *Workload) Small() {
	s := &w.settings
	s.numEvents, s.keys, s.classes, s.ruleEvery = 200, 9, 3, 4
}

// Graph returns source -> split -> enrich -> sink.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	source := func() dataflow.Operator { return operators.NewSource(w.settings.open) }
	split := func() dataflow.Operator {
		return &operators.Split{Ports: 2, Port: func(rec []byte) int { return int(rec[24]) }}
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "split", Parallelism: parallelism, New: split},
			{Name: "enrich", Parallelism: parallelism, Keyed: true, New: func() dataflow.Operator { return &enricher{settings: w.settings} }},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Forward},
			{From: 1, Port: anEvent, To: 2, Input: anEvent, Partitioning: dataflow.Hash, Key: keyHash},
			{From: 1, Port: aRule, To: 2, Input: aRule, Partitioning: dataflow.Broadcast},
			{From: 2, To: 3, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Reference goes through all records in order of event time, rules first.
func (w *Workload) Reference() ([][]byte, error) {
	s := &w.settings
	order := make([]uint64, s.numEvents)
	for i := range order {
		order[i] = uint64(i)
	}
	slices.SortFunc(order, func(a, b uint64) int {
		first := func(seq uint64) int {
			if s.isRule(seq) {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(s.time(a), s.time(b)), first(a)-first(b), cmp.Compare(a, b))
	})
	inForce := map[uint64]int64{}
	var rows [][]byte
	for _, seq := range order {
		key := s.key(seq)
		if s.isRule(seq) {
			inForce[key] = int64(seq)
			continue
		}
		rule, ok := inForce[key%uint64(s.classes)]
		if !ok {
			rule = -1
		}
		rows = append(rows, appendRow(nil, int64(seq), key, rule))
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// Answers finds the record that let event time reach an event: of each partition it
// takes the first whose watermark does, and one at least.
func (w *Workload) Answers(partitions int) (workloads.Answers, error) {
	s, of := w.settings, int64(partitions)
	return workloads.Answers{Record: func(row []byte) int64 {
		seq := int64(binary.LittleEndian.Uint64(row))
		if seq < 0 {
			return -1
		}
		behind := jitter - (seq*step - s.time(uint64(seq))) // of the watermark, if seq were the next record
		last := max(seq+(behind+step-1)/step-1, of-1)
		if last >= s.numEvents {
			return -1 // the end of the input did
		}
		return last
	}}, nil
}

// Answer returns a collector of rows.
func (w *Workload) Answer() workloads.Answer {
	return &workloads.OnceAnswer{Workload: w.Name(), RowBytes: rowBytes, Append: w.AppendCanonical}
}

// AppendCanonical appends the canonical form of a row.
func (w *Workload) AppendCanonical(dst, row []byte) []byte {
	return appendRow(dst, int64(binary.LittleEndian.Uint64(row)), binary.LittleEndian.Uint64(row[8:]), int64(binary.LittleEndian.Uint64(row[16:])))
}

// Key returns the row: none is replaced.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec) }

// InputLines writes a JSON object per record: seq, time, and key or the class of a rule.
func (w *Workload) InputLines(out io.Writer) error {
	b := bufio.NewWriter(out)
	for seq := range uint64(w.settings.numEvents) {
		of := "key"
		if w.settings.isRule(seq) {
			of = "class"
		}
		if _, err := fmt.Fprintf(b, "{\"seq\":%d,\"time\":%d,\"%s\":%d}\n", seq, w.settings.time(seq), of, w.settings.key(seq)); err != nil {
			return err
		}
	}
	return b.Flush()
}

func appendRow(dst []byte, seq int64, key uint64, rule int64) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendInt(dst, seq, 10)
	dst = append(dst, `,"key":`...)
	dst = strconv.AppendUint(dst, key, 10)
	dst = append(dst, `,"rule":`...)
	dst = strconv.AppendInt(dst, rule, 10)
	return append(dst, '}')
}

// draw returns a number below n that belongs to a record and a purpose.
func (s *settings) draw(seq, purpose, n uint64) uint64 {
	return state.HashUint64(state.HashUint64(seq^uint64(s.seed)<<32)+purpose) % n
}

// isRule reports that a record is a rule.
func (s *settings) isRule(seq uint64) bool {
	return seq%uint64(s.ruleEvery) == uint64(s.ruleEvery)-1
}

// key returns the key of an event, the class of a rule.
func (s *settings) key(seq uint64) uint64 {
	if s.isRule(seq) {
		return s.draw(seq, 1, uint64(s.classes))
	}
	return s.draw(seq, 1, uint64(s.keys))
}

// time returns the event time of a record.
func (s *settings) time(seq uint64) int64 { return int64(seq)*step - int64(s.draw(seq, 2, jitter)) }
