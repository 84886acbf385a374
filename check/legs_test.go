package check

import (
	"cmp"
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

// legs is a scripted run of four splits, counting tasks and sinks, under a coordinated
// algorithm, whose graph changes. It tells its checker what a right run would, and each
// test breaks one thing.
type legs struct {
	t       testing.TB
	c       *Checker
	store   *storage.Memory
	now     int64
	attempt id.Attempt
	shape   shape
	alter   []func(x *Expect) // of every graph
	at      standing
	saved   map[id.Epoch]savedLeg
	open    map[transaction][]uint32 // sealed, not committed
	spoil   func(s *standing)        // what tasks of another graph are made with; nil: as it should be
	resend  func(r []uint32) []uint32
	awaits  func(t id.TaskID) bool // tasks that ask to be woken when they are restored; nil: none
	mute    trace.Mask
}

// shape is how many instances each operator has.
type shape struct{ sources, counts, sinks int }

// standing is everything a crash loses.
type standing struct {
	offset       [4]uint64 // by split
	sealed, came []uint64  // by channel
	queue        [][]uint32
	counted      [][]uint32 // by counting task
	rows         [][]uint32 // by sink: of its open transaction
	wm           int64      // what the sources have said of event time
}

// mark is a buffer that has the watermark and no record.
const mark = ^uint32(0)

type savedLeg struct {
	shape
	standing
}

type transaction struct {
	sink  id.TaskID
	epoch id.Epoch
}

const legsRecords = 160

func (s shape) tasks() int                { return s.sources + s.counts + s.sinks }
func (s shape) channels() int             { return s.counts * (s.sources + s.sinks) }
func (s shape) source(split int) int      { return split % s.sources }
func (s shape) count(r uint32) int        { return int(r*7%12) % s.counts }
func (s shape) sink(r uint32) int         { return int(r) % s.sinks }
func (s shape) toCount(from, to int) int  { return from*s.counts + to }
func (s shape) toSink(from, to int) int   { return s.counts*s.sources + from*s.sinks + to }
func (s shape) isSource(t id.TaskID) bool { return int(t) < s.sources }
func (s shape) countOf(t id.TaskID) (int, bool) {
	k := int(t) - s.sources
	return k, k >= 0 && k < s.counts
}
func (s shape) sinkOf(t id.TaskID) (int, bool) { k := int(t) - s.sources - s.counts; return k, k >= 0 }

func (s shape) expect() Expect {
	x := worldExpect()
	x.Tasks, x.Channels, x.Splits, x.Records = nil, nil, nil, legsRecords
	for i := range s.sources {
		x.Tasks = append(x.Tasks, Task{Name: fmt.Sprintf("source[%d]", i), Operator: "source", Source: true})
	}
	for i := range s.counts {
		x.Tasks = append(x.Tasks, Task{Name: fmt.Sprintf("count[%d]", i), Operator: "count"})
	}
	for i := range s.sinks {
		x.Tasks = append(x.Tasks, Task{Name: fmt.Sprintf("sink[%d]", i), Operator: "sink", Sink: true})
	}
	for i := range s.sources {
		for k := range s.counts {
			x.Channels = append(x.Channels, Channel{From: id.TaskID(i), To: id.TaskID(s.sources + k)})
		}
	}
	for i := range s.counts {
		for k := range s.sinks {
			x.Channels = append(x.Channels, Channel{From: id.TaskID(s.sources + i), To: id.TaskID(s.sources + s.counts + k)})
		}
	}
	for k := range 4 {
		x.Splits = append(x.Splits, Split{k, 4})
	}
	x.Reference = x.Reference[:0]
	for r := range uint32(legsRecords) {
		x.Reference = append(x.Reference, fmt.Appendf(nil, "row %02d", r))
	}
	x.Pace, x.Rollback = Pace{Checkpoint: 1e6, End: 1e6}, ScopeAll
	x.Layout.EpochOf = func(key string) (id.Epoch, bool) {
		e, err := id.ParseEpoch(key[strings.LastIndexByte(key, '/')+1:])
		return e, err == nil
	}
	return x
}

func newLegs(t testing.TB, s shape, alter ...func(x *Expect)) *legs {
	w := &legs{t: t, store: storage.NewMemory(0), shape: s, alter: alter, saved: map[id.Epoch]savedLeg{}, open: map[transaction][]uint32{}}
	c, err := New(w.expect())
	if err != nil {
		t.Fatal(err)
	}
	w.c = c
	w.restore(0)
	return w
}

func (w *legs) expect() Expect {
	x := w.shape.expect()
	x.Storage = w.store
	for _, f := range w.alter {
		f(&x)
	}
	return x
}

func (w *legs) tell(e trace.Event) {
	w.now++
	e.Time = w.now
	if e.Attempt == 0 {
		e.Attempt = w.attempt
	}
	if w.c.Wants().Has(e.Kind) && !w.mute.Has(e.Kind) {
		w.c.Observe(&e)
	}
}

func (w *legs) task(k trace.Kind, t id.TaskID, e id.Epoch) {
	w.tell(trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, Epoch: e})
}

