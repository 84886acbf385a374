package live

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"weir/dataflow"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/live/recording"
)

// yieldAfter is the number of turns in a row after which a task lets others run.
const yieldAfter = 16

// expireEvery is the number of turns in a row after which a busy task looks at
// its timers.
const expireEvery = 4

// link is one connection of a channel: its identity fences what belongs to an
// older one.
type link struct {
	number           uint64 // counts from 1 in a job
	channel          id.ChannelID
	sender, receiver *runner
	out, in          int // ports: output of sender, input of receiver
}

type messageKind uint8

const (
	msgArrive  messageKind = iota + 1 // link, buf
	msgCredit                         // link, n, buf to use again
	msgReply                          // link, event
	msgAccept                         // link: input
	msgConnect                        // link, event: output
	msgEvent                          // event, to be stepped as it is
	msgOutcome                        // event: of a storage or external operation
	msgNudge                          // nothing: look whether you have been stopped, or are asked something
)

// message is one entry of an inbox.
type message struct {
	kind  messageKind
	n     int32
	link  *link
	buf   *dataflow.Buffer
	event *dataflow.Event
}

// runner is one incarnation of a task with its goroutine. Fields without a note
// belong to that goroutine.
type runner struct {
	j           *Job
	leg         *leg
	info        *dataflow.TaskInfo
	incarnation roster.Incarnation
	attempt     id.Attempt
	inbox       *mailbox[message] // safe for all
	stopped     atomic.Bool       // set by halt
	gone        chan struct{}     // closed by halt
	ended       chan struct{}     // closed when nothing is stepped or answered any more
	once        sync.Once         // of halt
	running     sync.WaitGroup    // its transfers
	asked       questions         // safe for all
	counter     *counters         // of the task, all incarnations
	track       *recording.Track  // nil: not recorded
	spare       []message         // for inbox.take
	scratch     []message
	alarm       *alarm
	task        *dataflow.Task
	event       dataflow.Event // reused

	ins, outs   []*link // by port; nil: not connected
	credits     []owed  // by input
	owing       bool
	free        []*dataflow.Buffer
	outstanding int // storage and external operations
	plan        id.Attempt
	failure     error
	rng         *rand.PCG
	wakeAt      int64 // paced source: when to ask again
	may         int   // paced source: records it may emit
	split       int   // paced source: of its split number split-1
	streak      int   // turns since it last let others run
	rose        int64 // when it last woke
	sync        syncPart
	local       Counts // not yet published
}

// owed is what an input has to give back.
type owed struct {
	n    int32
	bufs []*dataflow.Buffer
}

func newRunner(j *Job, l *leg, info *dataflow.TaskInfo, i roster.Incarnation, a id.Attempt) *runner {
	r := &runner{
		j: j, leg: l, info: info, incarnation: i, attempt: a, inbox: newMailbox[message](), gone: make(chan struct{}), ended: make(chan struct{}),
		counter: &l.counters[info.ID], ins: make([]*link, len(info.Inputs)), outs: make([]*link, len(info.Outputs)),
		credits: make([]owed, len(info.Inputs)), wakeAt: never,
		rng: rand.NewPCG(j.cfg.Seed, uint64(info.ID)<<32|uint64(a)),
	}
	return r
}

// halt makes the goroutine end after the step it is in; no observer sees an
// event of it afterwards. Safe for all.
func (r *runner) halt() {
	r.once.Do(func() {
		r.j.observers.mu.Lock()
		r.stopped.Store(true)
		r.j.observers.mu.Unlock()
		close(r.gone)
		r.inbox.post(message{kind: msgNudge})
	})
}

// run is the goroutine of the incarnation.
func (r *runner) run() {
	defer r.j.running.Done()
	defer r.close()
	r.alarm = newAlarm(&r.j.clock)
	defer r.alarm.bell.close()
	r.rose = r.j.clock.now()
	if r.open() {
		r.guard(r.loop)
	}
	close(r.ended)
	r.publish()
	if r.failure != nil {
		r.j.control.post(report{kind: repFailed, runner: r, err: r.failure})
	}
}

