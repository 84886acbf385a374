package check

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/state/storage"
	"weir/trace"
)

// world is a scripted run of two sources (tasks 0 and 1), two counting tasks (2
// and 3) and a sink (4) under a coordinated algorithm. It tells its checker what
// a right run would, and each test breaks one thing.
type world struct {
	t       testing.TB
	c       *Checker
	x       Expect
	store   *storage.Memory
	now     int64
	attempt id.Attempt
	live
	saved  map[id.Epoch]live
	txn    map[id.Epoch][]uint32 // sealed, not committed
	mute   trace.Mask            // kinds that are not told
	mirror func(e trace.Event)   // sees what is told, nil: nobody
}

// live is everything a crash loses.
type live struct {
	offset [2]uint64
	sealed [6]uint64
	taken  [6]uint64
	queue  [6][]uint32
	sum    [5]uint64
	open   []uint32 // rows of the open transaction
}

func (l live) clone() live {
	for i := range l.queue {
		l.queue[i] = slices.Clone(l.queue[i])
	}
	l.open = slices.Clone(l.open)
	return l
}

func frame(ids ...uint32) []byte {
	var b []byte
	for _, r := range ids {
		b = append(b, 4)
		b = binary.LittleEndian.AppendUint32(b, r)
	}
	return b
}

const worldRecords = 240

func worldExpect() Expect {
	x := Expect{
		State: ExactlyOnce, Output: ExactlyOnce, Coordinated: true, PerRecord: true, Captures: Captures{Inputs: true, Outputs: true},
		Tasks: []Task{
			{Name: "source[0]", Source: true}, {Name: "source[1]", Source: true},
			{Name: "count[0]"}, {Name: "count[1]"}, {Name: "sink[0]", Sink: true},
		},
		Splits:   []Split{{0, 2}, {1, 2}},
		Channels: []Channel{{From: 0, To: 2}, {From: 0, To: 3}, {From: 1, To: 2}, {From: 1, To: 3}, {From: 2, To: 4}, {From: 3, To: 4}},
		Records:  worldRecords,
		RecordID: func(rec []byte) uint64 { return uint64(binary.LittleEndian.Uint32(rec)) },
		Canonical: func(rows [][]byte) ([][]byte, error) {
			var out [][]byte
			for _, r := range rows {
				out = append(out, fmt.Appendf(nil, "row %02d", binary.LittleEndian.Uint32(r)))
			}
			return out, nil
		},
		Layout: Layout{
			RecordKey: func(e id.Epoch) string { return "chk/" + e.String() },
			References: func(key string, data []byte) ([]string, error) {
				if strings.HasPrefix(key, "chk/") {
					return strings.Fields(string(data)), nil
				}
				return nil, nil
			},
			Roots: func(keys []string) []string {
				return slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, "chk/") })
			},
		},
		Pace: Pace{Checkpoint: 1e6, End: 1e6},
	}
	for r := range uint32(worldRecords) {
		x.Reference = append(x.Reference, fmt.Appendf(nil, "row %02d", r))
	}
	return x
}

func newWorld(t testing.TB, change ...func(x *Expect)) *world {
	w := &world{t: t, x: worldExpect(), store: storage.NewMemory(0)}
	w.x.Storage = w.store
	for _, f := range change {
		f(&w.x)
	}
	c, err := New(w.x)
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	w.begin()
	return w
}

// begin starts the job from nothing.
func (w *world) begin() {
	w.store.Reset(0)
	w.c.Reset()
	w.now, w.attempt, w.live = 0, 0, live{}
	w.saved, w.txn = map[id.Epoch]live{}, map[id.Epoch][]uint32{}
	w.restore(0)
}

func (w *world) tell(e trace.Event) {
	w.now++
	e.Time = w.now
	if e.Attempt == 0 {
		e.Attempt = w.attempt
	}
	if (e.Kind == trace.Sealed || e.Kind == trace.Delivered) && e.At == 0 {
		e.At = trace.NoTime
	}
	if w.c.Wants().Has(e.Kind) && !w.mute.Has(e.Kind) {
		if w.mirror != nil {
			w.mirror(e)
		}
		w.c.Observe(&e)
	}
}

func (w *world) task(k trace.Kind, t id.TaskID, e id.Epoch) {
	w.tell(trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, Epoch: e})
}

func (w *world) coordinator(k trace.Kind, e id.Epoch) {
	w.tell(trace.Event{Kind: k, Task: trace.Coordinator, Channel: trace.NoChannel, Epoch: e})
}

// do carries a storage operation out and tells of it.
func (w *world) do(op state.Op) {
	w.store.Do(op)
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Channel: trace.NoChannel, Op: trace.Op(op.Kind), Key: op.Key})
}

