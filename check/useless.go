// The useless oracle: for an algorithm that promises none, every stored snapshot
// belongs to some consistent global one (Netzer and Xu, "Necessary and sufficient
// conditions for consistent global snapshots", 1995: a checkpoint is useless if
// and only if a zigzag cycle contains it).
//
// Interval k of a task lies before its k-th snapshot. A zigzag path from a snapshot
// goes along a message that was sent behind it, and on along any that the receiver
// sent in the interval in which it received the one before, or later, even before
// it received it. Where channels are FIFO, the earliest interval of each task that
// a path reaches says everything: if the paths from a snapshot come back to its task
// in front of it, it is useless. All snapshots of a task together cost one fixed
// point over the intervals of all tasks.
//
// A snapshot that is still being stored when a run stops, or that storage refused
// for good, was taken: it divides intervals like any other, but is not judged. The
// shares of a round that was given up are no snapshots: no other task need have
// taken one, and they are deleted. Only what survives counts: a recovery takes the ends of channels and the
// histories of tasks back, and what it discards is judged no more. Messages in
// flight make no snapshot useless: the condition is about orphans, and captured
// channel state, logs or replay account for the others. Hence rounds, whose cuts
// have no orphans, never fire here.
//
// Without a cycle of channels no zigzag path comes back, and no snapshot is useless:
// there the oracle cannot tell communication-induced from uncoordinated snapshots,
// and does nothing.
//
// It does not verify graphs that the job is no more (it changes only where there are
// rounds), rounds that were given up, snapshots of histories that were rolled back, snapshots that
// were not stored, nor runs that stop in the middle of a recovery.

package check

import (
	"slices"
	"sort"

	"weir/id"
	"weir/trace"
)

type useless struct {
	judge
	cyclic  bool              // else there is nothing to find
	alive   [][]int32         // by task: its surviving snapshots that were taken, in order
	givenUp map[id.Epoch]bool // rounds
	before  id.Epoch          // rounds before it are given up too, by a plan, but for those that are complete
	bases   []id.Epoch        // of plans: complete, though nobody may have said so
	// Scratch of one task's snapshots.
	from  []int // by task: earliest interval from which a path goes on, 0: none
	open  []id.TaskID
	back  int // see follow
	found []int32
	steps int // channels followed, for a test
}

func newUseless(j judge) watcher {
	o := &useless{judge: j, givenUp: map[id.Epoch]bool{}}
	o.Reshape()
	return o
}

func (o *useless) Reshape() {
	n := len(o.tasks)
	o.cyclic, o.alive, o.from = o.x.NoneUseless && cyclic(n, o.x.Channels), sized(o.alive, n), sized(o.from, n)
}

func (o *useless) Wants() trace.Mask {
	if !o.cyclic {
		return 0
	}
	return kinds(trace.Aborted, trace.PlanExecuted)
}

func (o *useless) Observe(e *trace.Event) {
	switch {
	case e.Kind == trace.Aborted:
		o.givenUp[e.Epoch] = true
	case o.x.Coordinated:
		o.before, o.bases = id.MakeEpoch(e.Attempt, 0), append(o.bases, e.Epoch)
	}
}

func (o *useless) Reset() {
	clear(o.givenUp)
	o.before, o.bases = 0, o.bases[:0]
}

// over reports that round e was given up, by name or by a plan.
func (o *useless) over(e id.Epoch) bool {
	return o.givenUp[e] || e < o.before && !o.isCompleted(e) && !slices.Contains(o.bases, e)
}

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
			if s := &o.snapshots[p]; (!s.failed || s.refused) && !o.over(s.epoch) && o.survives(s, t.segment) {
				o.alive[i] = append(o.alive[i], p)
			}
		}
	}
	for i := range o.tasks {
		o.judgeTask(i)
	}
}

// judgeTask judges the snapshots of task i from its last on: paths from an earlier
// one include those from a later one, so that each fixed point goes on from the one
// before. In all, no task is gone on from more often than it has intervals.
func (o *useless) judgeTask(i int) {
	clear(o.from)
	o.back = 0
	found := o.found[:0]
	for k := len(o.alive[i]); k > 0; k-- {
		o.reach(i, k+1)
		o.follow(id.TaskID(i))
		if p := o.alive[i][k-1]; o.back > 0 && o.back <= k && o.snapshots[p].stored {
			found = append(found, p)
		}
	}
	for _, p := range slices.Backward(found) {
		o.violate(id.TaskID(i), o.snapshots[p].epoch, "the snapshot is useless: a zigzag path from it comes back to %s in front of it, so that it belongs to no consistent global one", o.taskName(i))
	}
	o.found = found
}

// reach: a path goes on from interval y of a task, and from all later ones.
func (o *useless) reach(task, y int) {
	if f := &o.from[task]; *f == 0 || y < *f {
		*f = y
		o.open = append(o.open, id.TaskID(task))
	}
}

// follow carries paths on until they reach nothing earlier. o.back becomes the
// first interval of task i in which one is received, 0: none. Intervals and
// snapshots count from 1.
func (o *useless) follow(i id.TaskID) {
	for len(o.open) > 0 {
		t := o.open[len(o.open)-1]
		o.open = o.open[:len(o.open)-1]
		for _, n := range o.tasks[t].outputs {
			y := o.received(n)
			if y == 0 {
				continue
			}
			to := o.channels[n].To
			if to == i && (o.back == 0 || y < o.back) {
				o.back = y
			}
			o.reach(int(to), y)
		}
	}
}

// received returns the interval in which the receiver of channel n has the first
// item of those that its sender sends on with; 0: it has none, or nothing is sent.
func (o *useless) received(n id.ChannelID) int {
	o.steps++
	ch := &o.channels[n]
	start := uint64(0)
	if from := o.from[ch.From]; from > 1 {
		start = o.sealedAt(&o.snapshots[o.alive[ch.From][from-2]], n)
	}
	alive := o.alive[ch.To]
	y := sort.Search(len(alive), func(y int) bool { return o.deliveredAt(&o.snapshots[alive[y]], n) > start })
	if y == len(alive) && ch.delivered <= start {
		return 0
	}
	return y + 1
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
