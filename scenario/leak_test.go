package scenario

import (
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/check"
	"weir/state"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// leak puts an object that nothing refers to into storage when the first checkpoint is complete.
type leak struct {
	r    *Runner
	done bool
}

func (l *leak) Wants() trace.Mask { return trace.Mask(0).With(trace.Completed) }

func (l *leak) Observe(*trace.Event) {
	if !l.done {
		l.done = true
		l.r.memory.Do(state.Op{Kind: state.OpPut, Key: coordinator.FilePrefix + "t0/1.1-planted", Data: []byte("x")})
	}
}

// TestTheEndWaitsForOlderPlans: the job of this seed is over before the plans that
// its last recovery has replaced are deleted.
func TestTheEndWaitsForOlderPlans(t *testing.T) {
	spec, err := catalog.Lookup("none")
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New("nexmark-q5")
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	r, err := New(Config{Algorithm: spec, State: "heap", Workload: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if o := r.Run(208); o.Kind != Fine {
		t.Errorf("%s: %s", o.Kind, o.Why())
	}
}

// TestALeakIsFoundWhileTheJobRuns: the clean-up at the end takes the planted object
// away, so that only the bound on how long garbage may stay can tell.
func TestALeakIsFoundWhileTheJobRuns(t *testing.T) {
	spec, err := catalog.Lookup("aligned")
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Set("numEvents", "6000"); err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Algorithm: spec, State: "heap", Workload: w, Faults: NoFaults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	for _, planted := range []bool{false, true} {
		r.Observers = nil
		if planted {
			r.Observers = []trace.Observer{&leak{r: r}}
		}
		o := r.Run(1)
		if got := o.Report.Counts[check.StorageWhole] > 0; got != planted || planted && !strings.Contains(o.Why(), "is needed by nothing since") {
			t.Errorf("planted %v: %s: %s; the job took %d ns, garbage may stay %d ns", planted, o.Kind, o.Why(), o.Result.Virtual, r.suspicion().Garbage)
		}
	}
}
