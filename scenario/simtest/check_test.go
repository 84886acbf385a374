package simtest_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"weir/algorithms/aligned"
	"weir/algorithms/none"
	"weir/algorithms/stoptheworld"
	"weir/check"
	"weir/dataflow"
	"weir/scenario/simtest"
	"weir/workloads"
	"weir/workloads/pipelines"
)

// job is a workload of the catalog as an outsider would write it.
func job(records int) workloads.Job {
	w := sized(records)
	return workloads.Job{
		Name: "pipes", Records: records, RecordID: w.RecordID, Key: w.(workloads.Keyed).Key, Text: w.(workloads.Alone).AppendCanonical,
		Graph: func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
			return sized(records).Graph(parallelism, sink)
		},
	}
}

func sized(records int) workloads.Workload {
	w := pipelines.New()
	w.Small()
	if err := w.SetEvents(records); err != nil {
		panic(err)
	}
	return w
}

func answer(records int) ([][]byte, error) { return sized(records).Reference() }

// wrong is an answer that lacks a row.
func wrong(records int) ([][]byte, error) {
	rows, err := answer(records)
	return rows[1:], err
}

func TestCheckPasses(t *testing.T) {
	simtest.Check(t, job(160), answer, simtest.Runs(3), simtest.States("heap"))
	simtest.Check(t, job(160), answer, simtest.Runs(15), simtest.Algorithms(aligned.Spec()), simtest.States("heap"), simtest.Sinks("upsert", "committer"), simtest.Parallelism(3))
	simtest.Check(t, job(160), nil, simtest.Runs(5), simtest.States("heap"), simtest.Algorithms(aligned.Spec()))
}

// TestFind: a wrong answer is the output oracle's, unless that does not count or
// there is no answer.
func TestFind(t *testing.T) {
	only := []simtest.Option{simtest.Algorithms(aligned.Spec()), simtest.States("heap"), simtest.Runs(3)}
	found, err := simtest.Find(job(160), wrong, only...)
	if err != nil || found == nil || found.Oracle != check.Output || found.Runs != 1 || found.Combination != "aligned,heap,two-phase" || !strings.Contains(found.Text, "seed 1: safety violation: output: ") {
		t.Errorf("%+v, %v", found, err)
	}
	for what, f := range map[string]func() (*simtest.Finding, error){
		"without the oracle": func() (*simtest.Finding, error) {
			return simtest.Find(job(160), wrong, append(only, simtest.Oracles(check.Cut, check.Effect))...)
		},
		"without an answer": func() (*simtest.Finding, error) { return simtest.Find(job(160), nil, only...) },
	} {
		if found, err := f(); err != nil || found != nil {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
	}
}

// TestNothingToRun: what cannot be made or run is an error, not a check that passes.
func TestNothingToRun(t *testing.T) {
	unnamed, without, fewer := job(10), job(10), job(10)
	unnamed.Name, fewer.Records = "", -4
	without.Graph = func(int, int, func() dataflow.Operator) (*dataflow.Graph, error) { return nil, nil }
	for want, f := range map[string]func() (*simtest.Finding, error){
		"set Job.Name":               func() (*simtest.Finding, error) { return simtest.Find(unnamed, answer) },
		"Job.Graph returned neither": func() (*simtest.Finding, error) { return simtest.Find(without, answer) },
		"set Job.Records: -4":        func() (*simtest.Finding, error) { return simtest.Find(fewer, answer) },
		"unknown state backend":      func() (*simtest.Finding, error) { return simtest.Find(job(10), answer, simtest.States("disk")) },
		"nothing can be run: none cannot": func() (*simtest.Finding, error) {
			return simtest.Find(job(10), answer, simtest.Algorithms(none.Spec()), simtest.Sinks("two-phase"))
		},
		"plan \"(crash\":": func() (*simtest.Finding, error) { return simtest.Find(job(10), answer, simtest.Plans("(crash")) },
		"fault (crash worker=9 at (time 1": func() (*simtest.Finding, error) {
			return simtest.Find(job(10), answer, simtest.Plans("(plan (crash worker=9 at (time 1ms)))"))
		},
		"simtest.Splits(0): ": func() (*simtest.Finding, error) { return simtest.Find(job(10), answer, simtest.Splits(2, 0)) },
		"simtest.Runs(0): ":   func() (*simtest.Finding, error) { return simtest.Find(job(10), answer, simtest.Runs(0)) },
	} {
		if found, err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, %v; want %q", found, err, want)
		}
	}
}

// TestSplits: each plan runs with each number of splits, which the source sees.
func TestSplits(t *testing.T) {
	seen := map[int]bool{}
	j := job(160)
	number := j.Graph
	j.Graph = func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
		g, err := number(records, parallelism, sink)
		for i := range g.Vertices {
			if v := &g.Vertices[i]; v.Role == dataflow.RoleSource {
				made := v.New
				v.New = func() dataflow.Operator { return counted{made().(dataflow.Source), seen} }
			}
		}
		return g, err
	}
	options := []simtest.Option{
		simtest.Algorithms(aligned.Spec()), simtest.States("heap"), simtest.Runs(1), simtest.Splits(1, 5),
		simtest.Plans("(plan (crash worker=1 at (nth 7 barrier-received)))"),
	}
	simtest.Check(t, j, answer, options...)
	if !maps.Equal(seen, map[int]bool{1: true, 5: true}) {
		t.Errorf("sources saw %v splits, want 1 and 5", seen)
	}
	found, err := simtest.Find(job(160), wrong, options...)
	if err != nil || found == nil || found.Combination != "aligned,heap,two-phase,plan1,splits1" {
		t.Errorf("%+v, %v", found, err)
	}
}

