package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"weir/dataflow"
	"weir/id"
	"weir/trace"
	"weir/trace/cost"
)

func TestMailboxKeepsOrderAndWakesItsReceiver(t *testing.T) {
	const senders, each = 4, 2000
	m := newMailbox[[2]int]()
	for s := range senders {
		go func() {
			for i := range each {
				m.post([2]int{s, i})
			}
		}()
	}
	clock := newClock(time.Time{})
	a := newAlarm(&clock)
	defer a.bell.close()
	var next [senders]int
	var spare [][2]int
	for got := 0; got < senders*each; {
		batch := m.take(spare)
		for _, v := range batch {
			if next[v[0]] != v[1] {
				t.Fatalf("sender %d: %d after %d", v[0], v[1], next[v[0]]-1)
			}
			next[v[0]]++
		}
		got += len(batch)
		spare = batch
		if got < senders*each && !m.waiting() {
			m.sleep(a, clock.now()+int64(time.Hour)*int64(got&1)+1e4) // some with an end, some all but without
		}
	}
	m.close()
	m.post([2]int{})
	if len(m.take(nil)) != 0 {
		t.Error("a closed mailbox took something")
	}
}

func TestBellRingsNotBeforeItsTime(t *testing.T) {
	clock := newClock(time.Time{})
	for name, b := range map[string]bell{"standard": newBell(), "coarse": newCoarseBell()} {
		a := &alarm{clock: &clock, bell: b, armed: never}
		m := newMailbox[int]()
		for _, d := range []int64{1e5, 2e6, 1e4} {
			until := clock.now() + d
			for clock.now() < until {
				m.sleep(a, until)
				if a.armed == never && clock.now() < until {
					t.Errorf("%s bell: rang %d ns before its time", name, until-clock.now())
				}
			}
		}
		b.close()
	}
}

func TestAlarmIsInOrderOfTimeThenOfSetting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := &alarm{clock: &clock{start: time.Now()}}
		type timer struct {
			at  int64
			seq id.Ticket
		}
		var want []timer
		for i, d := range rapid.SliceOfN(rapid.Int64Range(0, 5), 0, 40).Draw(t, "delays") {
			a.after(dataflow.Nanos(d*int64(time.Hour)), id.Ticket(i), nil)
			want = append(want, timer{d, id.Ticket(i)})
		}
		slices.SortStableFunc(want, func(x, y timer) int { return int(x.at - y.at) })
		if _, ok := a.pop(-1); ok {
			t.Fatal("a timer was due before all")
		}
		for _, w := range want {
			if d, ok := a.pop(never); !ok || d.ticket != w.seq {
				t.Fatalf("got ticket %d, want %d", d.ticket, w.seq)
			}
		}
		if a.next() != never {
			t.Fatal("timers are left")
		}
	})
}

func TestPoolRunsAllWithinItsLimit(t *testing.T) {
	p := newPool(3)
	var running, most, ran atomic.Int32
	var wait sync.WaitGroup
	for range 200 {
		wait.Add(1)
		p.submit(func() {
			defer wait.Done()
			n := running.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			ran.Add(1)
			running.Add(-1)
		})
	}
	wait.Wait()
	p.close()
	p.submit(func() { t.Error("a closed pool ran something") })
	if ran.Load() != 200 || most.Load() > 3 {
		t.Errorf("%d ran, up to %d at once", ran.Load(), most.Load())
	}
}

// TestPoolUsesItsLimit deadlocks if jobs do not run at once.
func TestPoolUsesItsLimit(t *testing.T) {
	p := newPool(3)
	var all sync.WaitGroup
	all.Add(3)
	for range 3 {
		p.submit(func() { all.Done(); all.Wait() })
	}
	all.Wait()
	p.close()
}

