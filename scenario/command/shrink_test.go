package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/mutants"
	"weir/scenario/simtest"
)

func read(t *testing.T, name string) *counterexample.File {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := counterexample.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestShrink: a shrunk file breaks the same and replays; one that breaks nothing
// any more is said so, and nothing is written.
func TestShrink(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	small := strings.TrimSuffix(file, ".weir") + ".small.weir"
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	if status, _, stderr := sim(t, "shrink", file); status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	was, is := read(t, file), read(t, small)
	if is.Signature() != was.Signature() || len(is.Plan.Faults) >= len(was.Plan.Faults) || 2*len(is.Decisions) > len(was.Decisions) {
		t.Errorf("%s with %d faults and %d decisions; it was %s with %d and %d", is.Signature(), len(is.Plan.Faults), len(is.Decisions), was.Signature(), len(was.Plan.Faults), len(was.Decisions))
	}
	if status, stdout, stderr := sim(t, "replay", small); status != 5 || !strings.HasPrefix(stdout, "reproduced, every event as it was") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	before, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	edit(t, file, "mutant no-fence\n", "")
	status, _, stderr := sim(t, "shrink", file)
	if after, err := os.ReadFile(small); status != 1 || !strings.Contains(stderr, "nothing was written") || err != nil || string(after) != string(before) {
		t.Errorf("status %d: %s; %v", status, stderr, err)
	}
	for _, args := range [][]string{{"shrink"}, {"shrink", file, "--for", "0s"}, {"shrink", filepath.Join(t.TempDir(), "none")}} {
		if status, _, _ := sim(t, args...); status != 2 {
			t.Errorf("%q: status %d", args, status)
		}
	}
}

// TestShrinkGoesOn: what an earlier shrink has come to is where the next one begins,
// unless it is of another failure; and a time in which nothing can be run is said.
func TestShrinkGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	small := strings.TrimSuffix(file, ".weir") + ".small.weir"
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	if status, _, stderr := sim(t, "shrink", file, "--for", "1ns"); status != 1 || !strings.Contains(stderr, "1ns is not enough") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, err := os.Stat(small); err == nil {
		t.Error("something was written in no time")
	}
	if status, _, stderr := sim(t, "shrink", file); status != 0 || strings.Contains(stderr, "goes on") {
		t.Fatalf("status %d: %s", status, stderr)
	}
	was := read(t, small)
	if status, _, stderr := sim(t, "shrink", file); status != 0 || !strings.Contains(stderr, "goes on with "+small) {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if is := read(t, small); len(is.Decisions) > len(was.Decisions) || is.Signature() != was.Signature() {
		t.Errorf("%d decisions, %s; it was %d, %s", len(is.Decisions), is.Signature(), len(was.Decisions), was.Signature())
	}
	edit(t, small, "oracle contiguity", "oracle cut")
	if status, _, stderr := sim(t, "shrink", file); status != 0 || strings.Contains(stderr, "goes on") {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// TestShrinkOutOfTime: what was found until then is written and still breaks the same.
func TestShrinkOutOfTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "found.weir")
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	p := newProgram("", nil)
	was, runs := read(t, file), 0
	var last *counterexample.File
	s := counterexample.Shrinker{
		Try: func(f *counterexample.File, redraw bool, over func() bool) *counterexample.File {
			runs++
			return p.try(f, redraw, over)
		},
		Better: func(f *counterexample.File) { last = f },
		Over:   func() bool { return runs > 60 },
	}
	best, made := s.Shrink(was)
	if best == nil || last == nil || best != last || made > 61 || best.Signature() != was.Signature() {
		t.Fatalf("%d runs, %v", made, best)
	}
}

// quickBank is what TestShrinkTheBank takes without -full.
var quickBank = []string{"no-fence", "forget-timers", "skip-output-queue", "reuse-table-name", "late-committables", "swap-split-offsets"}

// TestShrinkTheBank: failures of the bank's mutants, as the default sweep finds them,
// become small within time, and the same run without the mistake is fine. Time is that
// of the processor: others may use the machine. -full takes all of the bank, and the
// issue's figures are held against it.
func TestShrinkTheBank(t *testing.T) {
	names := quickBank
	if simtest.Full() {
		names = mutants.Names()
	}
	var records, struck []int
	var spent []time.Duration
	for _, name := range names {
		was := found(t, name)
		if was == nil {
			continue
		}
		p, begin := newProgram("", nil), processorTime()
		s := counterexample.Shrinker{
			Try: p.try, Records: p.records, WithRecords: p.withRecords, Over: func() bool { return processorTime()-begin > 30*time.Second },
		}
		is, runs := s.Shrink(was)
		took := processorTime() - begin
		if is == nil || is.Signature() != was.Signature() {
			t.Errorf("%s: %v, was %s", name, is, was.Signature())
			continue
		}
		records, struck, spent = append(records, p.records(is)), append(struck, len(is.Plan.Faults)), append(spent, took)
		t.Logf("%-26s %4d to %2d records, %2d to %d faults, %5d to %3d decisions, %5d runs, %6.2f s", name, p.records(was), p.records(is), len(was.Plan.Faults), len(is.Plan.Faults), len(was.Decisions), len(is.Decisions), runs, took.Seconds())
		twin := *is
		if twin.Mutant = ""; p.try(&twin, false, nil).Verdict != scenario.Fine.String() {
			t.Errorf("%s: what it was shrunk to fails without the mistake too", name)
		}
	}
	if simtest.Full() && len(spent) < 15 {
		t.Errorf("failures of %d mutants", len(spent))
	}
	for _, l := range [...][]int{records, struck} {
		slices.Sort(l)
	}
	slices.Sort(spent)
	middle := len(spent) / 2
	t.Logf("%d mutants: median %d records, %d faults, %v; longest %v", len(spent), records[middle], struck[middle], spent[middle], spent[len(spent)-1])
	if records[middle] > 20 || struck[middle] > 3 || spent[middle] > 10*time.Second || spent[(len(spent)*95-1)/100] > 30*time.Second {
		t.Error("the medians must be at most 20 records, 3 faults and 10 s, and 95 % within 30 s")
	}
}

// found returns the first failure of a mutant in the default sweep; nil: 2,000 runs have none.
func found(t *testing.T, name string) *counterexample.File {
	t.Helper()
	c, err := mutants.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	h, err := scenario.Hunt(c, scenario.HuntLimit, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Caught {
		t.Logf("%s: not found in %d runs", name, scenario.HuntLimit)
		return nil
	}
	file := filepath.Join(t.TempDir(), "found.weir")
	again := strings.Fields(strings.TrimPrefix(h.Replay, scenario.DefaultProgram+" "))
	if status, _, stderr := sim(t, append(again, "--save", file)...); status < 4 {
		t.Fatalf("%s: status %d: %s", h.Replay, status, stderr)
	}
	return read(t, file)
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
