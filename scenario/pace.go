package scenario

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"weir/algorithms/coordinator"

	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/sim"
)

// The progress oracle needs to know how fast a run should go. Seeds differ in
// skew, batches and latencies, and with them the time between two checkpoints:
// one bound for all would be far too wide. So there are two steps. A run that
// takes long for its combination (paceTable) is suspected; then the same settings
// run without faults, its calm twins, and only what is far beyond all of them and
// what the struck faults may hold up is a violation.

// paceTable has a line for each combination: what half of the calm runs need.
// TestPaceTable holds it against calm runs, and makes it anew with -fit-pace.
//
//go:embed pace.txt
var paceTable string

// pace is what half of the calm runs of a combination need, nanoseconds.
type pace struct {
	slack int64 // the longest time between two checkpoints, less the interval
	end   int64 // from start to end
}

// Allowances beyond twice what a calm run needs, nanoseconds: finding out about a
// failure, restoring, and repeating operations that failed. Over 11,000 runs no
// time between checkpoints was beyond twice the slowest of sixteen twins (8 ms short
// of it), and no end by more than 4 ms.
const (
	moreToCheckpoint = 60_000_000
	moreToEnd        = 60_000_000
)

// toClaim is what it takes a coordinator that starts to claim the lead: five operations
// of storage one after the other, and one that is asked again.
const toClaim = 15_000_000

// garbageIntervals, and twice moreToCheckpoint, bound how long garbage may stay.
const garbageIntervals = 20

// paceOf returns the line of a combination; for one without, such as one of an
// algorithm that is new, the slowest of all lines.
func paceOf(table, algorithm, state, workload string) (p pace, known bool, err error) {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var a, s, w string
		var x pace
		if _, err := fmt.Sscan(line, &a, &s, &w, &x.slack, &x.end); err != nil {
			return pace{}, false, fmt.Errorf("pace.txt: %q: %w", strings.TrimSpace(line), err)
		}
		x.slack, x.end = 1000*x.slack, 1000*x.end
		if a == algorithm && s == state && w == workload {
			return x, true, nil
		}
		p.slack, p.end = max(p.slack, x.slack), max(p.end, x.end)
	}
	return p, false, nil
}

// fittedWidth is how many inputs a task of the combinations in the table has at most.
const fittedWidth = 4

// suspicion returns the bounds for a run: beyond them its twin is asked.
func (r *Runner) suspicion() check.Pace {
	interval := r.betweenRounds()
	turns := r.wideTurns() + r.leaderless()
	delay := int64(r.job.Config.Restart.LongestDelay())
	p := check.Pace{End: 2*r.pace.end + moreToEnd + turns + interval - int64(r.job.Config.Checkpoint.Interval), Garbage: garbageIntervals*interval + 2*moreToCheckpoint + delay + r.leaderless(), Trim: moreToCheckpoint + 2*toClaim + delay + r.leaderless()}
	if delay > 0 {
		p.Restart = delay + moreToCheckpoint
	}
	if r.snapshots() {
		p.Checkpoint = 2*(interval+r.pace.slack) + moreToCheckpoint + turns
	}
	if !r.job.Config.Checkpoint.AfterFinished {
		p.Checkpoint += p.End // from the first task that finishes to the last there is none
	}
	return p
}

// betweenRounds is how long after one round the next begins: the interval, and what a pause adds that
// somebody gave and that is longer than any that is drawn. Nanoseconds.
func (r *Runner) betweenRounds() int64 {
	c := &r.job.Config.Checkpoint
	return int64(c.Interval + max(0, c.MinPause-longestPause*c.Interval))
}

// leaderless is for how long nobody may lead where who leads has a lease: until it has
// run out and a candidate has the next, three times in a row, with room. Nanoseconds.
func (r *Runner) leaderless() int64 {
	if r.cfg.Coordinators < 2 {
		return 0
	}
	return 4 * int64(LeaseConfig().Duration)
}

// wideTurns is what one item from every further sender takes the busiest task, if it is
// slow: in a wide job that is connecting, each barrier and each end. Nanoseconds.
func (r *Runner) wideTurns() int64 {
	return 100 * int64(max(0, r.inputs-fittedWidth)) * model().StepBase
}

