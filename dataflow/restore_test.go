package dataflow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
)

// TestRestore: positions, watermarks, timers, lists, captured buffers and the
// algorithm's section come back from storage alone, in the order of the contract.
func TestRestore(t *testing.T) {
	op := &forward{}
	r := newRig(t, "middle", op, nil)
	r.start(1, TaskPlan{})
	list := op.ctx.List("notes", state.Split)
	list.Items = append(list.Items, []byte("x"))
	op.ctx.Timer(9, []byte("k"))
	r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(1, 4, "a")})
	r.step(Event{Kind: EvArrive, Port: 1, Buffer: data(1, 3, "b")})
	r.turns() // not connected: the output keeps what it has
	r.arrive(0, 3, "c")
	d := r.p.k.Begin(e1, 0)
	d.Outputs()
	d.Queued(0)
	d.Record(1)
	r.arrive(1, 3, "d")
	r.barrier(1, e1, 0)
	d.Save([]byte("mine"))
	d.Seal()
	r.settle()
	want := fmt.Sprint(renderAll(r.stored("snap/t2/1.1").Out))

	op2 := &forward{}
	r.job.Graph.Vertices[1].New = func() Operator { return op2 }
	r.renew()
	var atStart string
	r.p.begun = func() {
		atStart = fmt.Sprintf("%s %q, %d and %d queued", r.p.s.Epoch, r.p.s.Saved, r.task.inputs[0].q.len(), r.task.inputs[1].q.len())
	}
	r.start(2, TaskPlan{Ref: "snap/t2/1.1", Stable: e1})
	r.want("at the protocol's start", atStart, `1.1 "mine", 1 and 1 queued`)
	r.want("ready with", fmt.Sprint(r.ready), "[[3 3]]")
	if op2.ctx.Watermark() != 3 || r.task.timers.Len() != 1 {
		t.Errorf("watermark %d and %d timers, want 3 and 1", op2.ctx.Watermark(), r.task.timers.Len())
	}
	if l := op2.ctx.List("notes", state.Split); len(l.Items) != 1 || string(l.Items[0]) != "x" {
		t.Errorf("the list holds %q", l.Items)
	}
	if at := r.task.kernel().SealedUpTo(0); at != 3 {
		t.Errorf("sealed up to %d, want 3", at)
	}
	r.connect(0)
	r.want("captured output, sent first", fmt.Sprint("[", r.wire(0), "]"), strings.ReplaceAll(fmt.Sprint("[", strings.Trim(want, "[]"), "]"), ", ", " | "))
	r.step(Event{Kind: EvCredit, N: 5})
	r.turns()
	r.want("captured input, handled", fmt.Sprint(op2.seen), "[d c]")
	if r.credits[0]+r.credits[1] != 0 {
		t.Error("an injected buffer has returned a credit that nobody gave")
	}
	r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(4, 20)})
	r.step(Event{Kind: EvArrive, Port: 1, Buffer: data(4, 20)})
	r.turns()
	r.want("timers", fmt.Sprint(op2.due), "[9 k]")
	r.want("sent", r.wire(0), "1 b | 2 a wm 3 | 4 d | 5 c | 6 wm 4 | 7 wm 20")
}

func renderAll(cs []CapturedBuffer) string {
	var all []string
	for _, c := range cs {
		all = append(all, render(c.Buffer))
	}
	return strings.Join(all, ", ")
}

// snapshotOf stores snapshot 1.1 of a fresh task.
func (r *rig) snapshotOf(prepare func()) {
	r.start(1, TaskPlan{})
	if prepare != nil {
		prepare()
	}
	d := r.p.k.Begin(e1, 0)
	d.Outputs()
	d.Seal()
	r.settle()
}

// narrower is the task in a graph in which it has one input.
func narrower(info *TaskInfo) *TaskInfo {
	n := *info
	n.Inputs = n.Inputs[:1]
	return &n
}

