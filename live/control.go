package live

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"

	"weir/dataflow"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/state"
	"weir/trace"
)

type reportKind uint8

const (
	repTell        reportKind = iota + 1 // runner, data
	repReady                             // runner, attempt, delivered
	repLeft                              // runner
	repFailed                            // runner, err
	repStored                            // stored, result: of a coordinator process's operation
	repKill                              // task, worker, answer
	repKillLeader                        // answer
	repPauseLeader                       // pause, answer
	repStop                              // a clean stop is asked for
	repCancel                            // err: end at once
	repLook                              // look, answer: somebody wants to know something
	repProven                            // leg: a task of it has processed something behind a change
)

// report is one entry of the control loop's inbox.
type report struct {
	kind      reportKind
	runner    *runner
	attempt   id.Attempt
	delivered []id.Seq
	data      []byte
	err       error
	stored    func(state.Result)
	result    state.Result
	pause     dataflow.Nanos
	task      id.TaskID
	worker    int // repKill: the worker that crashes, -1: only the task
	leg       *leg
	look      func(c *control) error
	answer    chan error
}

// control is the control loop: the coordinator, the roster and what the roster asks
// for. Its goroutine owns all of it.
type control struct {
	j         *Job
	processes []*process
	seat      *seat    // the coordinator that tasks listen to; nil: nobody leads
	led       *process // of several, that took the lead last; nil: none has
	failovers int      // how often another one did
	alarm     *alarm
	roster    roster.Roster
	leg       *leg
	runners   []*runner // newest incarnations, nil before the first
	links     uint64
	spare     []report
	event     trace.Event
	stopping  bool
	ended     bool
	err       error // of the job
	failures  []Failure
	plans     int
	down      []int               // workers that have crashed since the last plan
	complete  dataflow.Completion // who has a line keeps its graph
	saves     saves
	changes   changes
}

func newControl(j *Job, first *leg) *control {
	c := &control{j: j}
	c.roster.Reset(first.info)
	c.use(first)
	return c
}

// run is the goroutine of the control loop.
func (c *control) run() {
	c.alarm = newAlarm(&c.j.clock)
	defer c.alarm.bell.close()
	c.guard(func() {
		c.begin()
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
			d.call()
		}
		if !c.ended && !c.j.control.waiting() {
			c.j.control.sleep(c.alarm, c.alarm.next())
		}
	}
}

// hears reports whether what r says still counts.
func (c *control) hears(r *runner) bool {
	return r.leg == c.leg && c.roster.Hears(r.info.ID, r.incarnation, c.roster.Term())
}

