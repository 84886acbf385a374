package bench

import (
	"cmp"
	"fmt"
	"time"

	"weir/internal/bench/job"
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
	guessCheck     = 100                    // ns per record to check the output, unless it is timed
	guessRow       = 500                    // ns to read a row and sort it in
	guessRestarted = 800 * time.Millisecond
	guessCampaign  = 4 * time.Second // probing the disk, judging, report and figures
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
	check := p.checkOf(c)
	rate := min(g.rate(), int64(time.Second)/check.answer)
	if c.RateShare > 0 {
		rate = int64(c.RateShare * float64(rate))
	}
	seconds := func(records int64) time.Duration { return time.Duration(records * int64(time.Second) / rate) }
	d := guessOverhead
	if p.Events > 0 {
		d += seconds(p.Events) + time.Duration(p.Events*(check.answer+check.read))
	} else {
		fill := g.size(0).Fill
		d += seconds(fill) + p.Warm/2 + p.Measure
		if c.Load == results.OpenLoop {
			d += time.Duration(c.IntervalMS * 1.25e6)
		}
		d += time.Duration((fill + int64((p.Warm/2+p.Measure).Seconds()*float64(rate))) * (check.answer + check.read))
	}
	if c.Kill {
		d += guessRestarted - p.Measure/2
	}
	if c.Kill && c.RateShare > 0 {
		d += time.Duration(float64(guessRestarted) * c.RateShare / (1 - c.RateShare)) // catching up
	}
	return max(d, guessOverhead)
}

// TimeChecks times the reference answer of each workload over a small input, so
// that Duration knows what checking the output takes on this machine: for a
// query it may be more than the job itself.
func (p *Plan) TimeChecks() error {
	p.checks = map[string]checkCost{}
	for i := range p.Cells {
		c := &p.Cells[i]
		if _, ok := p.checks[checkKey(c)]; ok {
			continue
		}
		n, err := timeCheck(c)
		if err != nil {
			return err
		}
		p.checks[checkKey(c)] = n
	}
	return nil
}

// checkKey is what the reference answer of a cell depends on.
func checkKey(c *results.Cell) string { return fmt.Sprint(c.Workload, c.Settings) } // fmt sorts maps

// checkCost is what checking the output takes, nanoseconds per record.
type checkCost struct {
	answer int64 // computing the reference, above 0: the job, which does no less, is hardly faster
	read   int64 // reading and sorting what was committed
}

func (p *Plan) checkOf(c *results.Cell) checkCost {
	if k, ok := p.checks[checkKey(c)]; ok {
		return k
	}
	return checkCost{answer: guessCheck}
}

const (
	fewestTimed = 25_000
	mostTimed   = 1_600_000
	timedLong   = 150 * time.Millisecond // enough to tell
)

// timeCheck takes the slope between two inputs, since an answer by key costs more
// for each of the first records.
func timeCheck(c *results.Cell) (checkCost, error) {
	var before time.Duration
	var rowsBefore int
	for n := fewestTimed; ; n *= 2 {
		w, err := job.NewWorkload(c.Workload, c.Settings)
		if err == nil {
			err = w.SetEvents(n)
		}
		if err != nil {
			return checkCost{}, err
		}
		began := time.Now()
		rows, err := w.Reference()
		if err != nil {
			return checkCost{}, fmt.Errorf("reference answer: %w", err)
		}
		took := time.Since(began)
		if took >= timedLong || n >= mostTimed {
			more := n / 2
			if n == fewestTimed {
				more = n
			}
			return checkCost{answer: max(int64(took-before)/int64(more), 1), read: guessRow * int64(max(len(rows)-rowsBefore, 0)) / int64(more)}, nil
		}
		before, rowsBefore = took, len(rows)
	}
}

// Duration guesses how long the plan takes.
func (p *Plan) Duration() time.Duration { return guessCampaign + p.repetitions() }

func (p *Plan) repetitions() time.Duration {
	var one time.Duration
	for i := range p.Cells {
		one += p.estimate(&p.Cells[i])
	}
	return one * time.Duration(p.Repetitions)
}

// MostDuration is how long a quick plan takes at most: what does not fit, on a
// machine slower than it is expected to be, is left out.
func (p *Plan) MostDuration() time.Duration {
	return (p.Duration()*3/2 + 10*time.Second).Round(10 * time.Second)
}

// firstShare is the share of a budget that the first stage may use, the closed
// loops from which the rates of the others come.
func (p *Plan) firstShare() float64 {
	var first, all time.Duration
	for i := range p.Cells {
		d := p.estimate(&p.Cells[i])
		if all += d; isFirst(p.Cells[i]) {
			first += d
		}
	}
	if all == 0 {
		return 1
	}
	return float64(first) / float64(all)
}

// Fit sets the number of repetitions to what fits into a budget, at least one
// and at most as many as are set, and shortens the measured time if not even
// one fits.
func (p *Plan) Fit(budget time.Duration) {
	most := p.Repetitions
	p.Repetitions = 1
	one := p.repetitions()
	budget -= guessCampaign
	p.Repetitions = max(min(int(budget/max(one, 1)), most), 1)
	if p.Repetitions == 1 && one > budget {
		p.Measure = max(p.Measure*budget/one, 500*time.Millisecond)
	}
}
