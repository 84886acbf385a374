package faults

import "weir/trace"

// CrashAt returns the plan that crashes victim (a Fault of which only Target and
// Worker matter) at the k-th event of the given kinds, counting from 1.
func CrashAt(victim Fault, k int, kinds trace.Mask) Plan {
	return Plan{Faults: []Fault{{Kind: Crash, Target: victim.Target, Worker: victim.Worker, When: At(Nth(k, kinds))}}}
}

// Victims returns what a sweep crashes: every worker, and the coordinator.
func Victims(workers int) []Fault {
	var vs []Fault
	for w := range workers {
		vs = append(vs, Fault{Kind: Crash, Target: Worker, Worker: w})
	}
	return append(vs, Fault{Kind: Crash, Target: Coordinator})
}

// Sweep goes through the plans "crash at the k-th event" for every k and every
// victim. After each run the caller reports whether the fault struck: the first
// run that ends uncrashed ends the sweep of that victim.
//
//	for p, ok := s.Next(); ok; p, ok = s.Next() {
//		run(p)
//		s.Ran(injector.Fired() > 0)
//	}
type Sweep struct {
	victims []Fault
	kinds   trace.Mask
	stride  int
	k       int
	runs    int
}

// NewSweep returns a sweep over all victims. stride 1 tries every k; a larger
// one every stride-th, for a shorter sweep.
func NewSweep(victims []Fault, kinds trace.Mask, stride int) *Sweep {
	return &Sweep{victims: victims, kinds: kinds, stride: max(stride, 1), k: 1}
}

// Next returns the plan to run next; false: the sweep is over.
func (s *Sweep) Next() (Plan, bool) {
	if len(s.victims) == 0 {
		return Plan{}, false
	}
	return CrashAt(s.victims[0], s.k, s.kinds), true
}

// Ran reports the outcome of the plan that Next returned: whether it struck
// before the run ended.
func (s *Sweep) Ran(struck bool) {
	s.runs++
	if struck {
		s.k += s.stride
		return
	}
	s.victims, s.k = s.victims[1:], 1
}

// Runs returns how many plans were run.
func (s *Sweep) Runs() int { return s.runs }
