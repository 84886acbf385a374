package scenario

import (
	"fmt"
	"strings"

	"weir/dataflow"
	"weir/trace"
)

// Checkpoint is what is given of how checkpoints go; nil: drawn from the seed where
// faults are drawn, else a constant.
type Checkpoint struct {
	Timeout, MinPause             *dataflow.Nanos
	Tolerated, Retain, Concurrent *int
	Fallback                      *bool
}

// into sets what is given.
func (g *Checkpoint) into(k *dataflow.CheckpointConfig) {
	for _, t := range [...]struct{ given, to *dataflow.Nanos }{{g.Timeout, &k.Timeout}, {g.MinPause, &k.MinPause}} {
		if t.given != nil {
			*t.to = *t.given
		}
	}
	for _, n := range [...]struct{ given, to *int }{{g.Tolerated, &k.Tolerated}, {g.Retain, &k.Retain}, {g.Concurrent, &k.MaxConcurrent}} {
		if n.given != nil {
			*n.to = *n.given
		}
	}
	if g.Fallback != nil {
		k.Fallback = *g.Fallback
	}
}

// flags are those of the command that give the same, each behind a space.
func (g *Checkpoint) flags() string {
	var b strings.Builder
	for _, t := range [...]struct {
		flag  string
		given *dataflow.Nanos
	}{{"checkpoint-timeout", g.Timeout}, {"min-pause", g.MinPause}} {
		if t.given != nil {
			fmt.Fprintf(&b, " --%s %dns", t.flag, *t.given)
		}
	}
	for _, n := range [...]struct {
		flag  string
		given *int
	}{{"tolerated", g.Tolerated}, {"retain", g.Retain}, {"concurrent", g.Concurrent}} {
		if n.given != nil {
			fmt.Fprintf(&b, " --%s %d", n.flag, *n.given)
		}
	}
	if g.Fallback != nil {
		fmt.Fprintf(&b, " --fallback=%t", *g.Fallback)
	}
	return b.String()
}

// Settings of checkpoints are drawn each from a stream of its own, so that whatever
// else a seed draws stays as it was before they were.

// drawInterval draws, in one of eight runs, an interval as short as messages
// jitter: rounds, and what is said of them, overtake each other.
func (r *Runner) drawInterval(k *dataflow.CheckpointConfig) {
	d := r.swarm.Stream("checkpoint.interval")
	switch {
	case r.cfg.Interval != 0:
		k.Interval = dataflow.Nanos(r.cfg.Interval)
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
		k.MinPause = dataflow.Nanos(d.Range(0, 3*int64(k.Interval)))
	}
	if d := r.swarm.Stream("checkpoint.fallback"); d.Chance(1, 6) && r.fallsBack {
		k.Fallback, k.Retain = true, max(k.Retain, 2)
	}
	k.Timeout = r.drawTimeout(k)
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
