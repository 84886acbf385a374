package check

import (
	"errors"
	"testing"

	"weir/trace"
)

func TestOutputIsTheReference(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.open = append(w.open, w.open[0]) // the sink writes a row twice
	r := w.finish(epoch(1, 2))
	mustFire(t, r, "it happened behind them", Output)
	if r.Duplicates != 1 || r.Losses != 0 {
		t.Errorf("%d duplicates, %d losses", r.Duplicates, r.Losses)
	}
	if len(w.c.Rows()) != worldRecords+1 {
		t.Errorf("%d rows", len(w.c.Rows()))
	}
}

func TestOutputLost(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.open = w.open[1:]
	mustFire(t, w.finish(epoch(1, 2)), `1 rows of the reference answer's 240 were never committed: "row 0`, Output)
}

func TestOutputOfAggregatesUnderWeakGuarantees(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.State, x.Output, x.PerRecord = AtLeastOnce, AtLeastOnce, false })
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.flow()
	w.open[0] = 99
	mustPass(t, w.finish(epoch(2, 1)))
}

func TestOutputUnreadable(t *testing.T) {
	w := newWorld(t, func(x *Expect) {
		x.Canonical = func([][]byte) ([][]byte, error) { return nil, errors.New("no such row") }
	})
	w.middle()
	mustFire(t, w.finish(epoch(1, 2)), "no such row", Output)

	w = newWorld(t)
	w.emit(0, worldRecords)
	w.emit(1, worldRecords)
	w.flow()
	w.snapshot(epoch(1, 1))
	w.complete(epoch(1, 1))
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Data: []byte{9, 1}})
	mustFire(t, w.end(), "damaged behind row 240", Output)
}
