package command

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/dataflow"
	"weir/workloads"
	"weir/workloads/pipelines"
)

// renamed are an algorithm and a workload that no catalog has; without an answer.
func renamed() Own {
	spec := aligned.Spec()
	spec.Name = "mine"
	w := pipelines.New()
	job := workloads.Job{Name: "pipes", Records: w.Events(), RecordID: w.RecordID, Graph: func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
		w := pipelines.New()
		if err := w.SetEvents(records); err != nil {
			return nil, err
		}
		return w.Graph(parallelism, sink)
	}}
	return Own{Algorithms: []*algorithms.Spec{spec}, Workloads: []func() workloads.Workload{func() workloads.Workload { return workloads.Of(job, nil) }}}
}

func mine(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = newProgram("example.com/x/cmd/xsim", []Own{renamed()}).execute(context.Background(), args, &out, &err)
	return status, out.String(), err.String()
}

// TestOwnCommand: what is one's own stands beside the catalogs, and what is
// printed to be run again is called as it was.
func TestOwnCommand(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		want   []string
	}{
		{"list", 0, []string{"mine ", "aligned ", "pipes ", "keyedcount "}},
		{"sweep --algorithm mine,aligned --workload pipes,keyedcount --state heap --seeds 1-5", 0, []string{"mine ", "pipes has no reference answer: ", " judge effect, cut, ", "output not judged", "kept where judged"}},
		{"sweep --algorithm mine --workload pipes --state heap --seeds 1-2 --json", 0, []string{`"not_judged":"pipes has no reference answer: `}},
		{"run --algorithm mine --workload pipes --json", 0, []string{`"not_judged":"pipes has no reference answer: `}},
		{"run --algorithm mine --workload pipes --driver live --json", 0, []string{`"not_judged":"pipes has no reference answer: nobody knows which rows are right, so that only `}},
		{"run --algorithm mine --workload keyedcount --seed 1 --mutant commit-before-record", 5, []string{"replay: go run example.com/x/cmd/xsim run --algorithm mine ", "\nxsim: safety violation"}},
		{"run --workload pipe", 2, []string{"pipes, or all", "Try: xsim --help"}},
		{"answer --workload pipes", 1, []string{"xsim: pipes: it has no reference answer"}},
		{"input --workload pipes", 1, []string{"only a whole workloads.Workload does"}},
		{"mutants", 2, []string{"unknown argument"}},
		{"run --help", 0, []string{"  go run example.com/x/cmd/xsim run --crash 40"}},
		{"run --workload pipes --sink upsert", 2, []string{"those of pipes do not tell: set Job.Key"}},
	} {
		status, stdout, stderr := mine(strings.Fields(c.args)...)
		for _, want := range c.want {
			if status != c.status || !strings.Contains(stdout+stderr, want) {
				t.Errorf("%s: status %d, want %d and %q:\n%s%s", c.args, status, c.status, want, stdout, stderr)
			}
		}
	}
}

// TestOwnNameOfTheCatalog: two algorithms of one name are no choice.
func TestOwnNameOfTheCatalog(t *testing.T) {
	var out, err bytes.Buffer
	p := newProgram("x", []Own{{Algorithms: []*algorithms.Spec{aligned.Spec()}}})
	if status := p.execute(context.Background(), []string{"run"}, &out, &err); status == 0 || !strings.Contains(err.String(), "2 algorithms are called aligned") {
		t.Errorf("status %d: %s", status, err.String())
	}
}