func (w *legs) coordinator(k trace.Kind, e id.Epoch) { w.task(k, trace.Coordinator, e) }

func (w *legs) do(op state.Op) {
	w.store.Do(op)
	w.tell(trace.Event{Kind: trace.StoreApplied, Task: trace.Coordinator, Channel: trace.NoChannel, Op: trace.Op(op.Kind), Key: op.Key})
}

func (w *legs) seal(ch int, r uint32) {
	w.at.sealed[ch]++
	w.at.queue[ch] = append(w.at.queue[ch], r)
	w.buffer(trace.Sealed, w.c.x.Channels[ch].From, ch, w.at.sealed[ch], r)
}

func (w *legs) buffer(k trace.Kind, t id.TaskID, ch int, at uint64, r uint32) {
	e := trace.Event{Kind: k, Task: t, Channel: id.ChannelID(ch), From: at - 1, To: at, At: trace.NoTime}
	if r == mark {
		e.At = w.at.wm
	} else {
		e.Data = frame(r)
	}
	w.tell(e)
}

// watermark lets event time come to wm everywhere.
func (w *legs) watermark(wm int64) {
	w.at.wm = wm
	for n := range w.at.offset {
		w.tell(trace.Event{Kind: trace.WatermarkSaid, Task: id.TaskID(w.shape.source(n)), Channel: trace.NoChannel, Split: id.SplitID(n), At: wm})
	}
	w.announce(0, w.shape.counts*w.shape.sources)
	w.announce(w.shape.counts*w.shape.sources, w.shape.channels())
}

// announce sends the watermark along some channels, and delivers what is on them.
func (w *legs) announce(from, to int) {
	for ch := from; ch < to; ch++ {
		w.seal(ch, mark)
	}
	for ch := from; ch < to; ch++ {
		w.deliver(ch, 1<<30)
	}
}

// emit lets a source hand out n records of a split.
func (w *legs) emit(split, n int) {
	for range n {
		o := w.at.offset[split]
		r := uint32(o)*4 + uint32(split)
		if r >= legsRecords {
			return
		}
		t := w.shape.source(split)
		w.seal(w.shape.toCount(t, w.shape.count(r)), r)
		w.at.offset[split]++
		w.tell(trace.Event{Kind: trace.Emitted, Task: id.TaskID(t), Channel: trace.NoChannel, Split: id.SplitID(split), From: o, To: o + 1})
	}
}

// deliver processes the first n buffers of a channel.
func (w *legs) deliver(ch, n int) {
	for range min(n, len(w.at.queue[ch])) {
		r := w.at.queue[ch][0]
		w.at.queue[ch] = w.at.queue[ch][1:]
		w.at.came[ch]++
		to := w.c.x.Channels[ch].To
		w.buffer(trace.Delivered, to, ch, w.at.came[ch], r)
		if r == mark {
			continue
		}
		if k, ok := w.shape.countOf(to); ok {
			w.at.counted[k] = append(w.at.counted[k], r)
			w.seal(w.shape.toSink(k, w.shape.sink(r)), r)
		} else if k, ok := w.shape.sinkOf(to); ok {
			w.at.rows[k] = append(w.at.rows[k], r)
		}
	}
}

// flow moves everything that is in flight to the sinks.
func (w *legs) flow() {
	for ch := range w.at.queue {
		w.deliver(ch, 1<<30)
	}
}

// sums returns the hash of a task's state, and what of it does not add up.
func (w *legs) sums(t id.TaskID) (sum, apart uint64) {
	apart = uint64(t) * 1000
	if k, ok := w.shape.countOf(t); ok {
		for _, r := range w.at.counted[k] {
			sum += uint64(r)*uint64(r) + 1
		}
	}
	return sum + apart, apart
}

