package operators_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external/sinks"
	"weir/id"
	"weir/state"
)

// timed is a source of one key whose records are event times. An entry of the
// script is a record, or a watermark.
type timed struct {
	dataflow.Source
	script []int64
	at     int
	out    *dataflow.Output
}

// record and mark make entries: odd ones are records.
func record(at int64) int64 { return 2*at + 1 }
func mark(wm int64) int64   { return 2 * wm }

func (s *timed) Open(c *dataflow.Context) error { s.out = c.Out(0); return nil }
func (s *timed) Seek(_ int, o id.Offset) error  { s.at = int(o); return nil }
func (s *timed) Finish() error                  { return nil }

// Emit takes one entry; a watermark counts as a record that nobody gets.
func (s *timed) Emit(_, most int) (dataflow.Batch, error) {
	b := dataflow.Batch{Watermark: dataflow.NoWatermark}
	if most > 0 && s.at < len(s.script) {
		e := s.script[s.at]
		s.at++
		b.Records = 1
		if e&1 == 0 {
			b.Watermark = e / 2
		} else {
			s.out.Emit(binary.LittleEndian.AppendUint64(nil, uint64((e-1)/2)))
		}
	}
	b.Done = s.at == len(s.script)
	return b, nil
}

func timeOf(rec []byte) int64 { return int64(binary.LittleEndian.Uint64(rec)) }

var oneKey = []byte("key-of-8")

func readOne(dst, rec []byte) ([]byte, int64) { return append(dst, oneKey...), timeOf(rec) }

func countRow(dst, _ []byte, start int64, acc uint64) []byte {
	return fmt.Appendf(dst, "%d:%d", start, acc)
}

// rowsOf runs source -> op -> sink with the side output in the sink too, one entry of the
// script a turn, and returns the rows in order.
func rowsOf(t *testing.T, op func() dataflow.Operator, script ...int64) string {
	t.Helper()
	d := windowsOf(t, 1, op, script...)
	d.start(0, false)
	return rowsAtTheEnd(t, d)
}

// windowsOf makes the job of rowsOf, with so many instances of op.
func windowsOf(t *testing.T, instances int, op func() dataflow.Operator, script ...int64) *driver {
	t.Helper()
	key := func([]byte) uint64 { return state.HashBytes(oneKey) }
	g := &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 1, Role: dataflow.RoleSource, New: func() dataflow.Operator { return &timed{script: script} }},
			{Name: "windows", Parallelism: instances, Keyed: true, New: op},
			{Name: "sink", Parallelism: 1, Role: dataflow.RoleSink, New: func() dataflow.Operator { return &sinks.Append{} }},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: key},
			{From: 1, To: 2, Partitioning: dataflow.Rebalance},
			{From: 1, Port: operators.LatePort, To: 2, Partitioning: dataflow.Rebalance},
		},
	}
	if _, ok := op().(*operators.WindowJoin); ok { // with itself
		g.Edges = append(g.Edges, dataflow.Edge{From: 0, To: 1, Input: 1, Partitioning: dataflow.Hash, Key: key})
	}
	d := newDriver(t, g)
	d.job.Config.SourceBatch = 1
	return d
}

func rowsAtTheEnd(t *testing.T, d *driver) string {
	t.Helper()
	var rows []string
	for _, r := range d.finish() {
		if len(r) == 8 {
			r = fmt.Appendf(nil, "late %d", timeOf(r))
		}
		rows = append(rows, string(r))
	}
	slices.Sort(rows) // there are two ways to the sink
	for i, task := range d.tasks {
		if task.State().Sum() != 0 {
			t.Errorf("%s keeps state after the end", d.infos[i].Name)
		}
	}
	return strings.Join(rows, ", ")
}

