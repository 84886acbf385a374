package command

import (
	"context"
	"fmt"
	"sync"
	"time"

	"weir/dataflow"
	"weir/scenario"
	"weir/scenario/mutants"
	"weir/trace"
)

// drawnSeeds are the seeds of a sweep that draws its cells, unless they are given.
const drawnSeeds = "1-10000"

// draws tells whether a sweep draws the combination of each run: no list is given, and
// no plan, which names workers, tasks and channels of one shape.
func draws(given func(flag string) bool) bool {
	for _, flag := range [...]string{"algorithm", "state", "sink", "workload", "plan"} {
		if given(flag) {
			return false
		}
	}
	return true
}

// cells returns what such a sweep draws from: all that can run. What is given of a
// shape is not drawn.
func (c *choice) cells(given func(flag string) bool) (selection, error) {
	of := *c
	of.sink = "all"
	cfgs, refused, err := of.product(true)
	if !given("parallelism") {
		for i := range cfgs {
			cfgs[i].Parallelism = 0
		}
	}
	s := selection{cfgs: cfgs, refused: refused, drawn: true}
	if !given("operations") {
		s.operations = byDefault
	}
	return s, err
}

// cells returns what draws the cell of each run.
func (s *selection) cells() *scenario.Cells {
	c := scenario.NewCells(s.cfgs)
	c.Operations = s.operations
	return c
}

// drawing is a sweep each of whose runs has a cell that its seed draws.
type drawing struct {
	of    *choice
	cells *scenario.Cells
	found *archive

	mutant dataflow.Mutant
	mu     sync.Mutex
	marks  scenario.Marks
	rows   []tally // by rowKey, in the order of the catalogs
	at     map[rowKey]int
}

// rowKey is what the runs of one row have in common.
type rowKey struct{ algorithm, sink, promised, notJudged string }

// newDrawing returns a sweep over the cells of what is chosen. Its rows stand in that order.
func newDrawing(of *choice, chosen *selection, found *archive) *drawing {
	cfgs := chosen.cfgs
	s := &drawing{of: of, cells: chosen.cells(), found: found, mutant: cfgs[0].Mutant, at: map[rowKey]int{}}
	for i := range cfgs {
		row := newTally(&cfgs[i])
		key := keyOf(&row)
		if _, known := s.at[key]; known {
			continue
		}
		row.State = "all"
		if row.NotJudged == "" {
			row.Workload = "all"
		}
		s.at[key] = len(s.rows)
		s.rows = append(s.rows, row)
	}
	return s
}

func keyOf(t *tally) rowKey { return rowKey{t.Algorithm, t.Sink, t.promised, t.NotJudged} }

// sweep makes the run of each seed, several at once, until ctx or the budget ends.
func (s *drawing) sweep(ctx context.Context, over seedRange, budget time.Duration, jobs int) ([]tally, error) {
	if budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, budget)
		defer cancel()
	}
	bar := newBar(over.runs(1))
	var wg sync.WaitGroup
	work := make(chan drawnRun)
	errs := make(chan error, jobs)
	for range jobs {
		wg.Go(func() {
			var came scenario.Marks
			defer s.add(&came)
			for w := range work {
				switch counts, err := s.run(ctx, w, &came); {
				case err != nil:
					select {
					case errs <- err:
					default:
					}
				case counts:
					_ = bar.Add64(1)
				}
			}
		})
	}
	for n := over.first; ctx.Err() == nil && len(errs) == 0; n++ {
		work <- drawnRun{n, s.cells.Draw(n)}
		if n == over.last {
			break
		}
	}
	close(work)
	wg.Wait()
	_ = bar.Finish()
	if len(errs) > 0 {
		return nil, <-errs
	}
	return s.rows, nil
}

// drawnRun is a seed and its cell.
type drawnRun struct {
	seed uint64
	cfg  scenario.Config
}

func (s *drawing) add(came *scenario.Marks) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks.Add(came)
}

// run makes one run; counts: it was not interrupted.
func (s *drawing) run(ctx context.Context, w drawnRun, came *scenario.Marks) (counts bool, err error) {
	if w.cfg.Workload, err = s.of.makeWorkload(w.cfg.Workload.Name(), true); err != nil {
		return false, err
	}
	r, err := scenario.New(w.cfg)
	if err != nil {
		return false, fmt.Errorf("%w: %w\nwith %s", errUsage, err, w.cfg.Command(w.seed))
	}
	defer r.Close()
	r.Interrupted, r.Observers = ended(ctx), []trace.Observer{came}
	o := s.found.keep(r.Run(w.seed), func() *scenario.Outcome {
		r.Record(true)
		defer r.Record(false)
		return r.Run(w.seed)
	})
	came.End(o)
	if o.Kind == scenario.Interrupted {
		return false, nil
	}
	row := newTally(&w.cfg)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[s.at[keyOf(&row)]].note(o, w.seed)
	return true, nil
}

// find is after how many runs of a sweep that draws the first one failed.
type find struct {
	Seed uint64 `json:"seed"`
	Runs uint64 `json:"runs"`
	// RunsWith are those among them whose cell has the code that a mistake is in, and draws the
	// operations that it needs: what a sweep of these alone would have taken.
	RunsWith uint64 `json:"runs_with_the_mistake,omitempty"`
	mutant   dataflow.Mutant
}

// find returns when the first run failed, nil if none did.
func (s *drawing) find(first uint64) *find {
	f := find{mutant: s.mutant}
	for i := range s.rows {
		if r := &s.rows[i]; r.First != "" && (f.Runs == 0 || r.firstSeed < f.Seed) {
			f.Seed, f.Runs = r.firstSeed, r.firstSeed-first+1
		}
	}
	if f.Runs == 0 {
		return nil
	}
	mistake, err := mutants.Lookup(string(s.mutant))
	if err != nil { // none is switched on
		return &f
	}
	for n := first; ; n++ {
		if c := s.cells.Draw(n); mistake.Has(c.Algorithm.Name, c.State, c.SinkName()) && mistake.Shown(c.Operations, c.Given) {
			f.RunsWith++
		}
		if n == f.Seed {
			return &f
		}
	}
}

// String says it in a line.
func (f *find) String() string {
	text := fmt.Sprintf("the first failure is in run %d, seed %d", f.Runs, f.Seed)
	if f.mutant != "" {
		text += fmt.Sprintf("; it is the %d. whose cell has the code that %s is in", f.RunsWith, f.mutant)
	}
	return text
}
