package counterexample

import (
	"slices"

	"weir/faults"
	"weir/sim/seed"
)

// Shrinker makes a counterexample smaller, as long as it has the same signature:
// fewer faults, failing operations, records, tasks and checkpoints, then smaller numbers,
// and decisions made quiet. What it ends with is smaller, not smallest.
type Shrinker struct {
	// Try runs a candidate and returns the file of what it did, nil if that could
	// not be run. redraw: its decisions are drawn anew from its seed. Required.
	Try func(f *File, redraw bool) *File
	// Records returns how many records the run has; WithRecords the candidate with n
	// of them, nil if there is none. nil, both: records are left alone.
	Records     func(f *File) int
	WithRecords func(f *File, n int) *File
	// Better hears of every smaller file. nil: nobody does.
	Better func(f *File)
	// Over is asked before every run whether time is up. nil: never.
	Over func() bool

	best *File
	runs int
}

// pass is one kind of smaller. It keeps what is better in s.best.
type pass func(s *Shrinker)

// passes are in the order of what a reader is glad to be rid of.
func passes() []pass {
	return []pass{
		(*Shrinker).fewerFaults, (*Shrinker).fewerFailing, (*Shrinker).fewerRecords, (*Shrinker).fewerTasks, (*Shrinker).fewerCheckpoints,
		(*Shrinker).smallerFaults, (*Shrinker).smallerSizes, (*Shrinker).quieter, (*Shrinker).smallerDecisions,
	}
}

// Shrink returns the smallest file that it found and the number of runs made; nil
// if f itself does not come out with its signature. A pass is made again if another
// one has found something since.
func (s *Shrinker) Shrink(f *File) (smallest *File, runs int) {
	first := s.Try(f, false)
	if s.runs = 1; first == nil || !f.same(first) {
		return nil, s.runs
	}
	s.best = first
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

// better tries a candidate and keeps it if it fails in the same way.
func (s *Shrinker) better(f *File) bool { return s.kept(f, false) }

func (s *Shrinker) kept(f *File, redraw bool) bool {
	if f == nil || s.over() {
		return false
	}
	s.runs++
	got := s.Try(f, redraw)
	if got == nil || got.Signature() != s.best.Signature() {
		return false
	}
	s.best = got
	if s.Better != nil {
		s.Better(got)
	}
	return true
}

// edited returns a candidate: the best, changed. What it has in common with the best
// must not be written to.
func (s *Shrinker) edited(change func(f *File)) *File {
	c := *s.best
	change(&c)
	return &c
}

// fewerFaults leaves faults out of the plan.
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
