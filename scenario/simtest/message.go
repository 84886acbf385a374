package simtest

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"weir/faults"
	"weir/scenario"
)

// Fine fails the test if o is not fine, with a message that says how to repeat it.
func Fine(t testing.TB, o *scenario.Outcome) bool {
	t.Helper()
	if o.Kind == scenario.Fine {
		return true
	}
	t.Error(Message(t, o))
	return false
}

// Message describes an outcome that is not fine. Its last two lines are the
// commands that repeat the run.
func Message(t testing.TB, o *scenario.Outcome) string {
	return fmt.Sprintf("%s\nrepeat with\n  %s\n  %s", describe(o), testCommand(t.Name(), callerPackage(), o), o.Config.Command(o.Seed))
}

// describe says what is wrong with a run, on lines of which the last is not ended.
func describe(o *scenario.Outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %s: %s\n", o.Seed, o.Kind, o.Why())
	if o.Report != nil && len(o.Report.Violations) > 1 {
		fmt.Fprintf(&b, "  and %d more", len(o.Report.Violations)-1)
		if first := o.Report.Violations[0].String(); first != o.Why() {
			fmt.Fprintf(&b, "; the first: %s", first)
		}
		b.WriteByte('\n')
	}
	if len(o.Plan.Faults) > 0 {
		fmt.Fprintf(&b, "  faults: %s\n", o.Plan)
	}
	if o.Result.Stack != "" {
		fmt.Fprintf(&b, "%s\n", o.Result.Stack)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// testCommand returns the command that repeats a run of the test called name.
func testCommand(name, pkg string, o *scenario.Outcome) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	s := fmt.Sprintf("go test %s -run '%s' -seed %d", pkg, strings.Join(parts, "/"), o.Seed)
	if o.Config.Faults == scenario.CrashSweep {
		s += fmt.Sprintf(" -crash %d", o.Config.Crash)
	}
	return s
}

// callerPackage returns the package of the test that asks, as go test takes it at
// the root of its module.
func callerPackage() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.File, "_test.go") { // weir/scenario_test.TestMatrix.func1
			slash := strings.LastIndexByte(f.Function, '/') + 1
			pkg, _, _ := strings.Cut(f.Function[slash:], ".")
			pkg = f.Function[:slash] + strings.TrimSuffix(pkg, "_test")
			if own, ours := strings.CutPrefix(pkg, "weir/"); ours {
				return "./" + own
			}
			return pkg // of another module, where its path names it
		}
		if !more {
			return "./sim/..."
		}
	}
}

// Sweep runs c with a crash of the victim at the k-th protocol, storage or sink
// event of the run, for every stride-th k from 1 (or the one that -crash names)
// until a run ends before its crash. It stops at the first outcome that is not
// fine, and returns the number of runs.
func Sweep(t testing.TB, c scenario.Config, victim faults.Fault, seed uint64, stride int) int {
	t.Helper()
	c.Faults, c.Victim = scenario.CrashSweep, victim
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	runs := 0
	for k := 1; ; k += stride {
		if Crash() > 0 {
			k = Crash()
		}
		r.CrashAt(k)
		o := r.Run(seed)
		runs++
		if fine := Fine(t, o); !fine || !o.Struck() || Crash() > 0 {
			return runs
		}
	}
}
