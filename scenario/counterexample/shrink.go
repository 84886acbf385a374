package counterexample

import (
	"math"
	"slices"

	"weir/faults"
	"weir/scenario"
	"weir/sim/seed"
)

// Shrinker makes a counterexample smaller, as long as it has the same signature, and is
// fine without its mutant if it was so before: fewer faults, failing operations, records,
// tasks, workers and checkpoints, then smaller numbers, and decisions made quiet. What it
// ends with is smaller, not smallest.
type Shrinker struct {
	// Try runs a candidate and returns the file of what it did, nil if that could
	// not be run or was ended. redraw: its decisions are drawn anew from its seed. over is
	// to be asked at even distances in all that the run takes, its calm twins among it; true
	// ends it. Required.
	Try func(f *File, redraw bool, over func() bool) *File
	// Records returns how many records the run has; WithRecords the candidate with n
	// of them, nil if there is none. nil, both: records are left alone.
	Records     func(f *File) int
	WithRecords func(f *File, n int) *File
	// Better hears of every smaller file. nil: nobody does.
	Better func(f *File)
	// Over is asked before every run, and in it, whether time is up. nil: never.
	Over func() bool

	best   *File
	blamed bool // the first is fine without its mutant
	took   int  // how often the run of the best asked whether it is over,
	fine   int  // that of the first without its mutant,
	asked  int  // and the one at hand, so far
	runs   int
}

// A candidate may take mostLonger times as long as the best, and each may ask leastAsked
// times. What takes longer is not better: it is ended, and not judged. Some candidates
// would never end, such as jobs so slow that they are at work when virtual time is up, and
// each took as long as thousands of others.
const (
	mostLonger = 3
	leastAsked = 16 // of a simulated run: 4,000 events
)

// pass is one kind of smaller. It keeps what is better in s.best.
type pass func(s *Shrinker)

// passes are in the order of what a reader is glad to be rid of.
func passes() []pass {
	return []pass{
		(*Shrinker).fewerFaults, (*Shrinker).fewerFailing, (*Shrinker).fewerRecords, (*Shrinker).fewerTasks, (*Shrinker).fewerWorkers, (*Shrinker).fewerCoordinators, (*Shrinker).fewerCheckpoints,
		(*Shrinker).smallerFaults, (*Shrinker).smallerSizes, (*Shrinker).quieter, (*Shrinker).smallerDecisions,
	}
}

// Shrink returns the smallest file that it found and the number of runs made; nil
// if f itself does not come out with its signature. A pass is made again if another
// one has found something since.
func (s *Shrinker) Shrink(f *File) (smallest *File, runs int) {
	s.runs = 0
	first := s.try(f, false, math.MaxInt)
	if first == nil || !f.same(first) {
		return nil, s.runs
	}
	s.best, s.took = first, s.asked
	s.blamed = first.Mutant != "" && s.fineWithout(first, math.MaxInt)
	s.fine = s.asked
	all := passes()
	idle := 0
	for i := 0; idle < len(all) && !s.over(); i++ {
		before := s.best
		all[i%len(all)](s)
		if idle++; s.best != before {
			idle = 0
		}
	}
	return s.best, s.runs
}

// same tells whether a run failed as the file says. A file without a where, which
// an older build wrote, takes that of the run.
func (f *File) same(got *File) bool {
	was := f.Signature()
	if was.Where == "" {
		was.Where = got.Where
	}
	return got.Signature() == was
}

func (s *Shrinker) over() bool { return s.Over != nil && s.Over() }

// try makes one run that may ask so often whether it is over.
func (s *Shrinker) try(f *File, redraw bool, most int) *File {
	s.runs++
	s.asked = 0
	return s.Try(f, redraw, func() bool {
		s.asked++
		return s.asked > most || s.over()
	})
}

// better tries a candidate and keeps it if it fails in the same way.
func (s *Shrinker) better(f *File) bool { return s.kept(f, false) }

func (s *Shrinker) kept(f *File, redraw bool) bool {
	if f == nil || s.over() {
		return false
	}
	got := s.try(f, redraw, most(s.took))
	took := s.asked
	if got == nil || got.Signature() != s.best.Signature() || s.blamed && !s.fineWithout(got, most(s.fine)) {
		return false
	}
	s.best, s.took = got, took
	if s.Better != nil {
		s.Better(got)
	}
	return true
}

// most is how often a run may ask whether it is over, where an earlier one asked so often.
func most(asked int) int { return max(leastAsked, mostLonger*asked) }

// fineWithout tells whether the run of a file is fine without the mutant. One that
// is not, such as that of a job that keeps too little to survive what its faults destroy,
// no longer shows the mistake.
func (s *Shrinker) fineWithout(f *File, most int) bool {
	c := *f
	c.Mutant = ""
	is := s.try(&c, false, most)
	return is != nil && is.Verdict == scenario.Fine.String()
}

// edited returns a candidate: the best, changed. What it has in common with the best
// must not be written to.
func (s *Shrinker) edited(change func(f *File)) *File {
	c := *s.best
	change(&c)
	return &c
}

// fewerFaults leaves faults and operations out of the plan.
func (s *Shrinker) fewerFaults() {
	ddmin(s.best.Plan.Faults, s.over, func(kept []faults.Fault) ([]faults.Fault, bool) {
		ok := s.better(s.edited(func(f *File) { f.Plan = faults.Plan{Faults: kept} }))
		return s.best.Plan.Faults, ok
	})
}

// quieter makes decisions quiet: in blocks, all of a stream's purpose at first, down
// to single ones.
func (s *Shrinker) quieter() {
	for _, name := range purposes(s.best.Decisions) {
		s.better(s.edited(func(f *File) {
			f.Decisions = slices.DeleteFunc(slices.Clone(f.Decisions), func(d seed.Named) bool { return d.Name == name })
		}))
	}
	ddmin(s.best.Decisions, s.over, func(kept []seed.Named) ([]seed.Named, bool) {
		ok := s.better(s.edited(func(f *File) { f.Decisions = kept }))
		return s.best.Decisions, ok
	})
}

// purposes returns the names of streams in the order in which they come first.
func purposes(all []seed.Named) (names []string) {
	for i := range all {
		if !slices.Contains(names, all[i].Name) {
			names = append(names, all[i].Name)
		}
	}
	return names
}

// mostSmaller is up to how many decisions each is made a smaller number.
const mostSmaller = 200

// smallerDecisions makes the values of the decisions left smaller, if they are few.
func (s *Shrinker) smallerDecisions() {
	if len(s.best.Decisions) > mostSmaller {
		return
	}
	for i := 0; i < len(s.best.Decisions); i++ {
		s.lower(int64(min(s.best.Decisions[i].Value, 1<<62)), 1, func(f *File, v int64) {
			if i < len(f.Decisions) {
				f.Decisions = slices.Clone(f.Decisions)
				f.Decisions[i].Value = uint64(v)
			}
		})
	}
}

// lower looks for a smaller number that will do: the least, then by halves, a few
// times.
func (s *Shrinker) lower(now, least int64, set func(f *File, v int64)) {
	if now <= least {
		return
	}
	if s.better(s.edited(func(f *File) { set(f, least) })) {
		return
	}
	for range 5 {
		v := least + (now-least)/2
		if v == least || v == now {
			return
		}
		if s.better(s.edited(func(f *File) { set(f, v) })) {
			now = v
		} else {
			least = v
		}
	}
}
