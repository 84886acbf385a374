package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"weir/internal/bench/job"
	"weir/internal/bench/machine"
	"weir/results"
	"weir/results/stat"
)

// Campaign runs a plan and records what comes of it.
type Campaign struct {
	Plan Plan
	// Results is the directory of the campaign's record. Dir is where the jobs
	// keep their data, which is the disk that is measured; empty: below Results.
	Results, Dir string
	Description  string
	Tuning       job.Tuning
	Arguments    []string
	// RunBytes bounds what a run may write, as if the disk were full then; 0: the disk does.
	RunBytes int64
	Budget   time.Duration // for everything; 0: as long as it takes
	Mutant   string
	// Reference are settings that only the reference answer is given: a
	// deliberate mistake, for testing that a wrong output is seen.
	Reference map[string]string
	// Resume goes on with the campaign that is in Results.
	Resume bool
	// Progress hears of every repetition before it begins; nil: nobody does.
	Progress func(done, total int, left time.Duration, what string)
	// Log takes lines for people; nil: nobody reads them.
	Log func(format string, args ...any)

	locks    []*os.File
	writer   *results.Writer
	began    time.Time
	took     map[string]time.Duration // by key of the cell, the longest so far
	kinds    [kindsOfStep]pastSteps
	unsteady int
}

// Errors that a campaign ends with, besides job.ErrInterrupted and ErrNoProgress.
var (
	// ErrWrongOutput: some repetition's committed output was wrong.
	ErrWrongOutput = errors.New("committed output was wrong")
	// ErrInvalid: the campaign does not agree with itself.
	ErrInvalid = errors.New("the results are invalid")
	// ErrNoRoom: the directory cannot hold the plan.
	ErrNoRoom = errors.New("not enough room")
)

// WorkDir is where the jobs keep their data: Dir, unless that is empty.
func (c *Campaign) WorkDir() string {
	if c.Dir == "" {
		return filepath.Join(c.Results, "work")
	}
	return c.Dir
}

// Run runs the campaign. What was measured is recorded whatever happens; the
// error is what kept it from its end, or ErrWrongOutput or ErrInvalid.
func (c *Campaign) Run(ctx context.Context) error {
	c.began, c.took = time.Now(), map[string]time.Duration{}
	if err := c.prepare(); err != nil {
		c.unlock()
		c.tidy()
		return err
	}
	defer c.unlock()
	err := c.steps(ctx)
	if finish := c.finish(err == nil); err == nil {
		err = finish
	} else {
		err = errors.Join(err, finish)
	}
	if err == nil {
		c.tidy()
	}
	return err
}

// Begun reports whether Run got as far as the record of the campaign.
func (c *Campaign) Begun() bool { return c.writer != nil }

// tidy removes the directories of the campaign that are empty: they were only ours.
func (c *Campaign) tidy() {
	for _, dir := range []string{c.WorkDir(), c.Results} {
		_ = os.Remove(dir) // one that holds something stays
	}
}

// prepare checks the directory, captures the environment and opens the record.
func (c *Campaign) prepare() error {
	if !c.Resume {
		if err := results.Vacant(c.Results); err != nil {
			return err // before the disk is looked at, which takes a while
		}
	} else {
		if err := c.lock(c.Results); err != nil {
			return err
		}
	}
	disk, err := machine.Probe(c.WorkDir())
	if err != nil {
		return err
	}
	if err := c.lock(c.WorkDir()); err != nil {
		return err
	}
	free, err := machine.FreeBytes(c.WorkDir())
	if err != nil {
		return err
	}
	if need := c.Plan.DiskBytes(); need > free {
		return fmt.Errorf("%w: the plan needs about %d MB in %s and %d MB are free: free some, name another directory with --dir, or ask for fewer keys, a lower rate or a higher emitEvery", ErrNoRoom, need>>20, c.WorkDir(), free>>20)
	}
	e := machine.Environment(c.Arguments)
	e.GOMAXPROCS, e.GOGC, e.Disk = c.Tuning.Procs(), strconv.Itoa(c.Tuning.GCPercent), disk
	c.Tuning.Describe(e.Settings)
	c.describe(e.Settings)
	if c.Resume {
		return c.reopen(&e)
	}
	c.writer, err = results.Create(c.Results, results.Manifest{
		ID: filepath.Base(c.Results), Description: c.Description, Started: c.began.UTC().Truncate(time.Second), Environment: e,
		Plan: results.Plan{
			Seed: c.Plan.Seed, Quick: c.Plan.Quick, Blocks: 2 * c.Plan.Repetitions, Repetitions: c.Plan.Repetitions,
			RepetitionSeconds: c.Plan.Measure.Seconds(), WarmUp: c.Plan.warmUp(), Baseline: c.Plan.Baseline, Cells: c.Plan.Cells,
		},
	})
	if err == nil {
		err = c.lock(c.Results)
	}
	return err
}

