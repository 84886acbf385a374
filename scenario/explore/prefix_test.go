package explore

import (
	"slices"
	"testing"

	"weir/faults"
	"weir/id"
	"weir/scenario"
	"weir/trace"
)

// step is what tells an event from another.
type step struct {
	kind  trace.Kind
	time  int64
	task  id.TaskID
	epoch id.Epoch
	op    trace.Op
	key   string
}

// recorder keeps the sweep's events of a run.
type recorder struct{ events []step }

// Wants is what can be crashed at.
func (r *recorder) Wants() trace.Mask { return faults.SweepEvents() }

// Observe keeps an event.
func (r *recorder) Observe(e *trace.Event) {
	r.events = append(r.events, step{e.Kind, e.Time, e.Task, e.Epoch, e.Op, e.Key})
}

// watched makes the next run and returns its events.
func watched(e *Explorer, r *scenario.Runner) []step {
	w := &recorder{}
	before := r.Observers
	r.Observers = append(slices.Clip(before), w)
	e.Next()
	r.Observers = before
	return w.events
}

// agree is how many events two runs have in common from their beginning.
func agree(a, b []step) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestCrashEvery: a run is its base run up to the event at which somebody crashes, and the
// crash strikes; no crash comes twice.
func TestCrashEvery(t *testing.T) {
	e, r := start(t, "crash-every", "no-fence", 1)
	var base []step
	crashed := map[string]bool{}
	crashes, struck := 0, 0
	for range 200 {
		events := watched(e, r)
		if !e.policy.(*crashEvery).watch.off {
			base, crashed = events, map[string]bool{}
			continue
		}
		plan := e.current.Plan.Faults
		c := &plan[len(plan)-1]
		n := c.When.Steps[0].N
		if got := agree(base, events); got < n {
			t.Fatalf("%s: the run parts from its base run at event %d", c, got)
		}
		if !slices.ContainsFunc(e.last.NotStruck(), func(f faults.Fault) bool { return f.String() == c.String() }) {
			struck++ // else it was down already
		}
		if crashed[c.String()] {
			t.Errorf("%s comes twice", c)
		}
		crashed[c.String()] = true
		crashes++
	}
	if crashes < 150 || struck < crashes*3/4 {
		t.Errorf("%d crashes in 200 runs, %d of them struck", crashes, struck)
	}
}

// TestRareBranches: a branch is the run that first reached a state, up to there, and
// another run after it.
func TestRareBranches(t *testing.T) {
	e, r := start(t, "rare", "no-fence", 1)
	p := e.policy.(*rare)
	type origin struct{ seed, redraw uint64 }
	runs := map[origin][]step{}
	branches, parted := 0, 0
	for range 150 {
		before := map[state]int{}
		for i := range p.front {
			before[p.front[i].state] = p.front[i].used
		}
		events := watched(e, r)
		runs[origin{e.current.Seed, e.current.Redraw}] = events
		if e.current.Redraw == 0 {
			continue
		}
		i := slices.IndexFunc(p.front, func(b branch) bool { return b.used > before[b.state] })
		if i < 0 {
			t.Fatal("a branch off nothing")
		}
		b := &p.front[i]
		of := runs[origin{b.of.Seed, b.of.Redraw}]
		same := agree(of, events)
		if same < b.events {
			t.Errorf("the state was reached at event %d, the branch parts at %d", b.events, same)
		}
		if branches++; same < len(of) {
			parted++
		}
	}
	if branches < 60 || parted < branches*3/4 {
		t.Errorf("%d branches, of which %d become other runs", branches, parted)
	}
}
