package simtest

import (
	"slices"
	"strings"
	"testing"

	"weir/algorithms/aligned"
	"weir/algorithms/catalog"
	"weir/faults"
	"weir/scenario"
	workloadcatalog "weir/workloads/catalog"
)

func TestSeedRange(t *testing.T) {
	for text, want := range map[string]string{"3-9": "3-9", "7": "7-7", "9-3": "error", "x": "error", "-1": "error", "1-": "error", "0-18446744073709551615": "0-18446744073709551615"} {
		var r seedRange
		got := "error"
		if err := r.Set(text); err == nil {
			got = r.String()
		}
		if got != want {
			t.Errorf("-seeds %s: %s, want %s", text, got, want)
		}
	}
	defer func(old seedRange) { seeds = old }(seeds)
	seeds = seedRange{}
	if got := Seeds(3); !slices.Equal(got, []uint64{1, 2, 3}) {
		t.Errorf("without flags: %v", got)
	}
	seeds = seedRange{1<<64 - 2, 1<<64 - 1, true}
	if got := Seeds(3); !slices.Equal(got, []uint64{1<<64 - 2, 1<<64 - 1}) || !SeedsGiven() {
		t.Errorf("the largest seeds: %v", got)
	}
}

func broken(t *testing.T) scenario.Config {
	t.Helper()
	a, err := catalog.Lookup("aligned")
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	return scenario.Config{Algorithm: a, State: "heap", Workload: w, Mutant: aligned.MutantForgetChannel}
}

// TestMessage: what a failure says, down to the commands that repeat it.
func TestMessage(t *testing.T) {
	c := broken(t)
	c.Faults, c.Crash, c.Victim = scenario.CrashSweep, 9, faults.Fault{Kind: faults.Crash, Target: faults.Coordinator}
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var m string
	t.Run("a b", func(t *testing.T) { m = Message(t, r.Run(4)) })
	for _, want := range []string{
		"seed 4: safety violation: cut: at ", "\n  faults: (crash coordinator at (nth 9 sweep-event))\n",
		"repeat with\n  go test ./scenario/simtest -run '^TestMessage$/^a_b$' -seed 4 -crash 9\n  go run ./cmd/sim run --algorithm aligned --state heap --sink two-phase --workload keyedcount --set ",
		" --seed 4 ", " --crash 9 --victim coordinator --mutant forget-channel",
	} {
		if !strings.Contains(m, want) {
			t.Errorf("the message lacks %q:\n%s", want, m)
		}
	}
	if !strings.HasSuffix(m, "--mutant forget-channel") {
		t.Errorf("the message does not end with the command:\n%s", m)
	}
}

// failures counts what a helper says about a test.
type failures struct {
	testing.TB
	said []string
}

func (f *failures) Helper()        {}
func (f *failures) Name() string   { return "TestX" }
func (f *failures) Error(a ...any) { f.said = append(f.said, a[0].(string)) }

func TestCheckAndSweepFail(t *testing.T) {
	if Crash() > 0 {
		t.Skip("one crash is named")
	}
	f := &failures{TB: t}
	if n := Sweep(f, broken(t), faults.Fault{Kind: faults.Crash, Target: faults.Worker}, 1, 5); n != 1 || len(f.said) != 1 {
		t.Errorf("a broken algorithm: %d runs, %q", n, f.said)
	}
	f.said = nil
	c := broken(t)
	c.Mutant = ""
	if err := c.Workload.SetEvents(12); err != nil {
		t.Fatal(err)
	}
	if n := Sweep(f, c, faults.Fault{Kind: faults.Crash, Target: faults.Worker}, 1, 50); n < 3 || len(f.said) > 0 {
		t.Errorf("a sound algorithm: %d runs, %q", n, f.said)
	}
}
