package conformance

import (
	"weir/algorithms"
	"weir/dataflow"
	"weir/scenario"
	"weir/workloads"
)

// stronger is a promise that an algorithm could have made and did not.
type stronger struct {
	name string // of what it declares instead
	make func(p *dataflow.Properties)
	on   string // the only job that can break it; "": any
}

// strongerThan lists them for p; decides: the protocol is a dataflow.Decider. Topologies and channels are not among them: to
// refuse some is a choice.
func strongerThan(p dataflow.Properties, decides bool) (all []stronger) {
	if p.Snapshots == dataflow.NoSnapshots {
		return nil // no sink that waits for snapshots, no throws that come back, nothing useless
	}
	for g := p.Output + 1; g <= dataflow.ExactlyOnce; g++ {
		all = append(all, stronger{"Output", func(p *dataflow.Properties) { p.Output = g }, ""})
	}
	if p.NonDeterminism == dataflow.Refused {
		all = append(all, stronger{"NonDeterminism: Refused", func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Tolerated }, "dice"})
		if decides {
			all = append(all, stronger{"NonDeterminism: Refused", func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Recorded }, "dice"})
		}
	}
	if !p.NoneUseless && p.Topologies == dataflow.AnyTopology {
		all = append(all, stronger{"no NoneUseless", func(p *dataflow.Properties) { p.NoneUseless = true }, cyclic})
	}
	return all
}

// understated has the runs that would break each stronger promise. What none of
// them breaks is declared weaker than any run shows.
func (v *Verdict) understated(s *algorithms.Spec, seeds uint64) error {
	for _, x := range strongerThan(s.Declared, decides(s)) {
		more := *s
		x.make(&more.Declared)
		broken, err := v.breaks(&more, x.on, seeds)
		if err != nil {
			return err
		}
		v.shown(x.name+" (declared weaker than needed)", broken)
	}
	return nil
}

// breaks reports that some run refutes what s declares.
func (v *Verdict) breaks(s *algorithms.Spec, on string, seeds uint64) (bool, error) {
	trial := &Verdict{topologies: map[string]int{}}
	works, err := trial.works(s)
	if err != nil {
		return false, err
	}
	for _, w := range works {
		if on != "" && w.Name() != on {
			continue
		}
		if err := trial.sweep(inOrder(s, w), seeds); err != nil {
			return false, err
		}
		if len(trial.Refuted) > 0 {
			break
		}
	}
	v.Runs += trial.Runs
	return len(trial.Refuted) > 0, nil
}

// inOrder is the combination that every job has: FIFO channels, state on the heap.
func inOrder(s *algorithms.Spec, w workloads.Workload) scenario.Config {
	return scenario.Config{Algorithm: s, State: "heap", Workload: w, Splits: splitsOf(w), Mild: true}
}
