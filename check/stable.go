package check

import (
	"weir/id"
	"weir/trace"
)

// stable is the recovery line of a total failure, for algorithms without rounds:
// the newest consistent one over the snapshots that can be restored. It is computed
// from positions in the trace, whatever the code under test says about it. With more
// snapshots it only moves on, and no recovery goes behind it; so what is behind it is
// needed by nobody, and what is on it can never be rolled back.
type stable struct {
	at    []int // by task: place in task.snapshots, -1: the beginning
	stale bool
}

// hasLine reports that a recovery goes back to a line of single snapshots, which the
// model sees land in storage.
func (x *Expect) hasLine() bool {
	return !x.Coordinated && x.Rollback == ScopeLine && x.Layout.OwnerOf != nil
}

// landed takes an object that has been written to storage: a snapshot counts from
// then on, whether or not its task, or anybody, hears of it.
func (m *model) landed(e *trace.Event) {
	if e.Op != trace.Put && e.Op != trace.Create {
		return
	}
	o, ok := m.x.Layout.OwnerOf(e.Key)
	if !ok || !o.Whole || o.Task < 0 || int(o.Task) >= len(m.tasks) {
		return
	}
	if p := m.find(&m.tasks[o.Task], o.Epoch); p != none {
		m.snapshots[p].landed = true
		m.stable.stale = true
	}
}

// stands reports whether t could be restored from its k-th snapshot.
func (m *model) stands(t *task, k int) bool {
	s := &m.snapshots[t.snapshots[k]]
	return (s.stored || s.landed) && m.survives(s, t.segment)
}

// lineOf returns the snapshot of task n on the line, none: the line is where it
// began. In the middle of a recovery what the plan gives up may still count.
func (m *model) lineOf(n id.TaskID) int32 {
	l := &m.stable
	if l.stale {
		l.stale = false
		m.findLine()
	}
	if k := l.at[n]; k >= 0 {
		return m.tasks[n].snapshots[k]
	}
	return none
}

// findLine moves receivers of orphans back, from the newest snapshots on, until
// there is none.
func (m *model) findLine() {
	at := m.stable.at
	for i := range m.tasks {
		at[i] = m.before(id.TaskID(i), len(m.tasks[i].snapshots))
	}
	for moved := true; moved; {
		moved = false
		for n := range m.channels {
			ch := &m.channels[n]
			sent := m.sentAt(ch, id.ChannelID(n))
			for k := at[ch.To]; k >= 0; k = at[ch.To] {
				if m.deliveredAt(&m.snapshots[m.tasks[ch.To].snapshots[k]], id.ChannelID(n)) <= sent {
					break
				}
				at[ch.To], moved = m.before(ch.To, k), true
			}
		}
	}
}

// before returns the place of the newest snapshot of task n in front of the k-th
// that it could be restored from, -1: the beginning.
func (m *model) before(n id.TaskID, k int) int {
	t := &m.tasks[n]
	for k--; k >= 0 && !m.stands(t, k); k-- {
	}
	return k
}

// sentAt returns how many items the sender of a channel has sent on the line found so far.
func (m *model) sentAt(ch *channel, n id.ChannelID) uint64 {
	k := m.stable.at[ch.From]
	if k < 0 {
		return 0
	}
	return m.sealedAt(&m.snapshots[m.tasks[ch.From].snapshots[k]], n)
}
