package conformance

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/state"
	"weir/workloads"
	"weir/workloads/pipelines"
)

// shape is a small job of one topology. Its stages give every record they pass a
// link: the place that the record has in a history, and a hash over that history.
// Rows carry all links of their records, so that histories that were mixed, cut
// or repeated contradict each other; which records come by which way is compared
// with the reference. Input and settings are those of pipelines.
type shape struct {
	workloads.Workload
	name  string
	graph func(g *dataflow.Graph, s *shape, parallelism int)
	// ways are the ways of one record to the sinks; joined: of it and the next one.
	ways   func(seq uint64, parallelism, splits int) [][]link
	joined bool
	uneven bool            // splits of very different length, a third of them empty
	splits int             // of each source; 0: drawn, as in every sweep
	made   *dataflow.Graph // last: its splits may be set later
}

// newShapes returns one job of each topology.
func newShapes() []workloads.Workload {
	var all []workloads.Workload
	for _, s := range []shape{
		{name: "linear", graph: linear, ways: func(q uint64, _, _ int) [][]link {
			return [][]link{{{stage: 1, of: keyOf(q)}, {stage: 2, of: keyOf(q) / 2}}}
		}},
		{name: "splits", splits: 5, uneven: true, graph: linear, ways: func(q uint64, _, _ int) [][]link {
			return [][]link{{{stage: 1, of: keyOf(q)}, {stage: 2, of: keyOf(q) / 2}}}
		}},
		{name: "diamond", graph: diamond, ways: func(q uint64, _, _ int) [][]link {
			k := keyOf(q)
			return [][]link{{{stage: 1, of: k}, {stage: 2, of: k / 2}, {stage: 4, of: k}}, {{stage: 1, of: k}, {stage: 3, of: k}, {stage: 4, of: k}}}
		}},
		{name: "fan-in", uneven: true, graph: fanIn, ways: func(q uint64, _, _ int) [][]link { return [][]link{{{stage: 1, of: keyOf(q)}}} }},
		{name: "join", joined: true, graph: join, ways: func(q uint64, _, _ int) [][]link { return [][]link{{{stage: 1 + q%2, of: keyOf(q)}}} }},
		{name: "forward-broadcast", graph: forwardBroadcast, ways: forwardBroadcastWays},
	} {
		s.Workload = pipelines.New()
		all = append(all, &s)
	}
	return all
}

func shapeNamed(name string) workloads.Workload {
	for _, w := range newShapes() {
		if w.Name() == name {
			w.Small()
			return w
		}
	}
	panic("no shape is called " + name)
}

// Name is that of the topology.
func (s *shape) Name() string { return s.name }

// Small makes it 120 records.
func (s *shape) Small() {
	s.Workload.Small()
	if err := s.SetEvents(120); err != nil {
		panic(err)
	}
}

// keyOf is the key of record seq.
func keyOf(seq uint64) uint64 { return state.HashUint64(seq) % 6 }

// SplitOf says which records a split holds.
func (s *shape) SplitOf(tasks []dataflow.TaskInfo, n id.SplitID) (p, of int) {
	p, of = workloads.SplitOf(tasks, n)
	if s.uneven {
		return unevenly(p, of)
	}
	return p, of
}

// unevenly gives the first split half of all records, the next one half of
// the rest, and so on; the last third of them is empty.
func unevenly(p, of int) (residue, modulus int) {
	switch last := max(2*of/3-1, 0); {
	case p > last:
		return math.MaxInt32 - 1, math.MaxInt32
	case p == last:
		return 1<<p - 1, 1 << p
	default:
		return 1<<p - 1, 2 << p
	}
}

// Graph returns the job's graph.
func (s *shape) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g := &dataflow.Graph{}
	s.graph(g, s, parallelism)
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: "sink", Role: dataflow.RoleSink, New: sink})
	for i := range g.Vertices {
		g.Vertices[i].Parallelism = parallelism
	}
	g.Edges = append(g.Edges, dataflow.Edge{From: len(g.Vertices) - 2, To: len(g.Vertices) - 1, Partitioning: dataflow.Rebalance})
	s.made = g
	return g, nil
}

