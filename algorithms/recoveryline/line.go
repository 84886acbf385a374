package recoveryline

import (
	"fmt"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// history is what the coordinator knows of one task's snapshots, oldest first.
// The first one is behind the line of a total failure or on it.
type history struct {
	snaps []coordinator.Part
	// stable is the index in snaps of the task's point on that line.
	stable int
	// passed is the task's point on that line, as far as this coordinator knows.
	passed id.Epoch
	// declined is the newest snapshot that could not be stored; 0: none whose files
	// may still be there.
	declined id.Epoch
	// live is where the surviving incarnation stands, during a recovery.
	live *coordinator.Part
}

// upTo returns how many snapshots there are up to epoch e.
func (h *history) upTo(e id.Epoch) int {
	n := len(h.snaps)
	for n > 0 && h.snaps[n-1].Epoch > e {
		n--
	}
	return n
}

// graph knows who sends to whom, by task and by index of its input or output.
type graph struct {
	inputs  [][]end // by receiver and input: the sending end
	outputs [][]end // by sender and output: the receiving end
	logs    [][]string
}

// end is one end of a channel: a task and the index of its output or input.
type end struct {
	task  id.TaskID
	index int
}

func newGraph(tasks []dataflow.TaskInfo) *graph {
	g := &graph{inputs: make([][]end, len(tasks)), outputs: make([][]end, len(tasks)), logs: make([][]string, len(tasks))}
	senders := map[id.ChannelID]end{}
	for t := range tasks {
		g.outputs[t] = make([]end, len(tasks[t].Outputs))
		for i := range tasks[t].Outputs {
			senders[tasks[t].Outputs[i].ID] = end{id.TaskID(t), i}
		}
	}
	for t := range tasks {
		for i := range tasks[t].Inputs {
			c := tasks[t].Inputs[i].ID
			s := senders[c]
			g.inputs[t] = append(g.inputs[t], s)
			g.logs[t] = append(g.logs[t], LogKey(c))
			g.outputs[s.task][s.index] = end{id.TaskID(t), i}
		}
	}
	return g
}

// line is a point per task: an index into its snaps, or len(snaps) for its live end.
type line []int

// point returns the positions of task t at index i of its history.
func point(h *history, i int) *coordinator.Part {
	if i == len(h.snaps) {
		return h.live
	}
	return &h.snaps[i]
}

// recoveryLine moves l back to the newest consistent line at or behind it and
// returns how many points were given up. The receiver of an orphan goes back to
// its newest point without one; only receivers whose sender has moved are looked
// at again. This is rollback propagation on the rollback-dependency graph
// (Elnozahy et al., section 4.1.2) with positions in place of its edges.
func (g *graph) recoveryLine(hs []history, l line) (useless int, err error) {
	work := make([]id.TaskID, len(l))
	queued := make([]bool, len(l))
	for t := range l {
		work[t], queued[t] = id.TaskID(t), true
	}
	for len(work) > 0 {
		s := work[0] // a sender whose receivers are to be checked
		work = work[1:]
		queued[s] = false
		sent := point(&hs[s], l[s]).Sealed
		for o, to := range g.outputs[s] {
			r := to.task
			moved := false
			for point(&hs[r], l[r]).Delivered[to.index] > sent[o] {
				if l[r] == 0 {
					return useless, fmt.Errorf("no recovery line: task %s has no snapshot left without orphans from %s", r, s)
				}
				l[r]--
				useless++
				moved = true
			}
			if moved && !queued[r] {
				work = append(work, r)
				queued[r] = true
			}
		}
	}
	return useless, nil
}