func (r *runner) open() (ok bool) {
	r.guard(func() {
		env := dataflow.Env{Host: (*host)(r), Dir: r.dir(), Copies: r.copies(), FS: r.j.cfg.FS, Observer: &taskObserver{r}}
		task, err := dataflow.NewTask(r.leg.job, r.info, env)
		if err != nil {
			r.failure = fmt.Errorf("starting %s[%d]: %w", r.info.Name, r.info.Index, err)
			return
		}
		r.task, ok = task, true
		if r.j.cfg.Recorder != nil {
			r.track = r.j.cfg.Recorder.Incarnation(r.info.ID, r.attempt)
		}
	})
	return ok
}

// guard turns a panic of the code under test into a failure of the task.
func (r *runner) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			r.failure = &PanicError{Where: fmt.Sprintf("task %s[%d]", r.info.Name, r.info.Index), Value: v, Stack: debug.Stack()}
		}
	}()
	f()
}

// close frees what is local, when no transfer runs any more.
func (r *runner) close() {
	r.halt()
	r.inbox.close()
	r.running.Wait()
	if r.task != nil {
		r.guard(func() { _ = r.task.Close() }) // its state is never used again
		r.j.copiedMu.Lock()
		r.j.copied.Add(r.task.CopyCounts())
		r.j.copiedMu.Unlock()
	}
	r.j.removeDir(r.dir())
}

func (r *runner) over() bool { return r.failure != nil || r.stopped.Load() }

func (r *runner) loop() {
	for !r.over() {
		if r.inbox.waiting() {
			r.receive()
		}
		if len(r.alarm.heap) > 0 && r.streak%expireEvery == 0 {
			r.expire()
		}
		if r.mayTurn() {
			r.turn()
			if r.streak++; r.streak >= yieldAfter {
				r.streak = 0
				r.settle()
				r.publish()
				runtime.Gosched()
			}
			continue
		}
		r.rest()
	}
}

// rest gives back what is owed and sleeps until there is something to do.
func (r *runner) rest() {
	r.streak = 0
	r.settle()
	if r.inbox.waiting() || r.over() {
		return
	}
	r.publish()
	r.inbox.sleep(r.alarm, min(r.alarm.next(), r.wakeAt))
	r.rose = r.j.clock.now()
}

// mayTurn reports whether a turn would do something and is allowed.
func (r *runner) mayTurn() bool {
	r.wakeAt = never
	if !r.task.Runnable() || r.outstanding >= r.j.outstanding {
		return false
	}
	if r.j.cfg.Pacer == nil || r.info.Role != dataflow.RoleSource {
		return true
	}
	return r.isDue()
}

// isDue finds the next split of a paced source, after the last, with records due;
// one without any left takes its last turn.
func (r *runner) isDue() bool {
	now, n, over := r.j.clock.now(), r.task.Splits(), true
	for k := range n {
		i := (r.split + k) % n
		index, at, unread := r.task.Split(i)
		if !unread {
			continue
		}
		over = false
		may, next := r.j.cfg.Pacer.Allow(r.info, index, at, now)
		if may > 0 {
			r.may, r.split = may, i+1
			return true
		}
		r.wakeAt = min(r.wakeAt, next)
	}
	r.may, r.split = 0, 0
	return over
}

func (r *runner) turn() {
	r.local.Turns++
	r.event = dataflow.Event{Kind: dataflow.EvTurn, N: r.may, Port: r.split}
	r.step(&r.event, 0)
}

// step is the only way into the task. number is that of the connection of an
// arrival or of a new connection.
func (r *runner) step(ev *dataflow.Event, number uint64) {
	if r.failure != nil {
		return
	}
	if r.track == nil {
		r.task.Step(ev)
	} else {
		r.track.Event(ev, number)
		r.task.Step(ev)
		r.track.Chain(r.task.Chain())
	}
	if r.sync.epoch != 0 {
		r.endSync()
	}
}

// receive handles everything in the inbox.
func (r *runner) receive() {
	batch := r.inbox.take(r.spare)
	for i := range batch {
		if r.over() {
			break
		}
		r.handle(&batch[i])
	}
	clear(batch)
	r.spare = batch
}

