package scenario

import (
	"fmt"
	"slices"
	"time"

	"weir/algorithms"
	"weir/dataflow"
	"weir/faults"
	"weir/trace"
)

// Settings of checkpoints and restarts are drawn each from a stream of its own, so that
// whatever else a seed draws stays as it was before they were.

// checkGiven returns an error for settings that contradict each other, or mean nothing to the
// algorithm.
func (c *Config) checkGiven() error {
	_, err := algorithms.Deal(c.Given, []*algorithms.Spec{c.Algorithm})
	return err
}

// longestPause is how many intervals the longest pause takes that is drawn.
const longestPause = 3

// longestRun is the virtual time after which a run counts as one that never ends.
const longestRun = 300_000_000_000

// ends reports a time that somebody gave, of which a run ends before it has passed.
func ends(given dataflow.Given, settings *dataflow.Config) error {
	const why = "a simulated run ends after %s of virtual time, in which that is waited for: give less"
	pause, delay := settings.Checkpoint.MinPause, settings.Restart.LongestDelay()
	switch {
	case given.Has("checkpoint.min-pause") && pause >= longestRun:
		return fmt.Errorf("checkpoint.min-pause %s: "+why, time.Duration(pause), time.Duration(longestRun))
	case given.Has("restart.strategy") && delay >= longestRun:
		return fmt.Errorf("restart.strategy %s, which waits for up to %s: "+why, settings.Restart.Strategy, time.Duration(delay), time.Duration(longestRun))
	}
	return nil
}

// drawInterval draws, in one of eight runs, an interval as short as messages
// jitter: rounds, and what is said of them, overtake each other.
func (r *Runner) drawInterval(k *dataflow.CheckpointConfig) {
	d := r.swarm.Stream("checkpoint.interval")
	switch {
	case r.cfg.Given.Has("checkpoint.interval"):
		k.Interval = r.given.Checkpoint.Interval
	case r.cfg.Faults == RandomFaults && d.Chance(1, 8):
		jitter := model().Message.Jitter
		k.Interval = dataflow.Nanos(d.Range(jitter/3, 3*jitter))
	}
}

// mostRounds is how many rounds are under way at once at most where an algorithm
// sets no bound.
const mostRounds = 4

// drawConcurrent draws, in one of four runs, as many rounds at once as the algorithm
// bears, or any number below.
func (r *Runner) drawConcurrent(k *dataflow.CheckpointConfig) {
	most := r.cfg.Algorithm.Properties().MaxConcurrent
	if most == 0 {
		most = mostRounds
	}
	k.MaxConcurrent = min(k.MaxConcurrent, most)
	if d := r.swarm.Stream("checkpoint.concurrent"); r.cfg.Faults == RandomFaults && most > 2 && d.Chance(1, 4) {
		k.MaxConcurrent = 1 + d.Draw(most)
	}
}

// drawFailures draws when a round is given up, how many may fail in a row before
// the job starts again, and how long nothing is tried after one.
func (r *Runner) drawFailures(k *dataflow.CheckpointConfig) {
	if r.cfg.Faults != RandomFaults || r.calm {
		return
	}
	if d := r.swarm.Stream("checkpoint.tolerated"); d.Chance(1, 3) {
		k.Tolerated = d.Draw(3)
	}
	if d := r.swarm.Stream("checkpoint.pause"); d.Chance(1, 8) {
		k.MinPause = dataflow.Nanos(d.Range(0, longestPause*int64(k.Interval)))
	}
	if d := r.swarm.Stream("checkpoint.fallback"); d.Chance(1, 6) && r.fallsBack {
		k.Fallback, k.Retain = true, max(k.Retain, 2)
	}
	k.Timeout = r.drawTimeout(k)
}

// drawEnd draws, each in one of ten runs, that nothing is left of a job that is over, and
// that no checkpoint begins while some tasks have finished and others not.
func (r *Runner) drawEnd(k *dataflow.CheckpointConfig) {
	if r.cfg.Faults != RandomFaults || r.calm || !r.snapshots() || r.cfg.Mild {
		return
	}
	if d := r.swarm.Stream("checkpoint.on-cancel"); d.Chance(1, 10) && !slices.ContainsFunc(r.cfg.Operations, leaves) && !slices.Contains(r.cfg.Operations, faults.Savepoint) { // beside savepoints it could be: seeds stay
		k.OnCancel = dataflow.DeleteOnCancel
	}
	p := r.cfg.Algorithm.Properties()
	if d := r.swarm.Stream("checkpoint.after-finished"); d.Chance(1, 10) && p.HasRounds() {
		k.AfterFinished = false
	}
}

