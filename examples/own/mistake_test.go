package own

import (
	"fmt"
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/scenario/simtest"
)

// forgetful has the most frequent mistake: what must survive a crash stands in a
// field of the operator.
type forgetful struct {
	counter
	visits map[string]int
}

// Process counts in the field.
func (f *forgetful) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		minute := second(int(number(rec))) / 60
		f.visits[fmt.Sprintf("%s minute %d", card(rec), minute)]++
		f.ctx.Timer((minute+1)*60, card(rec))
	}
	return nil
}

// OnTimer tells what the field has.
func (f *forgetful) OnTimer(at int64, card []byte) error {
	minute := fmt.Sprintf("%s minute %d", card, at/60-1)
	f.ctx.Out(0).Emit(fmt.Appendf(nil, "%s: %d visits", minute, f.visits[minute]))
	return nil
}

func TestStateInAFieldIsCaught(t *testing.T) {
	job := Visits()
	job.Graph = func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
		g, err := graph(records, parallelism, sink)
		g.Vertices[1].New = func() dataflow.Operator { return &forgetful{visits: map[string]int{}} }
		return g, err
	}
	found, err := simtest.Find(job, Answer, simtest.Algorithms(Patient()), simtest.States("heap"))
	if err != nil || found == nil || found.Oracle != check.Output {
		t.Errorf("found %+v, %v; want wrong output", found, err)
	}
}
