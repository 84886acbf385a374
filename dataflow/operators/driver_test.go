package operators_test

import (
	"fmt"
	"testing"

	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/state"
	"weir/state/heap"
)

// driver runs a job synchronously: one queue, no faults, no coordinator. It can
// stop the sources, snapshot every task once all queues are empty, and go on in
// new incarnations that know nothing but the snapshots.
type driver struct {
	t       testing.TB
	job     dataflow.Job
	infos   []dataflow.TaskInfo
	tasks   []*dataflow.Task
	protos  []*protocol
	ends    map[id.ChannelID]*ends
	queue   []queued
	objects map[string][]byte // checkpoint storage
	store   *external.Store
	attempt id.Attempt
	turns   int
	// failEvery makes every so many-th external operation ask to be repeated,
	// half of them after taking effect.
	failEvery, operations int
	clock                 int64 // of processing time
	free                  []*dataflow.Buffer
}

type ends struct{ sender, out, receiver, in int }

type queued struct {
	task int
	ev   dataflow.Event
}

// protocol keeps its kernel and leaves when it is told to.
type protocol struct {
	dataflow.BaseProtocol
	d      *driver
	kernel dataflow.Kernel
	stored map[id.Epoch]dataflow.Stored

	sent, controls int // barriers put before the task, and delivered to it
}

func (p *protocol) Control(int, *dataflow.Buffer) { p.controls++ }

func (p *protocol) Start(k dataflow.Kernel, _ dataflow.Start) { p.kernel = k }
func (p *protocol) Stored(e id.Epoch, s dataflow.Stored)      { p.stored[e] = s }
func (p *protocol) StoreFailed(e id.Epoch, err error)         { p.d.t.Fatalf("snapshot %s: %v", e, err) }

type algorithm struct{ d *driver }

func (a algorithm) Properties() dataflow.Properties { return dataflow.Properties{} }
func (a algorithm) NewCoordinator(*dataflow.Config) dataflow.Coordinator {
	panic("there is no coordinator here")
}

func (a algorithm) NewProtocol(info *dataflow.TaskInfo, _ *dataflow.Config) dataflow.Protocol {
	p := &protocol{d: a.d, stored: map[id.Epoch]dataflow.Stored{}}
	a.d.protos[info.ID] = p
	return p
}

func newDriver(t testing.TB, g *dataflow.Graph) *driver {
	t.Helper()
	d := &driver{t: t, objects: map[string][]byte{}, ends: map[id.ChannelID]*ends{}}
	c := dataflow.DefaultConfig()
	c.BatchTimeout, c.BatchRecords, c.SourceBatch, c.CheckState = 0, 16, 16, true
	var err error
	if d.infos, err = g.Expand(c.Groups); err != nil {
		t.Fatal(err)
	}
	if d.store, err = external.OpenStore(external.StoreConfig{}); err != nil {
		t.Fatal(err)
	}
	d.job = dataflow.Job{Name: "test", Graph: g, Algorithm: algorithm{d}, Backend: heap.Backend{}, Config: c}
	for i := range d.infos {
		for n, c := range d.infos[i].Outputs {
			d.end(c.ID).sender, d.end(c.ID).out = i, n
		}
		for n, c := range d.infos[i].Inputs {
			d.end(c.ID).receiver, d.end(c.ID).in = i, n
		}
	}
	return d
}

func (d *driver) end(c id.ChannelID) *ends {
	if d.ends[c] == nil {
		d.ends[c] = &ends{}
	}
	return d.ends[c]
}

// start begins new incarnations of all tasks from the snapshots of epoch e, 0 = none.
func (d *driver) start(e id.Epoch, stable bool) {
	d.t.Helper()
	d.startFrom(func(t *dataflow.TaskInfo, plan *dataflow.TaskPlan) {
		if e != 0 {
			plan.Ref = dataflow.SnapshotKey(t.ID, e)
			if stable {
				plan.Stable = e
			}
		}
	})
}

// startFrom begins new incarnations of all tasks from what from puts into their plans.
func (d *driver) startFrom(from func(t *dataflow.TaskInfo, plan *dataflow.TaskPlan)) {
	d.t.Helper()
	d.attempt++
	d.queue = d.queue[:0]
	d.tasks = make([]*dataflow.Task, len(d.infos))
	d.protos = make([]*protocol, len(d.infos))
	for i := range d.infos {
		task, err := dataflow.NewTask(&d.job, &d.infos[i], dataflow.Env{Host: &host{d, i}})
		if err != nil {
			d.t.Fatal(err)
		}
		d.tasks[i] = task
		plan := &dataflow.TaskPlan{}
		for s := d.infos[i].Index; s < d.infos[i].Splits; s += d.infos[i].Parallelism {
			plan.Splits = append(plan.Splits, s)
		}
		from(&d.infos[i], plan)
		d.push(i, dataflow.Event{Kind: dataflow.EvStart, Attempt: d.attempt, Plan: plan})
	}
	d.settle(false)
	for i := range d.infos {
		for n := range d.infos[i].Outputs {
			d.push(i, dataflow.Event{Kind: dataflow.EvConnected, Port: n})
		}
	}
}

func (d *driver) push(task int, ev dataflow.Event) { d.queue = append(d.queue, queued{task, ev}) }

