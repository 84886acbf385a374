package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/internal/bench/job"
	"weir/results"
	statecatalog "weir/state/catalog"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// Grid is what the command line asks for: the product of algorithms and states
// over workloads.
type Grid struct {
	Algorithms, States, Workloads []string
	Sink                          string            // of every cell; empty: what goes with the algorithm
	Settings                      map[string]string // of every workload; what a timed run is not given, workloads.Measured says
	Interval                      time.Duration
	Given                         dataflow.Given // settings of the coordinator beside the interval
	Rate                          int64          // of the open loop; 0: a share of saturation
	Parallelism                   int
	Splits                        int   // of the source; 0: as many as instances
	Events                        int64 // above 0: finite, closed loop
	Kill                          bool  // also measure recovery
	OpenOnly                      bool  // no closed loop; Rate is above 0
	Twin                          bool  // an A/A twin
}

// RateShare is the share of a cell's saturation at which its latency is measured.
const RateShare = 0.7

// Validate checks every name and setting; errors list the known ones.
func (g *Grid) Validate() error {
	for _, a := range g.Algorithms {
		if _, err := job.LookupAlgorithm(a); err != nil {
			return err
		}
	}
	if err := g.validateGiven(); err != nil {
		return err
	}
	if err := g.validateSink(); err != nil {
		return err
	}
	for _, s := range g.States {
		if _, err := statecatalog.Lookup(s); err != nil {
			return err
		}
	}
	for _, name := range g.Workloads {
		if _, err := job.NewWorkload(name, g.settings(name)); err != nil {
			return err
		}
	}
	if no := g.Refused(); len(no) == len(g.Workloads)*len(g.Algorithms) && len(no) > 0 {
		return no[0]
	}
	switch {
	case g.Parallelism < 1 || g.Parallelism > job.MaxSplits:
		return fmt.Errorf("parallelism %d; it must be in 1..%d", g.Parallelism, job.MaxSplits)
	case g.Splits < 0 || g.Splits > job.MaxSplits:
		return fmt.Errorf("%d splits; there must be 1..%d, or 0 for as many as instances", g.Splits, job.MaxSplits)
	case g.Interval < time.Millisecond:
		return fmt.Errorf("a checkpoint interval of %s; it must be at least 1ms", g.Interval)
	case g.Rate < 0:
		return fmt.Errorf("a rate of %d records a second; it must not be negative", g.Rate)
	case g.Events < 0:
		return fmt.Errorf("%d events; there must not be fewer than 0", g.Events)
	case g.OpenOnly && g.Rate == 0:
		return errors.New("an open loop without a closed one needs a rate")
	case g.Rate > 0 && g.Events > 0:
		return fmt.Errorf("--rate and --events exclude each other: a finite input is offered as fast as it is taken")
	}
	return nil
}

// validateGiven checks that settings do not contradict each other, and that each means something to
// one algorithm at least.
func (g *Grid) validateGiven() error {
	all := make([]*algorithms.Spec, len(g.Algorithms))
	for i, name := range g.Algorithms {
		a, err := job.LookupAlgorithm(name)
		if err != nil {
			return err
		}
		all[i] = a.Spec
	}
	_, err := algorithms.Deal(g.Given, all)
	return err
}

