package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/external/sinks"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/workloads/sampling"
)

// TestSamplingIsRefused by an algorithm whose promises are for deterministic operators.
func TestSamplingIsRefused(t *testing.T) {
	c := combination(t, "aligned", "heap", sampling.New())
	spec := *c.Algorithm
	spec.Declared.NonDeterminism = dataflow.Refused
	c.Algorithm = &spec
	r, err := scenario.New(c)
	var no *sinks.Refusal
	if !errors.As(err, &no) || !strings.Contains(err.Error(), "not deterministic") {
		t.Errorf("not refused: %v", err)
	}
	if r != nil {
		r.Close()
	}
}

// TestSamplingSeesMixedHistories: output that is let out before its snapshot counts is of
// a history that a recovery ends; what comes then is of another one.
func TestSamplingSeesMixedHistories(t *testing.T) {
	c := combination(t, "aligned", "heap", sampling.New())
	c.Workload.Small()
	for _, m := range []dataflow.Mutant{"", dataflow.MutantReleaseBeforeStored} {
		c.Mutant = m
		r := runner(t, c)
		unexplained := 0
		for _, seed := range simtest.Seeds(60) {
			for _, v := range r.Run(seed).Report.Violations {
				if strings.Contains(v.String(), "no execution explains both") {
					unexplained++
				}
			}
		}
		t.Logf("mutant %q: %d runs that no execution explains", m, unexplained)
		if unexplained > 0 != (m != "") && !simtest.SeedsGiven() {
			t.Errorf("mutant %q: %d runs that no execution explains", m, unexplained)
		}
	}
}
