package sim

import (
	"weir/dataflow"
	"weir/sim/seed"
)

// Delay names what a policy may make later.
type Delay uint8

// The delays, with the key that Policy.Delay gets.
const (
	LinkDelay    Delay = iota // channel
	TurnDelay                 // task
	MessageDelay              // task, both directions
	StorageDelay              // task + 1, coordinator 0; on a tape also what it is about
	SinkDelay                 // task; likewise
	FaultDelay                // worker: detection and restart; -1 for the coordinator is key 0, worker w is w+1
	numDelays
)

var delayNames = [numDelays]string{"delay.link", "delay.turn", "delay.message", "delay.storage", "delay.sink", "delay.fault"}

// Policy decides what the model leaves open: which input a task serves, and by
// how much of its jitter everything is late. Every answer is a draw from a stream
// of the source that Begin was given, so that it is on the tape, and 0 is the
// quiet one.
type Policy interface {
	// Begin starts a run.
	Begin(src *seed.Source)
	// Quiet reports that every answer is 0: the simulator need not ask.
	Quiet() bool
	// Choose answers a choice of a task below n.
	Choose(task int, c dataflow.Choice, n int) int
	// About says what the next delays of one kind and key are about: see seed.Family.
	About(d Delay, key int, what uint64)
	// Delay returns a number from 0 to most.
	Delay(d Delay, key int, most Nanos) Nanos
}

// FIFO delays nothing and serves inputs in rotation: the calm run.
type FIFO struct{}

// Begin does nothing.
func (FIFO) Begin(*seed.Source) {}

// Quiet is true.
func (FIFO) Quiet() bool { return true }

// Choose is 0.
func (FIFO) Choose(int, dataflow.Choice, int) int { return 0 }

// About does nothing.
func (FIFO) About(Delay, int, uint64) {}

// Delay is 0.
func (FIFO) Delay(Delay, int, Nanos) Nanos { return 0 }

// Random draws everything uniformly. Its zero value is ready.
type Random struct {
	delays  [numDelays]seed.Family
	choices seed.Family
}

// Begin takes the streams of a new run.
func (p *Random) Begin(src *seed.Source) {
	for d := range p.delays {
		p.delays[d].Begin(src, delayNames[d])
	}
	p.choices.Begin(src, chooseStream)
}

// Quiet is false.
func (p *Random) Quiet() bool { return false }

// Choose draws from the stream of the task and the kind of choice.
func (p *Random) Choose(task int, c dataflow.Choice, n int) int {
	return p.choices.Draw(choiceKey(task, c), n)
}

// choiceKey is the key of the stream of a task and a kind of choice.
func choiceKey(task int, c dataflow.Choice) int {
	const kinds = 7 // with room: a new kind of choice must not change what the seeds mean
	return task*kinds + int(c)
}

// About is that of the streams of the delay.
func (p *Random) About(d Delay, key int, what uint64) { p.delays[d].About(key, what) }

// Delay draws from the stream of the delay and its key.
func (p *Random) Delay(d Delay, key int, most Nanos) Nanos {
	if most <= 0 {
		return 0
	}
	return p.delays[d].Range(key, 0, most)
}
