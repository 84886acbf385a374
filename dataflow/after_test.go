package dataflow

import (
	"strings"
	"testing"

	"weir/id"
)

func hearAfter(p *script) Protocol { return after{p} }

// TestAfterIsLast: the last turn of a source has sent its end, and a task that
// drained has said so, before After; whoever pauses there stops what follows.
func TestAfterIsLast(t *testing.T) {
	r := newRig(t, "source", &letters{all: "ab"}, hearAfter)
	r.start(1, TaskPlan{})
	r.step(Event{Kind: EvTurn})
	r.p.k.Pause(true)
	if r.turns() != 0 {
		t.Error("a paused source emits")
	}
	r.want("told", strings.Join(r.p.log, ", "), "after -1: sealed 1, open 0")
	r.p.k.Pause(false)
	r.turns()
	r.want("told", strings.Join(r.p.log, ", "), "after -1: sealed 1, open 0, drained, after -1: sealed 3, open 0")

	r = middle(t, hearAfter)
	r.item(1, EndData, 1)
	r.arrive(0, 1, "a")
	r.item(0, EndData, 2)
	r.turns()
	r.want("told", strings.Join(r.p.log, ", "), "ended 1 false, after 1: sealed 0, open 0, after 0: sealed 1, open 0, ended 0 false, drained, after 0: sealed 2, open 0")
}

// TestAfterWithBatchTimeout: what is open is complete, and Flush seals it.
func TestAfterWithBatchTimeout(t *testing.T) {
	r := middle(t, hearAfter, func(c *Config) { c.BatchTimeout = 5 })
	r.arrive(0, 1, "a")
	r.turns()
	r.want("told", strings.Join(r.p.log, ", "), "after 0: sealed 0, open 1")
	r.p.k.Flush()
	if at := r.p.k.SealedUpTo(0); at != id.Seq(1) {
		t.Errorf("sealed up to %d after Flush, want 1", at)
	}
}
