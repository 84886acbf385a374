package scenario

import (
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/trace"
	"weir/workloads"
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

// ungrouped is sessions to somebody who has not said the keys of its records.
type ungrouped struct{ workloads.Workload }

func (w ungrouped) TooLate(rec []byte, watermark int64) bool {
	return w.Workload.(interface{ TooLate([]byte, int64) bool }).TooLate(rec, watermark)
}

// TestLatenessIsJudgedWithoutKeys: which records are too late is judged of a workload that says so, whether or
// not it says their keys.
func TestLatenessIsJudgedWithoutKeys(t *testing.T) {
	for _, keys := range []bool{true, false} {
		spec, err := catalog.Lookup("aligned")
		if err != nil {
			t.Fatal(err)
		}
		w, err := workloadcatalog.New("sessions")
		if err != nil {
			t.Fatal(err)
		}
		w.Small()
		if !keys {
			w = ungrouped{w}
		}
		r, err := New(Config{Algorithm: spec, State: "heap", Workload: w})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		x, err := r.expect(r.leg)
		if err != nil || x.TooLate == nil || (x.Group != nil) != keys || (x.Groups > 0) != keys {
			t.Errorf("keys %v: %v; TooLate %v, Group %v of %d", keys, err, x.TooLate != nil, x.Group != nil, x.Groups)
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
