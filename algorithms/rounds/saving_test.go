package rounds

import (
	"errors"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// TestEndedCoordinatorSavesNoMore: one that has failed, or that another has replaced, lets the
// tasks go on, and no savepoint of its comes about afterwards.
func TestEndedCoordinatorSavesNoMore(t *testing.T) {
	for what, end := range map[string]func(d *desk){
		"fails": func(d *desk) { d.c.fail(errors.New("a test wants it")) },
		"deposed": func(d *desk) {
			l := coordinator.Lease{Job: d.job.Name, Number: 2, Holder: 99}
			d.disk.Do(state.Op{Kind: state.OpPut, Key: coordinator.LeaseKey(2), Data: l.Encode()})
			d.c.client.Confirm(func(err error) { t.Errorf("it leads; %v", err) })
			d.settle()
		},
	} {
		d := newDesk(t, 1).start().ready()
		d.c.Savepoint(false)
		d.want(what+": begun", d.heard(), "t0 save 1 1.1")
		end(d)
		d.want(what+": ended", d.heard(), "t0 save 3 1.1")
		d.c.Message(0, (&dataflow.SaveMessage{Kind: dataflow.SaveStands, Epoch: id.MakeEpoch(1, 1)}).Encode())
		d.settle()
		d.tick(2 * d.config.Checkpoint.Timeout)
		d.want(what+": afterwards", d.heard(), "")
		if len(d.failed)+d.deposed != 1 {
			t.Errorf("%s: failed %v, deposed %d", what, d.failed, d.deposed)
		}
	}
}