// settle handles what is queued and, with turns, lets tasks work until nobody can.
func (d *driver) settle(turns bool) {
	for worked := true; worked; {
		for at := 0; at < len(d.queue); at++ {
			d.tasks[d.queue[at].task].Step(&d.queue[at].ev)
		}
		d.queue = d.queue[:0]
		worked = false
		for _, t := range d.tasks {
			if turns && t.Runnable() {
				d.turns++
				t.Step(&dataflow.Event{Kind: dataflow.EvTurn})
				worked = true
			}
		}
	}
}

// runTo lets every source emit up to offset o and everything downstream follow.
func (d *driver) runTo(o id.Offset) {
	d.settle(false)
	for i := range d.infos {
		if d.infos[i].Role == dataflow.RoleSource {
			d.protos[i].kernel.Limit(o)
		}
	}
	d.settle(true)
}

// snapshot takes and stores snapshot e of every task.
func (d *driver) snapshot(e id.Epoch) {
	d.t.Helper()
	for i := range d.tasks {
		d.protos[i].kernel.Begin(e, 0).Seal()
	}
	d.settle(false)
	for i, p := range d.protos {
		if _, ok := p.stored[e]; !ok {
			d.t.Fatalf("%s[%d]: snapshot %s is not stored", d.infos[i].Name, d.infos[i].Index, e)
		}
	}
}

// finish runs the job to its end, commits everything and returns the rows.
func (d *driver) finish() [][]byte {
	d.t.Helper()
	d.runTo(^id.Offset(0))
	for i, p := range d.protos {
		if !p.kernel.IsDrained() {
			d.t.Fatalf("%s[%d] has not drained", d.infos[i].Name, d.infos[i].Index)
		}
	}
	e := id.MakeEpoch(d.attempt, 1000)
	d.snapshot(e)
	d.commit(e)
	return d.rows()
}

func (d *driver) commit(e id.Epoch) {
	for _, p := range d.protos {
		p.kernel.Commit(e)
	}
	d.settle(false)
}

func (d *driver) rows() [][]byte {
	d.t.Helper()
	var rows [][]byte
	if err := d.store.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		d.t.Fatal(err)
	}
	return rows
}

// host is one task's view of the driver.
type host struct {
	d    *driver
	task int
}

func (h *host) Send(out int, b *dataflow.Buffer) {
	e := h.d.ends[h.d.infos[h.task].Outputs[out].ID]
	h.d.push(e.receiver, dataflow.Event{Kind: dataflow.EvArrive, Port: e.in, Buffer: b})
}

func (h *host) Credit(in, n int, b *dataflow.Buffer) {
	e := h.d.ends[h.d.infos[h.task].Inputs[in].ID]
	h.d.push(e.sender, dataflow.Event{Kind: dataflow.EvCredit, Port: e.out, N: n})
	if b != nil {
		h.d.free = append(h.d.free, b)
	}
}

func (h *host) Back(int, []byte) {}
func (h *host) Tell([]byte)      {}

// Timer lets time pass at once.
func (h *host) Timer(k id.Ticket, d dataflow.Nanos) {
	h.d.clock += int64(d)
	h.d.push(h.task, dataflow.Event{Kind: dataflow.EvTimer, Ticket: k})
}

func (h *host) Store(k id.Ticket, op state.Op) {
	h.d.push(h.task, dataflow.Event{Kind: dataflow.EvStored, Ticket: k, Result: h.d.storage(op)})
}

func (d *driver) storage(op state.Op) state.Result {
	switch op.Kind {
	case state.OpPut:
		d.objects[op.Key] = op.Data
		return state.Result{Status: state.OK}
	case state.OpGet:
		data, ok := d.objects[op.Key]
		if !ok {
			return state.Result{Status: state.NotFound}
		}
		return state.Result{Status: state.OK, Data: data}
	default:
		panic(fmt.Sprintf("storage operation %s", op.Kind))
	}
}

func (h *host) Transfer(k id.Ticket, tr state.Transfer) {
	var results []state.Result
	for {
		ops, done, err := tr.Next(results)
		if done || err != nil {
			h.d.push(h.task, dataflow.Event{Kind: dataflow.EvTransfer, Ticket: k, Err: err})
			return
		}
		results = results[:0]
		for _, op := range ops {
			results = append(results, h.d.storage(op))
		}
	}
}

func (h *host) External(k id.Ticket, op dataflow.ExtOp) {
	d := h.d
	d.operations++
	status := dataflow.ExtFailed
	if d.failEvery == 0 || d.operations%d.failEvery != 0 {
		status = d.store.Do(op)
	} else if d.operations%(2*d.failEvery) == 0 {
		d.store.Do(op)
	}
	d.push(h.task, dataflow.Event{Kind: dataflow.EvExternal, Ticket: k, Ext: status})
}

func (h *host) Draw(dataflow.Choice, int) int              { return 0 }
func (h *host) Now() int64                                 { return h.d.clock }
func (h *host) Random() uint64                             { return 0 }
func (h *host) HandedOut(id.SplitID, id.Offset, id.Offset) {}
func (h *host) Ready([]id.Seq)                             {}
func (h *host) Left()                                      {}
func (h *host) Fail(err error)                             { h.d.t.Fatal(err) }

func (h *host) NewBuffer() *dataflow.Buffer {
	d := h.d
	if n := len(d.free); n > 0 {
		b := d.free[n-1]
		d.free = d.free[:n-1]
		*b = dataflow.Buffer{Data: b.Data[:0]}
		return b
	}
	return &dataflow.Buffer{Data: make([]byte, 0, d.job.Config.BatchBytes)}
}
