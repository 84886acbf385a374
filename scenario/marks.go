package scenario

import (
	"cmp"
	"fmt"
	"slices"

	"weir/faults"
	"weir/trace"
)

// Marks counts in how many runs something came that a run may do: each protocol
// transition, each outcome of an operation, each cause of a failure, each way of a
// barrier and of a restored buffer, each crash by the last transition of the
// coordinator before it, each kind of fault by whether it struck. All of it is in the typed
// events and in the plan: nothing in the code under test tells for the sake of a mark.
//
// A Marks is an observer of one run after another; [Marks.End] ends each. The zero value is ready.
type Marks struct {
	now  [marks]bool
	runs [marks]int64
	last trace.Kind       // transition of the coordinator
	of   map[string]int64 // likewise the faults, by what they are called
}

// The marks lie in one array: a kind has its own number, and behind the kinds
// stand those that say more of an event.
const (
	storeMarks = int(trace.Kinds)
	extMarks   = storeMarks + int(trace.Ops)*int(trace.Outcomes)
	causeMarks = extMarks + int(trace.Ops)*int(trace.Outcomes)
	wayMarks   = causeMarks + 2*int(trace.Causes)
	crashMarks = wayMarks + 3*int(trace.Ways)
	marks      = crashMarks + 2*int(trace.Kinds)
)

// unmarked are the kinds that every run has by the thousand, or that only say where
// others stand.
func unmarked() trace.Mask {
	return trace.Mask(0).With(trace.Emitted, trace.Sealed, trace.Delivered, trace.WatermarkSaid, trace.WatermarkSeen, trace.TimerSet, trace.TimerFired,
		trace.PositionIn, trace.PositionOut, trace.PositionSplit, trace.StoreIssued, trace.StoreApplied, trace.ExtIssued, trace.ExtApplied)
}

// steps are the transitions of the coordinator, which crashes are told by.
func steps() trace.Mask {
	var m trace.Mask
	for k := trace.Triggered; k <= trace.Stopped; k++ {
		m = m.With(k)
	}
	return m &^ trace.Mask(0).With(trace.Forced, trace.Acked, trace.Declined)
}

// Wants is every kind that is marked.
func (m *Marks) Wants() trace.Mask { return trace.Known &^ unmarked() }

// Observe marks e.
func (m *Marks) Observe(e *trace.Event) {
	m.now[e.Kind] = true
	switch e.Kind {
	case trace.StoreDone:
		m.now[storeMarks+int(e.Op)*int(trace.Outcomes)+int(e.Outcome)] = true
	case trace.ExtDone:
		m.now[extMarks+int(e.Op)*int(trace.Outcomes)+int(e.Outcome)] = true
	case trace.TaskFailed, trace.SnapshotFailed:
		m.now[causeMarks+which(e.Kind, causeKinds[:])*int(trace.Causes)+int(e.Cause)] = true
	case trace.BarrierSent, trace.BarrierReceived, trace.Injected:
		m.now[wayMarks+which(e.Kind, wayKinds[:])*int(trace.Ways)+int(e.Way)] = true
	case trace.WorkerCrashed, trace.CoordinatorCrashed:
		m.now[crashMarks+which(e.Kind, crashKinds[:])*int(trace.Kinds)+int(m.last)] = true
	default:
		if e.Kind >= trace.Triggered && e.Kind <= trace.Stopped && steps().Has(e.Kind) {
			m.last = e.Kind
		}
	}
}

var (
	causeKinds = [...]trace.Kind{trace.TaskFailed, trace.SnapshotFailed}
	wayKinds   = [...]trace.Kind{trace.BarrierSent, trace.BarrierReceived, trace.Injected}
	crashKinds = [...]trace.Kind{trace.WorkerCrashed, trace.CoordinatorCrashed}
)

func which(k trace.Kind, all []trace.Kind) int { return slices.Index(all, k) }

// End ends the run of o, which m has observed. One that was interrupted counts for nothing.
func (m *Marks) End(o *Outcome) {
	if o.Report != nil {
		m.faults(o)
		for i, is := range m.now {
			if is {
				m.runs[i]++
			}
		}
	}
	m.now, m.last = [marks]bool{}, 0
}