// validateSink checks that every algorithm can serve the sink on every workload.
func (g *Grid) validateSink() error {
	for _, a := range g.Algorithms {
		for _, w := range g.Workloads {
			s := job.Spec{Algorithm: a, Workload: w, Sink: g.Sink, Parallelism: 1, Events: 1}
			if _, err := s.Promised(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Cells returns the cells of the grid: for each variant a closed loop, and
// unless the input is finite an open loop and, where there is something to
// recover from, one that is killed.
func (g *Grid) Cells() []results.Cell {
	var cells []results.Cell
	for _, w := range g.Workloads {
		for _, s := range g.States {
			for _, a := range g.Algorithms {
				if g.refused(w, a) != nil {
					continue
				}
				cells = append(cells, g.variant(w, s, a)...)
			}
		}
	}
	if g.Twin {
		cells = append(cells, twins(cells)...)
	}
	return cells
}

// settings returns those of a workload's cells.
func (g *Grid) settings(workload string) map[string]string {
	w, err := workloadcatalog.New(workload)
	m, ok := w.(workloads.Measured)
	if err != nil || !ok || g.Events > 0 {
		return g.Settings
	}
	s := m.Measured()
	for name, v := range g.Settings { // a map into a map: order is not seen
		s[name] = v
	}
	return s
}

// Refused says which algorithms of the grid cannot run which workloads of it, by
// what they declare: there are no cells for them.
func (g *Grid) Refused() (all []error) {
	for _, w := range g.Workloads {
		for _, a := range g.Algorithms {
			if err := g.refused(w, a); err != nil {
				all = append(all, fmt.Errorf("%s: %w", w, err))
			}
		}
	}
	return all
}

func (g *Grid) refused(workload, algorithm string) error {
	a, err := job.LookupAlgorithm(algorithm)
	if err != nil {
		return nil // Validate says so
	}
	w, err := job.NewWorkload(workload, g.settings(workload))
	if err != nil {
		return nil // likewise
	}
	graph, err := w.Graph(max(g.Parallelism, 1), func() dataflow.Operator { return nil })
	if err != nil {
		return nil // the job will
	}
	c := dataflow.DefaultConfig()
	if err := a.Reads(g.Given).Into(&c); err != nil {
		return err
	}
	return catalog.Fit(a.Spec, graph, &c)
}

func (g *Grid) variant(workload, state, algorithm string) []results.Cell {
	spec, err := job.LookupAlgorithm(algorithm)
	if err != nil {
		return nil // Validate says so
	}
	c := results.Cell{
		Algorithm: algorithm, State: state, Workload: workload, Sink: cmp.Or(g.Sink, sinks.For(spec.Declared).Name), Settings: g.settings(workload), Parallelism: g.Parallelism, Load: results.ClosedLoop,
	}
	if g.Splits != g.Parallelism { // else it is what cells are named without
		c.Splits = g.Splits
	}
	snapshots := spec.TakesSnapshots()
	if snapshots {
		c.IntervalMS = float64(g.Interval) / 1e6
	}
	var cells []results.Cell
	if !g.OpenOnly {
		cells = append(cells, c)
	}
	if g.Events > 0 {
		if g.Kill && snapshots {
			c.Kill = true
			cells = append(cells, c)
		}
		return cells
	}
	c.Load, c.RateShare = results.OpenLoop, RateShare
	if g.Rate > 0 {
		c.Rate, c.RateShare = float64(g.Rate), 0
	}
	cells = append(cells, c)
	if g.Kill && snapshots {
		c.Kill = true
		cells = append(cells, c)
	}
	return cells
}

// twins returns the second arms of the campaign's A/A comparisons: of the first
// closed loop with checkpoints and the first open one, or without checkpoints
// if there are none.
func twins(cells []results.Cell) []results.Cell {
	var second []results.Cell
	for _, load := range []results.Load{results.ClosedLoop, results.OpenLoop} {
		first := -1
		for i, c := range cells {
			if c.Load == load && !c.Kill && (first < 0 || c.IntervalMS > 0 && cells[first].IntervalMS == 0) {
				first = i
			}
		}
		if first >= 0 {
			c := cells[first]
			c.Twin = true
			second = append(second, c)
		}
	}
	return second
}

// closedOf is the closed loop from which the rate of an open one comes.
func closedOf(c results.Cell) results.Cell {
	c.Load, c.Rate, c.RateShare, c.Kill, c.Twin = results.ClosedLoop, 0, 0, false, false
	return c
}

// step is one repetition in the order of a campaign.
type step struct {
	cell              results.Cell
	block, repetition int
}

// order returns the steps of a campaign: first the closed loops, whose results
// the rates of the others come from, then the others; each in blocks that hold
// every cell once, in random order.
func order(cells []results.Cell, repetitions int, seed uint64) []step {
	rng := rand.New(rand.NewPCG(seed, 0x626c6f636b))
	var steps []step
	for stage, isIn := range []func(results.Cell) bool{isFirst, func(c results.Cell) bool { return !isFirst(c) }} {
		for n := range repetitions {
			var block []step
			for _, c := range cells {
				if isIn(c) {
					block = append(block, step{c, stage*repetitions + n, n})
				}
			}
			rng.Shuffle(len(block), func(i, k int) { block[i], block[k] = block[k], block[i] })
			steps = append(steps, block...)
		}
	}
	return steps
}

func isFirst(c results.Cell) bool { return c.Load == results.ClosedLoop && !c.Kill }

// Plan is a campaign to be run.
type Plan struct {
	Cells       []results.Cell
	Repetitions int
	Quick       bool
	Seed        uint64
	Events      int64
	Warm        time.Duration // at most
	Measure     time.Duration
	Baseline    string
	Given       dataflow.Given       // of every cell, as far as its algorithm reads them
	checks      map[string]checkCost // see TimeChecks
}

// DiskBytes guesses how much room the plan needs at any one time: the largest
// of its runs, for each is removed when it is done.
func (p *Plan) DiskBytes() int64 {
	most := int64(0)
	for i := range p.Cells {
		most = max(most, p.runBytes(&p.Cells[i]))
	}
	return most + 64<<20 + int64(len(p.Cells)*p.Repetitions)*32<<10
}

// Sizes for the guess, in bytes.
const (
	loggedBytes = 48 // a record in a channel log
	copies      = 5  // of the state: retained, under way, doomed, local
)

func (p *Plan) runBytes(c *results.Cell) int64 {
	g := guessOf(c)
	interval := time.Duration(c.IntervalMS * 1e6)
	records := p.Events
	if records == 0 {
		records = g.size(0).Fill + int64((p.Warm+p.Measure+interval*5/4).Seconds()*float64(g.most()))
	}
	size := g.size(records)
	n := size.State*copies + size.Output
	if logs(c.Algorithm) {
		n += loggedBytes * min(records, int64(4*interval.Seconds()*float64(g.most())))
	}
	return n
}

func logs(algorithm string) bool {
	a, err := job.LookupAlgorithm(algorithm)
	return err == nil && a.Logs()
}

func setting(settings map[string]string, name string, standard int64) int64 {
	if n, err := strconv.ParseInt(settings[name], 10, 64); err == nil {
		return n
	}
	return standard
}
