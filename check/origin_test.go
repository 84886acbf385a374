package check

import (
	"strings"
	"testing"

	"weir/id"
	"weir/state/storage"
	"weir/trace"
)

// TestOrigin: what a job that begins from a savepoint may not do with it is seen.
func TestOrigin(t *testing.T) {
	saved := id.MakeEpoch(3, 4)
	expect := func() Expect {
		x := shape{sources: 2, counts: 2, sinks: 1}.expect()
		x.Storage, x.Open = nil, nil
		o := &Origin{Epoch: saved, Owns: func(key string) bool { return strings.HasPrefix(key, "from/") }}
		for _, operator := range []string{"source", "count", "count", "sink"} {
			o.Tasks = append(o.Tasks, OriginTask{Operator: operator, Sum: 7, Watermark: trace.NoTime})
		}
		for k := range 4 {
			o.Tasks[0].Splits = append(o.Tasks[0].Splits, OriginSplit{Split: id.SplitID(k), Offset: 10, Watermark: trace.NoTime})
		}
		o.Tasks[3].Pending = []id.Epoch{saved}
		x.Origin = o
		return x
	}
	plan := trace.Event{Kind: trace.PlanExecuted, Task: trace.Coordinator, Attempt: 4}
	restored := func(n id.TaskID, sum uint64) trace.Event {
		return trace.Event{Kind: trace.TaskRestored, Task: n, Attempt: 4, Epoch: saved, Sum: sum}
	}
	taken := func(n id.TaskID, s id.SplitID, at uint64) trace.Event {
		return trace.Event{Kind: trace.SplitTaken, Task: n, Attempt: 4, Split: s, To: at}
	}
	// The sources of the job are made of one, the counters one by one.
	sound := []trace.Event{
		plan, restored(0, 3), taken(0, 0, 10), taken(0, 2, 10), restored(1, 4), taken(1, 1, 10), taken(1, 3, 10),
		restored(2, 7), restored(3, 7), restored(4, 7), {Kind: trace.OutputCommitted, Task: 3, Attempt: 4, Epoch: saved},
	}
	for _, c := range []struct {
		what  string
		event int // of sound, that is another one
		now   trace.Event
		says  string // nothing: it is right
	}{
		{what: "as it was", event: 0, now: plan},
		{what: "another sum", event: 7, now: restored(2, 8), says: "content hash"},
		{what: "a split read again", event: 2, now: taken(0, 0, 8), says: "offset 8"},
		{what: "a split passed over", event: 2, now: taken(0, 0, 11), says: "offset 11"},
		{what: "output that it does not name", event: 10, now: trace.Event{Kind: trace.OutputCommitted, Task: 3, Attempt: 4, Epoch: saved - 1}, says: "does not name it"},
		{what: "output of another task", event: 10, now: trace.Event{Kind: trace.OutputCommitted, Task: 2, Attempt: 4, Epoch: saved}, says: "does not name it"},
		{what: "a snapshot that it is not", event: 9, now: trace.Event{Kind: trace.TaskRestored, Task: 4, Attempt: 4, Epoch: saved - 1, Sum: 7}, says: "never began"},
	} {
		k, err := New(expect())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a run leaves nothing to the next one
			k.Reset()
			for i, e := range sound {
				if i == c.event {
					e = c.now
				}
				e.Time, e.Channel = int64(i), trace.NoChannel
				k.Observe(&e)
			}
			found := k.Violations()
			if c.says == "" && len(found) > 0 {
				t.Errorf("%s: %v", c.what, found)
			}
			if c.says != "" && (len(found) == 0 || !strings.Contains(found[0].String(), c.says)) {
				t.Errorf("%s: %v does not say %q", c.what, found, c.says)
			}
		}
	}
}

// TestOriginStays: of a savepoint that is not the job's nothing is deleted or written, of one that is
// nothing as long as a recovery would go back to it.
func TestOriginStays(t *testing.T) {
	for _, c := range []struct {
		claimed bool
		op      trace.Op
		says    string
	}{
		{false, trace.Delete, "is not its own"},
		{true, trace.Delete, "would go back to the savepoint"},
		{false, trace.Put, "was written again"},
	} {
		x := worldExpect()
		x.Storage = storage.NewMemory(0)
		x.Origin = &Origin{Epoch: id.MakeEpoch(3, 4), Claimed: c.claimed, Owns: func(key string) bool { return strings.HasPrefix(key, "from/") }, Tasks: []OriginTask{{Operator: "source"}}}
		k, err := New(x)
		if err != nil {
			t.Fatal(err)
		}
		k.Observe(&trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Channel: trace.NoChannel, Op: c.op, Key: "from/t1-0"})
		if found := k.Violations(); len(found) != 1 || !strings.Contains(found[0].String(), c.says) {
			t.Errorf("%s, claimed %v: %v", c.op, c.claimed, found)
		}
		k.Reset()
		k.Observe(&trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Channel: trace.NoChannel, Op: c.op, Key: "fromage/t1-0"})
		if found := k.Violations(); len(found) > 0 {
			t.Errorf("beside it: %v", found)
		}
	}
}