func (r *Runner) snapshots() bool {
	return r.cfg.Algorithm.Properties().Snapshots != dataflow.NoSnapshots
}

// twinsAsked is how many calm twins of a suspected run are asked at most. One is
// not enough: which input a task serves is drawn, and where a worker is slow a
// barrier waits by luck. The same settings gave 62 ms between two checkpoints with
// one seed and 145 with another; a run with 213 ms was condemned by the first.
const twinsAsked = 16

// acquit takes violations of progress back from a job that ended, or whose restart strategy gave up or never does, if one of the
// run's calm twins is slow too: the same settings and operations without faults, and other draws. Twins
// give no round up, and thus tell how long one takes: where a run may give up those that
// are not twice as slow, rounds that took too long excuse a gap without a checkpoint, and a restart
// strategy that gives up over them, or goes on for ever: whatever such a job begins again, its next round takes too long again.
func (r *Runner) acquit(o *Outcome) error {
	gaveUp := (o.Result.Verdict == sim.NoProgress || errors.Is(o.Result.Err, coordinator.ErrGaveUp)) && o.Report.EndTimeouts > 0
	if r.calm || o.Report.Counts[check.Progress] == 0 || o.Result.Verdict != sim.Done && !gaveUp {
		return nil
	}
	if r.twin == nil {
		c := r.cfg
		c.Record, c.Mutant = false, ""
		twin, err := New(c)
		if err != nil {
			return err
		}
		twin.calm, r.twin = true, twin
	}
	r.twin.Interrupted = r.Interrupted
	timeout := int64(o.drawn.Settings.Job.Checkpoint.Timeout)
	var gap, end int64 // the longest of the twins so far
	for k := range uint64(twinsAsked) {
		r.Twins++
		twin := r.twin.Replay(o.Seed+k*twinStride, &Drawn{Settings: patient(o.drawn.Settings), Splits: o.Splits, Plan: o.operated(k%2 == 1)})
		if twin.Report == nil {
			return twin.Err
		}
		gap, end = max(gap, twin.Report.LongestGap), max(end, twin.Report.EndAfterFault)
		hasty := timeout < 2*r.believed(gap)
		if gaveUp && hasty && twin.Result.Verdict == sim.Done {
			o.Report.Acquit(check.Progress)
			o.hasty = true
			return nil
		}
		impatient := o.Report.GapTimeouts > 0 && hasty
		checkpoints := !r.snapshots() || impatient || o.Report.LongestGap <= 2*r.believed(gap)+moreToCheckpoint
		if !gaveUp && checkpoints && o.Report.EndAfterFault <= 2*end+moreToEnd {
			o.Report.Acquit(check.Progress)
			return nil
		}
	}
	return nil
}

// operated returns the operations of the plan that came about; at once: as the job begins,
// as a run whose faults left nothing to go on from does all its work in the last shape.
func (o *Outcome) operated(atOnce bool) (p faults.Plan) {
	not := map[string]int{}
	for _, f := range o.NotStruck() {
		not[f.String()]++
	}
	for _, f := range o.Plan.Operations() {
		if not[f.String()]--; not[f.String()] >= 0 {
			continue
		}
		if atOnce {
			f.When = faults.At(faults.Time(1))
		}
		p.Faults = append(p.Faults, f)
	}
	return p
}

// patient returns the settings of a job that gives no round up for taking long.
func patient(s Settings) Settings {
	s.Job.Checkpoint.Timeout = max(s.Job.Checkpoint.Timeout, baseConfig().Checkpoint.Timeout)
	return s
}

// twinStride lies between the seeds of a run's twins, the first of which has the run's own.
const twinStride = 1_000_003

// slowestCalm bounds what is believed of a twin: no calm run that was fitted took
// more than six times the time of half of them, and there is room. A job that does not complete
// checkpoints although nothing fails is thus no excuse for itself.
const slowestCalm = 10

func (r *Runner) believed(gap int64) int64 {
	if !r.paceKnown || r.cfg.Parallelism != defaultParallelism || !r.job.Config.Checkpoint.AfterFinished {
		return gap // where none begins when a task has finished, it is as long as what the job has left to do
	}
	return min(gap, slowestCalm*(r.betweenRounds()+r.pace.slack))
}