func (p *Plan) warmUp() string {
	if p.Events > 0 {
		return fmt.Sprintf("none: each repetition is the whole input of %d records, the start of the job included", p.Events)
	}
	return job.WarmUpRule(p.Warm)
}

// steps runs every repetition that is not recorded yet.
func (c *Campaign) steps(ctx context.Context) error {
	all := order(c.Plan.Cells, c.Plan.Repetitions, c.Plan.Seed)
	cut := 0
	for i := range all {
		s := &all[i]
		if c.writer.Has(s.cell, s.repetition) {
			continue
		}
		left := c.left(all[i:])
		if c.overBudget(s) {
			cut++
			continue
		}
		if c.Progress != nil {
			c.Progress(i, len(all), left, s.cell.Algorithm+" "+s.cell.State+" "+s.cell.LoadText())
		}
		if err := c.step(ctx, s); err != nil {
			return err
		}
	}
	if c.Progress != nil {
		c.Progress(len(all), len(all), 0, "")
	}
	if c.unsteady > 0 {
		c.log("%d of %d repetitions were not steady when measuring began; the report names them", c.unsteady, len(all))
	}
	if cut > 0 {
		text := fmt.Sprintf("%d of %d repetitions were left out to keep to %s: the machine was slower than planned for, and cells without numbers were not measured", cut, len(all), c.Budget)
		c.writer.Warn(results.Warning{Text: text})
		c.log("%s", text)
	}
	return nil
}

// overBudget tells whether a repetition would not be done in time.
func (c *Campaign) overBudget(s *step) bool {
	if c.Budget == 0 {
		return false
	}
	until := c.Budget
	if isFirst(s.cell) {
		until = time.Duration(c.Plan.firstShare() * float64(until))
	}
	return time.Since(c.began)+c.guess(&s.cell) > until
}

func (c *Campaign) step(ctx context.Context, s *step) error {
	rate, err := c.rate(s.cell)
	if err != nil {
		c.warn(s.cell, err.Error())
		return nil
	}
	began := time.Now()
	r := &Repetition{
		Cell: s.cell, Block: s.block, Number: s.repetition, Rate: rate, Seed: c.Plan.Seed ^ s.cell.Seed("") + uint64(s.repetition)*0x9e3779b97f4a7c15,
		Dir: c.WorkDir(), Events: c.Plan.Events, Warm: c.Plan.Warm, Measure: c.Plan.Measure, Tuning: c.Tuning, Given: c.Plan.Given, DiskBytes: c.RunBytes, Mutant: c.Mutant, Reference: c.Reference,
	}
	o, err := r.Run(ctx)
	if err != nil {
		return c.explain(err)
	}
	c.learn(&s.cell, time.Since(began))
	return c.record(s, o)
}

