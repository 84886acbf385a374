package explore

import (
	"weir/check"
	"weir/scenario"
	"weir/scenario/mutants"
)

// Search looks for one mistake by one policy.
type Search struct {
	Case   mutants.Case
	Policy string
	Number int // from 1: searches of other numbers draw other runs
	Budget int // runs after which it is given up
	// Interrupted and Told are those of [scenario.Hunt]: either may be nil.
	Interrupted func() bool
	Told        func(runs int)
}

// Finding is how a search ended.
type Finding struct {
	Config scenario.Config // the combination that was searched
	Found  bool            // by the oracle that must see the mistake
	Runs   int             // made, the last one found it
	Seed   uint64          // of the last run
	Oracle check.Oracle    // that saw it
	Panics int             // runs that panicked, which finds nothing
	Others int             // runs that failed otherwise than the mistake must show
	// Interrupted: the search is not over, and says nothing.
	Interrupted bool
}

// seedsOfSearch is how far the seeds of two searches are apart: no budget is so large.
const seedsOfSearch = 1_000_000

// eventsOfSearch ends runs of a search that never end: a hundred times what a run takes.
// With a mistake switched on there are many, and each would cost as much as a search.
const eventsOfSearch = 400_000

// Run searches in the combination in which [scenario.Hunt] looks for the mistake.
func (s *Search) Run() (f Finding, err error) {
	f.Config, err = scenario.HuntConfig(s.Case)
	if err != nil {
		return f, err
	}
	r, err := scenario.New(f.Config)
	if err != nil {
		return f, err
	}
	defer r.Close()
	r.Interrupted, r.MostEvents = s.Interrupted, eventsOfSearch
	e, err := New(s.Policy, r, uint64(s.Number)*seedsOfSearch+1)
	if err != nil {
		return f, err
	}
	for f.Runs < s.Budget && !f.Found {
		o := e.Next()
		if o.Kind == scenario.Interrupted {
			f.Interrupted = true
			return f, nil
		}
		f.Runs, f.Seed = f.Runs+1, o.Seed
		switch f.Oracle, _, f.Found = scenario.Shows(&s.Case, o); {
		case f.Found:
		case o.Kind == scenario.Crashed:
			f.Panics++
		case o.Kind != scenario.Fine:
			f.Others++
		}
		if s.Told != nil {
			s.Told(f.Runs)
		}
	}
	return f, nil
}
