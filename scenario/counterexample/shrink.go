package counterexample

import (
	"slices"

	"weir/faults"
	"weir/sim"
	"weir/sim/seed"
)

// Shrinker makes a counterexample smaller, as long as it is of the same
// signature: fewer faults, no failing operations, nothing slow, fewer records, and then
// decisions made quiet. What it ends with is smaller, not smallest.
type Shrinker struct {
	// Try runs a candidate and returns the file of what it did, nil if that could
	// not be run. Required.
	Try func(f *File) *File
	// Fewer returns the candidate with about half of its records, nil if there are
	// no fewer. nil: records are left alone.
	Fewer func(f *File) *File
	// Better hears of every smaller file. nil: nobody does.
	Better func(f *File)
	// Over is asked before every run whether time is up. nil: never.
	Over func() bool

	best *File
	runs int
}

// Shrink returns the smallest file that it found and the number of runs made; nil
// if f itself does not come out with its signature.
func (s *Shrinker) Shrink(f *File) (smallest *File, runs int) {
	first := s.Try(f)
	if s.runs = 1; first == nil || first.Signature() != f.Signature() {
		return nil, s.runs
	}
	s.best = first
	for again := true; again && !s.over(); {
		again = s.fewerFaults()
		again = s.calmer() || again
		again = s.fewerRecords() || again
		again = s.quieter() || again
	}
	return s.best, s.runs
}

func (s *Shrinker) over() bool { return s.Over != nil && s.Over() }

// better tries a candidate and keeps it if it breaks the same.
func (s *Shrinker) better(f *File) bool {
	if s.over() {
		return false
	}
	s.runs++
	got := s.Try(f)
	if got == nil || got.Signature() != s.best.Signature() {
		return false
	}
	s.best = got
	if s.Better != nil {
		s.Better(got)
	}
	return true
}

// fewerFaults takes faults out of the plan, one after another.
func (s *Shrinker) fewerFaults() (any bool) {
	for i := len(s.best.Plan.Faults) - 1; i >= 0; i-- {
		c := *s.best
		c.Plan = faults.Plan{Faults: slices.Delete(slices.Clone(c.Plan.Faults), i, i+1)}
		any = s.better(&c) || any
	}
	return any
}

// calmer lets no operation fail that the plan does not name, and nothing be slow.
func (s *Shrinker) calmer() (any bool) {
	for _, o := range []func(f *File) *sim.Operations{
		func(f *File) *sim.Operations { return &f.Settings.Model.Storage },
		func(f *File) *sim.Operations { return &f.Settings.Model.Sink },
	} {
		if c := *s.best; o(&c).Of != 0 {
			o(&c).Of, o(&c).NotApplied, o(&c).Applied, o(&c).Late, o(&c).Torn = 0, 0, 0, 0, 0
			any = s.better(&c) || any
		}
	}
	for _, l := range []func(f *File) *[]int{
		func(f *File) *[]int { return &f.Settings.Model.WorkerSlow },
		func(f *File) *[]int { return &f.Settings.Model.LinkSlow },
	} {
		if c := *s.best; len(*l(&c)) > 0 {
			*l(&c) = nil
			any = s.better(&c) || any
		}
	}
	return any
}

func (s *Shrinker) fewerRecords() (any bool) {
	for s.Fewer != nil {
		c := s.Fewer(s.best)
		if c == nil || !s.better(c) {
			break
		}
		any = true
	}
	return any
}

// quieter makes decisions quiet: in ever smaller parts, down to single ones
// (Zeller and Hildebrandt, Simplifying and isolating failure-inducing input, 2002).
func (s *Shrinker) quieter() (any bool) {
	for size := len(s.best.Decisions); size > 0; size /= 2 {
		for at := 0; at < len(s.best.Decisions) && !s.over(); {
			c := *s.best
			c.Decisions = without(c.Decisions, at, min(at+size, len(c.Decisions)))
			before := len(s.best.Decisions)
			if s.better(&c) && len(s.best.Decisions) < before {
				any = true
				continue
			}
			at += size
		}
	}
	return any
}

func without(all []seed.Named, from, to int) []seed.Named {
	return slices.Delete(slices.Clone(all), from, to)
}
