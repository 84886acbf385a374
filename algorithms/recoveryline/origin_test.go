package recoveryline

import (
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// began leaves what a job has that has begun from a savepoint of its own and been stopped: the
// plan, and what stands below root.
func (d *desk) began(root string) *desk {
	s := &dataflow.Saved{Root: root, Operator: "alone", Epoch: id.MakeEpoch(3, 9), Names: 1, Claimed: true}
	p := coordinator.PlanRecord{
		Job: d.job.Name, Shape: coordinator.ShapeOf(d.job.Tasks), Lineage: encodeLineages([]lineage{{{4, openEnd}}}),
		Plan: dataflow.Plan{Number: 4, Tasks: []dataflow.TaskPlan{{Saved: s}}},
	}
	d.put(coordinator.PlanKey(4), p.Encode())
	d.put(root+"/manifest", nil)
	d.put(root+"/t0", nil)
	return d
}

// TestEndLetsGoOfTheSavepoint: a job whose tasks have all left before the line could pass the
// beginning still deletes the savepoint that is its own.
func TestEndLetsGoOfTheSavepoint(t *testing.T) {
	d := newDesk(t).began("saved/1").start()
	part := dataflow.Stored{Header: dataflow.Header{Epoch: id.MakeEpoch(5, 1), Drained: true}}
	d.c.Message(0, (&coordinator.Message{Kind: coordinator.Ack, Epoch: part.Header.Epoch, Stored: &part}).Encode())
	d.ready()
	d.c.Left(0)
	d.settle()
	if d.done != 1 || d.keys() != "" {
		t.Errorf("done %d, failed %v, and storage has %q", d.done, d.failed, d.keys())
	}
}

// TestJobThatIsOverDeletesItsOwnSavepoint, which is the one that its plans name and no other,
// whatever a coordinator was launched with, and whichever of them is left to do it.
func TestJobThatIsOverDeletesItsOwnSavepoint(t *testing.T) {
	for _, dies := range []bool{false, true} { // in the middle of it
		for _, from := range []*dataflow.Origin{nil, {Root: "saved/2", Claimed: true}} {
			d := newDesk(t).began("saved/1")
			d.put("saved/2/manifest", nil)
			d.config.Checkpoint.OnCancel = dataflow.DeleteOnCancel
			d.job.From = from
			d.start().ready()
			if dies {
				d.held = "delete saved/"
			}
			d.c.Stop()
			stands := dataflow.Stored{}
			d.c.Message(0, (&coordinator.Message{Kind: Position, Stored: &stands}).Encode())
			d.settle()
			if dies {
				d.held = ""
				d.start()
			}
			if d.done != 1 || d.keys() != "saved/2/manifest" {
				t.Errorf("launched with %v, dies %v: done %d, failed %v, and storage has %q", from, dies, d.done, d.failed, d.keys())
			}
		}
	}
}
