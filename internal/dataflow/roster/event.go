package roster

import (
	"weir/dataflow"
	"weir/id"
)

// Ref names one incarnation of a task.
type Ref struct {
	Task        id.TaskID
	Incarnation Incarnation
}

// Execute takes a plan, with a part for every task, and appends its effects to dst.
// ok is false for a plan that is not newer than the last one and changes nothing. Who keeps a
// task that runs no more, since nobody led when that was noticed, learns it now.
func (r *Roster) Execute(dst []Effect, p *dataflow.Plan) (effects []Effect, ok bool) {
	if p.Number <= r.plan {
		return dst, false
	}
	r.plan = p.Number
	for i := range r.members {
		m := &r.members[i]
		m.ready = false
		if p.Tasks[i].Mode == dataflow.Restart && m.phase != Absent {
			dst = append(dst, Effect{Kind: Discard, Task: id.TaskID(i), Incarnation: m.incarnation})
			m.phase = max(m.phase, Dead)
		}
	}
	for k := range r.channels {
		if c := &r.channels[k]; c.state == connecting {
			c.sever() // both ends report their positions anew
		}
	}
	for i := range r.members {
		if p.Tasks[i].Mode == dataflow.Restart && r.members[i].phase == Dead {
			dst = r.isolate(dst, id.TaskID(i))
		}
	}
	var gone []id.TaskID
	for i := range r.members {
		dst = r.carryOut(dst, id.TaskID(i), &p.Tasks[i])
		if m := &r.members[i]; m.phase == Absent || m.phase == Isolated { // kept
			gone = append(gone, id.TaskID(i))
		}
	}
	if len(gone) > 0 {
		dst = append(dst, Effect{Kind: TellFailed, Tasks: gone})
	}
	return dst, true
}

func (r *Roster) carryOut(dst []Effect, t id.TaskID, part *dataflow.TaskPlan) []Effect {
	m := &r.members[t]
	m.term = r.term
	kind := Keep
	if part.Mode == dataflow.Restart {
		kind = Start
		m.incarnation++
		m.attempt, m.phase = r.plan, Starting
	} else if m.phase != Alive {
		return dst
	}
	return append(dst, Effect{Kind: kind, Task: t, Incarnation: m.incarnation, Attempt: r.plan, Part: part})
}

// Started says that the driver has built incarnation i of a task. It is false, and
// the driver does not build it, if that is not wanted any more.
func (r *Roster) Started(t id.TaskID, i Incarnation) bool {
	m := &r.members[t]
	if m.incarnation != i || m.phase != Starting {
		return false
	}
	m.phase = Alive
	return true
}

// Ready says that incarnation i of a task has carried out its part of plan a;
// delivered has the position of every input. Of an older plan or incarnation it
// means nothing.
func (r *Roster) Ready(dst []Effect, t id.TaskID, i Incarnation, a id.Attempt, delivered []id.Seq) []Effect {
	if !r.Current(t, i) || a != r.plan {
		return dst
	}
	m := &r.members[t]
	m.ready = true
	for n, k := range m.inputs {
		r.channels[k].seen = delivered[n]
		dst = r.connect(dst, k)
	}
	for _, k := range m.outputs {
		dst = r.connect(dst, k)
	}
	return append(dst, Effect{Kind: TellReady, Task: t, Incarnation: i, Attempt: a})
}

// connect begins a connection if there is none and both ends are ready.
func (r *Roster) connect(dst []Effect, k id.ChannelID) []Effect {
	c := &r.channels[k]
	if c.state != down || !r.members[c.from].ready || !r.members[c.to].ready {
		return dst
	}
	c.connection++
	c.state = connecting
	return append(dst, Effect{Kind: Connect, Channel: k, Connection: c.connection})
}

// Connected says that a connection stands. The driver gives the sender EvConnected
// with seen, the position up to which the receiver has everything; not if ok is
// false: the connection is none any more, or its sender is dead.
func (r *Roster) Connected(k id.ChannelID, n Connection) (seen id.Seq, ok bool) {
	c := &r.channels[k]
	if c.connection != n || c.state != connecting || r.members[c.from].phase != Alive {
		return 0, false
	}
	c.state = up
	return c.seen, true
}

// Died says that incarnation i of a task has crashed or failed, which nobody has
// noticed yet. It is false of one that was dead already, or replaced.
func (r *Roster) Died(t id.TaskID, i Incarnation) bool {
	m := &r.members[t]
	if m.incarnation != i || m.phase != Starting && m.phase != Alive {
		return false
	}
	m.phase = Dead
	return true
}

// Noticed says that the deaths of these incarnations are known. Those that have been
// replaced or noticed before are passed over.
func (r *Roster) Noticed(dst []Effect, cause error, dead ...Ref) []Effect {
	var gone []id.TaskID
	for _, d := range dead {
		if m := &r.members[d.Task]; m.incarnation == d.Incarnation && m.phase == Dead {
			dst = r.isolate(dst, d.Task)
			gone = append(gone, d.Task)
		}
	}
	if len(gone) == 0 {
		return dst
	}
	return append(dst, Effect{Kind: TellFailed, Tasks: gone, Cause: cause})
}

// Lost says that connection n of a channel has broken, although nobody need have died.
// The receiver counts as failed with the cause, and that is noticed at once.
func (r *Roster) Lost(dst []Effect, k id.ChannelID, n Connection, cause error) []Effect {
	c := &r.channels[k]
	if c.connection != n || c.state != up {
		return dst
	}
	i := r.members[c.to].incarnation
	r.Died(c.to, i)
	dst = append(dst, Effect{Kind: Discard, Task: c.to, Incarnation: i})
	return r.Noticed(dst, cause, Ref{c.to, i})
}

// CoordinatorLost says that the coordinator has crashed: what was sent to it counts no
// more, and what tasks send counts when a plan of the next one has started or kept them.
func (r *Roster) CoordinatorLost() { r.term++ }

// isolate cuts the other tasks off from a dead one.
func (r *Roster) isolate(dst []Effect, t id.TaskID) []Effect {
	m := &r.members[t]
	m.phase, m.ready = Isolated, false
	for _, k := range m.inputs {
		c := &r.channels[k]
		c.sever()
		dst = r.cut(dst, CutOutput, c.from, k, c.out)
	}
	for _, k := range m.outputs {
		c := &r.channels[k]
		c.sever()
		dst = r.cut(dst, CutInput, c.to, k, c.in)
	}
	return dst
}

// cut is for a survivor only.
func (r *Roster) cut(dst []Effect, kind EffectKind, t id.TaskID, k id.ChannelID, port int32) []Effect {
	m := &r.members[t]
	if m.phase != Alive {
		return dst
	}
	return append(dst, Effect{Kind: kind, Task: t, Incarnation: m.incarnation, Channel: k, Port: int(port)})
}

// sever ends the connection of a channel; what is on the wire is lost.
func (c *channel) sever() {
	c.connection++
	c.state = down
}
