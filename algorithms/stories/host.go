package stories

import (
	"errors"
	"strings"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// This file is what a driver does for one task.

// Send puts b on the wire.
func (t *task) Send(out int, b *dataflow.Buffer) {
	c := t.s.channels[t.info.Outputs[out].ID]
	c.wire = append(c.wire, b)
}

// Credit returns credits over the connection. Buffers are never recycled, so
// that a transcript shows what somebody kept too long.
func (t *task) Credit(in, n int, _ *dataflow.Buffer) {
	c, r := t.s.channels[t.info.Inputs[in].ID], &t.s.roster
	number := r.Connection(c.id)
	t.s.soon = append(t.s.soon, func() {
		if r.Up(c.id) && r.Connection(c.id) == number && c.from.run != nil {
			c.from.run.Step(&dataflow.Event{Kind: dataflow.EvCredit, Port: c.out, N: n})
		}
	})
}

// Back is not needed by the algorithms told here.
func (t *task) Back(int, []byte) { panic("a reply: no story needs one yet") }

// Tell queues a message to the coordinator.
func (t *task) Tell(data []byte) { t.report(said, data) }

func (t *task) report(kind messageKind, data []byte) {
	t.outbox = append(t.outbox, &message{
		task: t, toCoord: true, kind: kind, attempt: t.s.roster.Plan(), data: data,
	})
}

// Timer sets a timer.
func (t *task) Timer(k id.Ticket, d dataflow.Nanos) {
	t.s.timers = append(t.s.timers, &timer{task: t, inc: t.inc(), at: t.s.now + int64(d), d: d, t: k})
}

// Store queues a storage operation.
func (t *task) Store(k id.Ticket, op state.Op) {
	t.s.issue(&effect{task: t, inc: t.inc(), attempt: t.attempt(), ticket: k, op: op})
}

// Transfer queues asynchronous work as one operation.
func (t *task) Transfer(k id.Ticket, tr state.Transfer) {
	t.s.issue(&effect{task: t, inc: t.inc(), attempt: t.attempt(), ticket: k, transfer: tr})
}

// External queues an operation on the external store.
func (t *task) External(k id.Ticket, op dataflow.ExtOp) {
	t.s.issue(&effect{task: t, inc: t.inc(), attempt: t.attempt(), ticket: k, ext: op})
}

// Draw makes the quiet choice.
func (t *task) Draw(dataflow.Choice, int) int { return 0 }

// Now is the time of the last timer.
func (t *task) Now() int64 { return t.s.now }

// Random is not random.
func (t *task) Random() uint64 { return 0 }

// HandedOut tells the source log.
func (t *task) HandedOut(n id.SplitID, _, to id.Offset) { t.s.handed[n] = max(t.s.handed[n], to) }

// Ready connects what is ready at both ends and reports.
func (t *task) Ready(delivered []id.Seq) {
	r := &t.s.roster
	t.s.carry(r.Ready(nil, t.info.ID, t.inc(), r.Plan(), delivered))
}

// Left reports.
func (t *task) Left() { t.report(hasLeft, nil) }

// Fail makes the task dead, noticed after the step.
func (t *task) Fail(err error) {
	t.s.soon = append(t.s.soon, func() {
		t.s.end(t)
		t.s.bury(err, []*task{t})
	})
}

// NewBuffer hands out a new buffer.
func (t *task) NewBuffer() *dataflow.Buffer { return &dataflow.Buffer{} }

// coordHost is the coordinator through all its incarnations, and its host.
type coordHost struct {
	s       *Story
	half    dataflow.Coordinator
	tickets id.Ticket
}

func (c *coordHost) start() {
	s := c.s
	c.tickets = 0
	infos := make([]dataflow.TaskInfo, len(s.tasks))
	for i, t := range s.tasks {
		infos[i] = *t.info
	}
	c.half = s.job.Algorithm.NewCoordinator(&s.job.Config)
	c.half.Start(c, &dataflow.JobInfo{Name: s.job.Name, Tasks: infos, Config: &s.job.Config, Nonce: uint64(s.roster.Term())})
	s.atOnce()
}

// crash ends the coordinator and starts another. Tasks go on meanwhile.
func (c *coordHost) crash() {
	s := c.s
	s.tell("the coordinator crashes")
	for _, t := range s.tasks {
		s.retire(t.inbox)
		s.retire(t.outbox)
		t.inbox, t.outbox = nil, nil
	}
	s.roster.CoordinatorLost()
	c.start()
}

// Tell queues a message to the incarnation that the task has now.
func (c *coordHost) Tell(to id.TaskID, data []byte) {
	t := c.s.tasks[to]
	if t.run != nil {
		t.inbox = append(t.inbox, &message{task: t, data: data, attempt: c.s.roster.Plan()})
	}
}

// After sets a timer.
func (c *coordHost) After(d dataflow.Nanos) id.Ticket {
	c.tickets++
	c.s.timers = append(c.s.timers, &timer{term: c.s.roster.Term(), at: c.s.now + int64(d), d: d, t: c.tickets})
	return c.tickets
}

// Store queues a storage operation. Who leads is the subject of no story: what is
// asked about it is answered at once.
func (c *coordHost) Store(op state.Op) id.Ticket {
	c.tickets++
	if strings.HasPrefix(op.Key, coordinator.LeasePrefix) {
		s, k, term := c.s, c.tickets, c.s.roster.Term()
		s.soon = append(s.soon, func() {
			if r := s.disk.Do(op); term == s.roster.Term() {
				c.half.Done(k, r)
			}
		})
		return k
	}
	c.s.issue(&effect{term: c.s.roster.Term(), ticket: c.tickets, op: op})
	return c.tickets
}

// Execute carries a plan out.
func (c *coordHost) Execute(p *dataflow.Plan) { c.s.execute(p) }

// JobDone ends the job well.
func (c *coordHost) JobDone() { c.s.over = true }

// JobFailed ends the job.
func (c *coordHost) JobFailed(err error) {
	c.s.over = true
	c.s.tell("the job fails: %v", err)
}

// Deposed ends the story of a coordinator that another one has outrun: no story has two.
func (c *coordHost) Deposed() { c.JobFailed(errors.New("another coordinator leads")) }

// Draw makes the choice of the story.
func (c *coordHost) Draw(n int) int { return c.s.draw % n }

// Observe passes an event of the coordinator on.
func (c *coordHost) Observe(k dataflow.TraceKind, t id.TaskID, a id.Attempt, e id.Epoch, text string) {
	c.s.observer.Observe(&trace.Event{Kind: k, Task: t, Channel: trace.NoChannel, Attempt: a, Epoch: e, Text: text})
}
