// The logs oracle: message logs have what a recovery could replay, and do not grow
// with the job. Whatever a task had sent at the instant of a snapshot is in the log when
// the snapshot is in storage; nothing is trimmed that the receiver's part of the
// recovery line of a total failure has not passed; and what it has passed is
// trimmed within a bound, while the job runs. What is left when it has ended is
// for storage to say.
//
// It does not verify the bytes of entries (effect and contiguity see what is
// replayed), nor trims that a coordinator took with it when it died: the next one
// trims when its line moves.

package check

import (
	"weir/id"
	"weir/trace"
)

type messageLogs struct {
	judge
	logs   LogStorage
	of     map[string]id.ChannelID // by key
	upTo   []appended              // by channel
	oldest []passed                // by channel: entries that should be gone, the longest ago
	newest []passed
	looked int64
	held   uint64 // nanoseconds by which struck faults may have held trims up
}

// appended is how far the newest attempt that has appended to a log has come.
type appended struct {
	attempt id.Attempt
	upTo    uint64
}

// passed: the line passed a channel's positions up to one, at a time.
type passed struct {
	upTo uint64 // 0: none
	at   int64
}

func newLogs(j judge) watcher {
	n := len(j.x.Channels)
	o := &messageLogs{judge: j, of: map[string]id.ChannelID{}, upTo: make([]appended, n), oldest: make([]passed, n), newest: make([]passed, n)}
	if j.x.Logs && j.x.Layout.LogKey != nil {
		o.logs, _ = j.x.Storage.(LogStorage)
		for ch := range id.ChannelID(n) {
			o.of[j.x.Layout.LogKey(ch)] = ch
		}
	}
	return o
}

func (o *messageLogs) Wants() trace.Mask {
	if o.logs == nil {
		return 0
	}
	return kinds(trace.StoreApplied, trace.LineAdvanced, trace.SnapshotStored, trace.CoordinatorCrashed, trace.FaultInjected)
}

func (o *messageLogs) Reset() {
	clear(o.upTo)
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
	case trace.StoreApplied:
		o.applied(e)
		return
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

// applied watches what happens to the logs, and snapshots that land.
func (o *messageLogs) applied(e *trace.Event) {
	switch e.Op {
	case trace.Append:
		if ch, ok := o.of[e.Key]; ok && e.Attempt >= o.upTo[ch].attempt {
			l := &o.upTo[ch]
			if e.Attempt > l.attempt {
				*l = appended{attempt: e.Attempt}
			}
			l.upTo = max(l.upTo, e.From)
		}
	case trace.Trim:
		if ch, ok := o.of[e.Key]; ok {
			o.trimmed(ch, e)
		}
	case trace.Put:
		if x, ok := o.ownerOf(e.Key); ok && x.Whole {
			o.covered(x)
		}
	default: // no log, and no snapshot
	}
}

func (o *messageLogs) ownerOf(key string) (x Owner, ok bool) {
	if !o.x.hasLine() {
		return x, false
	}
	x, ok = o.x.Layout.OwnerOf(key)
	return x, ok && int(x.Task) < len(o.tasks)
}

// trimmed: a recovery begins to replay no later than where the line stands.
func (o *messageLogs) trimmed(ch id.ChannelID, e *trace.Event) {
	if !o.x.hasLine() || o.over {
		return
	}
	needed := uint64(0)
	to := o.channels[ch].To
	if p := o.lineOf(to); p != none {
		needed = o.deliveredAt(&o.snapshots[p], ch)
	}
	if e.From > needed {
		o.violate(to, 0, "%s is trimmed up to position %d, and on the recovery line of a total failure %s has position %d: what lies between could not be replayed", e.Key, e.From, o.taskName(int(to)), needed)
	}
}

// covered: a snapshot that can be restored has its message log behind it. Its
// incarnation has logged on from where it began.
func (o *messageLogs) covered(x Owner) {
	t := &o.tasks[x.Task]
	p := o.find(t, x.Epoch)
	if p == none || !o.survives(&o.snapshots[p], t.segment) {
		return
	}
	s := &o.snapshots[p]
	for _, ch := range t.outputs {
		has := uint64(0)
		if l := o.upTo[ch]; l.attempt == x.Epoch.Attempt() {
			has = l.upTo
		} else if t.restored != none {
			has = o.sealedAt(&o.snapshots[t.restored], ch)
		}
		if sent := o.sealedAt(s, ch); sent > has {
			o.violate(x.Task, x.Epoch, "the snapshot is in storage, and %s ends at position %d of the %d that its task had sent: the rest could not be replayed", o.x.Layout.LogKey(ch), has, sent)
		}
	}
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
