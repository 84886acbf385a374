package check

import (
	"errors"
	"fmt"
	"slices"

	"weir/id"
)

// Reshape says that from the next event on the job is another graph (see
// trace.Rescaled): tasks and channels begin anew, attempts and epochs go on. Of x
// the tasks and channels are taken; what it promises, its records, its splits and
// its operators must be those of the checker, which keeps the rest as it was. It is
// refused where there are no rounds: message logs do not outlive their channels. The
// next Reset goes back to the first graph.
func (c *Checker) Reshape(x Expect) error {
	if err := c.refuse(&x); err != nil {
		return err
	}
	g, err := wire(x.Tasks, x.Channels)
	if err != nil {
		return err
	}
	c.reshape(&x, g)
	for _, w := range c.all {
		w.Reshape()
	}
	return nil
}

// GoOn says that from the next event on the job, which was stopped, goes on as the graph that it is
// (see trace.Rescaled): from a checkpoint, as it would after a failure.
func (c *Checker) GoOn() { c.wentBack = true }

// refuse says why a change to x cannot be followed.
func (m *model) refuse(x *Expect) error {
	switch {
	case !m.x.Coordinated || m.x.Logs:
		return errors.New("check: a change of the graph is followed where snapshots are job-wide rounds without message logs")
	case x.State != m.x.State || x.Output != m.x.Output || x.Coordinated != m.x.Coordinated || x.Captures != m.x.Captures || x.AtOnce != m.x.AtOnce || x.Values != m.x.Values:
		return errors.New("check: what is promised changes with the graph")
	case x.Records != m.x.Records || !slices.Equal(x.Splits, m.x.Splits):
		return fmt.Errorf("check: the input changes with the graph: %d records in splits %v, then %d in %v", m.x.Records, m.x.Splits, x.Records, x.Splits)
	}
	for _, t := range slices.Concat(m.x.Tasks, x.Tasks) {
		same := func(u Task) bool { return u.Operator == t.Operator && u.Source == t.Source && u.Sink == t.Sink }
		if t.Operator == "" || !slices.ContainsFunc(m.x.Tasks, same) || !slices.ContainsFunc(x.Tasks, same) {
			return fmt.Errorf("check: operator %q of task %q is not in both graphs", t.Operator, t.Name)
		}
	}
	return nil
}

// former is what the model keeps of graphs that the job no longer is.
type former struct {
	legs         []leg
	inheritances []inheritance
	takenUp      int32      // the inheritance that the job went on from last, none: it never has
	by           id.Attempt // and by which plan
	wentOn       bool       // a task of the graph that the job is has begun
	standing     int        // source records in what former graphs have left
}

// leg is a stretch of the run under one graph that is over.
type leg struct {
	graph
	xTasks    []Task
	xChannels []Channel
	last      id.Attempt // newest of its plans and incarnations
}

func (m *model) forgetFormer() {
	m.legs, m.inheritances, m.takenUp, m.by, m.standing, m.wentOn = m.legs[:0], m.inheritances[:0], none, 0, 0, false
}

// reshape puts the graph that the job is aside, and takes g, which is that of x.
func (m *model) reshape(x *Expect, g graph) {
	l := leg{graph: m.graph, xTasks: m.x.Tasks, xChannels: m.x.Channels, last: m.line.plan}
	m.standing = m.inheritedRecords(m.inherited())
	for i := range m.tasks {
		t := &m.tasks[i]
		l.last = max(l.last, t.attempt)
		if t.fed {
			m.standing += m.records(t)
		}
	}
	m.legs = append(m.legs, l)
	clear(m.shares)
	m.x.Tasks, m.x.Channels = x.Tasks, x.Channels
	m.use(g)
	m.begin(l.last + 1)
	m.line.reset()
	m.stand.begin()
	m.whole, m.done, m.wentOn = false, false, false
}

// firstGraph takes the graph that the job began as; false: it is that.
func (m *model) firstGraph() bool {
	first := m.origins()
	if len(m.legs) <= first {
		return false
	}
	l := &m.legs[first]
	m.x.Tasks, m.x.Channels = l.xTasks, l.xChannels
	m.use(l.graph)
	m.forgetFormer()
	return true
}

// within shows f the model with a former graph in the place of the one that the job is.
func (m *model) within(n int, f func()) {
	l := &m.legs[n]
	swap := func() {
		m.graph, l.graph = l.graph, m.graph
		m.x.Tasks, l.xTasks = l.xTasks, m.x.Tasks
		m.x.Channels, l.xChannels = l.xChannels, m.x.Channels
	}
	swap()
	f()
	swap()
}

// formerly returns the newest attempt of former graphs, 0: there are none.
func (m *model) formerly() id.Attempt {
	if n := len(m.legs); n > 0 {
		return m.legs[n-1].last
	}
	return 0
}

// legOf returns the place in m.legs of the graph that an epoch is of; len(m.legs):
// the one that the job is.
func (m *model) legOf(e id.Epoch) int {
	n := 0
	for n < len(m.legs) && e.Attempt() > m.legs[n].last {
		n++
	}
	return n
}