func TestRestoreRefuses(t *testing.T) {
	key := "snap/t2/1.1"
	for _, c := range []struct {
		name  string
		spoil func(r *rig)
		want  string
		is    error
	}{
		{"another job", func(r *rig) { r.job.Name = "other" }, `the snapshot belongs to job "job", this is job "other": give each job a storage directory of its own`, state.ErrIncompatible},
		{"another vertex", func(r *rig) { r.info.Name = "filter" }, "the snapshot belongs to middle[0], this is filter[0]: the graph has changed", state.ErrIncompatible},
		{"another instance", func(r *rig) { r.info.Index = 1 }, "the snapshot belongs to middle[0], this is middle[1]: the graph has changed", state.ErrIncompatible},
		{"another graph", func(r *rig) { r.info = narrower(r.info) }, "the snapshot has 2 inputs and 1 outputs, the task 1 and 1: the graph has changed", state.ErrIncompatible},
		{"another version", func(r *rig) { r.object(key)[8] = 1 }, "snapshot of format version 1, this program reads 6 and 7", state.ErrIncompatible},
		{"no snapshot", func(r *rig) { r.object(key)[0] = 'X' }, "this is no snapshot object of weir", state.ErrCorrupt},
		{"cut short", func(r *rig) { r.put(key, r.object(key)[:40]) }, "snapshot object: corrupt", state.ErrCorrupt},
		{"gone", func(r *rig) { r.disk.Do(state.Op{Kind: state.OpDelete, Key: key}) }, `storage: get "snap/t2/1.1": not found`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, "middle", &forward{}, nil)
			r.snapshotOf(nil)
			r.put(key, append([]byte(nil), r.object(key)...))
			r.job.Graph.Vertices[1].New = newNothing
			data := r.object(key)
			c.spoil(r)
			if c.is != nil && r.disk.Do(state.Op{Kind: state.OpGet, Key: key}).Status == state.Corrupt {
				r.put(key, data) // with the checksum of what it is now
			}
			r.renew()
			r.start(2, TaskPlan{Ref: Ref(key)})
			r.fails(c.want)
			if c.is != nil && !errors.Is(r.failure, c.is) {
				t.Errorf("%v does not say that restoring again is of no use", r.failure)
			}
			var op *state.OpError
			if c.is == nil && !errors.As(r.failure, &op) {
				t.Errorf("%v is no storage error", r.failure)
			}
			if len(r.ready) > 0 || r.task.Runnable() {
				t.Error("the task goes on without its state")
			}
		})
	}
}

func (r *rig) object(key string) []byte { return r.disk.Do(state.Op{Kind: state.OpGet, Key: key}).Data }

func (r *rig) put(key string, data []byte) {
	r.disk.Do(state.Op{Kind: state.OpPut, Key: key, Data: data})
}

// TestRestoreOfASourceWhoseInputShrank: the offset is behind the end.
func TestRestoreOfASourceWhoseInputShrank(t *testing.T) {
	r := newRig(t, "source", &letters{all: "abc"}, nil)
	r.snapshotOf(func() { r.turns() })
	r.job.Graph.Vertices[0].New = func() Operator { return &letters{all: "a"} }
	r.renew()
	r.start(2, TaskPlan{Ref: "snap/t0/1.1"})
	r.fails("offset 3 behind the end")
	if !errors.Is(r.failure, state.ErrIncompatible) {
		t.Error("restoring again is of no use, and the error does not say so")
	}
}

// TestSourceOffsets: a snapshot's offset, or that of the source log, or 0.
func TestSourceOffsets(t *testing.T) {
	r := newRig(t, "source", &letters{all: "abcdef"}, nil)
	r.snapshotOf(func() {
		r.step(Event{Kind: EvTurn, N: 1})
		r.step(Event{Kind: EvTurn, N: 1})
	})
	for _, c := range []struct {
		plan TaskPlan
		want id.Offset
	}{{TaskPlan{Ref: "snap/t0/1.1"}, 2}, {TaskPlan{Resume: true}, 5}, {TaskPlan{}, 0}} {
		r.job.Graph.Vertices[0].New = func() Operator { return &letters{all: "abcdef"} }
		r.renew()
		c.plan.Splits = []int{0}
		r.step(Event{Kind: EvStart, Attempt: 2, Plan: &c.plan, Offsets: []id.Offset{5}})
		r.settle()
		if at := r.task.Offset(); at != c.want {
			t.Errorf("%+v: offset %d, want %d", c.plan, at, c.want)
		}
	}
	// A limit stops the source, and is told when it was reached already.
	if r.p.k.Limit(2) {
		t.Error("offset 0 counts as behind 2")
	}
	if n := r.turns(); n != 2 || r.task.Offset() != 2 {
		t.Errorf("%d turns to offset %d, want 2 to 2", n, r.task.Offset())
	}
	if !r.p.k.Limit(1) {
		t.Error("offset 2 counts as before 1")
	}
}