func (r *runner) handle(m *message) {
	switch m.kind {
	case msgArrive:
		if r.ins[m.link.in] != m.link {
			return
		}
		r.local.RecordsIn += uint64(m.buf.Records)
		r.local.BuffersIn++
		if m.buf.Item != dataflow.Control {
			r.local.BytesIn += uint64(len(m.buf.Data))
		}
		r.event = dataflow.Event{Kind: dataflow.EvArrive, Port: m.link.in, Buffer: m.buf}
		r.step(&r.event, m.link.number)
	case msgCredit:
		if m.buf != nil {
			r.free = append(r.free, m.buf)
		}
		if m.n > 0 && r.outs[m.link.out] == m.link {
			r.event = dataflow.Event{Kind: dataflow.EvCredit, Port: m.link.out, N: int(m.n)}
			r.step(&r.event, 0)
		}
	case msgReply:
		if r.outs[m.link.out] == m.link {
			r.step(m.event, 0)
		}
	case msgAccept:
		r.ins[m.link.in] = m.link
	case msgConnect:
		r.outs[m.link.out] = m.link
		r.step(m.event, m.link.number)
	case msgOutcome:
		r.outcome(m.event)
	case msgEvent:
		r.control(m.event)
	case msgNudge: // that it has arrived ends a sleep
		r.answer()
	}
}

// control handles an event that the control loop made.
func (r *runner) control(ev *dataflow.Event) {
	switch ev.Kind {
	case dataflow.EvStart, dataflow.EvKeep:
		r.plan = ev.Attempt
	case dataflow.EvCutInput:
		r.ins[ev.Port] = nil
		o := &r.credits[ev.Port]
		o.n = 0
		clear(o.bufs)
		o.bufs = o.bufs[:0]
	case dataflow.EvCutOutput:
		r.outs[ev.Port] = nil
	case dataflow.EvMessage:
		r.local.ControlBytes += uint64(len(ev.Data))
	default: // for the task alone
	}
	r.step(ev, 0)
}

// outcome hands the task what came of an operation; an unknown one, which the
// task repeats at once, only after a pause.
func (r *runner) outcome(ev *dataflow.Event) {
	if ev.Kind == dataflow.EvExternal && ev.Err != nil {
		r.failure = ev.Err
		return
	}
	if unknown(ev) {
		r.alarm.after(r.j.retryPause, 0, ev)
		return
	}
	r.complete(ev)
}

func (r *runner) complete(ev *dataflow.Event) {
	if ev.Kind != dataflow.EvTransfer {
		r.outstanding--
	}
	r.step(ev, 0)
}

// expire delivers the timers that are due.
func (r *runner) expire() {
	now := r.j.clock.now()
	for !r.over() {
		d, ok := r.alarm.pop(now)
		if !ok {
			return
		}
		if d.event != nil {
			r.complete(d.event)
			continue
		}
		r.event = dataflow.Event{Kind: dataflow.EvTimer, Ticket: d.ticket}
		r.step(&r.event, 0)
	}
}

// settle returns what is owed to every sender.
func (r *runner) settle() {
	if !r.owing {
		return
	}
	r.owing = false
	for i := range r.credits {
		if r.credits[i].n > 0 {
			r.pay(i)
		}
	}
}

// pay returns the credits of one input, with their buffers.
func (r *runner) pay(in int) {
	o := &r.credits[in]
	l := r.ins[in]
	if l == nil {
		o.n, o.bufs = 0, o.bufs[:0]
		return
	}
	r.scratch = append(r.scratch[:0], message{kind: msgCredit, link: l, n: o.n})
	for i, b := range o.bufs {
		if i == 0 {
			r.scratch[0].buf = b
		} else {
			r.scratch = append(r.scratch, message{kind: msgCredit, link: l, buf: b})
		}
	}
	l.sender.inbox.post(r.scratch...)
	clear(r.scratch)
	clear(o.bufs)
	o.n, o.bufs = 0, o.bufs[:0]
}
