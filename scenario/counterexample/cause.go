package counterexample

import (
	"errors"

	"weir/check"
	"weir/results/stat"
	"weir/scenario"
	"weir/trace"
)

// Curve is how likely a failure was in the course of its run: after each of several
// prefixes, how many runs with the same beginning and another end come to it. Settings
// and plan are the same in all of them; only decisions differ.
type Curve struct {
	Points []Point // in the order of the run
	// Turn is the first point at which the failure was near certain, and Before the
	// last one looked at before it; between the two lies what decided it. nil: even the
	// whole run does not determine it, or (Before) it was near certain from the start.
	Turn, Before *Point
	Runs         int // made in all
}

// Point is one prefix of a run.
type Point struct {
	Decisions int    `json:"decisions"` // of the prefix, in the order in which they were taken
	Event     int    `json:"event"`     // number of the first event by which they had been taken, from 1; 0: before any
	Nanos     int64  `json:"nanos"`     // of virtual time, when it happened
	What      string `json:"what"`      // the event in words
	stat.Rate        // of redrawn runs in which the same oracle saw a violation
}

// nearCertain is the share of redrawn runs from which on a failure counts as decided.
const nearCertain = 0.95

// Tracer makes the curve of a file.
type Tracer struct {
	Runner *scenario.Runner // of the file's combination, with Config.Record
	Redraw int              // runs of each prefix, at least 1
	Grid   int              // prefixes at even distances, at least 2, before the turn is looked for
	Told   func(runs int)   // hears the number of runs made so far; nil: nobody does

	file  *File
	tape  scenario.Drawn
	marks []Point // one for each number of decisions at which an event was seen
	curve Curve
}

// ErrNotShown: the file's run does not fail in this build as it did.
var ErrNotShown = errors.New("the run does not fail as the file says")

// errInterrupted: the runner was.
var errInterrupted = errors.New("interrupted")

// Trace returns the curve. The turn is found by bisection: as a failure grows more
// likely while a run goes on, but not at every step, it is one place at which it
// becomes near certain, and there may be an earlier one.
func (c *Tracer) Trace(f *File) (*Curve, error) {
	c.file, c.curve = f, Curve{}
	if err := c.record(); err != nil {
		return nil, err
	}
	last := len(c.marks) - 1
	at := map[int]*Point{}
	for i := range c.Grid {
		if err := c.measure(at, last*i/(c.Grid-1)); err != nil {
			return nil, err
		}
	}
	before, turn := -1, -1
	for i := range c.marks {
		if p := at[i]; p != nil && p.Rate.Rate < nearCertain {
			before, turn = i, -1
		} else if p != nil && turn < 0 {
			turn = i
		}
	}
	for turn >= 0 && turn-before > 1 && before >= 0 {
		middle := before + (turn-before)/2
		if err := c.measure(at, middle); err != nil {
			return nil, err
		}
		if at[middle].Rate.Rate < nearCertain {
			before = middle
		} else {
			turn = middle
		}
	}
	c.finish(at, before, turn)
	return &c.curve, nil
}

// finish puts the points in order.
func (c *Tracer) finish(at map[int]*Point, before, turn int) {
	for i := range c.marks {
		if at[i] == nil {
			continue
		}
		c.curve.Points = append(c.curve.Points, *at[i])
	}
	if turn >= 0 {
		c.curve.Turn, c.curve.Before = at[turn], at[before]
	}
}

// record replays the file and keeps its tape, and which event came with how many
// decisions.
func (c *Tracer) record() error {
	c.marks = []Point{{What: "the start"}}
	d := c.file.Drawn()
	w := &marker{tracer: c}
	before := c.Runner.Observers
	c.Runner.Observers = []trace.Observer{w}
	o := c.Runner.Replay(c.file.Seed, d)
	c.Runner.Observers = before
	c.ran()
	if o.Kind == scenario.Interrupted {
		return errInterrupted
	}
	if o.Report == nil {
		return o.Err
	}
	if !c.failed(o) {
		return ErrNotShown
	}
	c.tape = *d
	c.tape.Decisions = o.Drawn().Decisions.Clone()
	if v := o.Violation(); v != nil {
		for len(c.marks) > 2 && c.marks[len(c.marks)-1].Nanos > v.Time {
			c.marks = c.marks[:len(c.marks)-1]
		}
	}
	c.tape.Redraw = 1
	return nil
}

func (c *Tracer) ran() {
	if c.curve.Runs++; c.Told != nil {
		c.Told(c.curve.Runs)
	}
}

// failed tells whether a run fails as the file does: by the same oracle, or the same
// verdict where none saw it. Where it stands may differ, for the ends do.
func (c *Tracer) failed(o *scenario.Outcome) bool {
	is := ShowingOf(o)
	return o.Kind != scenario.Fine && is.broken() == c.file.broken()
}

// measure runs a prefix with redrawn ends, the same ones for every prefix.
func (c *Tracer) measure(at map[int]*Point, i int) error {
	if at[i] != nil {
		return nil
	}
	p := c.marks[i]
	d := c.tape
	d.Decisions = c.tape.Decisions.Clone()
	d.Decisions.Truncate(p.Decisions)
	hits := int64(0)
	for n := range c.Redraw {
		d.Redraw = uint64(n) + 1
		o := c.Runner.Replay(c.file.Seed, &d)
		c.ran()
		if o.Kind == scenario.Interrupted {
			return errInterrupted
		}
		if o.Report == nil {
			return o.Err
		}
		if c.failed(o) {
			hits++
		}
	}
	p.Rate = stat.RateOf(hits, int64(c.Redraw))
	at[i] = &p
	return nil
}

// marker notes the first event that comes with each number of decisions.
type marker struct {
	tracer *Tracer
	events int
}

// Wants is everything: whatever happens first.
func (m *marker) Wants() trace.Mask { return trace.Everything }

// Observe takes the next event.
func (m *marker) Observe(e *trace.Event) {
	m.events++
	marks := &m.tracer.marks
	if n := m.tracer.Runner.Decided(); n > (*marks)[len(*marks)-1].Decisions {
		*marks = append(*marks, Point{Decisions: n, Event: m.events, Nanos: e.Time, What: check.Describe(e)})
	}
}
