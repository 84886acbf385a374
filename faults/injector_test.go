package faults

import (
	"testing"

	"weir/id"
	"weir/trace"
)

// strikes feeds events to a plan and returns the index of the event at which
// each fault fell due, -1 for never.
func strikes(t *testing.T, text string, events []trace.Event) []int {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	in := NewInjector(p)
	at := make([]int, len(p.Faults))
	for i := range at {
		at[i] = -1
	}
	note := func(when int) {
		for f, ok := in.Next(); ok; f, ok = in.Next() {
			for i := range p.Faults {
				if p.Faults[i].String() == f.String() {
					at[i] = when
				}
			}
		}
	}
	note(-2)
	for i := range events {
		if in.Wants().Has(events[i].Kind) {
			in.Observe(&events[i])
		}
		note(i)
	}
	return at
}

func TestNthCountsMatchingEventsOnly(t *testing.T) {
	ev := func(k trace.Kind, task id.TaskID, e id.Epoch, text string) trace.Event {
		return trace.Event{Kind: k, Task: task, Channel: trace.NoChannel, Epoch: e, Text: text}
	}
	events := []trace.Event{
		ev(trace.StoreIssued, 0, 0, "put snap/t0/1.1"),
		ev(trace.StoreIssued, 1, 0, "put snap/t1/1.1"),
		ev(trace.StoreDone, 1, 0, "put snap/t1/1.1 ok"),
		ev(trace.StoreIssued, -1, 0, "create ckpt/1.1"),
		ev(trace.Acked, 1, id.MakeEpoch(1, 2), ""),
		ev(trace.StoreIssued, 0, 0, "put snap/t0/1.2"),
	}
	for _, c := range []struct {
		text string
		want int
	}{
		{`(crash worker=0 at (nth 1 store-issued))`, 0},
		{`(crash worker=0 at (nth 3 store-issued text="put snap/"))`, 5},
		{`(crash worker=0 at (nth 1 store-issued task=1))`, 1},
		{`(crash worker=0 at (nth 1 store-issued task=coordinator))`, 3},
		{`(crash worker=0 at (nth 1 acked epoch=1.2))`, 4},
		{`(crash worker=0 at (nth 1 acked epoch=1.1))`, -1},
		{`(crash worker=0 at (nth 2 store-issued channel=c3))`, -1},
		{`(crash worker=0 at (nth 3 storage-event))`, 2},
		{`(crash worker=0 at (nth 4 (any acked store-done store-issued)))`, 3},
		{`(crash worker=0 at (after (nth 1 store-done) (nth 1 store-issued)))`, 3},
		{`(crash worker=0 at (after (nth 1 store-issued) (nth 1 store-issued)))`, 1},
		{`(crash worker=0)`, -2},
	} {
		if got := strikes(t, c.text, events)[0]; got != c.want {
			t.Errorf("%s struck at %d, want %d", c.text, got, c.want)
		}
	}
}

func TestTimesFireWithoutEvents(t *testing.T) {
	p, err := Parse(`(plan (crash worker=0 at (time 40ms)) (crash worker=1 at (after (nth 1 completed) (time 5ms))))`)
	if err != nil {
		t.Fatal(err)
	}
	in := NewInjector(p)
	for range 2 { // a reset injector behaves as a new one
		if at, ok := in.Deadline(); !ok || at != 40e6 {
			t.Fatalf("deadline %d %v, want 40 ms", at, ok)
		}
		in.Observe(&trace.Event{Kind: trace.Completed, Time: 7e6})
		if at, ok := in.Deadline(); !ok || at != 12e6 {
			t.Fatalf("deadline %d %v, want 12 ms", at, ok)
		}
		if _, ok := in.Next(); ok {
			t.Fatal("struck too early")
		}
		in.Advance(12e6)
		if f, ok := in.Next(); !ok || f.Worker != 1 {
			t.Fatalf("got %v %v, want the crash of worker 1", f, ok)
		}
		in.Advance(1e9)
		if f, ok := in.Next(); !ok || f.Worker != 0 {
			t.Fatalf("got %v %v, want the crash of worker 0", f, ok)
		}
		if _, ok := in.Next(); ok || in.Fired() != 2 || len(in.Pending()) != 0 {
			t.Fatalf("fired %d, waiting %d, want 2 and 0", in.Fired(), len(in.Pending()))
		}
		if _, ok := in.Deadline(); ok {
			t.Fatal("a deadline although nothing is left")
		}
		in.Reset(p)
	}
}

func TestWatchingAllocatesNothing(t *testing.T) {
	in := NewInjector(CrashAt(Fault{Target: Worker}, 1<<30, SweepEvents()))
	e := trace.Event{Kind: trace.StoreDone, Op: trace.Put, Key: "x", Outcome: trace.OK}
	if n := testing.AllocsPerRun(100, func() { in.Observe(&e) }); n != 0 {
		t.Errorf("%v allocations per event", n)
	}
}
