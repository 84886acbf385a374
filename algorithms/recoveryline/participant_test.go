package recoveryline

import (
	"fmt"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// kernel is a kernel that has processed records whose effects lie in an open buffer;
// what a participant does not do is left out.
type kernel struct {
	dataflow.Kernel
	p      *Participant
	config dataflow.Config
	info   dataflow.TaskInfo
	sealed id.Seq
	paused bool
	issued id.Ticket
	said   []coordinator.Part // with each message
}

func (k *kernel) Info() *dataflow.TaskInfo       { return &k.info }
func (k *kernel) Attempt() id.Attempt            { return 1 }
func (k *kernel) Config() *dataflow.Config       { return &k.config }
func (k *kernel) IsDrained() bool                { return false }
func (k *kernel) After(dataflow.Nanos) id.Ticket { return 1 }
func (k *kernel) Pause(on bool)                  { k.paused = on }
func (k *kernel) SealedUpTo(int) id.Seq          { return k.sealed }
func (k *kernel) Store(state.Op) id.Ticket       { k.issued = 2; return k.issued }
func (k *kernel) Tell(data []byte) {
	m, part, err := coordinator.DecodeMessage(data)
	if err != nil || m.Kind != Position {
		panic(fmt.Sprint(m.Kind, err))
	}
	k.said = append(k.said, part)
}

// Flush seals the open buffer.
func (k *kernel) Flush() {
	b := &dataflow.Buffer{Item: dataflow.Data, Seq: k.sealed + 1, N: 1, Records: 1, Watermark: dataflow.NoWatermark, Data: []byte("\x01r")}
	k.sealed = b.Last()
	k.p.Sealed(0, b)
}

// TestPauseReportsWhatWasOpen: with a batch timeout a turn leaves buffers open. A
// task that pauses seals and logs them before it says where it stands: the plan
// goes by that, and what a timer sealed later would be in no replay.
func TestPauseReportsWhatWasOpen(t *testing.T) {
	p := &Participant{}
	k := &kernel{p: p, config: dataflow.DefaultConfig(), info: dataflow.TaskInfo{Outputs: []dataflow.Channel{{}}}}
	p.Join(k, dataflow.Start{Plan: dataflow.TaskPlan{}}, nil)
	p.Message((&coordinator.Message{Kind: Pause}).Encode())
	if !k.paused || k.issued == 0 || len(k.said) > 0 {
		t.Fatalf("paused %v, ticket of the append %d, said %v before it is durable", k.paused, k.issued, k.said)
	}
	p.Done(k.issued, state.Result{Status: state.OK})
	if len(k.said) != 1 || k.said[0].Sealed[0] != 1 {
		t.Errorf("said %+v, want a position with 1 item sent", k.said)
	}
}