// TestLogRanges: what a plan injects follows what is there, also in a kept task.
func TestLogRanges(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	entries := func(bs ...*Buffer) (out []byte) {
		for _, b := range bs {
			out = state.AppendEntry(out, b.Seq, uint32(b.N), EncodeBuffer(nil, b))
		}
		return out
	}
	r.disk.Do(state.Op{Kind: state.OpAppend, Key: "log/c0", Attempt: 1, To: 4, Data: entries(data(1, NoWatermark, "a"), data(2, 7, "b"), data(4, NoWatermark, "c"))})
	r.start(2, TaskPlan{Inject: []LogRange{{In: 0, Log: "log/c0", To: 3}}})
	r.want("ready with", fmt.Sprint(r.ready), "[[3 0]]")
	if n := r.turns(); n != 2 {
		t.Errorf("%d turns, want 2", n)
	}
	r.step(Event{Kind: EvKeep, Attempt: 3, Plan: &TaskPlan{Mode: Keep, Inject: []LogRange{{In: 0, Log: "log/c0", From: 3, To: 4}}}})
	r.settle()
	r.want("ready with", fmt.Sprint(r.ready), "[[3 0] [4 0]]")
	r.want("protocol", strings.Join(r.p.log, ", "), "thawed")
	r.arrive(0, 5, "d")
	if n := r.turns(); n != 2 || r.failure != nil {
		t.Errorf("%d turns, %v", n, r.failure)
	}

	r.renew()
	r.start(4, TaskPlan{Inject: []LogRange{{In: 0, Log: "log/c0", From: 3, To: 4}}}) // positions 1 to 3 are missing
	r.fails("restored item 4 does not follow 0")

	r.renew()
	r.start(5, TaskPlan{Inject: []LogRange{{In: 0, Log: "log/c0", To: 9}}})
	r.fails(`read log "log/c0": not found`)
}

// TestKeptAgainWhileLogsAreRead: a second plan replaces the first, whose answers
// come for nothing.
func TestKeptAgainWhileLogsAreRead(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	for i, b := range []*Buffer{data(1, NoWatermark, "a"), data(1, NoWatermark, "b", "c")} {
		entry := state.AppendEntry(nil, b.Seq, uint32(b.N), EncodeBuffer(nil, b))
		r.disk.Do(state.Op{Kind: state.OpAppend, Key: fmt.Sprintf("log/c%d", i), Attempt: 1, To: b.Last(), Data: entry})
	}
	r.start(1, TaskPlan{})
	both := func(first, second int) []LogRange {
		return []LogRange{{In: first, Log: fmt.Sprintf("log/c%d", first), To: id.Seq(first + 1)}, {In: second, Log: fmt.Sprintf("log/c%d", second), To: id.Seq(second + 1)}}
	}
	r.step(Event{Kind: EvKeep, Attempt: 2, Plan: &TaskPlan{Mode: Keep, Inject: append(both(0, 1), LogRange{In: 0, Log: "log/c9", To: 9})}})
	r.step(Event{Kind: EvKeep, Attempt: 3, Plan: &TaskPlan{Mode: Keep, Inject: both(1, 0)}})
	r.settle()
	if r.failure != nil {
		t.Fatal(r.failure)
	}
	r.want("ready with", fmt.Sprint(r.ready), "[[0 0] [1 2]]")
	r.want("protocol", strings.Join(r.p.log, ", "), "thawed")
	if n := r.turns(); n != 2 || fmt.Sprint(r.task.inputs[0].q.len(), r.task.inputs[1].q.len()) != "0 0" {
		t.Errorf("%d turns", n)
	}
	if r.credits[0]+r.credits[1] != 0 {
		t.Error("an injected buffer has returned a credit that nobody gave")
	}
}

