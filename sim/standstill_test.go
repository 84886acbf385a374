package sim_test

import (
	"strings"
	"testing"

	"weir/faults"
	"weir/sim"
)

// TestStandstill: a run without progress says who waits for what, and whether
// it was busy all the same.
func TestStandstill(t *testing.T) {
	for _, c := range []struct {
		name, plan string
		maxEvents  int64
		err        string
		lines      []string
	}{
		{"stalled worker", "(stall worker=1 for 400s at (time 2ms))", 2e6, "nothing happens before ", []string{"stalled until 4000", "waits for room on c", "0 checkpoints completed of "}},
		{"too few events", "(plan)", 200, "still getting on", []string{"source[0] t0, ", "records handed out, at offset ", "the coordinator runs"}},
		{"no storage", "(stall storage for 10s at (nth 1 triggered))", 2e6, "a livelock: for ", []string{"has drained and waits for the checkpoint", "storage operations"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := faults.Parse(c.plan)
			if err != nil {
				t.Fatal(err)
			}
			x := newExperiment(t, sim.New(), "aligned", testRecords, testKeys, 2)
			x.job.Config.Checkpoint.Timeout = 50e6
			r := x.run(t, sim.Config{Injector: faults.NewInjector(plan), MaxTime: 1e9, MaxEvents: c.maxEvents})
			all := strings.Join(r.Standstill, "\n")
			if r.Verdict != sim.NoProgress || !strings.Contains(r.Err.Error(), c.err) {
				t.Errorf("%s: %v\n%s", r.Verdict, r.Err, all)
			}
			for _, want := range c.lines {
				if !strings.Contains(all, want) {
					t.Errorf("nothing says %q:\n%s", want, all)
				}
			}
			if calm := x.run(t, sim.Config{}); calm.Verdict != sim.Done || calm.Standstill != nil {
				t.Errorf("a job that ended: %s, %v", calm.Verdict, calm.Standstill)
			}
		})
	}
}

// TestInterrupted: a run that is interrupted ends within so many events, says
// nothing of the job, and one that is only asked is the same run.
func TestInterrupted(t *testing.T) {
	x := newExperiment(t, sim.New(), "aligned", 5000, testKeys, 2)
	calm, asked := x.run(t, sim.Config{}), 0
	same := x.run(t, sim.Config{Interrupted: func() bool { asked++; return false }})
	if most := int64(256); same.Verdict != sim.Done || same.Hash != calm.Hash || int64(asked) < same.Events/most {
		t.Errorf("asked %d times in %d events: %s, hash %x; want %x", asked, same.Events, same.Verdict, same.Hash, calm.Hash)
	}
	left := 2
	r := x.run(t, sim.Config{Interrupted: func() bool { left--; return left == 0 }})
	if r.Verdict != sim.Interrupted || r.Err == nil || r.Standstill != nil || left != 0 || r.Virtual >= calm.Virtual {
		t.Errorf("%s, %v: at %d of %d ns, asked %d times", r.Verdict, r.Err, r.Virtual, calm.Virtual, 2-left)
	}
}
