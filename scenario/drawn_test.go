package scenario_test

import (
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/external"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/sim"
	"weir/sim/seed"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// TestReplayIsTheRun: what was drawn, read back from its text, gives the same
// hash and verdict on another runner, whose own seed draws other things.
func TestReplayIsTheRun(t *testing.T) {
	names := map[string]bool{}
	for _, state := range []string{heap.Name, pebblestate.NameIncremental} {
		for _, mode := range []scenario.FaultMode{scenario.RandomFaults, scenario.NoFaults} {
			c := combination(t, "unaligned", state, workload(t, "nexmark-q5"))
			c.Mutant, c.Faults, c.Record = external.MutantNoFence, mode, true
			a, b := runner(t, c), runner(t, c)
			for _, n := range simtest.Seeds(12) {
				o := a.Run(n)
				d := *o.Drawn()
				named := d.Decisions.Named()
				for i := range named {
					names[named[i].Name] = true
				}
				d.Decisions = seed.TapeOf(named)
				again := b.Replay(n, &d)
				if again.Result.Hash != o.Result.Hash || again.Kind != o.Kind || again.Why() != o.Why() {
					t.Errorf("%s, seed %d: hash %016x, %s: %s; replayed %016x, %s: %s", state, n, o.Result.Hash, o.Kind, o.Why(), again.Result.Hash, again.Kind, again.Why())
				}
				if first, count := again.Drawn().Decisions.Departures(named); count > 0 {
					t.Errorf("%s, seed %d: %d departures, first %s", state, n, count, first)
				}
			}
		}
	}
	for n := range names {
		if !slices.Contains(sim.StreamNames(), n) {
			t.Errorf("stream %s is not in sim.StreamNames", n)
		}
	}
	if len(names) < 8 {
		t.Errorf("only %v were drawn from", names)
	}
}

// TestSettingsRoundTrip: every setting has a name of its own and comes back.
func TestSettingsRoundTrip(t *testing.T) {
	var s scenario.Settings
	for i, name := range scenario.SettingNames() {
		value := []string{"7", "1,2"}[strings.Count(name, "slow.")]
		switch c, err := dataflow.LookupSetting(name); {
		case err == nil && c.Choices() != nil:
			value = c.Choices()[1]
		case err == nil && c.Type() == "bool":
			value = "1"
		}
		if err := s.Set(name, value); err != nil || s.Lines()[i] != name+" "+value {
			t.Errorf("%s: %v, %s", name, err, s.Lines()[i])
		}
		if err := s.Set(name, "x"); err == nil {
			t.Errorf("%s takes x", name)
		}
	}
	if err := s.Set("cheese", "1"); err == nil || !strings.Contains(err.Error(), "batch.records") {
		t.Error(err)
	}
}