// list tells that the coordinator has listed a prefix.
func (w *world) list(prefix string) {
	w.tell(trace.Event{Kind: trace.StoreIssued, Task: trace.Coordinator, Channel: trace.NoChannel, Op: trace.List, Key: prefix})
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Channel: trace.NoChannel, Op: trace.List, Key: prefix})
	w.tell(trace.Event{Kind: trace.StoreDone, Task: trace.Coordinator, Channel: trace.NoChannel, Op: trace.List, Key: prefix, Outcome: trace.OK})
}

// seal puts a record on a channel.
func (w *world) seal(ch id.ChannelID, r uint32) {
	w.sealed[ch]++
	w.queue[ch] = append(w.queue[ch], r)
	w.tell(trace.Event{Kind: trace.Sealed, Task: w.x.Channels[ch].From, Channel: ch, From: w.sealed[ch] - 1, To: w.sealed[ch], Data: frame(r)})
}

// emit lets a source hand out n records.
func (w *world) emit(p, n int) {
	for range n {
		o := w.offset[p]
		if int(o)*2+p >= worldRecords {
			return
		}
		r := uint32(o)*2 + uint32(p)
		w.seal(id.ChannelID(2*p+int(r/2%2)), r)
		w.offset[p]++
		w.tell(trace.Event{Kind: trace.Emitted, Task: id.TaskID(p), Channel: trace.NoChannel, Split: id.SplitID(p), From: o, To: o + 1})
	}
}

// deliver processes the first n buffers of a channel.
func (w *world) deliver(ch id.ChannelID, n int) {
	for range min(n, len(w.queue[ch])) {
		r := w.queue[ch][0]
		w.queue[ch] = w.queue[ch][1:]
		w.process(ch, r)
	}
}

func (w *world) process(ch id.ChannelID, r uint32) {
	w.taken[ch]++
	to := w.x.Channels[ch].To
	w.tell(trace.Event{Kind: trace.Delivered, Task: to, Channel: ch, From: w.taken[ch] - 1, To: w.taken[ch], Data: frame(r)})
	w.sum[to] += uint64(r) + 1
	if to == 4 {
		w.open = append(w.open, r)
	} else {
		w.seal(id.ChannelID(to)+2, r)
	}
}

// flow moves everything that is in flight to the sink.
func (w *world) flow() {
	for ch := range id.ChannelID(6) {
		w.deliver(ch, 1<<30)
	}
}

// snapshot takes a snapshot of every task, with what is in flight captured at
// the receiver (or, for channel 0, at the sender).
func (w *world) snapshot(e id.Epoch) { w.snapshotWithout(-1, e) }

// snapshotWithout is snapshot, but one task has left.
func (w *world) snapshotWithout(gone id.TaskID, e id.Epoch) {
	w.coordinator(trace.Triggered, e)
	for t := range id.TaskID(5) {
		if t == gone {
			continue
		}
		w.begun(t, e)
		for ch := range id.ChannelID(6) {
			out := ch == 0
			if out && w.x.Channels[ch].From == t || !out && w.x.Channels[ch].To == t {
				w.captureAll(t, ch, e, out)
			}
		}
		w.do(state.Op{Kind: state.OpPut, Key: snapKey(t, e), Data: []byte(snapKey(t, e))})
		w.task(trace.SnapshotStored, t, e)
	}
	w.txn[e], w.open = w.open, nil
	w.saved[e] = w.clone()
}

func snapKey(t id.TaskID, e id.Epoch) string { return "snap/" + t.String() + "/" + e.String() }

func (w *world) begun(t id.TaskID, e id.Epoch) {
	ev := trace.Event{Kind: trace.SnapshotBegun, Task: t, Channel: trace.NoChannel, Epoch: e, Sum: w.sum[t]}
	w.tell(ev)
	w.split(trace.PositionSplit, t, e)
}

// split tells how far a source reads its split.
func (w *world) split(k trace.Kind, t id.TaskID, e id.Epoch) {
	if t < 2 {
		w.tell(trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, Epoch: e, Split: id.SplitID(t), To: w.offset[t]})
	}
}

func (w *world) captureAll(t id.TaskID, ch id.ChannelID, e id.Epoch, out bool) {
	k := trace.CapturedIn
	if out {
		k = trace.CapturedOut
	}
	for i, r := range w.queue[ch] {
		at := w.taken[ch] + uint64(i)
		w.tell(trace.Event{Kind: k, Task: t, Channel: ch, Epoch: e, From: at, To: at + 1, Data: frame(r)})
	}
}

// record makes checkpoint e durable.
func (w *world) record(e id.Epoch) {
	var refs []string
	for t := range id.TaskID(5) {
		if k := snapKey(t, e); w.store.Do(state.Op{Kind: state.OpGet, Key: k}).Status == state.OK {
			refs = append(refs, k)
		}
	}
	w.do(state.Op{Kind: state.OpCreate, Key: "chk/" + e.String(), Data: []byte(strings.Join(refs, " "))})
}

