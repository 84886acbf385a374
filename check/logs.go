// The logs oracle: message logs do not grow with the job. What the recovery line
// of a total failure has passed can never be replayed, and is trimmed within a
// bound, while the job runs. What is left when it has ended is for storage to say.
//
// It does not verify what the line is (uncoordinated code reports it), nor trims that a
// coordinator took with it when it died: the next one trims when its line moves.

package check

import (
	"weir/id"
	"weir/trace"
)

type messageLogs struct {
	judge
	logs   LogStorage
	oldest []passed // by channel: entries that should be gone, the longest ago
	newest []passed
	looked int64
	held   uint64 // nanoseconds by which struck faults may have held trims up
}

// passed: the line passed a channel's positions up to one, at a time.
type passed struct {
	upTo uint64 // 0: none
	at   int64
}

func newLogs(j judge) watcher {
	n := len(j.x.Channels)
	o := &messageLogs{judge: j, oldest: make([]passed, n), newest: make([]passed, n)}
	if j.x.Logs && j.x.Layout.LogKey != nil {
		o.logs, _ = j.x.Storage.(LogStorage)
	}
	return o
}

func (o *messageLogs) Wants() trace.Mask {
	if o.logs == nil {
		return 0
	}
	return kinds(trace.LineAdvanced, trace.SnapshotStored, trace.CoordinatorCrashed, trace.FaultInjected)
}

func (o *messageLogs) Reset() {
	o.forget()
	o.looked, o.held = 0, 0
}

// Finish has nothing to add.
func (o *messageLogs) Finish(End) {}

func (o *messageLogs) forget() {
	clear(o.oldest)
	clear(o.newest)
}

func (o *messageLogs) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.LineAdvanced:
		o.advanced(e)
	case trace.CoordinatorCrashed:
		o.forget()
	case trace.FaultInjected:
		o.held = addHeld(o.held, e.To)
	default: // time goes on
	}
	o.look()
}

// advanced notes what a task's part of the line has passed.
func (o *messageLogs) advanced(e *trace.Event) {
	t := &o.tasks[e.Task]
	p := o.find(t, e.Epoch)
	if p == none {
		return
	}
	for _, ch := range t.inputs {
		mark := passed{o.deliveredAt(&o.snapshots[p], ch), o.now}
		if mark.upTo <= o.newest[ch].upTo {
			continue
		}
		if o.newest[ch] = mark; o.oldest[ch].upTo == 0 {
			o.oldest[ch] = mark
		}
	}
}

// look compares the logs with what should be gone, a few times within the bound.
func (o *messageLogs) look() {
	bound := o.pace.Trim
	if bound == 0 || o.held == trace.NoBound || o.now-o.looked < bound/4 {
		return
	}
	o.looked = o.now
	for ch := range o.oldest {
		if m := &o.oldest[ch]; m.upTo != 0 {
			o.overdue(id.ChannelID(ch), m, bound+int64(o.held))
		}
	}
}

// overdue looks at one log: its first entry tells whether it was trimmed.
func (o *messageLogs) overdue(ch id.ChannelID, m *passed, bound int64) {
	key := o.x.Layout.LogKey(ch)
	last, ok := o.logs.LogStart(key)
	switch {
	case !ok || last > m.upTo:
		if *m = (passed{}); last <= o.newest[ch].upTo && ok {
			*m = o.newest[ch]
		}
	case o.now-m.at > bound:
		o.violate(o.x.Channels[ch].To, 0, "%s still has position %d, although the recovery line passed position %d %d ns ago", key, last, m.upTo, o.now-m.at)
		m.at = o.now // once per bound
	}
}
