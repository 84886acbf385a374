package check

import (
	"weir/id"
	"weir/trace"
)

// line is a recovery in progress: where each task and channel stands as its
// part of the plan is carried out.
type line struct {
	active   bool
	plan     id.Attempt
	waiting  int
	tasks    []lineTask
	channels []lineChannel
}

type lineTask struct {
	ready     bool
	restarted bool
	epoch     id.Epoch
}

type lineChannel struct {
	sealed    uint64 // by the sender's part of the line
	delivered uint64 // by the receiver's
	replayed  uint64 // from the log
}

func (l *line) reset(tasks, channels int) {
	l.active = false
	if l.tasks == nil {
		l.tasks, l.channels = make([]lineTask, tasks), make([]lineChannel, channels)
	}
	clear(l.tasks)
	clear(l.channels)
}

// restored notes that a task restarts from a snapshot, 0: from nothing.
func (l *line) restored(t id.TaskID, e id.Epoch) {
	l.tasks[t].restarted, l.tasks[t].epoch = true, e
}

// planExecuted begins a line.
func (c *Checker) planExecuted(e *trace.Event) {
	l := &c.line
	l.reset(len(c.tasks), len(c.channels))
	l.active, l.plan, l.waiting = true, e.Attempt, len(c.tasks)
	c.base = e.Epoch
	c.baseChosen(e.Epoch)
}

// injected counts what is put back.
func (c *Checker) injected(e *trace.Event) {
	switch e.Text {
	case "input":
		c.report.InputBuffers++
	case "output":
		c.report.OutputBuffers++
	case "log":
		c.report.LogRecords += int64(e.To - e.From)
		if int(e.Channel) < len(c.channels) && e.Channel >= 0 {
			c.line.channels[e.Channel].replayed += e.To - e.From
		}
	}
}

// taskReady takes the task's part of the line; the last one completes it.
func (c *Checker) taskReady(n id.TaskID, t *task) {
	l := &c.line
	if !l.active || l.tasks[n].ready {
		return
	}
	l.tasks[n].ready = true
	for _, ch := range t.inputs {
		l.channels[ch].delivered = c.channels[ch].delivered
	}
	for _, ch := range t.outputs {
		l.channels[ch].sealed = c.channels[ch].sealed
	}
	if l.waiting--; l.waiting > 0 {
		return
	}
	l.active = false
	for i := range l.tasks {
		if l.tasks[i].epoch != 0 {
			c.report.Recoveries++
			break
		}
	}
	switch {
	case c.x.State == AtMostOnce:
	case c.x.Coordinated:
		c.checkRestoredCheckpoint()
	default:
		for i := range l.channels {
			c.checkLine(id.ChannelID(i))
		}
	}
}

// checkLine is the cut oracle on a recovery line: no receiver has what its
// sender has not sent, and what a restarted sender had sent is delivered or
// replayed from the log, once.
func (c *Checker) checkLine(n id.ChannelID) {
	l, ch := &c.line, &c.channels[n]
	x := &l.channels[n]
	from, to := &l.tasks[ch.From], &l.tasks[ch.To]
	if !from.restarted && !to.restarted {
		return // the connection was never cut
	}
	got := x.delivered + x.replayed
	switch {
	case c.x.Replays: // the sender does again what its receivers have of it; conservation and effect see whether it did
	case x.delivered > x.sealed:
		c.violate(Cut, ch.To, to.epoch, "recovery %s, channel %s: the receiver %s has %d items, its sender %s has sent %d: an orphan", l.plan, n, c.taskName(int(ch.To)), x.delivered, c.taskName(int(ch.From)), x.sealed)
	case got > x.sealed:
		c.violate(Cut, ch.To, to.epoch, "recovery %s, channel %s: %d items delivered and %d replayed, but only %d sent", l.plan, n, x.delivered, x.replayed, x.sealed)
	case got < x.sealed && from.restarted && !c.x.Resends:
		c.violate(Cut, ch.To, to.epoch, "recovery %s, channel %s: %d items sent, %d delivered and %d replayed: the rest is lost", l.plan, n, x.sealed, x.delivered, x.replayed)
	}
}

// checkRestoredCheckpoint: a coordinated recovery restores one checkpoint whole.
// One whose completion nobody saw (the coordinator died) is checked here.
func (c *Checker) checkRestoredCheckpoint() {
	l := &c.line
	var e id.Epoch
	for i := range l.tasks {
		if l.tasks[i].restarted {
			e = max(e, l.tasks[i].epoch)
		}
	}
	if e == 0 {
		return
	}
	carried := false
	for i := range l.tasks {
		t := &l.tasks[i]
		if !t.restarted || t.epoch == e {
			continue
		}
		if !c.tasks[i].left && c.find(&c.tasks[i], e) != none {
			c.violate(Cut, id.TaskID(i), t.epoch, "recovery %s: %s restored epoch %s while others restored %s", l.plan, c.taskName(i), t.epoch, e)
			return
		}
		carried = true // it had left: an older snapshot stands for it
	}
	if c.isCompleted(e) && !carried {
		return
	}
	for i := range c.tasks {
		if c.parts[i] = c.tasks[i].restored; c.parts[i] == none {
			c.violate(Cut, id.TaskID(i), e, "recovery %s: others restored epoch %s, %s nothing", l.plan, e, c.taskName(i))
			return
		}
	}
	c.checkCut(e)
}

func (c *Checker) isCompleted(e id.Epoch) bool {
	for i := len(c.completed) - 1; i >= 0; i-- {
		if c.completed[i] == e {
			return true
		}
	}
	return false
}
