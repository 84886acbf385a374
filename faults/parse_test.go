package faults

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/id"
	"weir/trace"
)

func TestCanonicalPlansPrintBack(t *testing.T) {
	for _, text := range []string{
		`(crash worker=1 at (nth 7 barrier-received))`,
		`(crash coordinator at (nth 2 all-acked))`,
		`(crash worker=0 at (time 40ms))`,
		`(crash worker=2 at (nth 1 task-restored task=3 epoch=1.2))`,
		`(stall storage for 50ms at (nth 1 triggered))`,
		`(fail storage put outcome=applied at (nth 3 store-issued text="put snap/"))`,
		`(fail storage put outcome=refused times=2 at (nth 3 snapshot-begun))`,
		`(fail storage outcome=torn times=3 at (nth 3 store-issued task=coordinator))`,
		`(fail sink commit outcome=not-applied at (nth 1 commit-asked attempt=2))`,
		`(delay storage create key="ckpt/" for 500ms at (nth 1 all-acked))`,
		`(slow link c3 by 20 at (time 0s))`,
		`(slow worker=1 by 10 for 1.5s at (nth 1 (any triggered aborted)))`,
		`(corrupt storage key="snap/t3/" at (nth 2 completed))`,
		`(crash worker=1 at (after (nth 1 worker-restarted) (time 3ms) (nth 4 storage-event channel=c2)))`,
		`(crash worker=1)`,
		`(crash sink at (nth 2 ext-applied))`,
		`(fail storage put key="snap/" outcome=misdirected)`,
		`(fail storage list outcome=stale times=2)`,
		`(cut control=2 up at (time 4ms))`,
		`(delay control=0 down times=3 for 5ms)`,
		`(repeat control=1)`,
		`(repeat control=1 up times=4)`,
		`(suspect worker=1 for 30ms at (nth 2 barrier-received))`,
		`(suspect coordinator)`,
		`(wipe worker=0 at (nth 1 completed))`,
		`(abort sink at (nth 2 completed))`,
		`(jump worker=1 by -40ms)`,
		`(jump worker=1 by 1.5s)`,
		`(drift worker=1 by 3 for 20ms)`,
		`(rescale to=3 at (nth 2 completed))`,
		`(rescale operator=count to=1)`,
		`(rescale operator="the count" to=4 at (time 4ms))`,
		`(savepoint at (nth 9 emitted))`,
		`(stop-with-savepoint at (after (nth 1 savepoint-complete) (nth 6 emitted)))`,
		`(plan (rescale to=3 at (nth 2 completed)) (crash coordinator at (nth 1 stopped)))`,
		`(plan (stop-with-savepoint) (resume))`,
		`(plan (stop-with-savepoint at (nth 3 completed)) (resume algorithm=uncoordinated state=pebble-full to=3) (crash worker=1))`,
		`(query at (nth 2 completed))`,
		`(query operator=count at (time 4ms))`,
		`(plan)`,
		`(plan (crash worker=0 at (nth 1 sweep-event)) (crash coordinator at (nth 9 sweep-event)))`,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.String(); got != text {
			t.Errorf("parsed and printed:\n%s\nwant\n%s", got, text)
		}
	}
}

func TestFreeForm(t *testing.T) {
	p, err := Parse("; two crashes\n(plan\n  (crash worker=1 ; the first\n    at (after (nth 1 completed) (after (time 1000us) (nth 2 acked)))))")
	if err != nil {
		t.Fatal(err)
	}
	want := `(crash worker=1 at (after (nth 1 completed) (time 1ms) (nth 2 acked)))`
	if p.String() != want {
		t.Errorf("got %s, want %s", p, want)
	}
}

func TestSyntaxErrorsSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		parts        []string
	}{
		{``, 1, 1, []string{"expected a plan"}},
		{`crash`, 1, 1, []string{"expected (", `"crash"`}},
		{`(burn worker=1)`, 1, 2, []string{"crash, stall, fail", `"burn"`}},
		{`(crash source)`, 1, 8, []string{"worker=N", "coordinator", `"source"`}},
		{`(cut control)`, 1, 6, []string{"control=N", "link cN"}},
		{`(cut control=1 put)`, 1, 16, []string{"up, down"}},
		{`(cut link c1 up)`, 1, 14, []string{"expected at"}},
		{`(delay control=1 key="x" for 1ms)`, 1, 2, []string{"takes no key"}},
		{`(fail storage get outcome=misdirected)`, 1, 2, []string{"(fail storage put"}},
		{`(fail storage put outcome=stale)`, 1, 2, []string{"(fail storage list or get"}},
		{`(fail sink append outcome=forgotten)`, 1, 2, []string{"(fail storage put or create or append"}},
		{`(jump worker=1 by 3)`, 1, 19, []string{"40ms or -40ms"}},
		{`(jump worker=1)`, 1, 2, []string{"forward", "back"}},
		{`(suspect worker=1 for -3ms)`, 1, 23, []string{"duration"}},
		{`(crash worker=x)`, 1, 8, []string{"whole number", `"x"`}},
		{`(crash worker=1 at (nth 7 barier))`, 1, 27, []string{`unknown event "barier"`, "barrier-received", "storage-event"}},
		{`(crash worker=1 at (nth 0 acked))`, 1, 25, []string{"counted from 1"}},
		{"(crash worker=1\n  at (nth 7 acked", 2, 18, []string{"filter", "end of the text"}},
		{"(plan (crash worker=1)\n (crash worker=2 at\n  (nth seven acked)))", 3, 8, []string{"whole number"}},
		{`(crash worker=1 at (time soon))`, 1, 26, []string{"duration", "40ms"}},
		{`(crash worker=1 at (nth 1 acked epoch=7))`, 1, 33, []string{"epoch=1.2"}},
		{`(crash worker=1 at (nth 1 acked text="x))`, 1, 33, []string{"does not end"}},
		{`(crash worker=1 at (nth 1 acked colour=7))`, 1, 33, []string{"task=", "channel="}},
		{`(fail storage burn outcome=torn)`, 1, 15, []string{"put", "read-log"}},
		{`(fail storage put)`, 1, 2, []string{"outcome", "refused"}},
		{`(fail storage delete outcome=refused)`, 1, 2, []string{"(fail storage put or create or append or list"}},
		{`(fail sink commit outcome=refused)`, 1, 2, []string{"(fail storage put"}},
		{`(stall storage)`, 1, 2, []string{"duration"}},
		{`(slow worker=1 by 1)`, 1, 2, []string{"factor"}},
		{`(crash worker=1 by 3)`, 1, 2, []string{"factor"}},
		{`(crash worker=1) (crash worker=2)`, 1, 18, []string{"end of the text", "(plan"}},
		{`(rescale at (nth 2 completed))`, 1, 2, []string{"to=3"}},
		{`(rescale to=0)`, 1, 2, []string{"at least 1"}},
		{`(rescale to=many)`, 1, 10, []string{"whole number", `"many"`}},
		{`(rescale job to=3)`, 1, 10, []string{"operator=, to=, at", `"job"`}},
		{`(rescale operator= to=3)`, 1, 10, []string{"a name"}},
		{`(rescale operator=a"b" to=3)`, 1, 10, []string{"double quotes"}},
		{`(rescale to=3 for 4ms)`, 1, 2, []string{"takes no duration"}},
		{`(stall worker=1 for 2562047h)`, 1, 21, []string{"up to 24h0m0s"}},
		{`(jump worker=1 by -24h1ns)`, 1, 19, []string{"up to 24h0m0s"}},
		{`(crash worker=1 at (time 25h))`, 1, 26, []string{"up to 24h0m0s"}},
		{`(crash worker=1 to=3)`, 1, 17, []string{"expected at"}},
		{`(crash worker=1 at (after))`, 1, 26, []string{"condition"}},
	} {
		_, err := Parse(c.text)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s: error %v, want a SyntaxError", c.text, err)
			continue
		}
		if se.Line != c.line || se.Column != c.column {
			t.Errorf("%s: at %d:%d, want %d:%d (%v)", c.text, se.Line, se.Column, c.line, c.column, err)
		}
		for _, part := range c.parts {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not mention %q", c.text, err, part)
			}
		}
	}
}

