package live

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

type reportKind uint8

const (
	repTell   reportKind = iota + 1 // runner, data
	repReady                        // runner, attempt, delivered
	repLeft                         // runner
	repFailed                       // runner, err
	repStored                       // ticket, result: of the coordinator's operation
	repKill                         // tasks, answer
	repStop                         // a clean stop is asked for
	repCancel                       // err: end at once
)

// report is one entry of the control loop's inbox.
type report struct {
	kind      reportKind
	runner    *runner
	attempt   id.Attempt
	delivered []id.Seq
	data      []byte
	err       error
	ticket    id.Ticket
	result    state.Result
	tasks     []id.TaskID
	worker    int // repKill: the worker that crashes, -1: only the tasks
	answer    chan error
}

// place is what the control loop knows of a task.
type place struct {
	runner    *runner // newest incarnation, nil before the first
	alive     bool
	ready     bool     // has carried out its part of the newest plan
	delivered []id.Seq // as it said then
}

// channel is both ends of a channel of the job.
type channel struct {
	from, to id.TaskID
	out, in  int
	link     *link // nil: not connected
}

// control is the control loop: the coordinator, the table of incarnations and
// their connections. Its goroutine owns all of it.
type control struct {
	j        *Job
	coord    dataflow.Coordinator
	alarm    *alarm
	places   []place
	channels []channel
	ins      [][]int // channels by receiving task and input
	outs     [][]int
	plan     id.Attempt
	links    uint64
	tickets  id.Ticket
	spare    []report
	event    trace.Event
	stopping bool
	ended    bool
	err      error // of the job
	failures []Failure
	plans    int
	down     []int // workers that have crashed since the last plan
}

func newControl(j *Job) *control {
	c := &control{j: j, places: make([]place, len(j.info)), ins: make([][]int, len(j.info)), outs: make([][]int, len(j.info))}
	for i := range j.info {
		t := &j.info[i]
		c.ins[i], c.outs[i] = make([]int, len(t.Inputs)), make([]int, len(t.Outputs))
		for k := range t.Outputs {
			ch := c.at(t.Outputs[k].ID)
			ch.from, ch.out = t.ID, k
			c.outs[i][k] = int(t.Outputs[k].ID)
		}
		for k := range t.Inputs {
			ch := c.at(t.Inputs[k].ID)
			ch.to, ch.in = t.ID, k
			c.ins[i][k] = int(t.Inputs[k].ID)
		}
	}
	return c
}

func (c *control) at(n id.ChannelID) *channel {
	for len(c.channels) <= int(n) {
		c.channels = append(c.channels, channel{})
	}
	return &c.channels[n]
}

// run is the goroutine of the control loop.
func (c *control) run() {
	c.alarm = newAlarm(&c.j.clock)
	defer c.alarm.bell.close()
	c.guard(func() {
		c.coord = c.j.cfg.Job.Algorithm.NewCoordinator(&c.j.cfg.Job.Config)
		c.observe(trace.CoordinatorStarted, trace.Coordinator, 0, 0, "")
		c.coord.Start((*coordHost)(c), &dataflow.JobInfo{Name: c.j.cfg.Job.Name, Tasks: c.j.info, Config: &c.j.cfg.Job.Config, Nonce: c.j.nonce})
		c.loop()
	})
	c.shutDown()
}

// guard turns a panic of the coordinator into the end of the job.
func (c *control) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			c.end(&PanicError{Where: "the coordinator", Value: v, Stack: debug.Stack()})
		}
	}()
	f()
}

func (c *control) loop() {
	for !c.ended {
		batch := c.j.control.take(c.spare)
		for i := range batch {
			if c.ended {
				c.refuse(&batch[i])
			} else {
				c.handle(&batch[i])
			}
		}
		clear(batch)
		c.spare = batch
		now := c.j.clock.now()
		for !c.ended {
			d, ok := c.alarm.pop(now)
			if !ok {
				break
			}
			if d.event != nil {
				c.coord.Done(d.event.Ticket, d.event.Result)
			} else {
				c.coord.Timer(d.ticket)
			}
		}
		if !c.ended && !c.j.control.waiting() {
			c.j.control.sleep(c.alarm, c.alarm.next())
		}
	}
}

// current reports whether r is the incarnation that counts.
func (c *control) current(r *runner) bool {
	p := &c.places[r.info.ID]
	return p.runner == r && p.alive
}

