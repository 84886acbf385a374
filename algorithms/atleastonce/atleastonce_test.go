package atleastonce

import (
	"testing"

	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

func TestPayload(t *testing.T) {
	for _, base := range []id.Epoch{0, 1, id.MakeEpoch(3, 7)} {
		for _, again := range []bool{false, true} {
			data := payload(base, again)
			if b, a := payloadOf(data); b != base || a != again {
				t.Errorf("base %s, again %v: came back as %s, %v", base, again, b, a)
			}
			if got := rounds.BaseOf(&dataflow.Buffer{Data: payload(base, false)}); got != base {
				t.Errorf("base %s reads as %s in the other algorithms", base, got)
			}
		}
	}
}

// TestRoundIsDrained: an input whose end came behind its barrier will bring it
// again, one that has left brings nothing.
func TestRoundIsDrained(t *testing.T) {
	r := &round{brought: []bool{false, true}, marks: make([]dataflow.Mark, 2)}
	if r.drained() {
		t.Error("an input with its end still to come, and the round counts as drained")
	}
	r.brought[1] = false
	if !r.drained() {
		t.Error("all inputs have left, and the round does not count as drained")
	}
	if m := (dataflow.Mark{}).Reopen(); m.Ended() {
		t.Error("a reopened input has ended")
	}
}