func TestCheckpointLogDerivesTheParts(t *testing.T) {
	e := id.MakeEpoch(1, 1)
	var l CheckpointLog
	at := func(time int64, k trace.Kind, task id.TaskID, edit ...func(*trace.Event)) {
		ev := &trace.Event{Time: time, Kind: k, Task: task, Channel: trace.NoChannel, Epoch: e, Attempt: 1}
		for _, f := range edit {
			f(ev)
		}
		l.Observe(ev)
	}
	size := func(n int) func(*trace.Event) {
		return func(ev *trace.Event) { ev.To, ev.Data = uint64(n), make([]byte, n) }
	}
	at(1000, trace.Triggered, trace.Coordinator)
	at(1100, trace.SnapshotBegun, 0)
	l.ObserveCost(0, e, new(cost.Vector[int64]).Set(cost.Sync, 20))
	at(1200, trace.BarrierReceived, 1)
	at(1500, trace.BarrierReceived, 1)
	at(1510, trace.SnapshotBegun, 1)
	at(1520, trace.CapturedIn, 1, size(64))
	l.ObserveCost(1, e, new(cost.Vector[int64]).Set(cost.Sync, 70))
	l.ObserveCost(0, e, new(cost.Vector[int64]).Set(cost.State, 1000).Set(cost.Changed, 30))
	l.ObserveCost(1, e, new(cost.Vector[int64]).Set(cost.Uploaded, 4096).Set(cost.State, 5000).Set(cost.Changed, 600))
	at(1150, trace.SnapshotWriting, 0)
	at(1160, trace.SnapshotStored, 0, size(10))
	at(1170, trace.Acked, 0)
	at(1910, trace.SnapshotWriting, 1)
	at(2000, trace.SnapshotStored, 1, size(200))
	at(2100, trace.Acked, 1)
	at(2100, trace.AllAcked, trace.Coordinator)
	at(2250, trace.Completed, trace.Coordinator)
	want := Checkpoint{Epoch: e, Triggered: 1000, Completed: 2250, Tasks: 2, LongestSync: 1}
	want.Cost.Set(cost.Total, 1250).Set(cost.Travel, 200).Set(cost.Alignment, 300).Set(cost.Sync, 70).Set(cost.Async, 400).Set(cost.Put, 90).
		Set(cost.Ack, 100).Set(cost.Metadata, 150).Set(cost.Uploaded, 4096+210).Set(cost.Inflight, 64).Set(cost.State, 6000).Set(cost.Changed, 630)
	if got := l.Completed(); len(got) != 1 || got[0] != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	e = id.MakeEpoch(1, 2)
	at(3000, trace.Triggered, trace.Coordinator)
	at(3100, trace.SnapshotBegun, 0)
	at(3150, trace.SnapshotStored, 0, size(1))
	at(3160, trace.SnapshotBegun, 1)
	at(3200, trace.Aborted, trace.Coordinator)
	at(3300, trace.SnapshotStored, 1, size(1)) // it had not heard yet
	e = id.MakeEpoch(1, 3)
	at(4000, trace.SnapshotBegun, 1)
	at(4300, trace.SnapshotWriting, 1)
	at(4500, trace.SnapshotStored, 1, size(7))
	given := AbortedRound{Epoch: id.MakeEpoch(1, 2), Triggered: 3000, Aborted: 3200, Stored: 2}
	if got := l.Aborted(); len(got) != 1 || got[0] != given {
		t.Errorf("got  %+v\nwant %+v", got, given)
	}
	if len(l.Completed()) != 1 || len(l.parts) != 0 || len(l.rounds) != 0 {
		t.Errorf("%d completed, %d parts and %d rounds kept", len(l.Completed()), len(l.parts), len(l.rounds))
	}
	local := LocalSnapshot{Task: 1, Epoch: e, Begun: 4000, Stored: 4500}
	local.Cost.Set(cost.Total, 500).Set(cost.Sync, 0).Set(cost.Async, 300).Set(cost.Put, 200).Set(cost.Uploaded, 7).Set(cost.Inflight, 0).Set(cost.State, 0)
	if got := l.Local(); len(got) != 1 || got[0] != local {
		t.Errorf("got  %+v\nwant %+v", got, local)
	}
}
