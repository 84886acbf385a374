// The useless oracle: for an algorithm that promises none, every stored snapshot
// belongs to some consistent global one (Netzer and Xu, "Necessary and sufficient
// conditions for consistent global snapshots", 1995: a checkpoint is useless if
// and only if a zigzag cycle contains it).
//
// Interval k of a task lies before its k-th snapshot. A zigzag path from a snapshot
// goes along a message that was sent behind it, and on along any that the receiver
// sent in the interval in which it received the one before, or later, even before
// it received it. Where channels are FIFO, the earliest interval of each task that
// a path reaches says everything, so that a snapshot costs one fixed point over the
// channels: if the paths from it come back to its task in front of it, it is useless.
//
// A snapshot that is still being stored when a run stops divides intervals like any
// other, but is not judged. Only what survives counts: a recovery takes the ends of channels and the
// histories of tasks back, and what it discards is judged no more. Messages in
// flight make no snapshot useless: the condition is about orphans, and captured
// channel state, logs or replay account for the others. Hence rounds, whose cuts
// have no orphans, never fire here: with a round given up, the shares of some tasks
// are judged among the complete ones.
//
// Without a cycle of channels no zigzag path comes back, and no snapshot is useless:
// there the oracle cannot tell communication-induced from uncoordinated snapshots,
// and does nothing.
//
// It does not verify snapshots of histories that were rolled back, snapshots that
// were not stored, nor runs that stop in the middle of a recovery.

package check

import (
	"weir/id"
	"weir/trace"
)

type useless struct {
	judge
	cyclic bool      // else there is nothing to find
	alive  [][]int32 // by task: its surviving snapshots that are stored or being stored, in order
	from   []int     // scratch, by task: earliest interval from which a path goes on, 0: none
}

func newUseless(j judge) watcher {
	n := len(j.x.Tasks)
	return &useless{judge: j, cyclic: j.x.NoneUseless && cyclic(n, j.x.Channels), alive: make([][]int32, n), from: make([]int, n)}
}

func (o *useless) Wants() trace.Mask { return 0 }

func (o *useless) Observe(*trace.Event) {}

func (o *useless) Reset() {}

// Finish judges the snapshots once, wherever the run has come to: what is useless
// stays so. In the middle of a recovery only some tasks have gone back, and what
// the others have from them would count as orphans.
func (o *useless) Finish(End) {
	if !o.cyclic || !o.done && o.line.active {
		return
	}
	for i := range o.tasks {
		t := &o.tasks[i]
		o.alive[i] = o.alive[i][:0]
		for _, p := range t.snapshots {
			if s := &o.snapshots[p]; !s.failed && o.survives(s, t.segment) {
				o.alive[i] = append(o.alive[i], p)
			}
		}
	}
	for i := range o.tasks {
		for k, p := range o.alive[i] {
			if back := o.back(i, k+1); back > 0 && back <= k+1 && o.snapshots[p].stored {
				o.violate(id.TaskID(i), o.snapshots[p].epoch, "the snapshot is useless: a zigzag path from it comes back to %s in front of it, so that it belongs to no consistent global one", o.taskName(i))
			}
		}
	}
}

// back returns the first interval of task i in which a zigzag path from its k-th
// snapshot is received, 0: none. Intervals and snapshots count from 1.
func (o *useless) back(i, k int) int {
	clear(o.from)
	o.from[i] = k + 1
	back := 0
	for again := true; again; {
		again = false
		for n := range o.channels {
			ch := &o.channels[n]
			y := o.received(id.ChannelID(n))
			if y == 0 {
				continue
			}
			if int(ch.To) == i && (back == 0 || y < back) {
				back = y
			}
			if f := &o.from[ch.To]; *f == 0 || y < *f {
				*f, again = y, true
			}
		}
	}
	return back
}

// received returns the interval in which the receiver of channel n has the first
// item of those that its sender sends on with; 0: it has none, or nothing is sent.
func (o *useless) received(n id.ChannelID) int {
	ch := &o.channels[n]
	from := o.from[ch.From]
	if from == 0 {
		return 0
	}
	start := uint64(0)
	if from > 1 {
		start = o.sealedAt(&o.snapshots[o.alive[ch.From][from-2]], n)
	}
	for y, p := range o.alive[ch.To] {
		if o.deliveredAt(&o.snapshots[p], n) > start {
			return y + 1
		}
	}
	if ch.delivered > start {
		return len(o.alive[ch.To]) + 1
	}
	return 0
}

// cyclic reports whether some of n tasks can send to itself through others.
func cyclic(n int, channels []Channel) bool {
	inputs, out := make([]int, n), make([][]id.TaskID, n)
	for _, c := range channels {
		inputs[c.To]++
		out[c.From] = append(out[c.From], c.To)
	}
	var free []id.TaskID // tasks whose senders have all been passed
	for t, k := range inputs {
		if k == 0 {
			free = append(free, id.TaskID(t))
		}
	}
	passed := 0
	for ; passed < len(free); passed++ {
		for _, t := range out[free[passed]] {
			if inputs[t]--; inputs[t] == 0 {
				free = append(free, t)
			}
		}
	}
	return passed < n
}