func (c *control) handle(m *report) {
	if m.runner != nil && !c.current(m.runner) {
		return
	}
	switch m.kind {
	case repTell:
		c.coord.Message(m.runner.info.ID, m.data)
	case repReady:
		c.becameReady(m)
	case repLeft:
		c.coord.Left(m.runner.info.ID)
	case repFailed:
		c.failed(m.runner, m.err)
	case repStored:
		if m.result.Status == state.Failed {
			c.alarm.after(c.j.retryPause, 0, &dataflow.Event{Ticket: m.ticket, Result: m.result})
			return
		}
		c.coord.Done(m.ticket, m.result)
	case repKill:
		m.answer <- c.kill(m)
	case repStop:
		c.stop()
	case repCancel:
		c.end(m.err)
	}
}

// refuse answers what nobody will carry out any more.
func (c *control) refuse(m *report) {
	if m.answer != nil {
		m.answer <- errEnded
	}
}

var errEnded = errors.New("live: the job has ended")

// failed handles a task that cannot go on.
func (c *control) failed(r *runner, err error) {
	c.failures = append(c.failures, Failure{Task: r.info.ID, Attempt: r.attempt, Err: err})
	if p := (*PanicError)(nil); errors.As(err, &p) { // other failures the task itself has observed
		c.send(trace.Event{Kind: trace.TaskFailed, Task: r.info.ID, Attempt: r.attempt, Cause: trace.Panic, Text: p.Error()})
	}
	c.isolate(r.info.ID)
	c.coord.Failed([]id.TaskID{r.info.ID}, err)
}

// kill drops incarnations abruptly.
func (c *control) kill(m *report) error {
	var dead []id.TaskID
	for _, t := range m.tasks {
		if c.places[t].alive {
			dead = append(dead, t)
		}
	}
	if len(dead) == 0 {
		return errors.New("live: nothing to kill: no incarnation of it runs at the moment")
	}
	for _, t := range dead {
		c.failures = append(c.failures, Failure{Task: t, Attempt: c.places[t].runner.attempt})
	}
	for _, t := range dead {
		c.isolate(t)
	}
	if m.worker >= 0 {
		c.down = append(c.down, m.worker)
		c.send(trace.Event{Kind: trace.WorkerCrashed, Task: trace.Coordinator, Worker: int32(m.worker), Text: strconv.Itoa(m.worker)})
	} else {
		c.observe(trace.FaultInjected, trace.Coordinator, 0, 0, fmt.Sprintf("kill %v", dead))
	}
	c.coord.Failed(dead, nil)
	return nil
}

// isolate ends an incarnation and cuts the survivors off from it.
func (c *control) isolate(t id.TaskID) {
	p := &c.places[t]
	p.alive, p.ready = false, false
	p.runner.halt()
	for _, n := range c.ins[t] {
		c.cut(&c.channels[n], t)
	}
	for _, n := range c.outs[t] {
		c.cut(&c.channels[n], t)
	}
}

// cut ends the connection of a channel whose end at dead is no more.
func (c *control) cut(ch *channel, dead id.TaskID) {
	ch.link = nil
	if ch.from != dead && c.places[ch.from].alive {
		c.tell(ch.from, &dataflow.Event{Kind: dataflow.EvCutOutput, Port: ch.out})
	}
	if ch.to != dead && c.places[ch.to].alive {
		c.tell(ch.to, &dataflow.Event{Kind: dataflow.EvCutInput, Port: ch.in})
	}
}

func (c *control) tell(t id.TaskID, ev *dataflow.Event) {
	c.places[t].runner.inbox.post(message{kind: msgEvent, event: ev})
}

// execute carries a plan out.
func (c *control) execute(p *dataflow.Plan) {
	if p.Number <= c.plan {
		return
	}
	c.plan = p.Number
	c.plans++
	for _, w := range c.down {
		c.send(trace.Event{Kind: trace.WorkerRestarted, Task: trace.Coordinator, Worker: int32(w), Text: strconv.Itoa(w)})
	}
	c.down = c.down[:0]
	for i := range p.Tasks {
		if p.Tasks[i].Mode == dataflow.Restart && c.places[i].alive {
			c.isolate(id.TaskID(i))
		}
		c.places[i].ready = false
	}
	for i := range p.Tasks {
		part := p.Tasks[i]
		if part.Mode == dataflow.Restart {
			c.restart(&c.j.info[i], &part)
		} else if c.places[i].alive {
			c.tell(id.TaskID(i), &dataflow.Event{Kind: dataflow.EvKeep, Plan: &part, Attempt: p.Number})
		}
	}
}

