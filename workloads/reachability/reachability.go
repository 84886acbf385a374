package reachability

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
	"weir/workloads"
)

var (
	_ workloads.Keyed = (*Workload)(nil)
	_ workloads.Alone = (*Workload)(nil)
)

// Workload is reachability with its settings.
type Workload struct {
	workloads.Named
	settings settings
}

type settings struct{ numEvents, nodes, roots, versions, seed int64 }

func defaults() settings { return settings{numEvents: 1000, nodes: 350, roots: 4, versions: 3} }

// travellers bounds roots times versions: sets of them are bits of a number.
const travellers = 64

func (s *settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.numEvents, 0, 1<<40),
		workloads.Integer("nodes", &s.nodes, 1, 1<<40),
		workloads.Integer("roots", &s.roots, 1, travellers),
		workloads.Integer("versions", &s.versions, 1, travellers),
		workloads.Integer("seed", &s.seed, 0, math.MaxInt64),
	}
}

// New returns the workload at its defaults.
func New() workloads.Workload {
	w := &Workload{settings: defaults()}
	w.Named = workloads.NewNamed("reachability", w.settings.list(), &w.settings.numEvents)
	return w
}

// Small makes it 150 records, two roots, two versions, and more edges than nodes in each.
func (w *Workload) Small() {
	w.settings.numEvents, w.settings.nodes, w.settings.roots, w.settings.versions = 150, 60, 2, 2
}

// Validate reports more roots and versions than there may be.
func (w *Workload) Validate() error {
	if n := w.settings.roots * w.settings.versions; n > travellers {
		return fmt.Errorf("reachability: %d roots in %d versions; their product may be at most %d", w.settings.roots, w.settings.versions, travellers)
	}
	return nil
}

// Graph returns the loop.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	source := func() dataflow.Operator { return operators.NewSource(w.settings.open) }
	counts := func() dataflow.Operator {
		return &reach{roots: uint64(w.settings.roots), versions: uint64(w.settings.versions)}
	}
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: parallelism, Role: dataflow.RoleSource, New: source},
			{Name: "reach", Parallelism: parallelism, Keyed: true, New: counts},
			{Name: "follow", Parallelism: parallelism, Keyed: true, New: func() dataflow.Operator { return &follow{} }},
			{Name: "sink", Parallelism: parallelism, Role: dataflow.RoleSink, New: sink},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: placeOf},
			{From: 1, Port: toFollow, To: 2, Partitioning: dataflow.Hash, Key: hashOf(1)},
			{From: 2, To: 1, Input: fromLoop, Partitioning: dataflow.Hash, Key: hashOf(1), Back: true},
			{From: 1, Port: toSink, To: 3, Partitioning: dataflow.Rebalance},
		},
	}, nil
}

// Reference walks the graph of each version from each root.
func (w *Workload) Reference() ([][]byte, error) {
	var rows [][]byte
	for version := range uint64(w.settings.versions) {
		rows = w.settings.walk(rows, version)
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// walk appends the rows of a version: breadth first from each root, it counts the
// edges that end at each node.
func (s *settings) walk(rows [][]byte, version uint64) [][]byte {
	ends, asked := map[uint64][]uint64{}, map[[2]uint64][]uint64{}
	var starts []uint64
	for seq := range uint64(s.numEvents) {
		switch e := s.event(seq); {
		case e.kind == aRoot:
			starts = append(starts, e.b)
		case e.kind == anEdge && e.since <= version && version < e.until:
			ends[e.a] = append(ends[e.a], e.b)
		case e.kind == aQuery && e.since == version:
			asked[[2]uint64{e.a, e.b}] = append(asked[[2]uint64{e.a, e.b}], e.seq)
		}
	}
	for root, start := range starts {
		arrivals := map[uint64]uint64{}
		for todo := []uint64{start}; len(todo) > 0; todo = todo[1:] {
			node := todo[0]
			arrivals[node]++
			rows = append(rows, appendRow(nil, uint64(root), version, node, arrivals[node]))
			if arrivals[node] > 1 {
				continue
			}
			todo = append(todo, ends[node]...)
			for _, seq := range asked[[2]uint64{uint64(root), node}] {
				rows = append(rows, appendRow(nil, uint64(root), version, node, 1<<63+seq))
			}
		}
	}
	return rows
}

// Answer returns a collector of rows.
func (w *Workload) Answer() workloads.Answer {
	return &workloads.OnceAnswer{Workload: w.Name(), RowBytes: rowBytes, Append: w.AppendCanonical}
}

// AppendCanonical appends the canonical form of a row.
func (w *Workload) AppendCanonical(dst, row []byte) []byte {
	who, versions := number(row, 0), uint64(w.settings.versions)
	return appendRow(dst, who/versions, who%versions, number(row, 1), number(row, 2))
}

// Key returns the row: none is replaced.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of a source record.
func (w *Workload) RecordID(rec []byte) uint64 { return binary.LittleEndian.Uint64(rec) }

// InputLines writes a JSON object per record: seq and what it is.
func (w *Workload) InputLines(out io.Writer) error {
	b := bufio.NewWriter(out)
	for seq := range uint64(w.settings.numEvents) {
		e := w.settings.event(seq)
		line := fmt.Sprintf(`{"seq":%d,"root":%d,"node":%d}`, seq, e.a, e.b)
		switch e.kind {
		case aRoot:
		case anEdge:
			line = fmt.Sprintf(`{"seq":%d,"from":%d,"to":%d,"since":%d,"until":%d}`, seq, e.a, e.b, e.since, e.until)
		case aQuery:
			line = fmt.Sprintf(`{"seq":%d,"asks":%d,"node":%d,"version":%d}`, seq, e.a, e.b, e.since)
		}
		if _, err := b.WriteString(line + "\n"); err != nil {
			return err
		}
	}
	return b.Flush()
}

func appendRow(dst []byte, root, version, node, what uint64) []byte {
	dst = strconv.AppendUint(append(dst, `{"root":`...), root, 10)
	dst = strconv.AppendUint(append(dst, `,"version":`...), version, 10)
	dst = strconv.AppendUint(append(dst, `,"node":`...), node, 10)
	if what >= 1<<63 {
		dst = strconv.AppendUint(append(dst, `,"query":`...), what-1<<63, 10)
	} else {
		dst = strconv.AppendUint(append(dst, `,"arrivals":`...), what, 10)
	}
	return append(dst, '}')
}
