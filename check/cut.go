// The cut oracle: each complete checkpoint, and each recovery line, is a
// consistent cut. No receiver has what its sender has not sent, and what was sent
// is delivered, captured or replayed, once; the records in it are the prefix that
// the sources had handed out. What an algorithm does not declare to capture is in
// no snapshot. What completes is of the plan that runs: what a coordinator before began comes
// true under no other one. Behind a change of the graph channels begin anew, and the records of the
// checkpoint that it went on from count as a whole: what was in flight there is missing
// until it is sent again.
//
// It does not verify that what was captured can be read again (storage, restore),
// what is in the state of tasks behind the first ones beyond counts of items, nor
// snapshots that no checkpoint or recovery used.

package check

import (
	"slices"

	"weir/id"
	"weir/trace"
)

type cut struct {
	judge
	counts []int32   // scratch, by record
	parts  []int32   // scratch: the cut, by task
	splits []uint64  // scratch: how far each split was read at the cut
	found  []bool    // scratch, by split
	ranges []capture // scratch
	passed id.Epoch  // newest checkpoint that a recovery has passed over: it is none any more
}

func newCut(j judge) watcher {
	return &cut{judge: j, counts: make([]int32, j.x.Records), splits: make([]uint64, len(j.x.Splits)), found: make([]bool, len(j.x.Splits))}
}

func (o *cut) Wants() trace.Mask {
	m := kinds(trace.Completed, trace.TaskReady, trace.Saved, trace.FellBack)
	if !o.x.Captures.Inputs {
		m = m.With(trace.CapturedIn)
	}
	if !o.x.Captures.Outputs {
		m = m.With(trace.CapturedOut)
	}
	return m
}

func (o *cut) Reset() { o.passed = 0 }

func (o *cut) Finish(End) {}

func (o *cut) Observe(e *trace.Event) {
	switch {
	case e.Kind == trace.CapturedIn, e.Kind == trace.CapturedOut:
		o.violate(e.Task, e.Epoch, "%s on channel %s: the algorithm does not declare that its snapshots have such", e.Kind, e.Channel)
	case e.Kind == trace.Saved:
		o.checkSaved(e)
	case e.Kind == trace.FellBack:
		o.passed = max(o.passed, e.Epoch)
	case e.Kind == trace.TaskReady && o.line.kept:
		o.checkKept()
	case e.Kind == trace.TaskReady && o.line.complete:
		o.checkRecovery()
	case e.Kind == trace.Completed && o.x.Coordinated:
		if e.Epoch.Attempt() < o.line.plan {
			o.violate(trace.Coordinator, e.Epoch, "a round from before plan %s is complete under it: that plan does not count its record, and whoever starts next goes back behind it", o.line.plan)
		}
		if o.lacksNone(e.Epoch) {
			o.parts = append(o.parts[:0], o.model.parts...)
			o.checkCut(e.Epoch)
		}
	}
}

// checkKept: every task goes on from where it stands, so that what counts is the newest
// checkpoint that any of them may have been told of; one whose completion nobody saw is checked here.
func (o *cut) checkKept() {
	base := o.line.base
	if n := len(o.completed); n > 0 && o.completed[n-1] > max(base, o.passed) {
		o.violate(trace.Coordinator, base, "every task goes on, and what counts is not %s, which is complete: tasks may have been told so", o.completed[n-1])
	}
	if o.line.unseen && o.lacksNone(base) {
		o.parts = append(o.parts[:0], o.model.parts...)
		o.checkCut(base)
	}
}

// checkSaved: what a savepoint holds is what the sources had handed out where it has them.
func (o *cut) checkSaved(e *trace.Event) {
	if o.x.Layout.SavepointRoot == nil {
		return
	}
	parts := o.shares[o.x.Layout.SavepointRoot(e.Epoch)]
	if parts == nil || slices.Contains(parts, none) {
		return // savepoints says so
	}
	o.parts = append(o.parts[:0], parts...)
	o.checkPrefix(e.Epoch)
}

// lacksNone: every task is part of a complete checkpoint.
func (o *cut) lacksNone(e id.Epoch) bool {
	for i, p := range o.model.parts {
		if p == none {
			o.violate(id.TaskID(i), e, "the checkpoint is complete without a snapshot of %s, which has not left", o.taskName(i))
		}
	}
	return o.whole
}

// checkRecovery looks at a line whose last task has become ready.
func (o *cut) checkRecovery() {
	switch {
	case o.x.State == AtMostOnce:
	case o.x.Coordinated:
		o.checkRestoredCheckpoint()
	default:
		for i := range o.line.channels {
			o.checkLine(id.ChannelID(i))
		}
	}
}

// checkCut looks at the snapshots in o.parts.
func (o *cut) checkCut(e id.Epoch) {
	if o.x.State == ExactlyOnce {
		for n := range o.channels {
			o.checkChannel(id.ChannelID(n), e)
		}
	}
	o.checkPrefix(e)
}