// TestHoldsUp: what a fault may hold up is what the oracles allow for.
func TestHoldsUp(t *testing.T) {
	for text, want := range map[string]uint64{
		"(stall worker=1 for 4ms)":                          4e6,
		"(delay storage put times=3 for 4ms)":               12e6,
		"(delay storage put times=10000 for 24h)":           uint64(10_000 * Longest),
		"(delay storage put times=10001 for 24h)":           trace.NoBound, // and no sum that does not fit
		"(slow worker=1 by 2 for 4ms)":                      4e6,
		"(slow worker=1 by 2)":                              trace.NoBound,
		"(drift worker=1 by 2 for 4ms)":                     0,     // its operators read another time, and that is all
		"(drift coordinator=1 by 6 for 156ms)":              156e6, // its leases end before it has led
		"(drift coordinator=1 by 6)":                        trace.NoBound,
		"(failover for 80ms)":                               80e6,
		"(plan (crash worker=1) (failover) (rescale to=3))": 0,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := uint64(0)
		for i := range p.Faults {
			got += p.Faults[i].HoldsUp()
		}
		if got != want {
			t.Errorf("%s: %d ns, want %d", text, got, want)
		}
	}
}

func drawStep(t *rapid.T) Step {
	if rapid.Bool().Draw(t, "time") {
		return Time(rapid.Int64Range(0, 1e12).Draw(t, "at"))
	}
	kinds := rapid.Uint64Range(1, uint64(trace.Known)).Draw(t, "kinds")
	if rapid.Bool().Draw(t, "set") {
		kinds = uint64(rapid.SampledFrom(sets()).Draw(t, "which").mask)
	}
	s := Nth(rapid.IntRange(1, 1<<30).Draw(t, "n"), trace.Mask(kinds))
	s.Task = id.TaskID(rapid.IntRange(-2, 9).Draw(t, "task"))
	s.Channel = rapid.SampledFrom([]id.ChannelID{AnyChannel, 0, 7}).Draw(t, "channel")
	s.Epoch = rapid.SampledFrom([]id.Epoch{0, id.MakeEpoch(3, 4)}).Draw(t, "epoch")
	s.Attempt = id.Attempt(rapid.IntRange(0, 9).Draw(t, "attempt"))
	s.Text = rapid.String().Draw(t, "text")
	return s
}

func drawFault(t *rapid.T) Fault {
	f := Fault{Kind: Kind(rapid.IntRange(int(Crash), int(Kinds)-1).Draw(t, "kind"))}
	f.Target = rapid.SampledFrom(f.Kind.Targets()).Draw(t, "target")
	small := rapid.IntRange(0, 9)
	switch f.Target {
	case Worker, Control:
		f.Worker = small.Draw(t, "worker")
	case Link:
		f.Link = id.ChannelID(small.Draw(t, "link"))
	default:
	}
	if f.Kind.takes(operation) {
		f.Op = rapid.SampledFrom(append(operations(f.Target), "")).Draw(t, "op")
	}
	if f.Kind.takes(key) && f.Target != Control {
		f.Key = rapid.String().Draw(t, "key")
	}
	if f.Kind.takes(times) {
		f.Times = 1 + small.Draw(t, "times")
	}
	if f.Kind.takes(outcome) {
		f.Outcome = drawOutcome(t, &f)
	}
	if f.Kind.takes(operator) {
		f.Operator = rapid.SampledFrom([]string{"", "count", "max(price) \"x\"", "zähler"}).Draw(t, "operator")
	}
	if f.Kind.takes(parallelism | version) {
		f.To = 1 + small.Draw(t, "to")
	}
	if f.Kind.takes(factor) {
		f.Factor = 2 + small.Draw(t, "factor")
	}
	switch {
	case f.Kind.takes(duration):
		f.Duration = rapid.Int64Range(1, 1e12).Draw(t, "duration")
	case f.Kind.takes(anyDuration):
		f.Duration = rapid.Int64Range(0, 1e12).Draw(t, "duration")
	case f.Kind.takes(shift):
		f.Duration = rapid.SampledFrom([]int64{-1e12, -1, 1, 7e6}).Draw(t, "shift")
	}
	if f.Kind.takes(another) {
		f.Algorithm, f.State = rapid.SampledFrom([]string{"", "aligned", "a b"}).Draw(t, "algorithm"), rapid.SampledFrom([]string{"", "pebble"}).Draw(t, "state")
		f.To = rapid.IntRange(0, 3).Draw(t, "to")
		return f
	}
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		f.When.Steps = append(f.When.Steps, drawStep(t))
	}
	return f
}

