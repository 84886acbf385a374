package recoveryline

import (
	"fmt"
	"slices"
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
	drain  bool
	issued id.Ticket
	said   []coordinator.Part // with each position
	begun  []id.Epoch
}

func (k *kernel) Info() *dataflow.TaskInfo       { return &k.info }
func (k *kernel) Attempt() id.Attempt            { return 1 }
func (k *kernel) Config() *dataflow.Config       { return &k.config }
func (k *kernel) IsDrained() bool                { return k.drain }
func (k *kernel) After(dataflow.Nanos) id.Ticket { return 1 }
func (k *kernel) Pause(on bool)                  { k.paused = on }
func (k *kernel) SealedUpTo(int) id.Seq          { return k.sealed }
func (k *kernel) Store(state.Op) id.Ticket       { k.issued = 2; return k.issued }
func (k *kernel) Tell(data []byte) {
	m, part, err := coordinator.DecodeMessage(data)
	switch {
	case err == nil && m.Kind == Position:
		k.said = append(k.said, part)
	case err != nil || m.Kind != coordinator.Decline:
		panic(fmt.Sprint(m.Kind, err))
	}
}

// hasBegun ends what a participant does: there is no task to make a draft of.
type hasBegun struct{}

func (k *kernel) Begin(e, _ id.Epoch) *dataflow.Draft {
	k.begun = append(k.begun, e)
	panic(hasBegun{})
}

// untilBegun does f as far as the first snapshot that begins.
func untilBegun(f func()) {
	defer func() {
		if r := recover(); r != nil && r != (hasBegun{}) {
			panic(r)
		}
	}()
	f()
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

// TestCoverIsTriedAgain: the snapshot that covers a savepoint is taken again when it could not be
// stored, by the timer, and at once in a task that is drained: the timer ends with the input.
func TestCoverIsTriedAgain(t *testing.T) {
	for _, drain := range []bool{false, true} {
		p := &Participant{}
		k := &kernel{p: p, config: dataflow.DefaultConfig()}
		p.Join(k, dataflow.Start{Plan: dataflow.TaskPlan{}}, nil)
		k.drain = drain
		share := p.Saving(id.MakeEpoch(1, 1))
		untilBegun(func() { p.Message((&coordinator.Message{Kind: Cover}).Encode()) })
		first := share + 1
		untilBegun(func() { p.StoreFailed(first, state.ErrCorrupt) })
		want := []id.Epoch{first}
		if drain {
			want = append(want, first+1)
		}
		if !slices.Equal(k.begun, want) {
			t.Errorf("drained %v: snapshots %v have begun, want %v", drain, k.begun, want)
		}
		untilBegun(func() { p.Timer(p.timer) })
		if want = []id.Epoch{first, first + 1}; !slices.Equal(k.begun, want) {
			t.Errorf("drained %v, behind the timer: snapshots %v have begun, want %v", drain, k.begun, want)
		}
	}
}