// TestLateness: a window that ended gets another row from a late record until it is
// dropped; what comes after that goes to the side output.
func TestLateness(t *testing.T) {
	windows := func(w operators.Windows, lateness int64) func() dataflow.Operator {
		return func() dataflow.Operator {
			return &operators.WindowAggregate[uint64]{
				State: "w", Windows: w, Lateness: lateness, Acc: state.Uint64,
				Read: func(dst, rec []byte) ([]byte, int64, bool) { k, at := readOne(dst, rec); return k, at, true },
				Add:  func(acc uint64, _ []byte) uint64 { return acc + 1 }, Row: countRow,
			}
		}
	}
	for _, c := range []struct {
		name   string
		op     func() dataflow.Operator
		script []int64
		want   string
	}{
		{"no lateness", windows(operators.Tumbling(10), 0), []int64{record(3), mark(10), record(4), record(12)}, "0:1, 10:1, late 4"},
		{"late and late enough", windows(operators.Tumbling(10), 5), []int64{record(3), mark(10), record(4), mark(14), record(5), mark(15), record(6)}, "0:1, 0:2, 0:3, late 6"},
		{"a window that only late records have", windows(operators.Tumbling(10), 5), []int64{mark(12), record(4)}, "0:1"},
		{"the end of one is the drop of another", windows(operators.Tumbling(10), 10), []int64{record(3), record(13), mark(20), record(4), record(14)}, "0:1, 10:1, 10:2, late 4"},
		{"sliding: dropped in one, kept in another", windows(operators.Sliding(10, 5), 0), []int64{record(7), mark(10), record(8), mark(30), record(8)}, "0:1, 5:2, late 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rowsOf(t, c.op, c.script...); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func sessionCounts(gap, lateness int64) func() dataflow.Operator {
	return func() dataflow.Operator {
		return &operators.SessionAggregate[uint64]{
			State: "s", Gap: gap, Lateness: lateness, Acc: state.Uint64, Read: readOne,
			Add:   func(acc uint64, _ []byte) uint64 { return acc + 1 },
			Merge: func(a, b uint64) uint64 { return a + b },
			Row: func(dst, _ []byte, start, end int64, acc uint64) []byte {
				return fmt.Appendf(dst, "%d-%d:%d", start, end, acc)
			},
		}
	}
}

// TestSessions: records make sessions, sessions merge, and timers follow them.
func TestSessions(t *testing.T) {
	for _, c := range []struct {
		name          string
		gap, lateness int64
		script        []int64
		want          string
	}{
		{"a record each", 10, 0, []int64{record(0), record(10), record(30)}, "0-10:1, 10-20:1, 30-40:1"},
		{"one behind the other", 10, 0, []int64{record(0), record(9), record(18)}, "0-28:3"},
		{"the one between comes last", 10, 0, []int64{record(0), record(16), record(8)}, "0-26:3"},
		{"before the first", 10, 0, []int64{record(8), record(0)}, "0-18:2"},
		{"an end that moved has no row", 10, 0, []int64{record(0), record(5), mark(10), mark(15)}, "0-15:2"},
		{"late by more than is allowed", 10, 0, []int64{record(0), mark(10), record(9)}, "0-10:1, late 9"},
		{"late, of a session that had its row", 10, 5, []int64{record(0), mark(10), record(6), mark(16)}, "0-10:1, 0-16:2"},
		{"late, one more and one too many", 10, 8, []int64{record(0), record(4), mark(14), record(6), record(4), mark(17)}, "0-14:2, 0-16:3, late 4"},
		{"late, a row at once each", 10, 20, []int64{record(0), record(4), mark(14), record(2), record(3), mark(17)}, "0-14:2, 0-14:3, 0-14:4"},
		{"two that had rows become one", 10, 20, []int64{record(0), record(16), mark(26), record(8)}, "0-10:1, 0-26:3, 16-26:1"},
		{"the end of one is the drop of another", 10, 10, []int64{record(0), mark(10), record(10), record(15)}, "0-10:1, 10-25:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rowsOf(t, sessionCounts(c.gap, c.lateness), c.script...); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestSessionSettings: what cannot work is refused when the operator opens.
func TestSessionSettings(t *testing.T) {
	for _, c := range [][2]int64{{0, 0}, {10, -1}} {
		op := sessionCounts(c[0], c[1])()
		if err := op.Open(nil); err == nil || !strings.Contains(err.Error(), "must be positive") {
			t.Errorf("gap %d, lateness %d: %v", c[0], c[1], err)
		}
	}
}
