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
		for seed := uint64(1); seed <= 10; seed++ {
			late := &givenUp{}
			r.Observers = []trace.Observer{late}
			o := r.Run(seed)
			if o.Kind != Fine || late.rows == 0 || o.Report.LateRecords != late.rows {
				t.Errorf("%s, seed %d: %s; %d records were given up, %d are counted", name, seed, o.Kind, late.rows, o.Report.LateRecords)
			}
		}
	}
}