// stands tells how a task stands: at a snapshot, or restored.
func (w *legs) stands(k, split trace.Kind, t id.TaskID, e, of id.Epoch) {
	sum, apart := w.sums(t)
	w.tell(trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, Epoch: e, Sum: sum, To: apart})
	for n := range w.at.offset {
		if w.shape.isSource(t) && w.shape.source(n) == int(t) {
			w.tell(trace.Event{Kind: split, Task: t, Channel: trace.NoChannel, Epoch: of, Split: id.SplitID(n), To: w.at.offset[n]})
		}
	}
}

// snapshot takes a snapshot of every task, with what is in flight captured at the
// receiver (or, for channel 0, at the sender).
func (w *legs) snapshot(e id.Epoch) {
	w.coordinator(trace.Triggered, e)
	for t := range id.TaskID(w.shape.tasks()) {
		w.stands(trace.SnapshotBegun, trace.PositionSplit, t, e, e)
		for n, ch := range w.c.x.Channels {
			if n == 0 && ch.From == t {
				w.capture(trace.CapturedOut, t, n, e)
			} else if n != 0 && ch.To == t {
				w.capture(trace.CapturedIn, t, n, e)
			}
		}
		w.do(state.Op{Kind: state.OpPut, Key: snapKey(t, e), Data: []byte(snapKey(t, e))})
		w.task(trace.SnapshotStored, t, e)
		if k, ok := w.shape.sinkOf(t); ok {
			w.open[transaction{t, e}], w.at.rows[k] = w.at.rows[k], nil
		}
	}
	w.saved[e] = savedLeg{w.shape, w.at.clone()}
}

func (w *legs) capture(k trace.Kind, t id.TaskID, ch int, e id.Epoch) {
	for i, r := range w.at.queue[ch] {
		at := w.at.came[ch] + uint64(i)
		w.tell(trace.Event{Kind: k, Task: t, Channel: id.ChannelID(ch), Epoch: e, From: at, To: at + 1, Data: frame(r)})
	}
}

func (s *standing) clone() standing {
	deep := func(x [][]uint32) [][]uint32 {
		y := make([][]uint32, len(x))
		for i := range x {
			y[i] = slices.Clone(x[i])
		}
		return y
	}
	return standing{s.offset, slices.Clone(s.sealed), slices.Clone(s.came), deep(s.queue), deep(s.counted), deep(s.rows), s.wm}
}

func (w *legs) record(e id.Epoch) {
	var refs []string
	for t := range id.TaskID(w.shape.tasks()) {
		refs = append(refs, snapKey(t, e))
	}
	w.do(state.Op{Kind: state.OpCreate, Key: "chk/" + e.String(), Data: []byte(strings.Join(refs, " "))})
}

// commit makes the transactions up to e visible.
func (w *legs) commit(e id.Epoch) {
	names := slices.SortedFunc(maps.Keys(w.open), func(a, b transaction) int { return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.sink, b.sink)) })
	for _, x := range names {
		if x.epoch <= e {
			w.shows(x, w.open[x])
			delete(w.open, x)
		}
	}
}

func (w *legs) shows(x transaction, rows []uint32) {
	w.tell(trace.Event{Kind: trace.ExtIssued, Task: x.sink, Channel: trace.NoChannel, Epoch: x.epoch, Op: trace.Commit})
	w.tell(trace.Event{Kind: trace.OutputCommitted, Task: x.sink, Channel: trace.NoChannel, Epoch: x.epoch, To: uint64(len(rows)), Data: frame(rows...)})
}

// complete ends round e: record, completion, commit.
func (w *legs) complete(e id.Epoch) {
	w.record(e)
	w.coordinator(trace.Completed, e)
	w.commit(e)
}

func (w *legs) crash() {
	w.tell(trace.Event{Kind: trace.WorkerCrashed, Task: trace.Coordinator, Channel: trace.NoChannel})
}

// becomes changes the graph, which goes on from checkpoint e.
func (w *legs) becomes(s shape, e id.Epoch) {
	w.change(s)
	w.restore(e)
}

func (w *legs) change(s shape) {
	w.t.Helper()
	w.tell(trace.Event{Kind: trace.Rescaled, Task: trace.Coordinator, Channel: trace.NoChannel, To: uint64(s.tasks())})
	w.shape = s
	if err := w.c.Reshape(w.expect()); err != nil {
		w.t.Fatal(err)
	}
}

