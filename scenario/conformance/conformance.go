package conformance

import (
	"fmt"

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
}

// OK reports that everything declared held and was shown.
func (v *Verdict) OK() bool { return len(v.Refuted)+len(v.Idle) == 0 }

// jobs are the workloads of a suite: a line, a line with event time, a join, and
// two pipelines that nothing connects. dice comes to them unless the algorithm
// refuses operators that are not deterministic.
var jobs = []string{"keyedcount", "nexmark-q5", "nexmark-q8", "pipelines"}

// cyclic comes to them if the algorithm declares graphs with cycles; its channels
// are FIFO always.
const cyclic = "reachability"

// Try runs what s declares: every job with so many seeds, over FIFO channels and,
// if it declares that it can, over channels that reorder. It stops early once
// something is refuted.
func Try(s *algorithms.Spec, seeds uint64) (*Verdict, error) {
	v := &Verdict{}
	orders := []bool{false}
	if s.Declared.Channels == dataflow.AnyOrder {
		orders = append(orders, true)
	}
	var works []workloads.Workload
	for _, name := range jobs {
		w, err := workloadcatalog.New(name)
		if err != nil {
			return nil, err
		}
		works = append(works, w)
	}
	loop := -1
	if s.Declared.Topologies == dataflow.AnyTopology {
		w, err := workloadcatalog.New(cyclic)
		if err != nil {
			return nil, err
		}
		loop = len(works)
		works = append(works, w)
	}
	if s.Declared.NonDeterminism != dataflow.Refused {
		works = append(works, newDice())
	}
	for i, w := range works {
		for _, reorder := range orders {
			if reorder && i == loop {
				continue
			}
			w.Small()
			before := v.seen.Recoveries
			if err := v.sweep(s, w, reorder, seeds); err != nil {
				return nil, err
			}
			if len(v.Refuted) > 0 {
				return v, nil
			}
			if w.Name() == "dice" {
				v.seen.Throws += v.seen.Recoveries - before
			}
		}
	}
	v.judge(s.Declared)
	return v, nil
}

// Workers of a scenario; task t lives on worker t mod workers.
const workers = 3

func (v *Verdict) sweep(s *algorithms.Spec, w workloads.Workload, reorder bool, seeds uint64) error {
	c := scenario.Config{Algorithm: s, State: "heap", Workload: w, Reorder: reorder}
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
		v.seen.Duplicates += o.Report.Duplicates
		v.seen.Losses += o.Report.Losses
		if o.Kind != scenario.Fine {
			v.Refuted = append(v.Refuted, fmt.Sprintf("%s: %s (%s)", o.Kind, o.Why(), c.Command(seed)))
			return nil
		}
	}
	return nil
}

// judge compares what was seen with what is declared.
func (v *Verdict) judge(p dataflow.Properties) {
	s := &v.seen
	v.guarantees(p, s)
	v.snapshots(p, s)
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
	partly := p.Rollback != dataflow.ScopeAll
	v.both("Rollback other than ScopeAll", partly, s.Kept)
	v.holds("Rollback: ScopeTask", p.Rollback != dataflow.ScopeTask || s.Rolled == 0, "%d tasks on workers that stood were restarted", s.Rolled)
	v.shown("Rollback: ScopeLine (a survivor is rolled back)", p.Rollback != dataflow.ScopeLine || s.Rolled > 0)
}

func (v *Verdict) guarantees(p dataflow.Properties, s *seen) {
	v.shown("State: AtLeastOnce (duplicates)", p.State != dataflow.AtLeastOnce || s.Duplicates > 0)
	v.shown("State: AtMostOnce (losses)", p.State != dataflow.AtMostOnce || s.Losses > 0)
	v.shown("a recovery from a snapshot", p.Snapshots == dataflow.NoSnapshots || s.Recoveries > 0)
}

func (v *Verdict) snapshots(p dataflow.Properties, s *seen) {
	v.both("Snapshots: Rounds", p.HasRounds(), s.Completed)
	v.both("Snapshots", p.Snapshots != dataflow.NoSnapshots, s.Stored)
	most := s.Local
	if p.HasRounds() {
		most = s.Rounds
	}
	v.holds("MaxConcurrent", p.MaxConcurrent == 0 || most <= p.MaxConcurrent, "%d were under way at once", most)
	v.shown("MaxConcurrent: any number", p.MaxConcurrent != 0 || p.Snapshots == dataflow.NoSnapshots || most > 1)
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
