package job

import (
	"slices"
	"sort"

	"weir/id"
	"weir/live"
	"weir/trace/cost"
)

// history is what a checkpoint log tells of a whole run. Times are nanoseconds
// since the epoch.
type history struct {
	log     *live.CheckpointLog
	started int64 // from there the job could recover before it had a snapshot
}

// lineStep says that from some moment on the job could recover from the state
// of another.
type lineStep struct{ at, of int64 }

// line returns how the newest state to recover from has moved, in order of time:
// with rounds, to the trigger of each checkpoint when that is complete; without,
// to the oldest of the tasks' snapshots on the recovery line of a total failure.
func (h history) line(tasks int) []lineStep {
	steps := []lineStep{{h.started, h.started}}
	for _, c := range h.log.Completed() {
		steps = append(steps, lineStep{c.Completed, c.Triggered})
	}
	on := slices.Repeat([]int64{h.started}, tasks)
	for _, m := range h.log.Line() {
		on[m.Task] = max(on[m.Task], m.Begun)
		steps = append(steps, lineStep{m.At, slices.Min(on)})
	}
	return steps
}

// medianAge returns the median over the time between two moments of the age, at
// each, of the newest state to recover from; 0 if there is no time between them.
func medianAge(steps []lineStep, from, to int64) int64 {
	return int64(sort.Search(int(max(to-steps[0].of, 0)), func(age int) bool {
		return 2*timeYounger(steps, from, to, int64(age)) >= to-from
	}))
}

// timeYounger returns for how long between two moments the state was at most of an age.
func timeYounger(steps []lineStep, from, to, age int64) (total int64) {
	for i, s := range steps {
		end := to
		if i+1 < len(steps) {
			end = min(to, steps[i+1].at)
		}
		total += max(min(end, s.of+age)-max(from, s.at), 0)
	}
	return total
}

// wasted returns how many rounds triggered between two moments were given up,
// and how many snapshots of tasks begun there no recovery line can use: those
// stored for such a round, and those that the line has passed over.
func (h history) wasted(from, to int64) (rounds, snapshots int) {
	for _, a := range h.log.Aborted() {
		if a.Triggered >= from && a.Triggered < to {
			rounds++
			snapshots += a.Stored
		}
	}
	for _, s := range h.log.Local() {
		if s.PassedOver && s.Begun >= from && s.Begun < to {
			snapshots++
		}
	}
	return rounds, snapshots
}

// stateBytes returns the size of all state at a moment, as the newest snapshots
// durable by then say; 0 if there are none.
func (h history) stateBytes(at int64) (total int64) {
	for _, c := range h.log.Completed() {
		if c.Completed <= at {
			total = c.Cost.Get(cost.State)
		}
	}
	newest := map[id.TaskID]int64{}
	for _, s := range h.log.Local() {
		if s.Stored <= at {
			newest[s.Task] = s.Cost.Get(cost.State)
		}
	}
	for _, n := range newest { // a sum
		total += n
	}
	return total
}
