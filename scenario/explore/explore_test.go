package explore

import (
	"slices"
	"strings"
	"testing"

	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/mutants"
)

// start returns an explorer over the combination in which a mistake is looked for.
func start(t *testing.T, policy, mutant string, first uint64) (*Explorer, *scenario.Runner) {
	t.Helper()
	c, err := mutants.Lookup(mutant)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := scenario.HuntConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := scenario.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	e, err := New(policy, r, first)
	if err != nil {
		t.Fatal(err)
	}
	return e, r
}

// TestDeterministic: a policy proposes the same runs for the same first seed, and
// others for another.
func TestDeterministic(t *testing.T) {
	const runs = 120
	hashes := func(policy string, first uint64) (all []uint64) {
		e, _ := start(t, policy, "no-fence", first)
		for range runs {
			all = append(all, e.Next().Result.Hash)
		}
		return all
	}
	for _, name := range Names() {
		a, b, other := hashes(name, 1), hashes(name, 1), hashes(name, 10_001)
		if !slices.Equal(a, b) {
			t.Errorf("%s proposes other runs the second time", name)
		}
		if slices.Equal(a, other) {
			t.Errorf("%s proposes the same runs from another seed", name)
		}
		if n := len(slices.Compact(slices.Sorted(slices.Values(a)))); n < runs*9/10 {
			t.Errorf("%s: %d runs are %d different ones", name, runs, n)
		}
	}
}

// TestSwarmIsTheDefaultSweep: the n-th run is that of the n-th seed.
func TestSwarmIsTheDefaultSweep(t *testing.T) {
	e, _ := start(t, Default, "no-fence", 7)
	_, r := start(t, Default, "no-fence", 7)
	for seed := uint64(7); seed < 40; seed++ {
		if a, b := e.Next(), r.Run(seed); a.Result.Hash != b.Result.Hash || a.Seed != seed {
			t.Fatalf("run of seed %d: %016x, and seed %d of the sweep: %016x", a.Seed, a.Result.Hash, seed, b.Result.Hash)
		}
	}
}

// TestSaved: what a policy finds is saved as a file whose replay gives the same run,
// whatever made its order.
func TestSaved(t *testing.T) {
	for _, name := range Names() {
		e, _ := start(t, name, "ack-before-durable", 1)
		found := 0
		for n := 0; n < 400 && found < 3; n++ {
			o := e.Next()
			if o.Kind != scenario.Unsafe {
				continue
			}
			found++
			hash := o.Result.Hash
			again := e.Again()
			if again.Result.Hash != hash {
				t.Fatalf("%s: run %d gave hash %016x, and %016x when it was recorded", name, n, hash, again.Result.Hash)
			}
			file, err := counterexample.Parse(counterexample.Of(again).String())
			if err != nil {
				t.Fatal(err)
			}
			_, fresh := start(t, Default, "ack-before-durable", 1)
			if replayed := fresh.Replay(file.Seed, file.Drawn()); replayed.Result.Hash != hash {
				t.Fatalf("%s: run %d gave hash %016x, its file %016x", name, n, hash, replayed.Result.Hash)
			}
		}
		if found == 0 {
			t.Errorf("%s has found nothing", name)
		}
	}
}

// TestRecordingChangesNothing: a run that is made again and recorded is the same run,
// and the policy goes on as if it had not been.
func TestRecordingChangesNothing(t *testing.T) {
	for _, name := range Names() {
		a, _ := start(t, name, "no-fence", 1)
		b, _ := start(t, name, "no-fence", 1)
		for n := range 60 {
			x := a.Next().Result.Hash
			y := b.Next().Result.Hash
			if n%3 == 0 {
				y = b.Again().Result.Hash
			}
			if x != y {
				t.Fatalf("%s: run %d is %016x, and %016x where runs were made again", name, n, x, y)
			}
		}
	}
}

func TestUnknownPolicy(t *testing.T) {
	_, r := start(t, Default, "no-fence", 1)
	if _, err := New("robin", r, 1); err == nil || !strings.Contains(err.Error(), "known: fifo, random, swarm, pct, crash-every, rare, storm") {
		t.Errorf("%v", err)
	}
}

// TestPlainMistakeIsFoundByAll: a mistake that shows in most runs is found by every
// policy, by an oracle.
func TestPlainMistakeIsFoundByAll(t *testing.T) {
	c, err := mutants.Lookup("ack-before-durable")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		told := 0
		s := Search{Case: c, Policy: name, Number: 2, Budget: 500, Told: func(n int) { told = n }}
		f, err := s.Run()
		if err != nil || !f.Found || told != f.Runs {
			t.Errorf("%s: %+v, told of %d, %v", name, f, told, err)
		}
		again, _ := (&Search{Case: c, Policy: name, Number: 2, Budget: 500}).Run()
		if again.Runs != f.Runs || again.Seed != f.Seed {
			t.Errorf("%s: %d runs, and %d the second time", name, f.Runs, again.Runs)
		}
	}
}

func TestInterruptedSearch(t *testing.T) {
	c, err := mutants.Lookup("no-fence")
	if err != nil {
		t.Fatal(err)
	}
	s := Search{Case: c, Policy: Default, Number: 1, Budget: 500, Interrupted: func() bool { return true }}
	if f, err := s.Run(); err != nil || !f.Interrupted || f.Found {
		t.Errorf("%+v, %v", f, err)
	}
}