// source adds source vertex number n of so many.
func (s *shape) source(g *dataflow.Graph, n, of int) int {
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: fmt.Sprintf("source-%d", n), Role: dataflow.RoleSource, New: func() dataflow.Operator {
		return operators.NewSource(func(index, parallelism int) (operators.Partition, error) {
			first, step := index*of+n, parallelism*of
			if s.uneven {
				first, step = unevenly(index*of+n, step)
			}
			return &numbers{records: uint64(s.Events()), first: uint64(first), step: uint64(step)}, nil
		})
	}})
	return len(g.Vertices) - 1
}

func add(g *dataflow.Graph, name string, keyed bool, op func() dataflow.Operator) int {
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: name, Keyed: keyed, New: op})
	return len(g.Vertices) - 1
}

func connect(g *dataflow.Graph, from, to, input int, p dataflow.Partitioning, of func(rec []byte) uint64) {
	e := dataflow.Edge{From: from, To: to, Input: input, Partitioning: p}
	if of != nil {
		e.Key = func(rec []byte) uint64 { return state.HashUint64(of(rec)) }
	}
	g.Edges = append(g.Edges, e)
}

func key(rec []byte) uint64     { return word(rec, 8) }
func halfKey(rec []byte) uint64 { return word(rec, 8) / 2 }
func pair(rec []byte) uint64    { return word(rec, 0) / 2 }

// keyed makes a stage with a history for each value of of.
func keyed(number uint64, of func(rec []byte) uint64) func() dataflow.Operator {
	return func() dataflow.Operator { return &stage{number: number, of: of} }
}

func linear(g *dataflow.Graph, s *shape, _ int) {
	a := s.source(g, 0, 1)
	b, c := add(g, "first", true, keyed(1, key)), add(g, "second", true, keyed(2, halfKey))
	connect(g, a, b, 0, dataflow.Hash, key)
	connect(g, b, c, 0, dataflow.Hash, halfKey)
}

func diamond(g *dataflow.Graph, s *shape, _ int) {
	a, b := s.source(g, 0, 1), add(g, "split", true, keyed(1, key))
	left, right := add(g, "left", true, keyed(2, halfKey)), add(g, "right", true, keyed(3, key))
	meet := add(g, "meet", true, keyed(4, key))
	connect(g, a, b, 0, dataflow.Hash, key)
	connect(g, b, left, 0, dataflow.Hash, halfKey)
	connect(g, b, right, 0, dataflow.Hash, key)
	connect(g, left, meet, 0, dataflow.Hash, key)
	connect(g, right, meet, 0, dataflow.Hash, key)
}

func fanIn(g *dataflow.Graph, s *shape, _ int) {
	const sources = 3
	for n := range sources {
		s.source(g, n, sources)
	}
	meet := add(g, "meet", true, keyed(1, key))
	for n := range sources {
		connect(g, n, meet, 0, dataflow.Hash, key)
	}
}

func join(g *dataflow.Graph, s *shape, _ int) {
	a, b := s.source(g, 0, 2), s.source(g, 1, 2)
	left, right := add(g, "left", true, keyed(1, key)), add(g, "right", true, keyed(2, key))
	meet := add(g, "join", true, func() dataflow.Operator { return &joiner{} })
	connect(g, a, left, 0, dataflow.Hash, key)
	connect(g, b, right, 0, dataflow.Hash, key)
	connect(g, left, meet, 0, dataflow.Hash, pair)
	connect(g, right, meet, 1, dataflow.Hash, pair)
}

// forwardBroadcast has every kind of edge: records are passed on and counted by
// key; rules are passed on, and every instance takes each. The task that takes
// both has inputs that a barrier may overtake and inputs that it may not.
func forwardBroadcast(g *dataflow.Graph, s *shape, _ int) {
	records, rules := s.source(g, 0, 2), s.source(g, 1, 2)
	pass := add(g, "pass", false, func() dataflow.Operator { return &stage{own: 1} })
	each := add(g, "each", false, func() dataflow.Operator { return &stage{own: 2} })
	both := add(g, "both", true, func() dataflow.Operator { return &stage{number: 3, of: key, own: 4} })
	connect(g, records, pass, 0, dataflow.Forward, nil)
	connect(g, rules, each, 0, dataflow.Forward, nil)
	connect(g, pass, both, 0, dataflow.Hash, key)
	connect(g, each, both, 1, dataflow.Broadcast, nil)
}