// checkChannel: what the receiver had was sent, and what was sent is either
// delivered or captured, once.
func (o *cut) checkChannel(n id.ChannelID, e id.Epoch) {
	ch := &o.channels[n]
	from, to := &o.snapshots[o.parts[ch.From]], &o.snapshots[o.parts[ch.To]]
	sealed, delivered := o.sealedAt(from, n), o.deliveredAt(to, n)
	if delivered > sealed {
		o.violate(ch.To, e, "channel %s: the snapshot of %s has received %d items, that of %s has sent %d: effects without their cause", n, o.taskName(int(ch.To)), delivered, o.taskName(int(ch.From)), sealed)
		return
	}
	o.ranges = o.ranges[:0]
	o.gatherCaptures(to, n, e, false)
	o.gatherCaptures(from, n, e, true)
	total := delivered
	slices.SortFunc(o.ranges, func(a, b capture) int { return int(int64(a.from) - int64(b.from)) })
	for i := range o.ranges {
		total += o.ranges[i].to - o.ranges[i].from
		if i > 0 && o.ranges[i].from < o.ranges[i-1].to {
			o.violate(ch.To, e, "channel %s: positions (%d, %d] and (%d, %d] are captured both: some in-flight items twice", n, o.ranges[i-1].from, o.ranges[i-1].to, o.ranges[i].from, o.ranges[i].to)
		}
	}
	if total != sealed {
		o.violate(ch.To, e, "channel %s: %d items were sent before the cut; %d are in the receiver's state and %d captured in flight, %s", n, sealed, delivered, total-delivered, balance(total, sealed))
	} else if ch.Reorders {
		o.checkPositions(n, e)
	}
}

func balance(have, want uint64) string {
	if have < want {
		return "so the rest is lost when the checkpoint is restored"
	}
	return "so some come twice when the checkpoint is restored"
}

// gatherCaptures adds what snapshot s captured of a channel to o.ranges. What a
// task that has left once captured is not put back.
func (o *cut) gatherCaptures(s *snapshot, n id.ChannelID, e id.Epoch, out bool) {
	if s.epoch != e {
		return
	}
	for k := s.captures; k != none; k = o.captures[k].next {
		if x := &o.captures[k]; x.channel == n && x.out == out {
			o.ranges = append(o.ranges, *x)
		}
	}
}

// checkPrefix: the records in the state of the first tasks, and those captured
// on their way there, are what the sources had handed out, each once. At least
// once means that none is missing.
func (o *cut) checkPrefix(e id.Epoch) {
	if o.x.State == AtMostOnce {
		return
	}
	o.readSplits(e)
	clear(o.counts)
	root := none
	for i := range o.tasks {
		s := &o.snapshots[o.parts[i]]
		root = max(root, s.inherits)
		if o.tasks[i].fed {
			o.addLineage(o.counts, s.segment, s.records)
		}
		if s.epoch != e {
			continue
		}
		for k := s.captures; k != none; k = o.captures[k].next {
			x := &o.captures[k]
			for _, r := range o.captured[x.first : x.first+x.n] {
				o.counts[r]++
			}
		}
	}
	o.addInherited(o.counts, root)
	o.subtractHandedOut()
	missing, extra, firstMissing, firstExtra := 0, 0, 0, 0
	for r := len(o.counts) - 1; r >= 0; r-- {
		if n := o.counts[r]; n < 0 {
			missing, firstMissing = missing+1, r
		} else if n > 0 {
			extra, firstExtra = extra+1, r
		}
	}
	if missing > 0 {
		o.violate(trace.Coordinator, e, "the sources stand behind %d records that are neither in the state of the checkpoint nor captured in flight; the first is record %d", missing, firstMissing)
	}
	if extra > 0 && o.x.State == ExactlyOnce {
		o.violate(trace.Coordinator, e, "%d records are in the checkpoint more often than the sources, where they stand, had handed out; the first is record %d (%d times)", extra, firstExtra, o.counts[firstExtra]+o.wanted(firstExtra))
	}
}

// subtractHandedOut takes from o.counts what the sources had handed out at the cut.
func (o *cut) subtractHandedOut() {
	for n := range o.x.Splits {
		s := &o.x.Splits[n]
		end := min(int(min(o.splits[n], uint64(o.x.Records)))*s.Modulus, o.x.Records)
		for r := s.Residue; r < end; r += s.Modulus {
			if o.owner[r] == int32(n) {
				o.counts[r] -= o.x.copies(r)
			}
		}
	}
}

// wanted is how often record r was handed out at the cut.
func (o *cut) wanted(r int) int32 {
	if n := o.owner[r]; n == none || uint64(r/o.x.Splits[n].Modulus) >= o.splits[n] {
		return 0
	}
	return o.x.copies(r)
}

// readSplits takes the offsets of the splits from o.parts: each is in the snapshot
// of one task.
func (o *cut) readSplits(e id.Epoch) {
	clear(o.found)
	for i, p := range o.parts {
		for k := o.snapshots[p].splits; k != none; k = o.positions[k].next {
			x := &o.positions[k]
			if o.found[x.split] {
				o.violate(id.TaskID(i), e, "split %s is in the snapshot of %s and in another one of the checkpoint", x.split, o.taskName(i))
			}
			o.splits[x.split], o.found[x.split] = x.offset, true
		}
	}
	for n, ok := range o.found {
		if !ok {
			o.splits[n] = 0
			o.violate(trace.Coordinator, e, "no snapshot of the checkpoint has split %s", id.SplitID(n))
		}
	}
}

