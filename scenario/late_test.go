package scenario

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// givenUp counts the rows of sessions that are records which were given up: they are
// shorter than those of windows.
type givenUp struct{ rows int64 }

func (*givenUp) Wants() trace.Mask { return trace.Mask(0).With(trace.OutputCommitted) }

func (g *givenUp) Observe(e *trace.Event) {
	const lateBytes = 24
	if e.Kind != trace.OutputCommitted {
		return
	}
	for row, rest := dataflow.NextRecord(e.Data); row != nil; row, rest = dataflow.NextRecord(rest) {
		if len(row) == lateBytes {
			g.rows++
		}
	}
}

// TestLateRecordsAreCounted: as many as came out of the side output, whatever was
// rolled back. The rows are judged by the answer; that they are counted is judged by
// nothing else.
func TestLateRecordsAreCounted(t *testing.T) {
	for _, name := range []string{"aligned", "uncoordinated"} {
		spec, err := catalog.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		w, err := workloadcatalog.New("sessions")
		if err != nil {
			t.Fatal(err)
		}
		w.Small()
		r, err := New(Config{Algorithm: spec, State: "heap", Workload: w})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		whole, some := 0, 0
		for seed := uint64(1); seed <= 12; seed++ {
			late := &givenUp{}
			r.Observers = []trace.Observer{late}
			o := r.Run(seed)
			if o.Kind == Fine && !o.Whole() {
				continue // ended by damage before its records were late, or gone back behind rows that are counted
			}
			if whole++; late.rows > 0 {
				some++ // which splits come first decides whether there are any
			}
			if o.Kind != Fine || o.Report.LateRecords != late.rows {
				t.Errorf("%s, seed %d: %s; %d records were given up, %d are counted", name, seed, o.Kind, late.rows, o.Report.LateRecords)
			}
		}
		if some < 6 {
			t.Errorf("%s: late records in %d of %d whole runs only", name, some, whole)
		}
	}
}
