package check

import (
	"weir/id"
	"weir/trace"
)

// line is a recovery in progress: where each task and channel stands as its
// part of the plan is carried out.
type line struct {
	active   bool
	complete bool // the TaskReady that came last was the last one to be waited for
	plan     id.Attempt
	keeps    bool     // the plan says that every task goes on as it is
	unseen   bool     // and that base is complete, which nobody has said before
	base     id.Epoch // checkpoint that the plan goes back to, 0: none
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

func (l *line) reset() {
	l.active, l.complete, l.keeps, l.unseen, l.plan = false, false, false, false, 0
	clear(l.tasks)
	clear(l.channels)
}

// restored notes that a task restarts from a snapshot, 0: from nothing.
func (l *line) restored(t id.TaskID, e id.Epoch) {
	l.tasks[t].restarted, l.tasks[t].epoch = true, e
}

// planExecuted begins a line.
func (m *model) planExecuted(e *trace.Event) {
	l := &m.line
	l.reset()
	l.active, l.plan, l.base, l.waiting = true, e.Attempt, e.Epoch, len(m.tasks)
	l.keeps = e.Text == trace.KeepsAll
	l.unseen = l.keeps && e.Epoch != 0 && m.legOf(e.Epoch) == len(m.legs) && !m.isCompleted(e.Epoch)
	if l.unseen {
		m.gather(e.Epoch)
	}
}

// injected counts what is put back.
func (m *model) injected(e *trace.Event) {
	switch e.Way {
	case trace.FromInput:
		m.report.InputBuffers++
	case trace.FromOutput:
		m.report.OutputBuffers++
	case trace.FromLog:
		m.report.LogRecords += int64(e.To - e.From)
		if m.isChannel(e.Channel) {
			m.line.channels[e.Channel].replayed += e.To - e.From
		}
	default:
	}
}

// taskReady takes the task's part of the line; the last one completes it.
func (m *model) taskReady(n id.TaskID, t *task) {
	l := &m.line
	l.complete = false
	if !l.active || l.tasks[n].ready {
		return
	}
	l.tasks[n].ready = true
	for _, ch := range t.inputs {
		l.channels[ch].delivered = m.channels[ch].delivered
	}
	for _, ch := range t.outputs {
		l.channels[ch].sealed = m.channels[ch].sealed
	}
	if l.waiting--; l.waiting > 0 {
		return
	}
	l.active, l.complete = false, true
	if l.keeps {
		m.report.Adopted++
	}
	for i := range l.tasks {
		if l.tasks[i].epoch != 0 {
			m.report.Recoveries++
			break
		}
	}
}
