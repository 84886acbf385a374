package counterexample_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/scenario/counterexample"
)

// whole is a file that can be read; its settings are those of the build.
const whole = `weir 1
revision abc
go go1.0
algorithm aligned
state heap
sink two-phase
workload keyedcount
parallelism 2
groups 16
splits 3
mutant no-fence
seed 12
verdict safety violation
oracle effect
violation effect: at 5ms: twice
hash 00000000deadbeef
set keys=12
setting batch.records 7
# a remark
plan (plan (crash worker=1 at (time 12ms)))
decision delay.link/3 17 41/500
decision choose/4 0 1/2
end
`

func TestParse(t *testing.T) {
	f, err := counterexample.Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	if f.Splits != 3 || f.Workers != 3 || f.Hash != 0xdeadbeef || f.Settings.Job.BatchRecords != 7 || len(f.Plan.Faults) != 1 || len(f.Decisions) != 2 || f.Decisions[0].Index != 17 || f.Set[0] != "keys=12" {
		t.Errorf("%+v", f)
	}
	if !slices.Contains(f.Absent, "credits") || slices.Contains(f.Absent, "batch.records") || f.Settings.Job.Credits == 0 {
		t.Errorf("absent: %q, credits %d", f.Absent, f.Settings.Job.Credits)
	}
}

// TestBadFiles: every error says where, and what was wanted.
func TestBadFiles(t *testing.T) {
	for _, c := range []struct {
		old, now     string
		line, column int
		want         string
	}{
		{"weir 1", "weir 2", 1, 1, "this build reads version 1"},
		{"weir 1", "wier 1", 1, 1, `begins with "weir 1"`},
		{"decision choose/4 0 1/2\nend\n", "", 22, 1, "cut off"},
		{"end\n", "end\nend\n", 24, 1, "nothing after"},
		{"state heap", "stat heap", 5, 1, "known: revision, build, go, algorithm"},
		{"state heap\n", "", 23, 1, `no line "state"`},
		{"state heap", "state heap\nstate heap", 6, 1, "stands twice"},
		{"splits 3", "splits none", 10, 8, "want a number"},
		{"splits 3", "splits", 10, 7, "want a value"},
		{"hash 00000000deadbeef", "hash x", 16, 6, "base 16"},
		{"hash 00000000deadbeef", "hash 0\nexpect nothing", 17, 8, "want ok or failing"},
		{"setting batch.records 7", "setting batch.recodrs 7", 18, 9, "known: batch.records"},
		{"setting batch.records 7", "setting batch.records -7", 18, 9, "not below 0"},
		{"setting batch.records 7", "setting batch.records 0", 24, 1, "batch records: 0; it must be at least 1"},
		{"setting batch.records 7", "setting restart.exponential-delay.jitter-factor 150", 24, 1, "jitter-factor: 1.5; it must be at most 1"},
		{"(time 12ms)", "(tim 12ms)", 20, 32, "expected nth"},
		{"delay.link/3 17", "delay.lnk/3 17", 21, 10, "known: delay.link"},
		{"delay.link/3 17", "delay.link/3 x", 21, 23, "want a number"},
		{"choose/4 0", "delay.link/3 17", 22, 23, "order of their indices"},
		{"41/500", "500/500", 21, 26, "not below its bound"},
	} {
		text := strings.Replace(whole, c.old, c.now, 1)
		_, err := counterexample.Parse(text)
		var at *counterexample.SyntaxError
		if !errors.As(err, &at) || at.Line != c.line || at.Column != c.column || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v; want line %d, column %d, %q", c.now, err, c.line, c.column, c.want)
		}
	}
	for i := range len(whole) - 1 {
		if _, err := counterexample.Parse(whole[:i]); err == nil && whole[:i+1] != whole {
			t.Errorf("cut off after %d of %d bytes: no error", i, len(whole))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := counterexample.Parse(text)
		if err != nil {
			return
		}
		again, err := counterexample.Parse(file.String())
		if err != nil || again.String() != file.String() {
			t.Errorf("%v: written as\n%s", err, file)
		}
	})
}
