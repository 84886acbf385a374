package bench

import (
	"time"

	"weir/results"
)

// Repetitions of a kind are alike in what an estimate is wrong about: how fast the
// machine takes records, how long a backlog takes to go.
const (
	closedSteps = iota
	openSteps
	killedSteps
	kindsOfStep
)

func kindOf(c *results.Cell) int {
	switch {
	case c.Kill:
		return killedSteps
	case c.Load == results.ClosedLoop:
		return closedSteps
	}
	return openSteps
}

// pastSteps are the repetitions of a kind so far.
type pastSteps struct{ used, estimated time.Duration }

// learn takes in how long a repetition took, the check of its output included.
func (c *Campaign) learn(cell *results.Cell, took time.Duration) {
	key := cell.First().Key()
	c.took[key] = max(c.took[key], took)
	k := &c.kinds[kindOf(cell)]
	k.used, k.estimated = k.used+took, k.estimated+c.Plan.estimate(cell)
}

// guess is how long a repetition will take: as the longest of its cell so far, or
// as estimated, corrected by how wrong that was for the others of its kind, or, if
// there are none, for all.
func (c *Campaign) guess(cell *results.Cell) time.Duration {
	if d, ok := c.took[cell.First().Key()]; ok {
		return d
	}
	past := c.kinds[kindOf(cell)]
	if past.estimated == 0 {
		for _, k := range c.kinds {
			past.used, past.estimated = past.used+k.used, past.estimated+k.estimated
		}
	}
	d := c.Plan.estimate(cell)
	if past.estimated > 0 {
		d = time.Duration(float64(d) * float64(past.used) / float64(past.estimated))
	}
	return d
}

// left guesses how long the remaining steps take.
func (c *Campaign) left(steps []step) time.Duration {
	var d time.Duration
	for i := range steps {
		if !c.writer.Has(steps[i].cell, steps[i].repetition) {
			d += c.guess(&steps[i].cell)
		}
	}
	return d
}