// restore starts everything again from checkpoint e, 0: from nothing.
func (w *legs) restore(e id.Epoch) {
	w.attempt++
	for x := range w.open {
		if x.epoch > e {
			delete(w.open, x)
		}
	}
	var again map[int][]uint32
	w.at, again = w.from(e)
	if again != nil && w.spoil != nil {
		w.spoil(&w.at)
	}
	w.coordinator(trace.PlanExecuted, e)
	for t := range id.TaskID(w.shape.tasks()) {
		w.task(trace.TaskStarting, t, 0)
		w.stands(trace.TaskRestored, trace.SplitTaken, t, e, 0)
		if w.awaits != nil && w.awaits(t) {
			w.task(trace.TimerAwaited, t, 0)
		}
	}
	for t := range id.TaskID(w.shape.tasks()) {
		w.task(trace.TaskReady, t, 0)
	}
	for _, ch := range slices.Sorted(maps.Keys(again)) {
		rs := again[ch]
		if w.resend != nil {
			rs = w.resend(rs)
		}
		for _, r := range rs {
			w.seal(ch, r)
		}
	}
	for ch := range w.at.queue {
		if again != nil && w.at.wm != trace.NoTime { // each says its own behind what it has sent again
			w.seal(ch, mark)
		}
	}
	w.commit(e)
}

// from returns where the tasks begin behind checkpoint e, and by channel what they send
// again if it is of another graph.
func (w *legs) from(e id.Epoch) (standing, map[int][]uint32) {
	x, s := w.saved[e], w.shape
	if e != 0 && x.shape == w.shape {
		return x.clone(), nil
	}
	at := standing{
		offset: x.offset, sealed: make([]uint64, s.channels()), came: make([]uint64, s.channels()), queue: make([][]uint32, s.channels()),
		counted: make([][]uint32, s.counts), rows: make([][]uint32, s.sinks), wm: x.wm,
	}
	if e == 0 {
		at.wm = trace.NoTime
		return at, nil
	}
	for _, rs := range x.counted {
		for _, r := range rs {
			at.counted[s.count(r)] = append(at.counted[s.count(r)], r)
		}
	}
	again := map[int][]uint32{}
	for ch, rs := range x.queue {
		for _, r := range rs {
			if from := ch / x.counts; ch < x.counts*x.sources {
				to := s.toCount(from%s.sources, s.count(r))
				again[to] = append(again[to], r)
			} else {
				from := (ch - x.counts*x.sources) / x.sinks
				to := s.toSink(from%s.counts, s.sink(r))
				again[to] = append(again[to], r)
			}
		}
	}
	return at, again
}

// finish runs the job to its end with a final checkpoint e.
func (w *legs) finish(e id.Epoch) *Report {
	w.last(e)
	w.sweep()
	return w.over()
}

// last runs the job up to its final checkpoint e.
func (w *legs) last(e id.Epoch) {
	for split := range 4 {
		w.emit(split, legsRecords)
	}
	w.flow()
	w.snapshot(e)
	w.complete(e)
}

// over ends the job.
func (w *legs) over() *Report {
	w.coordinator(trace.JobDone, 0)
	return w.verdict()
}

// sweep deletes what no record needs.
func (w *legs) sweep() {
	records := w.store.Do(state.Op{Kind: state.OpList, Key: "chk/"}).List
	for _, o := range w.store.Do(state.Op{Kind: state.OpList, Key: "snap/"}).List {
		if !slices.ContainsFunc(records, func(r state.Entry) bool { return strings.HasSuffix(o.Key, strings.TrimPrefix(r.Key, "chk")) }) {
			w.delete(o.Key)
		}
	}
	w.list()
}

func (w *legs) delete(key string) { w.do(state.Op{Kind: state.OpDelete, Key: key}) }

// list tells that the coordinator has looked at the storage.
func (w *legs) list() {
	for _, k := range []trace.Kind{trace.StoreIssued, trace.StoreApplied, trace.StoreDone} {
		w.tell(trace.Event{Kind: k, Task: trace.Coordinator, Channel: trace.NoChannel, Op: trace.List, Outcome: trace.OK})
	}
}

// verdict is that of a run that stops here.
func (w *legs) verdict() *Report { return w.c.Finish(End{Time: w.now}) }

// middle runs until checkpoint e is complete with items in flight on every edge.
func (w *legs) middle(e id.Epoch) {
	for split := range 4 {
		w.emit(split, 4)
	}
	for ch := range w.at.queue {
		w.deliver(ch, 1)
	}
	w.snapshot(e)
	w.complete(e)
}

var (
	narrow = shape{2, 2, 1}
	wide   = shape{3, 5, 2}
	slim   = shape{1, 1, 3}
)