// commit makes the transactions up to e visible.
func (w *world) commit(e id.Epoch) {
	for _, x := range slices.Sorted(maps.Keys(w.txn)) {
		if x <= e {
			rows := w.txn[x]
			delete(w.txn, x)
			w.tell(trace.Event{Kind: trace.ExtIssued, Task: 4, Channel: trace.NoChannel, Epoch: x, Op: trace.Commit})
			w.tell(trace.Event{Kind: trace.OutputCommitted, Task: 4, Channel: trace.NoChannel, Epoch: x, To: uint64(len(rows)), Data: frame(rows...)})
		}
	}
}

// complete ends round e: record, completion, commit.
func (w *world) complete(e id.Epoch) {
	w.record(e)
	w.coordinator(trace.Completed, e)
	w.commit(e)
}

// subsume lets go of checkpoint e.
func (w *world) subsume(e id.Epoch) {
	w.coordinator(trace.Subsumed, e)
	w.do(state.Op{Kind: state.OpDelete, Key: "chk/" + e.String()})
	for t := range id.TaskID(5) {
		w.do(state.Op{Kind: state.OpDelete, Key: snapKey(t, e)})
	}
}

func (w *world) crash(worker string) {
	w.tell(trace.Event{Kind: trace.WorkerCrashed, Task: trace.Coordinator, Channel: trace.NoChannel, Text: worker})
}

// restore starts everything again from checkpoint e, 0: from nothing.
func (w *world) restore(e id.Epoch) { w.restoreMixed(-1, 0, e) }

// restoreMixed is restore, but one task has an epoch of its own.
func (w *world) restoreMixed(other id.TaskID, its, e id.Epoch) {
	w.restart(other, its, e)
	w.ready()
}

// restart is restoreMixed up to where the tasks become ready.
func (w *world) restart(other id.TaskID, its, e id.Epoch) {
	w.attempt++
	w.live = w.saved[e].clone()
	w.open = nil
	for x := range w.txn {
		if x > e {
			delete(w.txn, x)
		}
	}
	w.coordinator(trace.PlanExecuted, e)
	for t := range id.TaskID(5) {
		w.task(trace.TaskStarting, t, 0)
		if t == other {
			w.restored(t, its)
		} else {
			w.restored(t, e)
		}
	}
}

func (w *world) ready() {
	for t := range id.TaskID(5) {
		w.task(trace.TaskReady, t, 0)
	}
}

func (w *world) restored(t id.TaskID, e id.Epoch) {
	ev := trace.Event{Kind: trace.TaskRestored, Task: t, Channel: trace.NoChannel, Epoch: e, Sum: w.sum[t]}
	w.tell(ev)
	w.split(trace.SplitTaken, t, 0)
}

// finish runs the job to its end with a final checkpoint e.
func (w *world) finish(e id.Epoch) *Report {
	w.last(e)
	return w.end()
}

// last runs the job up to its final checkpoint e.
func (w *world) last(e id.Epoch) {
	w.emit(0, worldRecords)
	w.emit(1, worldRecords)
	w.flow()
	w.snapshot(e)
	w.complete(e)
}

// end deletes what no record needs and ends the job.
func (w *world) end() *Report {
	w.sweep()
	return w.over()
}

// over ends the job.
func (w *world) over() *Report {
	w.coordinator(trace.JobDone, 0)
	return w.c.Finish(End{Time: w.now})
}

// sweep deletes what no record needs.
func (w *world) sweep() {
	records := w.store.Do(state.Op{Kind: state.OpList, Key: "chk/"}).List
	for _, o := range w.store.Do(state.Op{Kind: state.OpList, Key: "snap/"}).List {
		if !slices.ContainsFunc(records, func(r state.Entry) bool { return strings.HasSuffix(o.Key, strings.TrimPrefix(r.Key, "chk")) }) {
			w.do(state.Op{Kind: state.OpDelete, Key: o.Key})
		}
	}
	w.list("")
}

func epoch(a, k int) id.Epoch { return id.MakeEpoch(id.Attempt(a), uint32(k)) }

// middle runs until there is one complete checkpoint 1.1 with items in flight,
// and work after it.
func (w *world) middle() {
	w.emit(0, 6)
	w.emit(1, 5)
	w.deliver(0, 2)
	w.deliver(3, 1)
	w.deliver(4, 1)
	w.snapshot(epoch(1, 1))
	w.complete(epoch(1, 1))
	w.emit(0, 3)
	w.flow()
}

// watcherOf returns an oracle of a checker.
func watcherOf[T watcher](c *Checker) T {
	for _, w := range c.all {
		if o, ok := w.(T); ok {
			return o
		}
	}
	panic("no such oracle")
}
