package check

import (
	"errors"

	"weir/trace"
)

// Checker watches one run after another: Observe its events, then Finish, then
// Reset. It keeps its memory between runs. Not safe for concurrent use.
type Checker struct {
	model
	verdict Report
	all     []watcher
	byKind  [trace.Kinds][]watcher
	wants   trace.Mask
	output  *output
}

var _ trace.Observer = (*Checker)(nil)

// New returns a checker at the start of a run. It refuses an expectation that
// cannot be checked.
func New(x Expect) (*Checker, error) {
	if x.State < AtMostOnce || x.State > ExactlyOnce || x.Output < AtMostOnce || x.Output > ExactlyOnce {
		return nil, errors.New("check: the expectation lacks a guarantee on state or output")
	}
	if x.RecordID == nil || x.Canonical == nil {
		return nil, errors.New("check: the expectation lacks RecordID or Canonical")
	}
	c := &Checker{}
	if err := c.build(x, &c.verdict); err != nil {
		return nil, err
	}
	c.wants = c.kinds() | moving
	for o, l := range list() {
		if l.make != nil {
			c.add(l.make(judge{&c.model, Oracle(o)}))
		}
	}
	c.Reset()
	return c, nil
}

func (c *Checker) add(w watcher) {
	c.all = append(c.all, w)
	if o, ok := w.(*output); ok {
		c.output = o
	}
	m := w.Wants()
	c.wants |= m
	for k := range trace.Kinds {
		if m.Has(k) {
			c.byKind[k] = append(c.byKind[k], w)
		}
	}
}

// Reset makes the checker ready for another run under the same expectation.
func (c *Checker) Reset() {
	c.verdict = Report{Violations: c.verdict.Violations[:0]}
	if c.firstGraph() {
		for _, w := range c.all {
			w.Reshape()
		}
	}
	c.reset()
	for _, w := range c.all {
		w.Reset()
	}
}

// SetPace replaces the bounds of the expectation until the next Reset.
func (c *Checker) SetPace(p Pace) { c.pace = p }

// MayFallBack says, until the next Reset, that the job may go back behind its newest
// checkpoint if that is damaged. Else what it says of falling back excuses nothing.
func (c *Checker) MayFallBack() { c.mayFallBack = true }

// MayLeadTwice says, until the next Reset, that two coordinators may lead at once, as a fault sets
// their clocks further apart than leases allow.
func (c *Checker) MayLeadTwice() { c.mayLeadTwice = true }

// MayLeaveNothing says, until the next Reset, that a job that is over may delete all that it
// has stored. A plan that says so stays.
func (c *Checker) MayLeaveNothing() { c.mayLeaveNothing = true }

// MayGiveUp says, until the next Reset, that the job may end with an error of its restart
// strategy, once more than so many failures have struck.
func (c *Checker) MayGiveUp(failures int) { c.mayGiveUp, c.giveUpAfter = true, failures }

// Violations returns those that were found so far, the first few of each oracle:
// who observes behind the checker learns by which event. Borrowed until Finish or Reset.
func (c *Checker) Violations() []Violation { return c.verdict.Violations }

// Wants is the set of kinds that the model and the oracles look at.
func (c *Checker) Wants() trace.Mask { return c.wants }

// Observe takes the next event.
func (c *Checker) Observe(e *trace.Event) {
	if !c.observe(e) {
		return
	}
	if !moving.Has(e.Kind) {
		c.stand.step = e.Kind
	} else if e.Kind != trace.TaskFailed || !c.replaced(e) {
		c.stand.move(e, c.line.active)
	}
	for _, w := range c.byKind[e.Kind] {
		w.Observe(e)
	}
}

// End says how a run ended.
type End struct {
	Done bool  // the job ended well; a JobDone event says the same
	Time int64 // nanoseconds since its start
	Err  error // why the job failed, or why the driver gave up; nil otherwise
	// GaveUp: Err is that of the job's restart strategy.
	GaveUp bool
	// Cancelled: the job was stopped before its end, for good.
	Cancelled bool
	// Left: the job was stopped before its end, and what it has stands for whoever goes on: what is to be
	// deleted of it is theirs to find, as ever when a coordinator starts.
	Left bool
}

// Finish carries out the checks at the end of a run and returns the verdict.
func (c *Checker) Finish(end End) *Report {
	c.finish(end)
	c.stand.step = trace.Kinds
	c.verdict.Stood = c.where(trace.Coordinator, 0)
	for _, w := range c.all {
		w.Finish(end)
	}
	return &c.verdict
}

// Held returns the least of what is promised of state and output in the run so far: whoever begins from
// what it has left can promise no more.
func (c *Checker) Held() Guarantee { return min(c.promised(c.x.State), c.promisedOutput()) }

// Rows returns the committed rows of the finished run in canonical form,
// sorted; none if the job did not end. Valid until the next Reset.
func (c *Checker) Rows() [][]byte { return c.output.canonical }