func forwardBroadcastWays(q uint64, parallelism, splits int) (ways [][]link) {
	instance := q / 2 % uint64(splits) % uint64(parallelism) // that reads the split
	if q%2 == 0 {
		return [][]link{{{stage: 1, of: instance}, {stage: 3, of: keyOf(q)}}}
	}
	for i := range uint64(parallelism) {
		ways = append(ways, []link{{stage: 2, of: instance}, {stage: 4, of: i}})
	}
	return ways
}

// Reference lists the ways of the records one after the other.
func (s *shape) Reference() ([][]byte, error) {
	var rows [][]byte
	n := uint64(s.Events())
	parallelism := s.made.Vertices[0].Parallelism
	splits := cmp.Or(s.made.Vertices[0].Splits, parallelism)
	for q := uint64(0); q < n; q++ {
		for _, way := range s.ways(q, parallelism, splits) {
			row := appendWay(nil, q, way)
			if s.joined {
				if q++; q == n {
					continue
				}
				row = appendWay(append(row, '+'), q, s.ways(q, parallelism, splits)[0])
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

func appendWay(row []byte, seq uint64, way []link) []byte {
	row = fmt.Appendf(row, "%d", seq)
	for _, l := range way {
		row = fmt.Appendf(row, " %d/%d", l.stage, l.of)
	}
	return row
}

// Answer collects rows.
func (s *shape) Answer() workloads.Answer { return &shapeAnswer{s: s} }

type shapeAnswer struct {
	s    *shape
	rows [][]byte
}

func (a *shapeAnswer) Add(row []byte) error {
	a.rows = append(a.rows, slices.Clone(row))
	return nil
}

func (a *shapeAnswer) Rows() ([][]byte, error) { return a.s.Canonical(a.rows) }

// Canonical gives the ways of the rows, and checks that all links of a history
// follow each other.
func (s *shape) Canonical(rows [][]byte) ([][]byte, error) {
	h := histories{}
	var plain [][]byte
	for _, row := range rows {
		size := len(row)
		if s.joined && size == 2*(recordBytes+linkBytes) {
			size /= 2
		}
		var p []byte
		for rec := row; len(rec) > 0; rec = rec[size:] {
			if len(p) > 0 {
				p = append(p, '+')
			}
			if size < recordBytes || (size-recordBytes)%linkBytes != 0 {
				return nil, fmt.Errorf("%s: a row of %d bytes", s.name, len(row))
			}
			p = appendWay(p, word(rec, 0), h.add(rec[:size]))
		}
		plain = append(plain, p)
	}
	slices.SortFunc(plain, slices.Compare)
	if err := h.check(); err != nil {
		return plain, fmt.Errorf("%s: %w", s.name, err)
	}
	return plain, nil
}

// histories are the links of each history by their place in it, with the hash of what was linked.
type histories map[link]map[uint64][2]uint64

// add notes the links of a record and returns what of them does not depend on order.
func (h histories) add(rec []byte) (way []link) {
	for at := recordBytes; at < len(rec); at += linkBytes {
		l := link{word(rec, at), word(rec, at+8)}
		way = append(way, l)
		if h[l] == nil {
			h[l] = map[uint64][2]uint64{}
		}
		n, now := word(rec, at+16), [2]uint64{content(rec[:at]), word(rec, at+24)}
		if before, ok := h[l][n]; ok && before != now {
			now = [2]uint64{} // two different links at one place: no chain goes through it
		}
		h[l][n] = now
	}
	return way
}

func (h histories) check() error {
	var broken []string
	//det:unordered what is broken is sorted
	for l, links := range h {
		var chain uint64
		for n := uint64(1); n <= uint64(len(links)); n++ {
			x, ok := links[n]
			if chain = chained(chain, x[0], l.stage); !ok || chain != x[1] {
				broken = append(broken, fmt.Sprintf("history %d of stage %d: link %d does not follow the one before it", l.of, l.stage, n))
				break
			}
		}
	}
	if len(broken) == 0 {
		return nil
	}
	slices.Sort(broken)
	return fmt.Errorf("%s", strings.Join(broken, "; "))
}

// content is a hash over bytes that are words.
func content(b []byte) (h uint64) {
	for ; len(b) >= 8; b = b[8:] {
		h = state.HashUint64(h ^ binary.LittleEndian.Uint64(b))
	}
	return h
}
