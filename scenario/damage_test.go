package scenario_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/scenario"
	"weir/sim"
	workloadcatalog "weir/workloads/catalog"
)

// TestDamageMayEndAJob: some drawn plans destroy or deny what a job needs; it ends with an
// error that names the very thing, and no other job ends with an error and is fine.
func TestDamageMayEndAJob(t *testing.T) {
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	c := combination(t, "aligned", "heap", w)
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	drawn, ended, gaveUp := 0, 0, 0
	for seed := range uint64(300) {
		o := r.Run(seed)
		damage := len(o.Result.Destroyed) > 0
		if damage {
			drawn++
		}
		var err error
		if o.Kind == scenario.Fine && o.GaveUp() {
			err = o.Result.Err
		}
		switch {
		case err == nil && o.Kind == scenario.Fine && o.Result.Verdict != sim.Done:
			t.Errorf("seed %d: %s is fine", seed, o.Result.Verdict)
		case err == nil:
		case errors.Is(err, coordinator.ErrGaveUp):
			// The one that most jobs have gives up only where the job cannot go on.
			gaveUp++
			if o.Drawn().Settings.Job.Restart.Strategy == dataflow.RestartProgress && !named(o, err) {
				t.Errorf("seed %d: %v, which names nothing of %q, and is fine", seed, err, o.Result.Destroyed)
			}
		case !damage:
			t.Errorf("seed %d: %v, and nothing was damaged: %s", seed, err, o.Plan)
		case !named(o, err):
			t.Errorf("seed %d: the error names nothing of %q: %v", seed, o.Result.Destroyed, err)
		default:
			ended++
		}
	}
	if drawn < 10 || ended == 0 || gaveUp == 0 {
		t.Errorf("%d runs with damage, %d ended by it, %d by their restart strategy", drawn, ended, gaveUp)
	}
}

// named reports whether an error names what a fault has destroyed or denied, and not only
// something longer that begins so.
func named(o *scenario.Outcome, err error) bool {
	return slices.ContainsFunc(o.Result.Destroyed, func(what string) bool {
		return regexp.MustCompile(regexp.QuoteMeta(what) + `([^0-9/.]|\.[^0-9]|\.?$)`).MatchString(err.Error())
	})
}
