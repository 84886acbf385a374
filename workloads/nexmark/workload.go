package nexmark

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/workloads"
)

// Workload is one query over the stream, with the settings of both.
type Workload struct {
	query    string
	settings Settings
}

// New returns the workload of a query, one of [Queries], with Beam's settings
// and 1,000 events.
func New(query string) (workloads.Workload, error) {
	if _, ok := newPlan(query, Defaults()); !ok {
		return nil, fmt.Errorf("nexmark: no query is named %q; known are %s", query, strings.Join(Queries(), ", "))
	}
	return &Workload{query, workloadDefaults()}, nil
}

// Q0 passes every event through.
func Q0() workloads.Workload { return &Workload{"q0", workloadDefaults()} }

// Q1 converts the price of every bid.
func Q1() workloads.Workload { return &Workload{"q1", workloadDefaults()} }

// Q5 finds the auctions with the most bids in sliding windows.
func Q5() workloads.Workload { return &Workload{"q5", workloadDefaults()} }

// Q8 joins new people with their new auctions in tumbling windows.
func Q8() workloads.Workload { return &Workload{"q8", workloadDefaults()} }

func workloadDefaults() Settings {
	s := Defaults()
	s.NumEvents = 1000
	return s
}

// Name returns "nexmark-" and the query.
func (w *Workload) Name() string { return "nexmark-" + w.query }

// Set sets one of the settings, under Beam's names.
func (w *Workload) Set(name, value string) error { return w.settings.Set(name, value) }

// SettingNames returns the names that Set knows.
func (w *Workload) SettingNames() []string { return SettingNames() }

// Settings returns what differs from the workload's defaults.
func (w *Workload) Settings() []string {
	d := workloadDefaults()
	var changes []string
	plain := d.integers()
	for i, f := range w.settings.integers() {
		if *f.value != *plain[i].value {
			changes = append(changes, f.name+"="+strconv.FormatInt(*f.value, 10))
		}
	}
	if w.settings.RateShape != d.RateShape {
		changes = append(changes, rateShapeName+"="+string(w.settings.RateShape))
	}
	return changes
}

// Small makes it 240 small events from id 5000 in windows of 2 s every second.
// Few people and auctions at a time, and 20 ms between events, give every query
// rows in many windows, ties among q5's and pairs in q8's.
func (w *Workload) Small() {
	s := &w.settings
	s.NumEvents, s.FirstEventID = 240, 5000
	s.WindowSizeSec, s.WindowPeriodSec = 2, 1
	s.AvgPersonByteSize, s.AvgAuctionByteSize, s.AvgBidByteSize = 60, 80, 50
	s.NumActivePeople, s.NumInFlightAuctions = 2, 5
	s.FirstEventRate, s.NextEventRate = 5000, 5000
}

// Events returns the number of events.
func (w *Workload) Events() int { return int(w.settings.NumEvents) }

// SetEvents sets the number of events.
func (w *Workload) SetEvents(n int) error { return w.Set("numEvents", strconv.Itoa(n)) }

// Validate reports settings that do not go together.
func (w *Workload) Validate() error { return w.settings.Validate() }

// Graph returns the graph of the query between a source and the sink.
func (w *Workload) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	gen, err := NewGenerator(w.settings)
	if err != nil {
		return nil, err
	}
	source := dataflow.Vertex{Name: "source", Role: dataflow.RoleSource, New: func() dataflow.Operator {
		return operators.NewSource(func(index, of int) (operators.Partition, error) { return newPartition(gen, index, of), nil })
	}}
	p, ok := newPlan(w.query, w.settings)
	if !ok {
		return nil, fmt.Errorf("nexmark: no graph for query %q", w.query)
	}
	g := &dataflow.Graph{Vertices: append([]dataflow.Vertex{source}, p.vertices...), Edges: p.edges}
	last := len(g.Vertices)
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: "sink", Role: dataflow.RoleSink, New: sink})
	g.Edges = append(g.Edges, dataflow.Edge{From: last - 1, To: last, Partitioning: dataflow.Rebalance})
	for i := range g.Vertices {
		g.Vertices[i].Parallelism = parallelism
	}
	return g, nil
}

// Reference returns the sequential answer.
func (w *Workload) Reference() ([][]byte, error) { return Reference(w.query, w.settings) }

// Answer returns a collector: the sink's rows are canonical rows.
func (w *Workload) Answer() workloads.Answer { return &workloads.PlainAnswer{} }

// Canonical is Answer over rows that are all at hand.
func (w *Workload) Canonical(rows [][]byte) ([][]byte, error) {
	return workloads.Collect(w.Answer(), rows)
}

// RecordID returns the sequence number of an event's record.
func (w *Workload) RecordID(rec []byte) uint64 { return uint64(Record(rec).Seq()) }

// PerRecord reports whether each row depends on one source record only.
func (w *Workload) PerRecord() bool { return w.query == "q0" || w.query == "q1" }

// InputLines writes the event lines.
func (w *Workload) InputLines(out io.Writer) error {
	g, err := NewGenerator(w.settings)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(out)
	var e Event
	var line []byte
	for seq := range w.settings.NumEvents {
		g.Event(seq, &e)
		line = append(AppendEventLine(line[:0], &e), '\n')
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}

// partition is one split of the stream: the events with sequence mod of = index.
type partition struct {
	gen       *Generator
	index, of int64
	event     Event
	record    []byte
}

func newPartition(g *Generator, index, of int) *partition {
	return &partition{gen: g, index: int64(index), of: int64(of)}
}

// Len returns the number of events of the split.
func (p *partition) Len() id.Offset {
	return id.Offset((p.gen.settings.NumEvents + p.of - 1 - p.index) / p.of)
}

// Read emits events and returns the watermark that the last one carries.
func (p *partition) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	for seq := int64(from)*p.of + p.index; n > 0; n-- {
		p.gen.Event(seq, &p.event)
		p.record = AppendEvent(p.record[:0], &p.event)
		out.Emit(p.record)
		seq += p.of
	}
	return p.event.WM
}

// Key returns the row: no query replaces one.
func (w *Workload) Key(row []byte) (key []byte, version uint64) { return row, 0 }

// AppendCanonical appends the row, which is canonical.
func (w *Workload) AppendCanonical(dst, row []byte) []byte { return append(dst, row...) }