func (c *control) handle(m *report) {
	if r := m.runner; r != nil && !c.hears(r) && (m.kind != repFailed || r.leg != c.leg || !c.roster.Current(r.info.ID, r.incarnation)) {
		return // but that a task has failed the roster has to know when somebody leads again
	}
	switch m.kind {
	case repTell:
		s, from, data := c.seat, m.runner.info.ID, m.data
		s.hear(func() { s.coord.Message(from, data) })
	case repReady:
		c.carry(c.roster.Ready(nil, m.runner.info.ID, m.runner.incarnation, m.attempt, m.delivered))
	case repLeft:
		s, from := c.seat, m.runner.info.ID
		s.hear(func() { s.coord.Left(from) })
	case repFailed:
		c.failed(m.runner, m.err)
	case repStored:
		if stored, result := m.stored, m.result; result.Status == state.Failed {
			c.alarm.call(c.j.retryPause, func() { stored(result) })
			return
		}
		m.stored(m.result)
	case repKill:
		m.answer <- c.kill(m)
	case repKillLeader:
		m.answer <- c.killLeader()
	case repPauseLeader:
		m.answer <- c.pauseLeader(m.pause)
	case repStop:
		c.stop()
	case repCancel:
		c.end(m.err)
	case repLook:
		m.answer <- m.look(c)
	case repProven:
		c.proven(m.leg)
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
	c.bury(err, r)
}

// kill drops incarnations abruptly.
func (c *control) kill(m *report) error {
	named, err := c.named(m)
	if err != nil {
		return err
	}
	var dead []*runner
	for _, t := range named {
		if r, ok := c.aliveIn(c.leg, t); ok {
			dead = append(dead, r)
		}
	}
	if len(dead) == 0 {
		return errors.New("live: nothing to kill: no incarnation of it runs at the moment")
	}
	var tasks []id.TaskID
	for _, r := range dead {
		c.failures = append(c.failures, Failure{Task: r.info.ID, Attempt: r.attempt})
		tasks = append(tasks, r.info.ID)
		r.halt()
	}
	if m.worker >= 0 {
		c.down = append(c.down, m.worker)
		c.send(trace.Event{Kind: trace.WorkerCrashed, Task: trace.Coordinator, Worker: int32(m.worker), Text: strconv.Itoa(m.worker)})
	} else {
		c.observe(trace.FaultInjected, trace.Coordinator, 0, 0, fmt.Sprintf("kill %v", tasks))
		for _, r := range dead {
			c.send(trace.Event{Kind: trace.TaskFailed, Task: r.info.ID, Attempt: r.attempt, Cause: trace.Struck, Text: "killed"})
		}
	}
	c.bury(nil, dead...)
	return nil
}

// named returns the tasks that somebody wants to kill.
func (c *control) named(m *report) (tasks []*dataflow.TaskInfo, err error) {
	info := c.leg.info
	if m.worker < 0 {
		if m.task < 0 || int(m.task) >= len(info) {
			return nil, fmt.Errorf("live: no task %s; there are %d", m.task, len(info))
		}
		return []*dataflow.TaskInfo{&info[m.task]}, nil
	}
	for i := range info {
		if info[i].Index%c.j.workers == m.worker {
			tasks = append(tasks, &info[i])
		}
	}
	if len(tasks) == 0 {
		return nil, fmt.Errorf("live: no worker %d; there are %d", m.worker, c.j.workers)
	}
	return tasks, nil
}

// bury ends incarnations that have died, which is noticed at once.
func (c *control) bury(cause error, dead ...*runner) {
	var refs []roster.Ref
	for _, r := range dead {
		r.halt()
		c.roster.Died(r.info.ID, r.incarnation)
		refs = append(refs, roster.Ref{Task: r.info.ID, Incarnation: r.incarnation})
	}
	c.carry(c.roster.Noticed(nil, cause, refs...))
}

func (c *control) tell(t id.TaskID, ev *dataflow.Event) {
	c.runners[t].inbox.post(message{kind: msgEvent, event: ev})
}

// execute carries a plan out.
func (c *control) execute(p *dataflow.Plan) {
	effects, ok := c.roster.Execute(nil, p)
	if !ok {
		return
	}
	c.plans++
	for _, w := range c.down {
		c.send(trace.Event{Kind: trace.WorkerRestarted, Task: trace.Coordinator, Worker: int32(w), Text: strconv.Itoa(w)})
	}
	c.down = c.down[:0]
	c.carry(effects)
}

// carry carries out what the roster asks for, in order.
func (c *control) carry(effects []roster.Effect) {
	for i := range effects {
		switch e := &effects[i]; e.Kind {
		case roster.Discard:
			c.runners[e.Task].halt()
		case roster.CutOutput, roster.CutInput, roster.Keep:
			ev := eventOf(e)
			c.tell(e.Task, &ev)
		case roster.Start:
			c.start(e)
		case roster.Connect:
			c.connect(e)
		case roster.TellReady:
			s := c.seat
			s.hear(func() { s.coord.Ready(e.Task, e.Attempt) })
		case roster.TellFailed:
			s := c.seat
			s.hear(func() { s.coord.Failed(e.Tasks, e.Cause) })
		}
	}
}

// eventOf is what the runner gets of a cut, Keep or Start: nothing of it is shared
// with the coordinator's goroutine.
func eventOf(e *roster.Effect) dataflow.Event {
	ev := e.Event()
	if ev.Plan != nil {
		part := *ev.Plan
		ev.Plan = &part
	}
	return ev
}

// start begins a new incarnation.
func (c *control) start(e *roster.Effect) {
	info := &c.leg.info[e.Task]
	r := newRunner(c.j, c.leg, info, e.Incarnation, e.Attempt)
	c.runners[e.Task] = r
	c.roster.Started(e.Task, e.Incarnation)
	ev := eventOf(e)
	if info.Role == dataflow.RoleSource {
		offsets, err := c.j.handedOut(info, ev.Plan.Splits)
		if err != nil {
			c.end(err)
		}
		ev.Offsets = offsets
	}
	c.tell(info.ID, &ev)
	c.j.running.Add(1)
	go r.run()
}

// connect makes a connection; it stands at once.
func (c *control) connect(e *roster.Effect) {
	seen, ok := c.roster.Connected(e.Channel, e.Connection)
	if !ok {
		return
	}
	from, out := c.roster.Sender(e.Channel)
	to, in := c.roster.Receiver(e.Channel)
	c.links++
	l := &link{number: c.links, channel: e.Channel, sender: c.runners[from], receiver: c.runners[to], out: out, in: in}
	l.receiver.inbox.post(message{kind: msgAccept, link: l})
	l.sender.inbox.post(message{kind: msgConnect, link: l, event: &dataflow.Event{Kind: dataflow.EvConnected, Port: out, Seq: seen}})
}

// stop asks the coordinator for a last checkpoint; without one the job ends now.
func (c *control) stop() {
	if c.stopping {
		return
	}
	c.stopping = true
	c.askToStop()
}

// askToStop asks the coordinator that leads; if nobody does the next one is asked.
func (c *control) askToStop() {
	s := c.seat
	s.hear(func() {
		if who, ok := s.coord.(Stopper); ok {
			who.Stop()
			return
		}
		c.end(nil)
	})
}

// store issues an operation on checkpoint storage; stored hears what came of it.
func (c *control) store(op state.Op, stored func(state.Result)) {
	c.j.storage.submit(func() {
		c.j.control.post(report{kind: repStored, stored: stored, result: c.j.do(op, trace.Coordinator, 0)})
	})
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