// counted notes how many splits its vertex has.
type counted struct {
	dataflow.Source
	seen map[int]bool
}

func (c counted) Open(ctx *dataflow.Context) error {
	c.seen[ctx.Info().Splits] = true
	return c.Source.Open(ctx)
}

// moody is a sink that takes records or not, as the global source of chance has it.
type moody struct{ dataflow.Sink }

func (o moody) Process(port int, b *dataflow.Buffer) error {
	if rand.IntN(3) == 0 {
		return nil
	}
	return o.Sink.Process(port, b)
}

// TestNotTheSameRun: chance that is not the seed's is found without an answer,
// and not as rows that are wrong.
func TestNotTheSameRun(t *testing.T) {
	j := job(160)
	sound := j.Graph
	j.Graph = func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
		return sound(records, parallelism, func() dataflow.Operator { return moody{sink().(dataflow.Sink)} })
	}
	only := []simtest.Option{simtest.Algorithms(none.Spec()), simtest.States("heap"), simtest.Sinks("append"), simtest.Runs(1)}
	for what, reference := range map[string]workloads.Reference{"without": nil, "with": answer} {
		found, err := simtest.Find(j, reference, only...)
		if err != nil || found == nil || found.Oracle != check.SameRun || !strings.Contains(found.Text, "seed 1: safety violation: determinism: at ") || !strings.Contains(found.Text, " differs: ") {
			t.Errorf("%s an answer: %+v, %v", what, found, err)
		}
	}
	if found, err := simtest.Find(j, nil, append(only, simtest.Oracles(check.Output))...); err != nil || found != nil {
		t.Errorf("although determinism does not count: %+v, %v", found, err)
	}
}

// failing makes this test binary one whose checks fail.
const failing = "WEIR_SIMTEST_FAILING"

// TestFailingChecks is what a failing check says, for TestWhatAFailureSays.
func TestFailingChecks(t *testing.T) {
	dir := os.Getenv(failing)
	if dir == "" {
		t.Skip("these fail")
	}
	sound := aligned.Spec()
	t.Run("wrong", func(t *testing.T) {
		simtest.Check(t, job(160), wrong, simtest.Algorithms(sound), simtest.States("heap"), simtest.Traces(dir))
	})
	t.Run("idle", func(t *testing.T) { simtest.Check(t, job(160), answer, simtest.Runs(0)) })
	t.Run("tiny", func(t *testing.T) {
		simtest.Check(t, job(1), answer, simtest.Algorithms(sound), simtest.States("heap"), simtest.Runs(1))
	})
	t.Run("missed", func(t *testing.T) {
		simtest.Check(t, job(160), nil, simtest.Algorithms(sound), simtest.States("heap"), simtest.Plans("(plan (crash worker=1 at (time 1h)))"))
	})
}

// TestWhatAFailureSays: seed, oracle, command, trace; and that a check which has
// shown nothing is no success.
func TestWhatAFailureSays(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestFailingChecks$")
	cmd.Env = append(os.Environ(), failing+"="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("the checks pass")
	}
	for _, want := range []string{
		"seed 1: safety violation: output: at ",
		`became visible, which the reference answer does not have`,
		"go test ./scenario/simtest -run '^TestFailingChecks$/^wrong$/^aligned,heap,two-phase$' -seed 1\n",
		"what happened, event by event: " + filepath.Join(dir, "weir-seed-1-"),
		"no run was restored from a snapshot, so that nothing is shown",
		"simtest.Runs(0): a check without runs shows nothing",
		"pipes has no reference answer: ",
		"seed 1: the fault never struck: (crash worker=1 at (time 1h0m0s))",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing says %q:\n%s", want, out)
		}
	}
	traces, _ := filepath.Glob(filepath.Join(dir, "*.trace"))
	if len(traces) != 1 {
		t.Fatalf("traces: %q", traces)
	}
	text, err := os.ReadFile(traces[0])
	if err != nil || !strings.Contains(string(text), "barrier") || !strings.Contains(string(text), "seed 1: safety violation: output: ") {
		t.Errorf("%v, the trace is\n%.600s", err, text)
	}
}

// TestRefusedAlgorithmsAreLeftOut: the others are checked.
func TestRefusedAlgorithmsAreLeftOut(t *testing.T) {
	found, err := simtest.Find(job(160), answer, simtest.Algorithms(stoptheworld.Spec(), none.Spec()), simtest.Sinks("two-phase"), simtest.States("heap"), simtest.Runs(2))
	if err != nil || found != nil {
		t.Errorf("%+v, %v", found, err)
	}
}
