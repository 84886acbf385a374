package check

import (
	"strings"
	"testing"

	"weir/trace"
)

func TestDeterminism(t *testing.T) {
	run := func() Run {
		return Run{Hash: 7, Events: []trace.Event{
			{Time: 1, Kind: trace.Triggered, Task: trace.Coordinator, Channel: trace.NoChannel, Epoch: epoch(1, 1)},
			{Time: 2, Kind: trace.Delivered, Task: 3, Channel: 2, From: 4, To: 6, Data: []byte("ab")},
		}}
	}
	a := run()
	if vs := Determinism(a, run()); len(vs) > 0 {
		t.Errorf("%v", vs)
	}
	for _, c := range []struct {
		change func(r *Run)
		want   string
	}{
		{func(r *Run) { r.Events[1].Data = []byte("ac") }, "event 1 differs: 2 ns delivered task=t3 channel=c2 (4, 6] 2 bytes"},
		{func(r *Run) { r.Events[0].Epoch = epoch(1, 2) }, "triggered epoch=1.1 in the first run, 1 ns triggered epoch=1.2 in the second"},
		{func(r *Run) { r.Events = r.Events[:1] }, "2 events, the other 1; only in the first: 2 ns delivered"},
		{func(r *Run) { r.Hash = 8 }, "no event that was kept differs"},
		{func(r *Run) { r.Hash, r.Events = 8, nil }, "hash 0000000000000007 in the first run"},
	} {
		b := run()
		c.change(&b)
		vs := Determinism(a, b)
		if len(vs) != 1 || !strings.Contains(vs[0].Text, c.want) {
			t.Errorf("got %v, want %q", vs, c.want)
		}
	}
}
