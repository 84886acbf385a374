package bench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/results"
)

// Grid is what the command line asks for: the product of algorithms and states
// over workloads.
type Grid struct {
	Algorithms, States, Workloads []string
	Settings                      map[string]string
	Interval                      time.Duration
	Rate                          int64 // of the open loop; 0: a share of saturation
	Parallelism                   int
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
		if _, err := catalog.Lookup(a); err != nil {
			return err
		}
	}
	for _, s := range g.States {
		if err := CheckState(s); err != nil {
			return err
		}
	}
	for _, name := range g.Workloads {
		w, err := NewWorkload(name, g.Settings)
		if err != nil {
			return err
		}
		if _, ok := intendedTime(w); !ok && g.Events == 0 {
			return fmt.Errorf("%s runs a finite input only: its rows do not say when their records were due; give the number of records with --events", name)
		}
	}
	switch {
	case g.Parallelism < 1 || g.Parallelism > maxSources:
		return fmt.Errorf("parallelism %d; it must be in 1..%d", g.Parallelism, maxSources)
	case g.Interval < time.Millisecond:
		return fmt.Errorf("a checkpoint interval of %s; it must be at least 1ms", g.Interval)
	case g.Rate < 0 || g.Events < 0:
		return fmt.Errorf("rate %d and events %d must not be negative", g.Rate, g.Events)
	case g.OpenOnly && g.Rate == 0:
		return errors.New("an open loop without a closed one needs a rate")
	case g.Rate > 0 && g.Events > 0:
		return fmt.Errorf("--rate and --events exclude each other: a finite input is offered as fast as it is taken")
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
				cells = append(cells, g.variant(w, s, a)...)
			}
		}
	}
	if g.Twin {
		cells = append(cells, twins(cells)...)
	}
	return cells
}

func (g *Grid) variant(workload, state, algorithm string) []results.Cell {
	spec, err := catalog.Lookup(algorithm)
	if err != nil {
		return nil // Validate says so
	}
	c := results.Cell{
		Algorithm: algorithm, State: state, Workload: workload, Settings: g.Settings, Parallelism: g.Parallelism, Load: results.ClosedLoop,
	}
	snapshots := spec.Properties().Snapshots != dataflow.NoSnapshots
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

// Estimates for planning; measured numbers take their place as they come in.
const (
	guessHeap      = 8_000_000 // records per second, two cores
	guessPebble    = 2_000_000
	guessMost      = 20_000_000
	guessOverhead  = 900 * time.Millisecond // start, end, calibration
	guessCheck     = 20                     // ns per record to check the output
	guessRestarted = 800 * time.Millisecond
)

func guessRate(c *results.Cell) int64 {
	if c.State == "heap" {
		return guessHeap
	}
	return guessPebble
}

// estimate guesses how long a repetition takes.
func (p *Plan) estimate(c *results.Cell) time.Duration {
	rate := guessRate(c)
	seconds := func(records int64) time.Duration { return time.Duration(records * int64(time.Second) / rate) }
	d := guessOverhead
	if p.Events > 0 {
		d += seconds(p.Events) + time.Duration(p.Events*guessCheck)
	} else {
		fill := FillPerKey * keysOf(c)
		d += seconds(fill) + p.Warm/2 + p.Measure
		if c.Load == results.OpenLoop {
			d += time.Duration(c.IntervalMS * 1.25e6)
		}
		d += time.Duration((fill + int64((p.Warm/2+p.Measure).Seconds()*float64(rate))) * guessCheck)
	}
	if c.Kill {
		d += guessRestarted - p.Measure/2
	}
	return max(d, guessOverhead)
}

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
}

// Duration guesses how long the plan takes.
func (p *Plan) Duration() time.Duration {
	var one time.Duration
	for i := range p.Cells {
		one += p.estimate(&p.Cells[i])
	}
	return one * time.Duration(p.Repetitions)
}

// Fit sets the number of repetitions to what fits into a budget, at least one
// and at most as many as are set, and shortens the measured time if not even
// one fits.
func (p *Plan) Fit(budget time.Duration) {
	most := p.Repetitions
	p.Repetitions = 1
	one := p.Duration()
	p.Repetitions = max(min(int(budget/max(one, 1)), most), 1)
	if p.Repetitions == 1 && one > budget {
		p.Measure = max(p.Measure*budget/one, 500*time.Millisecond)
	}
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
	rowBytes    = 40 // a committed row in its log
	loggedBytes = 48 // a record in a channel log
	entryBytes  = 24 // a key and what belongs to it
	copies      = 5  // of the state: retained, under way, doomed, local
	otherEvent  = 2 << 10
)

func (p *Plan) runBytes(c *results.Cell) int64 {
	if p.Events > 0 && c.Workload != "keyedcount" {
		return p.Events * otherEvent
	}
	keys := keysOf(c)
	state := keys * (setting(c.Settings, "valueSize", 16) + entryBytes)
	records := p.Events
	perSecond := int64(guessMost)
	if strings.HasPrefix(c.State, "pebble") {
		perSecond /= 4
	}
	interval := time.Duration(c.IntervalMS * 1e6)
	if records == 0 {
		records = FillPerKey*keys + int64((p.Warm+p.Measure+interval*5/4).Seconds()*float64(perSecond))
	}
	n := state*copies + rowBytes*(records/max(setting(c.Settings, "emitEvery", 1), 1)+keys)
	if logs(c.Algorithm) {
		n += loggedBytes * min(records, int64(4*interval.Seconds()*float64(perSecond)))
	}
	return n
}

func logs(algorithm string) bool {
	a, err := catalog.Lookup(algorithm)
	return err == nil && a.Properties().Logs
}
