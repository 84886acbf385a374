package bench

import (
	"cmp"
	"time"

	"weir/bench/job"
	"weir/results"
	statecatalog "weir/state/catalog"
	"weir/workloads"
)

// Estimates for planning; measured numbers take their place as they come in.
const (
	guessMemory    = 8_000_000 // records per second, two cores, state in memory
	guessLocal     = 2_000_000 // in files
	mostRecords    = 20_000_000
	localSlower    = 4                      // times, at least
	guessOverhead  = 900 * time.Millisecond // start, end, calibration
	guessCheck     = 20                     // ns per record to check the output
	guessRestarted = 800 * time.Millisecond
)

// guess is what planning knows about the job of a cell.
type guess struct {
	workload workloads.Workload // nil: unknown, which Validate says
	local    bool               // its state is in files
}

func guessOf(c *results.Cell) guess {
	var g guess
	if w, err := job.NewWorkload(c.Workload, c.Settings); err == nil {
		g.workload = w
	}
	if b, err := statecatalog.Lookup(c.State); err == nil {
		g.local = b.Local
	}
	return g
}

func (g guess) size(records int64) workloads.Size {
	if g.workload == nil {
		return workloads.Size{}
	}
	return job.SizeOf(g.workload, records)
}

// rate guesses how many records the job takes in a second.
func (g guess) rate() int64 {
	rate := int64(guessMemory)
	if g.local {
		rate = guessLocal
	}
	if most := g.size(0).MostRecords; most > 0 {
		rate = min(rate, most)
	}
	return rate
}

// most is what the job takes in a second at most.
func (g guess) most() int64 {
	most := cmp.Or(g.size(0).MostRecords, mostRecords)
	if g.local {
		most /= localSlower
	}
	return most
}

// estimate guesses how long a repetition takes.
func (p *Plan) estimate(c *results.Cell) time.Duration {
	g := guessOf(c)
	rate := g.rate()
	seconds := func(records int64) time.Duration { return time.Duration(records * int64(time.Second) / rate) }
	d := guessOverhead
	if p.Events > 0 {
		d += seconds(p.Events) + time.Duration(p.Events*guessCheck)
	} else {
		fill := g.size(0).Fill
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
