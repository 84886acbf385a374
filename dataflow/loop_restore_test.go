package dataflow

import (
	"slices"
	"testing"

	"weir/id"
	"weir/state/heap"
	"weir/state/storage"
)

// loopRig is a rig around the first task of a vertex of loopGraph.
func loopRig(t *testing.T, name string, p int, op func() Operator) *rig {
	t.Helper()
	r := &rig{t: t, disk: storage.NewMemory(0)}
	g := loopGraph(p, Hash, nil, nil, false, false)
	for i := range g.Vertices {
		if g.Vertices[i].Name == name {
			g.Vertices[i].New = op
		}
	}
	infos, err := g.Expand(8)
	if err != nil {
		t.Fatal(err)
	}
	for i := range infos {
		if infos[i].Name == name {
			r.info = &infos[i]
			break
		}
	}
	c := DefaultConfig()
	c.BatchTimeout = 0
	r.job = Job{Name: "loop", Graph: g, Backend: heap.Backend{}, Config: c, Algorithm: scripted{func() Protocol {
		r.p = &script{}
		return r.p
	}}}
	r.renew()
	r.start(1, TaskPlan{})
	r.connect(0)
	return r
}

// waveSays brings a wave on an input at a position.
func (r *rig) waveSays(in int, seq id.Seq, quiet uint32) {
	r.step(Event{Kind: EvArrive, Port: in, Buffer: &Buffer{Item: Wave, Seq: seq, N: 1, Watermark: NoWatermark, Shared: true, Epoch: id.Epoch(quiet)}})
	r.turns()
}

// resumed takes a snapshot and goes on from it in another incarnation.
func (r *rig) resumed() {
	r.t.Helper()
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	sealed := make([]id.Seq, len(r.task.outputs))
	for i := range sealed {
		sealed[i] = r.task.outputs[i].sealed
	}
	r.renew()
	r.start(2, TaskPlan{Ref: SnapshotKey(r.info.ID, e1)})
	for i, seen := range sealed {
		r.step(Event{Kind: EvConnected, Port: i, Seq: seen})
	}
}

// wantWaves compares the waves that were sent on output 0, by what they say; an end counts as 99.
func (r *rig) wantWaves(want ...uint32) {
	r.t.Helper()
	var got []uint32
	for _, b := range r.sent[0] {
		switch b.Item {
		case Wave:
			got = append(got, uint32(b.Epoch))
		case EndData:
			got = append(got, 99)
		default:
		}
	}
	if !slices.Equal(got, want) {
		r.t.Fatalf("waves %v, want %v", got, want)
	}
}

// TestRestoredHeadKnowsThatARecordCame: it came before the snapshot, so the wave
// behind the snapshot is not quiet, and the loop does not end around what went round.
func TestRestoredHeadKnowsThatARecordCame(t *testing.T) {
	r := loopRig(t, "turnstile", 1, newNothing)
	r.item(0, EndData, 1)
	r.turns()
	r.wantWaves(0)
	r.arrive(1, 1, "a")
	r.turns()
	r.resumed()
	r.waveSays(1, 2, 0)
	r.wantWaves(0)
	r.arrive(1, 3, "a")
	if r.turns(); r.failure != nil {
		t.Error(r.failure)
	}
}

// TestRestoredHeadHasEnded: it neither finishes nor sends its end again, and is
// drained when the end has come round.
func TestRestoredHeadHasEnded(t *testing.T) {
	finished := 0
	r := loopRig(t, "turnstile", 1, func() Operator { return &forward{finish: func() { finished++ }} })
	r.item(0, EndData, 1)
	r.turns()
	r.waveSays(1, 1, 0)
	r.wantWaves(0, 99)
	r.resumed()
	r.turns()
	r.wantWaves()
	r.item(1, EndData, 2)
	r.turns()
	r.wantWaves()
	if finished != 1 || !r.p.k.IsDrained() {
		t.Errorf("Finish ran %d times, want once; drained: %v", finished, r.p.k.IsDrained())
	}
}

// TestRestoredTaskSaysWhatItHeard: a wave has a position like a record, so a task
// that is restored between the waves of two inputs must send what its former
// incarnation would have sent there.
func TestRestoredTaskSaysWhatItHeard(t *testing.T) {
	r := loopRig(t, "relay", 2, newNothing)
	r.waveSays(0, 1, 3)
	r.wantWaves()
	r.resumed()
	r.waveSays(1, 1, 4)
	r.wantWaves(3)
}

// TestRestoredHeadCountsOn: how long a head of three has been quiet goes on where it was.
func TestRestoredHeadCountsOn(t *testing.T) {
	r := loopRig(t, "turnstile", 3, newNothing)
	for in := range 3 {
		r.item(in, EndData, 1)
	}
	r.turns()
	r.wantWaves(0)
	for in := 3; in < 6; in++ {
		r.waveSays(in, 1, 0)
	}
	r.wantWaves(0, 1)
	r.resumed()
	for in := 3; in < 6; in++ {
		r.waveSays(in, 2, 2)
	}
	r.wantWaves(2)
}
