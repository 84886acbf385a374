package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Stop ends the job before its input does, with the snapshots that there are: whoever
// starts it again finds the line that a total failure would.
func (c *Coordinator) Stop() {
	if c.phase == finished || c.stopping {
		return
	}
	c.saving.Refuse("the job is stopped")
	if c.cfg.OnCancel == dataflow.DeleteOnCancel {
		c.stopAll()
		return
	}
	c.end()
	c.h.Observe(trace.Stopped, trace.Coordinator, c.number, 0, "")
	c.h.JobDone()
}

// stopAll has every task stop, as before a recovery, for what they store would stay. Instead
// of a plan to go on comes the one with which the job is over.
func (c *Coordinator) stopAll() {
	c.stopping = true
	c.restarts.Stop()
	c.tellEnd()
	switch c.phase {
	case planning:
		c.again = true
	case reading, collecting: // a plan is to come
	default:
		c.collect()
	}
}

// tellEnd tells the tasks, as far as they live.
func (c *Coordinator) tellEnd() {
	for t := range c.tasks {
		if !c.tasks[t].left {
			c.h.Tell(id.TaskID(t), (&coordinator.Message{Kind: End}).Encode())
		}
	}
}

// leaveNothing ends the job for good. at says that its input has ended, 0: it was stopped.
func (c *Coordinator) leaveNothing(at id.Epoch) {
	c.end()
	coordinator.LeaveNothing(c.client, c.j, c.number+1, at, c.beginning, c.stayOver, c.read, c.fail)
}

// endOfLog is behind every position of a log.
const endOfLog id.Seq = 1 << 62

// stayOver deletes what a job that is over may have left, and says that it has ended.
func (c *Coordinator) stayOver(p *coordinator.PlanRecord) {
	c.end()
	c.tellEnd()
	left := 1
	gone := func(state.Result) {
		if left--; left == 0 {
			coordinator.DeleteAll(c.client, p.Plan.Number, func() {
				p.Claimed().LetGo(c.client, func() { coordinator.EndAgain(c.h, p) })
			})
		}
	}
	for t := range c.graph.logs {
		for _, log := range c.graph.logs[t] {
			left++
			c.client.Do(state.Op{Kind: state.OpTrim, Key: log, To: endOfLog}, gone)
		}
	}
	gone(state.Result{})
}