// drawOutcome draws one that the operation can have.
func drawOutcome(t *rapid.T, f *Fault) Outcome {
	var can []Outcome
	for o := NotApplied; o < Outcomes; o++ {
		g := *f
		if g.Outcome = o; g.outcomePossible() == nil {
			can = append(can, o)
		}
	}
	return rapid.SampledFrom(can).Draw(t, "outcome")
}

func TestEveryValidPlanRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Plan
		for range rapid.IntRange(0, 3).Draw(t, "faults") {
			p.Faults = append(p.Faults, drawFault(t))
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("the generator made an invalid plan: %v", err)
		}
		got, err := Parse(p.String())
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("%s came back as %s", p, got)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(`(crash worker=1 at (nth 7 barrier-received))`)
	f.Add(`(plan (fail storage put outcome=applied at (nth 3 store-issued text="put snap/")) (slow link c3 by 20 for 1ms))`)
	f.Add(`(crash worker=1 at (after (nth 1 (any acked aborted) task=coordinator) (time 4us)))`)
	f.Add(`(rescale operator="x y" to=3 at (nth 1 stopped))`)
	f.Add("(crash ; x\n worker=1")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) || se.Line < 1 || se.Column < 1 {
				t.Fatalf("%q: error without a place: %v", text, err)
			}
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("%q parsed but is invalid: %v", text, err)
		}
		again, err := Parse(p.String())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q printed as %s, which reads as %s (%v)", text, p, again, err)
		}
	})
}

func TestValidateNamesTheFault(t *testing.T) {
	for _, c := range []struct {
		f    Fault
		part string
	}{
		{Fault{}, "unknown kind"},
		{Fault{Kind: Crash, Target: SourceLog}, "cannot hit source"},
		{Fault{Kind: Crash, Target: Worker, Worker: -1}, "numbered from 0"},
		{Fault{Kind: Crash, Target: Coordinator, Worker: 1}, "takes no worker"},
		{Fault{Kind: Fail, Target: Storage, Times: 1}, "outcome"},
		{Fault{Kind: Delay, Target: Storage, Duration: 1}, "at least 1"},
		{Fault{Kind: Rescale, Target: Job}, "at least 1"},
		{Fault{Kind: Upgrade, Target: Job}, "upgrade needs a version of at least 1"},
		{Fault{Kind: Upgrade, Target: Job, To: 2, Operator: "count"}, "takes no operator"},
		{Fault{Kind: Resume, Target: Job, When: At(Time(1))}, "takes no condition"},
		{Fault{Kind: Resume, Target: Job, To: -1}, "at least 1"},
		{Fault{Kind: Rescale, Target: Job, To: 2, Algorithm: "aligned"}, "takes no algorithm"},
		{Fault{Kind: Savepoint, Target: Job, State: "heap"}, "takes no state"},
		{Fault{Kind: Crash, Target: Worker, To: 3}, "takes no parallelism"},
		{Fault{Kind: Crash, Target: Worker, Operator: "count"}, "takes no operator"},
		{Fault{Kind: Crash, Target: Worker, When: At(Nth(1, 0))}, "no known event"},
		{Fault{Kind: Crash, Target: Worker, When: At(Time(-1))}, "negative"},
		{Fault{Kind: Crash, Target: Worker, When: At(Time(int64(Longest) + 1))}, "24h0m0s is the latest"},
		{Fault{Kind: Stall, Target: Worker, Duration: 1<<63 - 1}, "24h0m0s is the longest"},
		{Fault{Kind: Jump, Target: Worker, Duration: -1 << 63}, "24h0m0s is the longest"},
		{Fault{Kind: Crash, Target: Worker, When: At(Step{N: 1, Kinds: 1, Channel: trace.NoChannel})}, "numbered from 0"},
	} {
		err := Plan{Faults: []Fault{{Kind: Crash, Target: Coordinator}, c.f}}.Validate()
		if err == nil || !strings.Contains(err.Error(), c.part) || !strings.Contains(err.Error(), "fault 2") {
			t.Errorf("%+v: error %v, want one about fault 2 with %q", c.f, err, c.part)
		}
	}
}