// checkLine looks at a recovery line: no receiver has what its
// sender has not sent, and what a restarted sender had sent is delivered or
// replayed from the log, once.
func (o *cut) checkLine(n id.ChannelID) {
	l, ch := &o.line, &o.channels[n]
	x := &l.channels[n]
	from, to := &l.tasks[ch.From], &l.tasks[ch.To]
	if !from.restarted && !to.restarted {
		return // the connection was never cut
	}
	got := x.delivered + x.replayed
	switch {
	case o.x.Replays: // the sender does again what its receivers have of it; conservation and effect see whether it did
	case x.delivered > x.sealed:
		o.violate(ch.To, to.epoch, "recovery %s, channel %s: the receiver %s has %d items, its sender %s has sent %d: an orphan", l.plan, n, o.taskName(int(ch.To)), x.delivered, o.taskName(int(ch.From)), x.sealed)
	case got > x.sealed:
		o.violate(ch.To, to.epoch, "recovery %s, channel %s: %d items delivered and %d replayed, but only %d sent", l.plan, n, x.delivered, x.replayed, x.sealed)
	case got < x.sealed && from.restarted && !o.x.Resends:
		o.violate(ch.To, to.epoch, "recovery %s, channel %s: %d items sent, %d delivered and %d replayed: the rest is lost", l.plan, n, x.sealed, x.delivered, x.replayed)
	}
}

// checkRestoredCheckpoint: a coordinated recovery restores one checkpoint, whole or what of it
// is of the tasks that are not kept. Those go back to the very checkpoint that the plan names.
// One whose completion nobody saw (the coordinator died) is checked here.
func (o *cut) checkRestoredCheckpoint() {
	l := &o.line
	var e id.Epoch
	restarted := 0
	for i := range l.tasks {
		if l.tasks[i].restarted {
			e = max(e, l.tasks[i].epoch)
			restarted++
		}
	}
	if restarted > 0 && restarted < len(l.tasks) {
		if e > l.base {
			o.violate(trace.Coordinator, e, "recovery %s keeps %d tasks and goes back to %s with the others, one of which restored %s", l.plan, len(l.tasks)-restarted, epochText(l.base), e)
			return
		}
		e = l.base
	}
	if e == 0 {
		return
	}
	if o.legOf(e) < len(o.legs) {
		o.checkInheritance(e)
		return
	}
	carried := false
	for i := range l.tasks {
		t := &l.tasks[i]
		if !t.restarted || t.epoch == e {
			continue
		}
		if !o.tasks[i].left && o.find(&o.tasks[i], e) != none {
			o.violate(id.TaskID(i), t.epoch, "recovery %s: %s restored epoch %s while others restored %s", l.plan, o.taskName(i), t.epoch, e)
			return
		}
		carried = true // it had left: an older snapshot stands for it
	}
	if o.isCompleted(e) && !carried {
		return
	}
	o.parts = o.parts[:0]
	for i := range o.tasks {
		if o.parts = append(o.parts, o.partIn(i, e)); o.parts[i] == none {
			o.violate(id.TaskID(i), e, "recovery %s: others restored epoch %s, %s nothing", l.plan, e, o.taskName(i))
			return
		}
	}
	o.checkCut(e)
}

// partIn returns what of the checkpoint that a recovery goes back to is of task i: what it
// has restored or, if it is kept, its share. Before it left that was an older one.
func (o *cut) partIn(i int, e id.Epoch) int32 {
	t := &o.tasks[i]
	if o.line.tasks[i].restarted {
		return t.restored
	}
	if p := o.find(t, e); p != none {
		return p
	}
	return t.part
}

// epochText is how an epoch is called that may be the beginning of the job.
func epochText(e id.Epoch) string {
	if e == 0 {
		return "the beginning"
	}
	return e.String()
}

// checkInheritance: all tasks go on from one checkpoint of a former graph, which is
// a consistent cut of that.
func (o *cut) checkInheritance(e id.Epoch) {
	h := o.inheritance(e)
	if h == none {
		return // restore has said so
	}
	x, again := &o.inheritances[h], o.again(h)
	l := &o.line
	for i := range l.tasks {
		t := &l.tasks[i]
		if !t.restarted || t.epoch == e || again && o.tasks[i].restored == x.parts[i] { // it had left
			continue
		}
		if t.epoch == 0 && o.ofOrigin(e) && !o.x.Origin.has(o.x.Tasks[i].Operator) {
			continue // it is new
		}
		o.violate(id.TaskID(i), t.epoch, "recovery %s: %s restored epoch %s while others go on from %s", l.plan, o.taskName(i), t.epoch, e)
		return
	}
	if o.isCompleted(e) || o.ofOrigin(e) {
		return
	}
	o.parts = append(o.parts[:0], x.parts...)
	o.within(x.leg, func() { o.checkCut(e) })
}