// missed is behind the name of a fault that changed nothing.
const missed = " changed nothing"

// faults marks what came of the plan.
func (m *Marks) faults(o *Outcome) {
	struck := map[string]int{}
	for i := range o.Plan.Faults {
		f := &o.Plan.Faults[i]
		struck[nameOf(f.Kind, f.Target, f.Outcome)]++
	}
	not := map[string]bool{}
	for _, f := range o.NotStruck() {
		name := nameOf(f.Kind, f.Target, f.Outcome)
		struck[name]--
		not[name+missed] = true
	}
	if m.of == nil {
		m.of = map[string]int64{}
	}
	for name, n := range struck { //det:unordered each is counted by itself
		if n > 0 {
			m.of[name]++
		}
	}
	for name := range not { //det:unordered likewise
		m.of[name]++
	}
}

func nameOf(k faults.Kind, t faults.Target, o faults.Outcome) string {
	name := fmt.Sprintf("fault %s %s", k, t)
	if o != 0 {
		name += " " + o.String()
	}
	return name
}

// Add adds the runs that other has counted.
func (m *Marks) Add(other *Marks) {
	for i, n := range other.runs {
		m.runs[i] += n
	}
	for name, n := range other.of { //det:unordered sums
		if m.of == nil {
			m.of = map[string]int64{}
		}
		m.of[name] += n
	}
}

// Mark is one thing that runs may do, and in how many it came.
type Mark struct {
	Name string `json:"mark"`
	Runs int64  `json:"runs"`
}

// List returns all marks that there can be, whether they came or not, by name.
func (m *Marks) List() []Mark {
	var all []Mark
	add := func(i int, format string, args ...any) {
		all = append(all, Mark{fmt.Sprintf(format, args...), m.runs[i]})
	}
	for k := range trace.Kinds {
		if m.Wants().Has(k) {
			add(int(k), "%s", k)
		}
	}
	for op := trace.Put; op < trace.Ops; op++ {
		for outcome := trace.OK; outcome < trace.Outcomes; outcome++ {
			i := int(op)*int(trace.Outcomes) + int(outcome)
			switch ext := op >= trace.ExtAppend; {
			case !ext && outcome <= trace.Corrupt:
				add(storeMarks+i, "store-done %s: %s", op, outcome)
			case ext && (outcome <= trace.Failed || outcome >= trace.Fenced):
				add(extMarks+i, "ext-done %s: %s", op, outcome)
			}
		}
	}
	for cause := trace.Gap; cause < trace.Causes; cause++ {
		for i, k := range causeKinds {
			add(causeMarks+i*int(trace.Causes)+int(cause), "%s: %s", k, cause)
		}
	}
	for i, k := range wayKinds {
		for way := trace.InBand; way < trace.Reinjected; way++ {
			if (k == trace.Injected) == (way > trace.Overtaking) {
				add(wayMarks+i*int(trace.Ways)+int(way), "%s: %s", k, way)
			}
		}
	}
	for i, k := range crashKinds {
		add(crashMarks+i*int(trace.Kinds), "%s before the first step", k)
		for step := range trace.Kinds {
			if steps().Has(step) && step != trace.JobDone {
				add(crashMarks+i*int(trace.Kinds)+int(step), "%s after %s", k, step)
			}
		}
	}
	for k := faults.Crash; k < faults.Kinds; k++ {
		outcomes := []faults.Outcome{0}
		if k == faults.Fail {
			outcomes = outcomes[:0]
			for o := faults.NotApplied; o < faults.Outcomes; o++ {
				outcomes = append(outcomes, o)
			}
		}
		for _, target := range k.Targets() {
			for _, outcome := range outcomes {
				name := nameOf(k, target, outcome)
				all = append(all, Mark{name, m.of[name]}, Mark{name + missed, m.of[name+missed]})
			}
		}
	}
	slices.SortFunc(all, func(a, b Mark) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
