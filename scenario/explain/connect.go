package explain

import (
	"fmt"
	"slices"

	"weir/id"
	"weir/trace"
)

// connector finds the causes of one event after another.
type connector struct {
	*Run
	last     []int32 // by line: the newest event, -1: none of this life
	sealed   map[item]int32
	barriers map[item]int32
	injected map[item]int32
	issued   map[operation][]int32 // neither applied nor answered yet
	failed   map[operation][]int32 // answered without effect, which may come yet
	asked    map[operation][]int32 // not answered yet; issue or effect
	made     map[string]int32      // by key: the newest effect that made the object
	fenced   map[id.TaskID]int32   // the newest recovery of a task at the sink store
	txns     map[txn]int32         // the newest effect on a transaction
	epochs   map[epochKind]int32   // of the coordinator, by epoch
	stored   map[share]int32
	plans    map[id.Attempt]int32
	running  map[id.TaskID]id.Attempt
	failures []int32 // since the last plan
	struck   []int32 // faults at this instant
	visible  []int32 // rows that became visible by an effect that is still to come
}

type (
	item struct {
		channel id.ChannelID
		at      uint64 // a position, or an epoch
	}
	operation struct {
		task  id.TaskID
		op    trace.Op
		key   string
		epoch id.Epoch
		from  uint64
	}
	txn struct {
		task  id.TaskID
		epoch id.Epoch
	}
	share     = txn
	epochKind struct {
		kind  trace.Kind
		epoch id.Epoch
	}
)

// connect draws the arrows and orders every line.
func (r *Run) connect() {
	c := connector{
		Run: r, last: make([]int32, len(r.Lines)), sealed: map[item]int32{}, barriers: map[item]int32{}, injected: map[item]int32{},
		issued: map[operation][]int32{}, failed: map[operation][]int32{}, running: map[id.TaskID]id.Attempt{}, asked: map[operation][]int32{}, made: map[string]int32{}, fenced: map[id.TaskID]int32{}, txns: map[txn]int32{},
		epochs: map[epochKind]int32{}, stored: map[share]int32{}, plans: map[id.Attempt]int32{},
	}
	for i := range c.last {
		c.last[i] = -1
	}
	r.notes = map[int]string{}
	r.causes, r.before = make([][]int32, len(r.Events)), make([]int32, len(r.Events))
	for i := range r.Events {
		e := &r.Events[i]
		r.before[i] = -1
		c.order(int32(i), e)
		c.channel(int32(i), e)
		c.operation(int32(i), e)
		c.message(int32(i), e)
		c.fault(int32(i), e)
	}
}

// arrow adds one if its begin is known.
func (c *connector) arrow(from int32, known bool, to int32, w Way) {
	if known && from >= 0 {
		c.Arrows = append(c.Arrows, Arrow{int(from), int(to), w})
		c.causes[to] = append(c.causes[to], from)
	}
}

// order puts an event behind the one before it, where the line is a process.
func (c *connector) order(i int32, e *Event) {
	switch c.Lines[e.Line].Kind {
	case "coordinator", "task":
	default:
		return
	}
	if e.Kind == trace.Rescaled { // channels, and shares of tasks, are numbered anew
		clear(c.sealed)
		clear(c.barriers)
		clear(c.injected)
		clear(c.running)
	}
	if e.Kind != trace.TaskStarting && e.Kind != trace.CoordinatorStarted {
		c.before[i] = c.last[e.Line]
	}
	c.last[e.Line] = i
}

// channel connects the two ends of a channel.
func (c *connector) channel(i int32, e *Event) {
	at, barrier := item{e.Channel, e.To}, item{e.Channel, uint64(e.Epoch)}
	switch e.Kind {
	case trace.Sealed:
		c.sealed[at] = i
	case trace.Injected:
		c.injected[at] = i
	case trace.Delivered:
		if e.Way == trace.Reinjected {
			from, ok := c.injected[at]
			c.arrow(from, ok, i, Local)
			return
		}
		from, ok := c.sealed[at]
		c.arrow(from, ok, i, Buffer)
	case trace.Dropped:
		from, ok := c.sealed[at]
		c.arrow(from, ok, i, Buffer)
	case trace.BarrierSent:
		c.barriers[barrier] = i
	case trace.BarrierReceived:
		from, ok := c.barriers[barrier]
		c.arrow(from, ok, i, Barrier)
	default:
	}
}

// operation connects issue, effect and answer, and what is read with what was written.
func (c *connector) operation(i int32, e *Event) {
	o := operation{e.Task, e.Op, e.Key, 0, 0}
	switch e.Kind {
	case trace.ExtIssued, trace.ExtApplied, trace.ExtDone:
		o.epoch, o.from = e.Epoch, e.From
	default:
	}
	switch e.Kind {
	case trace.StoreIssued, trace.ExtIssued:
		c.issued[o] = append(c.issued[o], i)
		c.asked[o] = append(c.asked[o], i)
	case trace.StoreApplied:
		c.effect(i, e, o)
		from, ok := c.made[e.Key]
		c.arrow(from, ok, i, Read)
		switch e.Op {
		case trace.Put, trace.Create, trace.Append, trace.Delete, trace.Trim:
			c.made[e.Key] = i
		default:
		}
	case trace.ExtApplied:
		c.effect(i, e, o)
		c.visible = c.visible[:0]
		from, ok := c.fenced[e.Task]
		c.arrow(from, ok, i, Read)
		if e.Op == trace.Recover || e.Op == trace.Fence {
			c.fenced[e.Task] = i
		}
		if e.Epoch != 0 {
			from, ok = c.txns[txn{e.Task, e.Epoch}]
			c.arrow(from, ok, i, Read)
			c.txns[txn{e.Task, e.Epoch}] = i
		}
	case trace.OutputCommitted: // stands in front of the effect that it is of
		c.visible = append(c.visible, i)
	case trace.StoreDone, trace.ExtDone:
		c.answer(i, e, o)
	default:
	}
}