// TestRestoredAsLeft: state only; captured buffers are dropped, the stream ends.
func TestRestoredAsLeft(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	r.snapshotOf(func() {
		r.arrive(0, 1, "a")
		r.item(0, EndData, 2)
		r.item(1, EndData, 1)
		r.turns()
	})
	if s := r.stored("snap/t2/1.1"); len(s.Out) != 2 || !s.Drained {
		t.Fatalf("captured %s, drained %v", renderAll(s.Out), s.Drained)
	}
	r.job.Graph.Vertices[1].New = newNothing
	r.renew()
	r.start(2, TaskPlan{Ref: "snap/t2/1.1", Left: true, Stable: e1})
	r.connect(2)
	r.want("sent", r.wire(0), "gone")
	if r.p.k != nil || r.left {
		t.Error("the protocol of a task that had left is started, or its leaving reported again")
	}
	r.renew()
	r.start(3, TaskPlan{Ref: "snap/t2/1.1", Stable: e1})
	r.connect(0)
	r.want("sent by a task that has not", r.wire(0), "1 a | 2 end")
}

// TestEndBetweenDataAndFinish: a snapshot taken as the last input ends, before
// Finish has run, goes on to Finish when restored.
func TestEndBetweenDataAndFinish(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	r.start(1, TaskPlan{})
	r.p.ended = func(in int, _ bool) {
		if in == 1 {
			r.p.k.Begin(e1, 0).Seal()
		}
	}
	r.item(0, EndData, 1)
	r.item(1, EndData, 1)
	for r.task.Runnable() {
		r.task.lastIn = 1 // input 0 first
		r.step(Event{Kind: EvTurn})
	}
	r.settle()
	finished := 0
	r.job.Graph.Vertices[1].New = func() Operator { return &forward{finish: func() { finished++ }} }
	r.renew()
	r.start(2, TaskPlan{Ref: "snap/t2/1.1"})
	if finished != 1 || !r.p.k.IsDrained() {
		t.Errorf("Finish ran %d times after the restore, want once", finished)
	}
	r.connect(0)
	r.want("sent", r.wire(0), "1 end")
}

// TestUnknownOutcomesOfARestoreAreRepeated: get, log and recovery of the sink.
func TestUnknownOutcomesOfARestoreAreRepeated(t *testing.T) {
	r := newRig(t, "sink", &vault{}, nil)
	r.snapshotOf(nil)
	r.job.Graph.Vertices[2].New = func() Operator { return &vault{} }
	r.renew()
	r.step(Event{Kind: EvStart, Attempt: 2, Plan: &TaskPlan{Ref: "snap/t3/1.1", Stable: e1}})
	for range 2 {
		k, _ := the(r, r.ops)
		delete(r.ops, k)
		r.step(Event{Kind: EvStored, Ticket: k, Result: state.Result{Status: state.Failed}})
	}
	k, _ := the(r, r.ops)
	r.store(k)
	k, _ = the(r, r.moves)
	r.transfer(k)
	for range 2 {
		k, op := the(r, r.exts)
		if op.Kind != ExtRecover || len(op.Keep) != 1 || op.Keep[0] != e1 || op.Attempt != 2 {
			t.Fatalf("the operation is %+v, want the recovery that keeps 1.1", op)
		}
		r.external(k, ExtFailed)
	}
	if len(r.ready) > 0 {
		t.Error("ready before the sink is recovered")
	}
	k, _ = the(r, r.exts)
	r.external(k, ExtOK)
	if _, op := the(r, r.exts); op.Kind != ExtCommit || op.Txn != e1 {
		t.Errorf("the operation is %+v, want the commit of what is stable", op)
	}
	if len(r.ready) != 1 {
		t.Error("not ready after the recovery")
	}
}
