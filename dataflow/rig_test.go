package dataflow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
)

// rig is one task under test with everything around it written down: what it
// asks of its host waits until the test answers.
type rig struct {
	t    testing.TB
	job  Job
	info *TaskInfo
	task *Task
	p    *script
	disk *storage.Memory

	sent     [][]*Buffer // by output
	credits  []int       // by input
	done     []string    // effects, in order
	ops      map[id.Ticket]state.Op
	moves    map[id.Ticket]state.Transfer
	exts     map[id.Ticket]ExtOp
	told     [][]byte
	ready    [][]id.Seq
	left     bool
	failure  error
	events   []trace.Event
	recycled []*Buffer
	clock    int64     // what Now says
	alarm    id.Ticket // the last timer asked for
}

// script is a protocol whose every call is a hook of the test.
type script struct {
	BaseProtocol
	k       Kernel
	s       Start
	begun   func()
	control func(in int, b *Buffer)
	ended   func(in int, stream bool)
	linked  func(out int, seen id.Seq)
	log     []string
}

func (p *script) note(format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

func (p *script) Start(k Kernel, s Start) {
	p.k, p.s = k, s
	if p.begun != nil {
		p.begun()
	}
}

func (p *script) Control(in int, b *Buffer) {
	p.note("control %d %s", in, b.Epoch)
	if p.control != nil {
		p.control(in, b)
	}
}

func (p *script) InputEnded(in int, stream bool) {
	p.note("ended %d %v", in, stream)
	if p.ended != nil {
		p.ended(in, stream)
	}
}

func (p *script) Drained()                          { p.note("drained") }
func (p *script) Stored(e id.Epoch, _ Stored)       { p.note("stored %s", e) }
func (p *script) StoreFailed(e id.Epoch, err error) { p.note("failed %s: %v", e, err) }
func (p *script) Thawed(id.Attempt)                 { p.note("thawed") }
func (p *script) Done(_ id.Ticket, r state.Result)  { p.note("done %s", r.Status) }
func (p *script) Timer(id.Ticket)                   { p.note("timer") }
func (p *script) Connected(out int, seen id.Seq) {
	p.note("connected %d %d", out, seen)
	if p.linked != nil {
		p.linked(out, seen)
	}
}

// The hooks of the protocol are types of their own: the kernel finds them by type.
type (
	deduping struct{ *script }
	holding  struct{ *script }
	stamping struct{ *script }
	after    struct{ *script }
	deciding struct {
		*script
		replay *[]choice // answers to give; freely once there are none
		log    *[]choice
	}
	choice struct {
		c Choice
		v uint64
	}
)

func (deduping) Dedups() bool     { return true }
func (holding) HoldsOutput() bool { return true }
func (p after) After(in int) {
	k := (*Task)(p.k.(*kernel))
	p.note("after %d: sealed %d, open %d", in, k.outputs[0].sealed, k.openBufs)
}
func (p stamping) Stamp(out int) []byte {
	return fmt.Appendf(nil, "%d after %d", out, p.k.SealedUpTo(out))
}

func (p deciding) Recall(c Choice) (uint64, bool) {
	if len(*p.replay) == 0 {
		return 0, false
	}
	if next := (*p.replay)[0]; next.c == c {
		return next.v, true
	}
	panic(fmt.Sprintf("choice %d, recorded is %v", c, (*p.replay)[0]))
}

func (p deciding) Record(c Choice, v uint64) {
	if len(*p.replay) > 0 {
		*p.replay = (*p.replay)[1:]
	}
	*p.log = append(*p.log, choice{c, v})
}

type scripted struct{ half func() Protocol }

func (a scripted) Properties() Properties                  { return Properties{} }
func (a scripted) NewProtocol(*TaskInfo, *Config) Protocol { return a.half() }
func (a scripted) NewCoordinator(*Config) Coordinator      { panic("there is none") }

// forward passes records on, and writes down what it is told.
type forward struct {
	ctx    *Context
	seen   []string
	due    []string
	fail   string // fails on this record, and on this timer
	finish func()
	then   func(at int64, key string) // on a timer
	each   func(rec string)           // on a record
}

func (f *forward) Open(c *Context) error { f.ctx = c; return nil }

func (f *forward) Process(port int, b *Buffer) error {
	for rec, rest := NextRecord(b.Data); rec != nil; rec, rest = NextRecord(rest) {
		if f.fail != "" && string(rec) == f.fail {
			return errors.New("a bad record")
		}
		f.seen = append(f.seen, string(rec))
		f.ctx.Out(0).Emit(rec)
		if f.each != nil {
			f.each(string(rec))
		}
	}
	return nil
}

func (f *forward) Finish() error {
	if f.finish != nil {
		f.finish()
	}
	return nil
}

func (f *forward) OnProcessingTimer(at int64, key []byte) error {
	f.due = append(f.due, fmt.Sprintf("clock %d %s", at, key))
	if f.then != nil {
		f.then(at, string(key))
	}
	return nil
}

func (f *forward) OnTimer(at int64, key []byte) error {
	if f.fail != "" && string(key) == f.fail {
		return errors.New("a bad timer")
	}
	f.due = append(f.due, fmt.Sprintf("%d %s", at, key))
	if f.then != nil {
		f.then(at, string(key))
	}
	return nil
}

// letters is a source of single letters.
type letters struct {
	forward
	all  string
	next int
}

func (l *letters) Emit(_, most int) (b Batch, err error) {
	b.Watermark = NoWatermark
	for ; most > 0 && l.next < len(l.all); most-- {
		l.ctx.Out(0).Emit([]byte(l.all[l.next : l.next+1]))
		l.next++
		b.Records++
	}
	b.Done = l.next == len(l.all)
	return b, nil
}

func (l *letters) Seek(_ int, o id.Offset) error {
	if int(o) > len(l.all) {
		return fmt.Errorf("offset %d behind the end", o)
	}
	l.next = int(o)
	return nil
}

// vault is a sink with one transaction per snapshot.
type vault struct {
	forward
	rows    int
	pending []id.Epoch
}

func (v *vault) Process(_ int, b *Buffer) error { v.rows += int(b.Records); return nil }
func (v *vault) Flush() []ExtOp                 { return nil }
func (v *vault) Seal(e id.Epoch) (ExtOp, bool) {
	v.pending = append(v.pending, e)
	return ExtOp{Kind: ExtPreCommit, Txn: e, Count: v.rows}, true
}

func (v *vault) Commit(e id.Epoch) (ops []ExtOp) {
	for _, x := range v.pending {
		if x <= e {
			ops = append(ops, ExtOp{Kind: ExtCommit, Txn: x})
		}
	}
	return ops
}

func (v *vault) Committed(e id.Epoch) {
	for i, x := range v.pending {
		if x == e {
			v.pending = append(v.pending[:i], v.pending[i+1:]...)
			return
		}
	}
}

func (v *vault) Pending(dst []id.Epoch) []id.Epoch { return append(dst, v.pending...) }

func (v *vault) Recover(_ id.Attempt, pending []id.Epoch) (ExtOp, error) {
	v.pending = append(v.pending[:0], pending...)
	return ExtOp{Kind: ExtRecover, Keep: pending}, nil
}

// newRig builds a graph of sources -> middle -> sinks with the operator under
// test as the vertex called name; the others do nothing.
func newRig(t testing.TB, name string, op Operator, half func(p *script) Protocol, settings ...func(c *Config)) *rig {
	t.Helper()
	r := &rig{t: t, disk: storage.NewMemory(0)}
	ops := map[string]func() Operator{
		"source": func() Operator { return &letters{} }, "middle": newNothing, "sink": func() Operator { return &vault{} },
	}
	ops[name] = func() Operator { return op }
	g := &Graph{
		Vertices: []Vertex{
			{Name: "source", Parallelism: 2, Role: RoleSource, New: ops["source"]},
			{Name: "middle", Parallelism: 1, Keyed: true, NonDeterministic: true, New: ops["middle"]},
			{Name: "sink", Parallelism: 1, Role: RoleSink, New: ops["sink"]},
		},
		Edges: []Edge{{From: 0, To: 1, Partitioning: Hash, Key: state.HashBytes}, {From: 1, To: 2, Partitioning: Rebalance}},
	}
	c := DefaultConfig()
	c.BatchTimeout, c.SourceBatch, c.Credits, c.QueueBuffers = 0, 1, 2, 4
	for _, set := range settings {
		set(&c)
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
	r.job = Job{Name: "job", Graph: g, Backend: heap.Backend{}, Config: c, Algorithm: scripted{func() Protocol {
		r.p = &script{}
		if half != nil {
			return half(r.p)
		}
		return r.p
	}}}
	r.renew()
	return r
}

// renew makes another incarnation, in the memory of the one before, which knows
// only what storage holds.
func (r *rig) renew() {
	r.t.Helper()
	former := r.task
	*r = rig{t: r.t, job: r.job, info: r.info, disk: r.disk, ops: map[id.Ticket]state.Op{}, moves: map[id.Ticket]state.Transfer{}, exts: map[id.Ticket]ExtOp{}}
	r.sent, r.credits = make([][]*Buffer, len(r.info.Outputs)), make([]int, len(r.info.Inputs))
	task, err := NewTask(&r.job, r.info, Env{Host: r, Observer: r, Former: former})
	if err != nil {
		r.t.Fatal(err)
	}
	r.task = task
	r.p = r.protocol()
}

// protocol finds the script under whatever hook wraps it.
func (r *rig) protocol() *script {
	switch p := r.task.proto.(type) {
	case *script:
		return p
	case deduping:
		return p.script
	case holding:
		return p.script
	case stamping:
		return p.script
	case sealing:
		return p.script
	case after:
		return p.script
	case announced:
		return p.script
	case deciding:
		return p.script
	}
	r.t.Fatalf("a protocol of type %T", r.task.proto)
	return nil
}

func (r *rig) step(ev Event) { r.task.Step(&ev) }

// start begins the incarnation and connects its outputs.
func (r *rig) start(a id.Attempt, p TaskPlan) {
	r.t.Helper()
	p.Splits = splitsOf(r.info)
	r.step(Event{Kind: EvStart, Attempt: a, Plan: &p})
	r.settle()
	if r.failure == nil && len(r.ready) != 1 {
		r.t.Fatalf("ready was said %d times", len(r.ready))
	}
}

func (r *rig) connect(seen id.Seq) {
	for i := range r.info.Outputs {
		r.step(Event{Kind: EvConnected, Port: i, Seq: seen})
	}
}

// settle lets everything that is under way end well.
func (r *rig) settle() {
	for len(r.ops)+len(r.moves)+len(r.exts) > 0 {
		for k := range r.ops {
			r.store(k)
		}
		for k := range r.moves {
			r.transfer(k)
		}
		for k := range r.exts {
			r.external(k, ExtOK)
		}
	}
}

func (r *rig) store(k id.Ticket) {
	op := r.ops[k]
	delete(r.ops, k)
	r.step(Event{Kind: EvStored, Ticket: k, Result: r.disk.Do(op)})
}

func (r *rig) transfer(k id.Ticket) {
	tr := r.moves[k]
	delete(r.moves, k)
	var results []state.Result
	for {
		ops, done, err := tr.Next(results)
		if done || err != nil {
			r.step(Event{Kind: EvTransfer, Ticket: k, Err: err})
			return
		}
		results = results[:0]
		for _, op := range ops {
			results = append(results, r.disk.Do(op))
		}
	}
}

func (r *rig) external(k id.Ticket, s ExtStatus) {
	delete(r.exts, k)
	r.step(Event{Kind: EvExternal, Ticket: k, Ext: s})
}

// the returns the only operation of a map.
func the[V any](r *rig, m map[id.Ticket]V) (id.Ticket, V) {
	r.t.Helper()
	if len(m) != 1 {
		r.t.Fatalf("%d operations are under way, want 1", len(m))
	}
	for k, v := range m {
		return k, v
	}
	panic("unreachable")
}

// arrive brings records on an input at a position.
func (r *rig) arrive(in int, seq id.Seq, recs ...string) *Buffer {
	b := data(seq, NoWatermark, recs...)
	r.step(Event{Kind: EvArrive, Port: in, Buffer: b})
	return b
}

func data(seq id.Seq, wm int64, recs ...string) *Buffer {
	b := &Buffer{Seq: seq, N: int32(len(recs)), Records: int32(len(recs)), Watermark: wm}
	if wm != NoWatermark {
		b.N++
	}
	for _, rec := range recs {
		b.Data = AppendRecord(b.Data, []byte(rec))
	}
	return b
}

func (r *rig) item(in int, item Item, seq id.Seq) {
	b := &Buffer{Item: item, Seq: seq, N: 1, Watermark: NoWatermark, Shared: true}
	if item == EndStream {
		b.Seq, b.N = 0, 0
	}
	r.step(Event{Kind: EvArrive, Port: in, Buffer: b})
}

func (r *rig) barrier(in int, e id.Epoch, seq id.Seq) {
	b := &Buffer{Item: Control, Epoch: e, Seq: seq, N: 1, Watermark: NoWatermark, Shared: true}
	if seq == 0 {
		b.Over, b.N = true, 0
	}
	r.step(Event{Kind: EvArrive, Port: in, Buffer: b})
}

// turns gives turns while the task wants them.
func (r *rig) turns() (n int) {
	for r.task.Runnable() && n < 100 {
		r.step(Event{Kind: EvTurn})
		n++
	}
	return n
}

// wire renders what was sent on an output.
func (r *rig) wire(out int) string {
	var all []string
	for _, b := range r.sent[out] {
		all = append(all, render(b))
	}
	return strings.Join(all, " | ")
}

func render(b *Buffer) string {
	switch b.Item {
	case EndData:
		return fmt.Sprintf("%d end", b.Seq)
	case EndStream:
		return "gone"
	case Control:
		return "barrier " + b.Epoch.String()
	case Wave:
		return fmt.Sprintf("%d wave", b.Seq)
	case SentAgain:
		return fmt.Sprintf("%d again", b.Seq)
	case Data:
	}
	s := fmt.Sprint(b.Seq)
	for rec, rest := NextRecord(b.Data); rec != nil; rec, rest = NextRecord(rest) {
		s += " " + string(rec)
	}
	if b.Watermark != NoWatermark {
		s += fmt.Sprintf(" wm %d", b.Watermark)
	}
	return s
}

func (r *rig) want(what, got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (r *rig) fails(want string) {
	r.t.Helper()
	if r.failure == nil || !strings.Contains(r.failure.Error(), want) {
		r.t.Errorf("the task fails with %v, want an error that says %q", r.failure, want)
	}
}

// --- Host ---

func (r *rig) Send(out int, b *Buffer) { r.sent[out] = append(r.sent[out], b) }
func (r *rig) Credit(in, n int, b *Buffer) {
	r.credits[in] += n
	if b != nil {
		r.recycled = append(r.recycled, b)
	}
}
func (r *rig) Back(int, []byte)                        {}
func (r *rig) Tell(d []byte)                           { r.told = append(r.told, d) }
func (r *rig) Timer(k id.Ticket, d Nanos)              { r.alarm = k; r.note("timer %d", d) }
func (r *rig) Store(k id.Ticket, op state.Op)          { r.ops[k] = op; r.note("%s %s", op.Kind, op.Key) }
func (r *rig) Transfer(k id.Ticket, tr state.Transfer) { r.moves[k] = tr }
func (r *rig) External(k id.Ticket, op ExtOp) {
	r.exts[k] = op
	r.note("external %d %s", op.Kind, op.Txn)
}
func (r *rig) Draw(Choice, int) int                       { return 0 }
func (r *rig) Now() int64                                 { return r.clock }
func (r *rig) Random() uint64                             { return 0 }
func (r *rig) HandedOut(id.SplitID, id.Offset, id.Offset) {}
func (r *rig) Ready(at []id.Seq)                          { r.ready = append(r.ready, append([]id.Seq(nil), at...)) }
func (r *rig) Left()                                      { r.left = true }
func (r *rig) Fail(err error)                             { r.failure = err }
func (r *rig) NewBuffer() *Buffer                         { return &Buffer{} }
func (r *rig) Wants() trace.Mask                          { return trace.Everything }

func (r *rig) Observe(e *trace.Event) {
	c := *e
	c.Data = append([]byte(nil), e.Data...)
	r.events = append(r.events, c)
}

func (r *rig) note(format string, args ...any) { r.done = append(r.done, fmt.Sprintf(format, args...)) }

// saw counts events of a kind.
func (r *rig) saw(k trace.Kind) (n int) {
	for i := range r.events {
		if r.events[i].Kind == k {
			n++
		}
	}
	return n
}