// effect connects an operation's effect with the issue that it is of: one that
// has no answer yet, or else one whose answer was that it had failed.
func (c *connector) effect(i int32, e *Event, o operation) {
	for late, list := range [...]map[operation][]int32{c.issued, c.failed} {
		all := list[o]
		k := c.pick(all, e)
		if k < 0 {
			continue
		}
		from := all[k]
		c.arrow(from, true, i, Request)
		for _, v := range c.visible {
			c.arrow(from, e.Kind == trace.ExtApplied && c.Events[v].Task == e.Task && c.Events[v].Time == e.Time, v, Request)
		}
		list[o] = append(all[:k:k], all[k+1:]...)
		if n := slices.Index(c.asked[o], from); n >= 0 {
			c.asked[o][n] = i
		}
		c.noteLate(i, e, &c.Events[from], late == 1)
		return
	}
}

// answer connects an outcome with the effect, or with the issue if it had none yet.
func (c *connector) answer(i int32, e *Event, o operation) {
	all := c.asked[o]
	k := c.pick(all, e)
	if k < 0 {
		return
	}
	from := all[k]
	c.arrow(from, true, i, Answer)
	c.asked[o] = append(all[:k:k], all[k+1:]...)
	if n := slices.Index(c.issued[o], from); n >= 0 { // it may take effect yet
		c.issued[o] = slices.Delete(c.issued[o], n, n+1)
		c.failed[o] = append(c.failed[o], from)
	}
}

// pick returns which of the events an effect or an answer belongs to, -1: none.
// What has taken effect is answered first, and of those the oldest; a failure is
// the answer of what has not.
func (c *connector) pick(all []int32, e *Event) int {
	best, rank := -1, 0
	for k, x := range all {
		was := &c.Events[x]
		r := 1
		if was.Attempt == e.Attempt {
			r += 2
		}
		if applied := was.Kind == trace.StoreApplied || was.Kind == trace.ExtApplied; applied == (e.Outcome != trace.Failed) {
			r++
		}
		if r > rank {
			best, rank = k, r
		}
	}
	return best
}

// noteLate says of an effect that nobody waits for it any more.
func (c *connector) noteLate(i int32, e, issue *Event, failed bool) {
	switch now := c.running[e.Task]; {
	case e.Task == trace.Coordinator:
	case issue.Attempt < now && failed:
		c.notes[int(i)] = fmt.Sprintf(", late: it was reported as failed, and %s runs as %s by now", e.Task, now)
	case issue.Attempt < now:
		c.notes[int(i)] = fmt.Sprintf(", late: %s runs as %s by now", e.Task, now)
	}
	if c.notes[int(i)] == "" && failed {
		c.notes[int(i)] = ", late: it was reported as failed"
	}
}

// message connects what the coordinator and tasks tell each other with what
// comes of it.
func (c *connector) message(i int32, e *Event) {
	switch e.Kind {
	case trace.Triggered, trace.AllAcked, trace.Completed:
		c.epochs[epochKind{e.Kind, e.Epoch}] = i
	case trace.SnapshotBegun:
		if c.isSource(e) {
			from, ok := c.epochs[epochKind{trace.Triggered, e.Epoch}]
			c.arrow(from, ok, i, Message)
		}
	case trace.SnapshotStored:
		c.stored[share{e.Task, e.Epoch}] = i
	case trace.Acked:
		from, ok := c.stored[share{e.Task, e.Epoch}]
		c.arrow(from, ok, i, Message)
	case trace.CommitAsked:
		from, ok := c.epochs[epochKind{trace.Completed, e.Epoch}]
		if !ok { // a mistake that the picture is to show
			from, ok = c.epochs[epochKind{trace.AllAcked, e.Epoch}]
		}
		c.arrow(from, ok, i, Message)
	case trace.PlanDurable:
		for _, f := range c.failures {
			c.arrow(f, true, i, Message)
		}
		c.failures = c.failures[:0]
	case trace.PlanExecuted:
		c.plans[e.Attempt] = i
	case trace.TaskStarting:
		c.running[e.Task] = e.Attempt
		from, ok := c.plans[e.Attempt]
		c.arrow(from, ok, i, Message)
	default:
	}
}

// fault connects a fault with what it strikes.
func (c *connector) fault(i int32, e *Event) {
	for len(c.struck) > 0 && c.Events[c.struck[0]].Time != e.Time {
		c.struck = c.struck[1:]
	}
	switch e.Kind {
	case trace.FaultInjected:
		c.struck = append(c.struck, i)
	case trace.WorkerCrashed, trace.CoordinatorCrashed:
		if n := len(c.struck); n > 0 {
			c.arrow(c.struck[n-1], true, i, Strike)
		}
		c.failures = append(c.failures, i)
		if e.Kind == trace.CoordinatorCrashed {
			c.last[coordinatorLine] = -1
		}
	case trace.TaskFailed:
		c.failures = append(c.failures, i)
	default:
	}
}