// leaves reports whether the job is stopped for an operation, and goes on, or another one begins, from
// what it leaves.
func leaves(k faults.Kind) bool { return k.ChangesJob() || k == faults.StopSaved || k == faults.Resume }

// leavesEnough returns why an operation cannot be, as nothing is left of a job that is stopped.
func (c *Config) leavesEnough(settings *dataflow.Config) error {
	if settings.Checkpoint.OnCancel != dataflow.DeleteOnCancel {
		return nil
	}
	all := slices.Clone(c.Operations)
	for i := range c.Plan.Faults {
		all = append(all, c.Plan.Faults[i].Kind)
	}
	if i := slices.IndexFunc(all, leaves); i >= 0 {
		return fmt.Errorf("checkpoint.on-cancel delete and operation %s do not go together: the job is stopped for it, and what comes behind begins from the checkpoints that it leaves; retain them", all[i])
	}
	return nil
}

// drawRestart draws, in one of twelve runs, another restart strategy than the one of most jobs,
// with delays as long as a few checkpoints take. Half of those that end a job after so
// many failures are as good as never to.
func (r *Runner) drawRestart(c *dataflow.RestartConfig) {
	d := r.swarm.Stream("restart.strategy")
	if r.cfg.Faults != RandomFaults || r.calm || r.cfg.Given.Has("restart.strategy") || r.cfg.Mild || !d.Chance(1, 12) {
		return
	}
	delay := dataflow.Nanos(d.Range(1, 2*DefaultInterval))
	most := 1 + d.Draw(4)
	if d.Chance(1, 2) {
		most = 1000
	}
	switch d.Draw(8) {
	case 0:
		c.Strategy = dataflow.RestartNone
	case 1, 2:
		c.Strategy, c.FixedAttempts, c.FixedDelay = dataflow.RestartFixedDelay, most, delay
	case 3, 4:
		c.Strategy, c.MaxFailures, c.FailureDelay = dataflow.RestartFailureRate, most, delay
		c.FailureInterval = dataflow.Nanos(d.Range(DefaultInterval, 10*DefaultInterval))
	default:
		c.Strategy, c.InitialBackoff, c.MaxBackoff = dataflow.RestartExponential, delay/4+1, delay*2
		c.Multiplier, c.Jitter = dataflow.Hundredths(100+d.Draw(200)), dataflow.Hundredths(d.Draw(101))
		c.ResetThreshold = dataflow.Nanos(d.Range(DefaultInterval, 5*DefaultInterval))
	}
}

// drawTimeout draws after which time a round is given up: in half of the runs longer
// than any takes, else from what a round of a calm job needs up, so that faults make
// rounds fail and the job that nothing befalls completes its own. Where a round too
// many that fails takes the job back, those of a slow seed must not fail by being slow: nor
// those of a wider job than the pace was fitted for, of which nobody knows how slow they are.
func (r *Runner) drawTimeout(k *dataflow.CheckpointConfig) dataflow.Nanos {
	d := r.swarm.Stream("checkpoint.timeout")
	if d.Chance(1, 2) || k.Tolerated >= 0 && r.cfg.Parallelism > defaultParallelism {
		return baseConfig().Checkpoint.Timeout
	}
	calm := int64(k.Interval) + r.pace.slack + r.wideTurns()
	least, most := calm, 4*calm
	if k.Tolerated >= 0 {
		least, most = 4*calm, slowestCalm*calm
	}
	return dataflow.Nanos(d.Range(least, most))
}

// shortTimeout is the time after which rounds are given up, if faults can make them
// take as long; else 0.
func (r *Runner) shortTimeout() dataflow.Nanos {
	p := r.cfg.Algorithm.Properties()
	if t := r.job.Config.Checkpoint.Timeout; p.HasRounds() && t < baseConfig().Checkpoint.Timeout {
		return t
	}
	return 0
}

// fallsBack reports whether a job can go on from an older checkpoint than the newest; see
// dataflow.Properties.Refuses.
func fallsBack(p dataflow.Properties, commits trace.Op) bool {
	return p.Snapshots != dataflow.NoSnapshots && (commits != trace.Publish || p.Captures == dataflow.Captures{} && !p.Logs)
}