// record appends a repetition to the record.
func (c *Campaign) record(s *step, o *Outcome) error {
	if o.Sample.Output == results.OutputWrong {
		c.log("%s, repetition %d: the committed output was wrong, so there are no numbers: %v", s.cell.Key(), s.repetition, o.Why)
	}
	if o.Processing != nil {
		if err := c.writer.AppendHistogram(s.cell, s.repetition, results.Processing, o.Processing); err != nil {
			return err
		}
	}
	if o.Visible != nil {
		if err := c.writer.AppendHistogram(s.cell, s.repetition, results.Visible, o.Visible); err != nil {
			return err
		}
	}
	for _, w := range o.Sample.Warnings {
		if w != unsteady { // said once, at the end
			c.log("%s %s %s: %s", s.cell.Algorithm, s.cell.State, s.cell.LoadText(), w)
		}
	}
	if o.Unsteady {
		c.unsteady++
	}
	return c.writer.Append(o.Sample)
}

func (c *Campaign) warn(cell results.Cell, text string) {
	c.log("%s %s %s: %s", cell.Algorithm, cell.State, cell.LoadText(), text)
	c.writer.Warn(results.Warning{Cell: cell.Key(), Text: text})
}

func (c *Campaign) log(format string, args ...any) {
	if c.Log != nil {
		c.Log(format+"\n", args...)
	}
}

// rate returns the rate of an open loop; 0 for a closed one.
func (c *Campaign) rate(cell results.Cell) (int64, error) {
	if cell.Load == results.ClosedLoop || cell.RateShare == 0 {
		return int64(cell.Rate), nil
	}
	r, err := results.Read(c.Results)
	if err != nil {
		return 0, err
	}
	values := r.Values(closedOf(cell), "throughput")
	if len(values) == 0 {
		return 0, fmt.Errorf("not measured: its saturation is not known, so neither is %.0f %% of it", 100*cell.RateShare)
	}
	return max(int64(cell.RateShare*stat.Median(values)), 1), nil
}

// explain adds the way out to an error that ends the campaign.
func (c *Campaign) explain(err error) error {
	var child *job.ChildError
	if errors.As(err, &child) && child.NoRoom {
		free, _ := machine.FreeBytes(c.WorkDir())
		return fmt.Errorf("%w: %s filled up during the run (%d MB are free now): make room or name another directory with --dir, then continue with --resume %s: %w", ErrNoRoom, c.WorkDir(), free>>20, filepath.Base(c.Results), err)
	}
	return err
}

// finish judges the campaign and closes its record.
func (c *Campaign) finish(complete bool) error {
	r, err := results.Read(c.Results)
	if err != nil {
		return errors.Join(err, c.writer.Close())
	}
	validity, err := r.Judge([]string{"throughput", "processing_p99_ms"})
	if err != nil {
		return errors.Join(err, c.writer.Close())
	}
	wrong := wrongOutputs(r)
	if c.Mutant != "" {
		validity.State = results.Invalid
		validity.Reasons = append(validity.Reasons, fmt.Sprintf("a deliberate mistake was planted (mutant %s): %d of %d outputs were found wrong", c.Mutant, wrong, len(r.Samples)))
	}
	end := time.Now().UTC().Truncate(time.Second)
	err = c.writer.Amend(func(m *results.Manifest) {
		m.Validity, m.Environment.After = validity, machine.Strain()
		if complete {
			m.Finished = &end
		}
	})
	if err = errors.Join(err, c.writer.Close()); err != nil {
		return err
	}
	if !complete {
		return nil
	}
	return Verdict(r.Dir, wrong, validity)
}

// Verdict is the error that a campaign ends with whose repetitions are all
// recorded, wrong of them with a wrong output: ErrWrongOutput, ErrInvalid or none.
func Verdict(dir string, wrong int, v results.Validity) error {
	switch {
	case wrong > 0:
		return fmt.Errorf("%w in %d repetitions; they have no numbers; see the warnings in %s", ErrWrongOutput, wrong, dir)
	case v.State == results.Invalid:
		return fmt.Errorf("%w: %v", ErrInvalid, v.Reasons)
	}
	return nil
}
