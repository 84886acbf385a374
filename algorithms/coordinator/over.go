package coordinator

import (
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Over reports that the job has ended and left nothing: nobody runs any more. A plan without
// tasks says so. Retained has the checkpoint with which the input ended, and is empty
// where the job was stopped before.
func (p *PlanRecord) Over() bool { return len(p.Plan.Tasks) == 0 }

// Claimed is the savepoint of its own that a job which is over may not have deleted yet; empty:
// there is none. The launch does not say: a job that has plans ignores what it is launched with.
func (p *PlanRecord) Claimed() Beginning {
	if !p.Over() || len(p.Lineage) == 0 {
		return nil
	}
	return Beginning{{Root: string(p.Lineage), Claimed: true}}
}

// LeaveNothing makes plan number, with which the job is over; at is the checkpoint with which
// its input has ended, 0: it was stopped before; b is what it may still go back to. Whoever starts afterwards, also in the middle of
// what DeleteAll does, does not begin anew. over gets the plan; taken is called instead if
// somebody else has taken the number, failed with what else kept the plan from being made.
func LeaveNothing(c *Client, j *dataflow.JobInfo, number id.Attempt, at id.Epoch, b Beginning, over func(p *PlanRecord), taken func(), failed func(error)) {
	p := &PlanRecord{Job: j.Name, Nonce: j.Nonce, Plan: dataflow.Plan{Number: number}}
	if at != 0 {
		p.Retained = []id.Epoch{at}
	}
	if len(b) > 0 && b[0].Claimed {
		p.Lineage = []byte(b[0].Root)
	}
	c.Do(state.Op{Kind: state.OpCreate, Key: PlanKey(number), Data: p.Encode()}, func(r state.Result) {
		switch r.Status {
		case state.OK:
			over(p)
		case state.Lost:
			taken()
		default:
			failed(Error(PlanKey(number), r))
		}
	})
}

// DeleteAll deletes records, snapshots, their files and the plans below number, and calls then.
func DeleteAll(c *Client, number id.Attempt, then func()) {
	nothing := func(string) bool { return false }
	c.Find([]string{RecordPrefix, SnapshotPrefix, FilePrefix}, func(rows []state.Entry, _ []string) { // nobody will need what stands under a prefix that is hidden
		keys := make([]string, len(rows))
		for i := range rows {
			keys[i] = rows[i].Key
		}
		c.DeleteConfirmed(keys, nothing, func() { DropPlans(c, number, then) })
	})
}

// EndAgain says how a job that is over has ended.
func EndAgain(h dataflow.CoordHost, p *PlanRecord) {
	kind := trace.Stopped
	if len(p.Retained) > 0 {
		kind = trace.JobDone
	}
	h.Observe(kind, trace.Coordinator, p.Plan.Number, 0, "")
	h.JobDone()
}
