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
	kept     bool     // complete, and every task goes on as it was before the plan
	unseen   bool     // and nobody has said that base is complete
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
	l.active, l.complete, l.kept, l.unseen, l.plan = false, false, false, false, 0
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
	l.complete, l.kept, l.unseen = false, false, false
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
	if m.x.Coordinated {
		m.adopted()
	}
	for i := range l.tasks {
		if l.tasks[i].epoch != 0 {
			m.report.Recoveries++
			break
		}
	}
}

// adopted sees whether every task goes on under the plan that has just been carried out. What that
// goes on from counts as complete then, whether or not anybody has said so.
func (m *model) adopted() {
	l := &m.line
	for i := range m.tasks {
		if m.tasks[i].attempt >= l.plan {
			return
		}
	}
	l.kept = true
	m.report.Adopted++
	l.unseen = l.base != 0 && m.legOf(l.base) == len(m.legs) && !m.isCompleted(l.base)
	if l.unseen {
		m.gather(l.base)
	}
}