// restart begins a new incarnation.
func (c *control) restart(info *dataflow.TaskInfo, part *dataflow.TaskPlan) {
	r := newRunner(c.j, info, c.plan)
	c.places[info.ID] = place{runner: r, alive: true}
	ev := &dataflow.Event{Kind: dataflow.EvStart, Plan: part, Attempt: c.plan}
	if info.Role == dataflow.RoleSource {
		o, err := c.j.handedOut(info.ID)
		if err != nil {
			c.end(err)
		}
		ev.Offset = o
	}
	c.tell(info.ID, ev)
	c.j.running.Add(1)
	go r.run()
}

// becameReady connects what can be connected now.
func (c *control) becameReady(m *report) {
	if m.attempt != c.plan {
		return // it is about to hear of a newer plan
	}
	t := m.runner.info.ID
	c.places[t].ready, c.places[t].delivered = true, m.delivered
	for _, n := range c.outs[t] {
		c.connect(&c.channels[n])
	}
	for _, n := range c.ins[t] {
		c.connect(&c.channels[n])
	}
	c.coord.Ready(t, c.plan)
}

// connect begins a connection when both ends are ready and have none.
func (c *control) connect(ch *channel) {
	from, to := &c.places[ch.from], &c.places[ch.to]
	if ch.link != nil || !from.ready || !to.ready {
		return
	}
	c.links++
	info := &from.runner.info.Outputs[ch.out]
	l := &link{number: c.links, channel: info.ID, sender: from.runner, receiver: to.runner, out: ch.out, in: ch.in}
	ch.link = l
	to.runner.inbox.post(message{kind: msgAccept, link: l})
	from.runner.inbox.post(message{kind: msgConnect, link: l, event: &dataflow.Event{Kind: dataflow.EvConnected, Port: ch.out, Seq: to.delivered[ch.in]}})
}

// stop asks the coordinator for a last checkpoint; without one the job ends now.
func (c *control) stop() {
	if c.stopping {
		return
	}
	c.stopping = true
	if s, ok := c.coord.(Stopper); ok {
		s.Stop()
		return
	}
	c.end(nil)
}

// end ends the job; the first call counts.
func (c *control) end(err error) {
	if !c.ended {
		c.ended, c.err = true, err
	}
}

func (c *control) observe(k trace.Kind, t id.TaskID, a id.Attempt, e id.Epoch, text string) {
	if c.j.observers.wants.Has(k) {
		c.send(trace.Event{Kind: k, Task: t, Attempt: a, Epoch: e, Text: text})
	}
}

// send reports an event of no channel.
func (c *control) send(e trace.Event) {
	if c.j.observers.wants.Has(e.Kind) {
		c.event = e
		c.event.Time, c.event.Channel = c.j.clock.now(), trace.NoChannel
		c.j.observers.observe(&c.event)
	}
}

// coordHost is the control loop as the coordinator sees it.
type coordHost control

func (h *coordHost) control() *control { return (*control)(h) }

// Tell implements dataflow.CoordHost.
func (h *coordHost) Tell(to id.TaskID, data []byte) {
	if h.places[to].alive {
		h.control().tell(to, &dataflow.Event{Kind: dataflow.EvMessage, Data: bytes.Clone(data)})
	}
}

// After implements dataflow.CoordHost.
func (h *coordHost) After(d dataflow.Nanos) id.Ticket {
	h.tickets++
	h.alarm.after(d, h.tickets, nil)
	return h.tickets
}

// Store implements dataflow.CoordHost.
func (h *coordHost) Store(op state.Op) id.Ticket {
	h.tickets++
	j, t := h.j, h.tickets
	j.storage.submit(func() {
		j.control.post(report{kind: repStored, ticket: t, result: j.do(op, trace.Coordinator, 0)})
	})
	return t
}

// Execute implements dataflow.CoordHost.
func (h *coordHost) Execute(p *dataflow.Plan) { h.control().execute(p) }

// JobDone implements dataflow.CoordHost.
func (h *coordHost) JobDone() { h.control().end(nil) }

// JobFailed implements dataflow.CoordHost.
func (h *coordHost) JobFailed(err error) { h.control().end(err) }

// Draw implements dataflow.CoordHost.
func (h *coordHost) Draw(int) int { return 0 }

// Observe implements dataflow.CoordHost.
func (h *coordHost) Observe(k trace.Kind, t id.TaskID, a id.Attempt, e id.Epoch, text string) {
	h.control().observe(k, t, a, e, text)
}
