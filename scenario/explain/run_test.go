package explain_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/explain"
	"weir/trace"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// failure is a saved run, shrunk, that shows a planted mistake, and what its explanation must say.
type failure struct {
	oracle string     // that sees it, and the name of the file in testdata
	at     trace.Kind // of the event that broke the promise; trace.Kinds: the end of the run
	chain  []string   // patterns of sentences in this order, others between
}

var failures = []failure{
	{
		"contiguity", trace.TaskFailed, []string{
			`t5 \(a1\) asks: recover`, "sink store: precommit 1.6 of t5", "sink store: recover of t5 .* takes effect, late: it was reported as failed",
			`commit 1.6 of t5 \(a1\): absent`, "t5 fails:",
		},
	},
	{
		"storage", trace.Kinds, []string{
			"t3 .* asks: put files/t3/14", "storage: delete files/t3/14 of the coordinator takes effect",
			"storage: put files/t3/14 of t3 .* takes effect, late: it was reported as failed",
		},
	},
	{"cut", trace.Completed, []string{"t0 seals c0#11", "t0 puts barrier 1.1 on c0, overtaking", "t2 captures input c0#9", "coordinator completes 1.1"}},
	{
		"restore", trace.TaskRestored, []string{
			"t3 takes snapshot 1.1", "storage: put snap/t3/1.1", "worker 2 crashes", "t3 starts as a2 from snap/t3/1.1", `get snap/t3/1.1 of t3 \(a2\): ok`, "t3 is restored",
		},
	},
}

// told is a failure's run, made once for all tests, which only read it.
type told struct {
	run  *explain.Run
	told *explain.Told
}

var made sync.Map // by oracle: func() told

func (f *failure) tell(t *testing.T) told {
	t.Helper()
	once, _ := made.LoadOrStore(f.oracle, sync.OnceValue(func() told { return f.replay(t) }))
	return once.(func() told)()
}

// hostile is text that must not become a part of a page.
const hostile = "sim replay 'a </script> b.weir'"

func (f *failure) replay(t *testing.T) told {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", f.oracle+".weir"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := counterexample.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	r, w := f.runner(t, file)
	defer r.Close()
	recorder := explain.NewRecorder(explain.Job{Tasks: r.Tasks(), WorkerOf: r.WorkerOf, RecordID: w.RecordID, Row: func(row []byte) string {
		rows, _ := w.Canonical([][]byte{row})
		if len(rows) != 1 {
			return ""
		}
		return string(rows[0])
	}}, r.Violations)
	r.Observers = []trace.Observer{recorder}
	o := r.Replay(file.Seed, file.Drawn())
	v := o.Violation()
	if v == nil || v.Oracle.String() != f.oracle {
		_, changed := file.Compare(o, &counterexample.File{})
		t.Fatalf("%s: the run is now %s, %v: %s", f.oracle, o.Kind, v, changed)
	}
	kept := *v
	run := recorder.Run(&kept)
	run.SetCurve([]explain.Likelihood{{Event: 0, Lo: 0, Rate: 0.2, Hi: 0.5}, {Event: run.At / 2, Lo: 0.9, Rate: 1, Hi: 1, Turn: true}, {Event: run.At, Lo: 0.9, Rate: 1, Hi: 1}})
	return told{run, &explain.Told{Combination: f.oracle + " <seed> & more", Verdict: o.Kind.String(), Oracle: f.oracle, Replay: hostile}}
}

func (f *failure) runner(t *testing.T, file *counterexample.File) (*scenario.Runner, workloads.Workload) {
	t.Helper()
	spec, err := catalog.Lookup(file.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New(file.Workload)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range file.Set {
		k, v, _ := strings.Cut(s, "=")
		if err := w.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	r, err := scenario.New(scenario.Config{
		Algorithm: spec, State: file.State, Sink: file.Sink, Workload: w, Parallelism: file.Parallelism, Splits: file.Splits, Groups: file.Groups,
		Mutant: dataflow.Mutant(file.Mutant), Faults: scenario.PlannedFaults, Plan: file.Plan, Record: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// TestChain: the event that broke the promise is the right one, and the chain has
// what a person needs to understand the mistake.
func TestChain(t *testing.T) {
	for _, f := range failures {
		t.Run(f.oracle, func(t *testing.T) {
			r := f.tell(t).run
			if f.at == trace.Kinds {
				if r.At != len(r.Events) {
					t.Errorf("broken by event %d, %s; want the end", r.At, r.Sentence(r.At))
				}
			} else if r.At == len(r.Events) || r.Events[r.At].Kind != f.at {
				t.Errorf("broken by event %d of %d, want a %s", r.At, len(r.Events), f.at)
			} else if r.Events[r.At].Time != r.Violation.Time {
				t.Errorf("broken at %d ns, the oracle says %d", r.Events[r.At].Time, r.Violation.Time)
			}
			want := f.chain
			var said []string
			for _, i := range r.Chain {
				s := r.Sentence(i)
				said = append(said, s)
				if len(want) > 0 && regexp.MustCompile("^"+want[0]).MatchString(s) {
					want = want[1:]
				}
			}
			if len(want) > 0 {
				t.Errorf("the chain lacks, in this order, %q; it is\n%s", want[0], strings.Join(said, "\n"))
			}
			if !slices.IsSorted(r.Chain) {
				t.Errorf("not in order: %d", r.Chain)
			}
		})
	}
}

// TestPast: causes come before what they cause, and all of the chain that the
// violation's event has as causes is in its past.
func TestPast(t *testing.T) {
	apart := 0
	for _, f := range failures {
		r := f.tell(t).run
		for _, a := range slices.Concat(r.Arrows, r.Links) {
			if a.From >= a.To {
				t.Fatalf("%s: an arrow from %d to %d: %s, %s", f.oracle, a.From, a.To, r.Sentence(a.From), r.Sentence(a.To))
			}
		}
		if r.At == len(r.Events) {
			continue
		}
		past, n := r.Past(r.At), 0
		for i, in := range past {
			if in {
				n++
				if i > r.At {
					t.Errorf("%s: event %d is in the past of %d", f.oracle, i, r.At)
				}
			}
		}
		if n < 10 {
			t.Errorf("%s: %d of %d events are in the past", f.oracle, n, r.At+1)
		}
		apart += r.At + 1 - n
	}
	if apart < 20 {
		t.Errorf("of all runs %d events could not have caused the violation: nothing is told apart", apart)
	}
}

// TestStory: the short one is a part of the whole one, and says what it is not.
func TestStory(t *testing.T) {
	for _, f := range failures {
		x := f.tell(t)
		var short, whole strings.Builder
		if err := x.run.WriteStory(&short, x.told, false); err != nil {
			t.Fatal(err)
		}
		if err := x.run.WriteStory(&whole, x.told, true); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"oracle \"" + f.oracle + "\"", "no story that could be", "c0: t0 -> ", x.told.Replay, "^ ", "probability of the failure from here on: 1.00 (0.90 to 1.00)"} {
			if !strings.Contains(short.String(), want) {
				t.Errorf("%s: the story lacks %q", f.oracle, want)
			}
		}
		if a, b := strings.Count(short.String(), "\n"), strings.Count(whole.String(), "\n"); a >= b {
			t.Errorf("%s: %d lines, and %d the whole", f.oracle, a, b)
		}
		for _, i := range x.run.Chain {
			if s := x.run.Sentence(i); !strings.Contains(short.String(), "*"+s) {
				t.Errorf("%s: the story lacks %q", f.oracle, s)
			}
		}
	}
}
