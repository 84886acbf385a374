package conformance

import (
	"fmt"
	"maps"
	"slices"

	"weir/algorithms"
	"weir/dataflow"
	"weir/scenario"
	"weir/trace"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// Verdict is what a suite says of an algorithm.
type Verdict struct {
	// Refuted are declared properties that did not hold, with the run that showed it.
	Refuted []string
	// Idle are declared properties that no run showed.
	Idle []string
	Runs int
	seen seen
	// topologies are the shapes that ran, with the recoveries in each.
	topologies map[string]int
	loop       workloads.Workload // the one whose graph has a cycle; nil: the algorithm refuses cycles
}

// OK reports that everything declared held and was shown.
func (v *Verdict) OK() bool { return len(v.Refuted)+len(v.Idle) == 0 }

// jobs are the workloads of a suite beside the shapes: a line with event time, a
// join in event time, and two pipelines that nothing connects. dice comes to them
// unless the algorithm refuses operators that are not deterministic.
var jobs = []string{"nexmark-q5", "nexmark-q8", "pipelines"}

// Try runs what s declares: every job with so many seeds, over FIFO channels and,
// if it declares that it can, over channels that reorder; then failures that meet,
// and a few seeds on a backend with incremental snapshots. It stops early once
// something is refuted.
func Try(s *algorithms.Spec, seeds uint64) (*Verdict, error) {
	v := &Verdict{topologies: map[string]int{}}
	works, err := v.works(s)
	if err != nil {
		return nil, err
	}
	for _, w := range works {
		before := v.seen.Recoveries
		for _, reorder := range v.orders(s, w) {
			c := inOrder(s, w)
			c.Reorder = reorder
			if err := v.sweep(c, seeds); err != nil || len(v.Refuted) > 0 {
				return v, err
			}
		}
		if w.Name() == "dice" {
			v.seen.Throws = v.seen.Recoveries - before
		}
		if _, ok := v.topologies[w.Name()]; ok {
			v.topologies[w.Name()] = v.seen.Recoveries - before
		}
	}
	if err := v.failures(s); err != nil || len(v.Refuted) > 0 {
		return v, err
	}
	if err := v.regions(s, seeds); err != nil || len(v.Refuted) > 0 {
		return v, err
	}
	v.judge(s.Declared)
	v.records(s)
	return v, v.understated(s, seeds)
}

// cyclic is the workload with a loop, for algorithms that declare graphs with
// cycles; its channels are FIFO whatever the algorithm could do.
const cyclic = "reachability"

// orders are the ways in which channels deliver: false, as they were sent; true,
// in any order.
func (v *Verdict) orders(s *algorithms.Spec, w workloads.Workload) []bool {
	if s.Declared.Channels == dataflow.AnyOrder && w != v.loop {
		return []bool{false, true}
	}
	return []bool{false}
}

// works are the jobs for s.
func (v *Verdict) works(s *algorithms.Spec) (works []workloads.Workload, err error) {
	for _, name := range jobs {
		w, err := workloadcatalog.New(name)
		if err != nil {
			return nil, err
		}
		works = append(works, w)
	}
	if s.Declared.NonDeterminism != dataflow.Refused {
		works = append(works, newDice())
	}
	if s.Declared.Topologies == dataflow.AnyTopology {
		w, err := workloadcatalog.New(cyclic)
		if err != nil {
			return nil, err
		}
		v.topologies[w.Name()], v.loop = 0, w
		works = append(works, w)
	}
	for _, w := range newShapes() {
		v.topologies[w.Name()] = 0
		works = append(works, w)
	}
	for _, w := range works {
		w.Small()
	}
	return works, nil
}

// Workers of a scenario; task t lives on worker t mod workers.
const workers = 3

func (v *Verdict) sweep(c scenario.Config, seeds uint64) error {
	r, err := scenario.New(c)
	if err != nil {
		return err
	}
	defer r.Close()
	r.Observers = []trace.Observer{&v.seen}
	for seed := uint64(1); seed <= seeds; seed++ {
		v.seen.begin()
		o := r.Run(seed)
		v.Runs++
		v.seen.end()
		v.seen.Duplicates += o.Report.Duplicates
		v.seen.Losses += o.Report.Losses
		if o.Kind != scenario.Fine {
			v.Refuted = append(v.Refuted, fmt.Sprintf("%s: %s (%s)", o.Kind, o.Why(), c.Command(seed)))
			return nil
		}
	}
	return nil
}

// splitsOf is the number of splits that a job is about; 0: it is about none.
func splitsOf(w workloads.Workload) int {
	if s, ok := w.(*shape); ok {
		return s.splits
	}
	return 0
}

// judge compares what was seen with what is declared.
func (v *Verdict) judge(p dataflow.Properties) {
	s := &v.seen
	v.guarantees(p, s)
	v.snapshots(p, s)
	v.circumstances(p, s)
	for _, c := range []struct {
		name     string
		declared bool
		shown    int
	}{
		{"Captures.Inputs", p.Captures.Inputs, s.CapturedIn},
		{"Captures.Outputs", p.Captures.Outputs, s.CapturedOut},
		{"Logs", p.Logs, s.FromLog},
	} {
		v.both(c.name, c.declared, c.shown)
	}
	v.shown("NonDeterminism (a recovery with throws)", p.NonDeterminism == dataflow.Refused || p.Snapshots == dataflow.NoSnapshots || s.Throws > 0)
	v.shown("Channels: AnyOrder", p.Channels != dataflow.AnyOrder || s.Disorder > 0)
	v.shown("NoneUseless (a recovery in a graph with a cycle)", !p.NoneUseless || v.loop != nil && v.topologies[v.loop.Name()] > 0)
	partly := p.Rollback != dataflow.ScopeAll
	v.both("Rollback other than ScopeAll", partly, s.Kept)
	v.holds("Rollback: ScopeTask", p.Rollback != dataflow.ScopeTask || s.Rolled == 0, "%d tasks on workers that stood were restarted", s.Rolled)
	v.shown("Rollback: ScopeLine (a survivor is rolled back)", p.Rollback != dataflow.ScopeLine || s.Rolled > 0)
}

func (v *Verdict) guarantees(p dataflow.Properties, s *seen) {
	v.shown("State: AtLeastOnce (duplicates)", p.State != dataflow.AtLeastOnce || s.Duplicates > 0)
	v.shown("State: AtMostOnce (losses)", p.State != dataflow.AtMostOnce || s.Losses > 0)
	visible := min(p.State, dataflow.AtLeastOnce)
	v.holds("Output (no snapshot commits)", p.Snapshots != dataflow.NoSnapshots || p.Output == visible, "rows that are visible at once are worth %d, and it declares %d", visible, p.Output)
	v.shown("a recovery from a snapshot", p.Snapshots == dataflow.NoSnapshots || s.Recoveries > 0)
}

// circumstances are what every algorithm must have been through.
func (v *Verdict) circumstances(p dataflow.Properties, s *seen) {
	for _, name := range slices.Sorted(maps.Keys(v.topologies)) {
		v.shown("topology "+name+" (a recovery)", p.Snapshots == dataflow.NoSnapshots || v.topologies[name] > 0)
	}
	v.shown("a second failure before the first is handled", s.Twice > 0)
	v.shown("a failure during recovery", s.During > 0)
	v.shown("a failure after the end of some inputs", s.Ended > 0)
	v.shown("ends of input in more than one order", len(s.orders) > 1)
	v.shown("snapshots on a backend with increments", p.Snapshots == dataflow.NoSnapshots || s.Increments > 0)
}

func (v *Verdict) snapshots(p dataflow.Properties, s *seen) {
	v.both("Snapshots: Rounds", p.HasRounds(), s.Completed)
	v.both("Snapshots", p.Snapshots != dataflow.NoSnapshots, s.Stored)
	most := s.Local
	if p.HasRounds() {
		most = s.Rounds
	}
	v.holds("MaxConcurrent", p.MaxConcurrent == 0 || most <= p.MaxConcurrent, "%d were under way at once", most)
	v.shown("MaxConcurrent: as many", p.Snapshots == dataflow.NoSnapshots || most >= p.MaxConcurrent)
	v.shown("MaxConcurrent: any number", p.MaxConcurrent != 0 || p.Snapshots == dataflow.NoSnapshots || most > 1)
}

// records: Recorded is told from Tolerated where what failed restarts alone, and
// must do again what it did.
func (v *Verdict) records(s *algorithms.Spec) {
	recorded := s.Declared.NonDeterminism == dataflow.Recorded
	v.shown("NonDeterminism: Recorded (a task that restarts alone)", !recorded || s.Declared.Rollback == dataflow.ScopeTask)
	v.holds("NonDeterminism: Recorded", !recorded || decides(s), "its protocol is no dataflow.Decider, which no choice can be recorded without")
}

// decides tells whether the protocol of s can be told of choices, and asked.
func decides(s *algorithms.Spec) bool {
	c := dataflow.DefaultConfig()
	_, ok := s.NewProtocol(&dataflow.TaskInfo{}, &c).(dataflow.Decider)
	return ok
}

// both: what is declared was shown, and what was shown is declared.
func (v *Verdict) both(name string, declared bool, shown int) {
	v.shown(name, !declared || shown > 0)
	v.holds(name, declared || shown == 0, "not declared, and seen %d times", shown)
}

func (v *Verdict) shown(name string, ok bool) {
	if !ok {
		v.Idle = append(v.Idle, name+": no run showed it")
	}
}

func (v *Verdict) holds(name string, ok bool, format string, args ...any) {
	if !ok {
		v.Refuted = append(v.Refuted, name+": "+fmt.Sprintf(format, args...))
	}
}
