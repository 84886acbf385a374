package sim

import (
	"fmt"
	"strconv"

	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/sim/seed"
	"weir/state"
)

// taskHost is one task of the job through all its incarnations, and the Host of
// the one that runs.
type taskHost struct {
	s      *Sim
	task   *dataflow.Task // nil: none runs
	former *dataflow.Task // the one before, of this run or another: its memory is used again
	info   *dataflow.TaskInfo
	id     int32
	worker int32

	turnQueued bool
	inTurn     bool
	source     bool
	busyUntil  Nanos
	cost       Nanos // of the turn so far
	slow       int64
	stalled    Nanos // what is for the task waits until then

	deadBy  uint32 // crash of the worker that ended the newest incarnation, 0: none did
	plan    *dataflow.TaskPlan
	inputs  []id.ChannelID // the roster's
	outputs []id.ChannelID
	chain   uint64 // of dead incarnations
	random  *seed.Stream
	failure error // of the newest incarnation

	doubt doubt // of somebody who takes the incarnation for dead
}

// setTasks prepares the hosts of all tasks.
func (s *Sim) setTasks() error {
	for len(s.tasks) < len(s.infos) {
		s.tasks = append(s.tasks, &taskHost{})
	}
	s.tasks = s.tasks[:len(s.infos)]
	for i := range s.tasks {
		t, info := s.tasks[i], &s.infos[i]
		w, err := s.cfg.place(i)
		if err != nil {
			return err
		}
		*t = taskHost{
			s: s, former: t.former, id: int32(i), info: info, worker: int32(w), source: info.Role == dataflow.RoleSource,
			slow: s.workers[w].slow, inputs: s.roster.Inputs(info.ID), outputs: s.roster.Outputs(info.ID),
		}
	}
	return nil
}

// inc is the number of the newest incarnation; of a zombie, its own.
func (t *taskHost) inc() uint32 {
	if t.doubt.zombie != 0 {
		return t.doubt.zombie
	}
	return uint32(t.s.roster.Incarnation(id.TaskID(t.id)))
}

// step gives one event to the task and sees to its next turn.
func (t *taskHost) step(ev *dataflow.Event) {
	t.s.steps++
	t.task.Step(ev)
	t.schedule()
}

// schedule queues a turn if the task wants one and none is queued.
func (t *taskHost) schedule() {
	if !t.turnQueued && t.task.Runnable() {
		s := t.s
		s.queue.push(t.nextTurn())
	}
}

func (t *taskHost) nextTurn() event {
	s := t.s
	t.turnQueued = true
	at := max(s.now, t.busyUntil)
	if !s.quiet && s.cfg.Model.TurnJitter > 0 {
		at += s.policy.Delay(TurnDelay, int(t.id), s.cfg.Model.TurnJitter)
	}
	return event{time: at, order: s.order(classTurn, kindTurn), ref: t.id, gen: t.inc()}
}

// current returns the task of an event if the incarnation that it is for runs.
// An event for a task that is stalled is put back (put is true); its order stays,
// so that what came later stays behind it.
func (s *Sim) current(e *event) (t *taskHost, put bool) {
	if t = s.host(e.ref, e.gen); t == nil {
		return nil, false
	}
	if t.stalled > s.now {
		s.postpone(e, t.stalled)
		return nil, true
	}
	return t, false
}

// attempt is the one that started the newest incarnation; of a zombie, its own.
func (t *taskHost) attempt() id.Attempt {
	if t.doubt.zombie != 0 {
		return t.doubt.attempt
	}
	return t.s.roster.Attempt(id.TaskID(t.id))
}

func (s *Sim) isCurrent(task int32, inc uint32) bool {
	return s.roster.Current(id.TaskID(task), roster.Incarnation(inc))
}

func (s *Sim) postpone(e *event, until Nanos) {
	e.time = until
	s.queue.push(*e)
}

// onTurn runs one turn; again says that next is the task's next one.
func (s *Sim) onTurn(e *event) (next event, again bool) {
	t, _ := s.current(e)
	if t == nil {
		return event{}, false
	}
	if t.source && s.sourceStalled > s.now {
		s.postpone(e, s.sourceStalled)
		return event{}, false
	}
	t.turnQueued = false
	t.inTurn, t.cost = true, s.cfg.Model.StepBase*t.slow
	s.steps++
	s.result.Turns++
	t.task.Step(&s.turn)
	t.busyUntil = s.now + t.cost
	t.inTurn, t.cost = false, 0
	if t.task != nil && !t.turnQueued && t.task.Runnable() {
		return t.nextTurn(), true
	}
	return event{}, false
}

func (s *Sim) onTimer(e *event) {
	if t, _ := s.current(e); t != nil {
		s.event = dataflow.Event{Kind: dataflow.EvTimer, Ticket: id.Ticket(e.arg)}
		t.step(&s.event)
	}
}

// onToTask delivers a message of the coordinator.
func (s *Sim) onToTask(e *event) {
	t, put := s.current(e)
	if put {
		return
	}
	data := s.parcels.take(int32(e.arg))
	if t != nil && !t.doubt.deaf {
		s.event = dataflow.Event{Kind: dataflow.EvMessage, Data: data}
		t.step(&s.event)
	}
}

// onStart builds the incarnation that a plan asked for.
func (s *Sim) onStart(e *event) {
	t := s.tasks[e.ref]
	if !s.roster.Started(t.info.ID, roster.Incarnation(e.gen)) {
		return
	}
	env := dataflow.Env{Host: t, Observer: &s.observers, Former: t.former}
	if s.hasDisks() {
		env.FS = s.workers[t.worker].mount()
		env.Dir = "tasks/" + t.info.ID.String() + "/" + strconv.Itoa(int(e.gen))
		env.Copies = "copies/" + t.info.ID.String()
	}
	task, err := dataflow.NewTask(s.cfg.Job, t.info, env)
	if err != nil {
		s.stop(Failed, fmt.Errorf("start of %s[%d]: %w", t.info.Name, t.info.Index, err))
		return
	}
	t.task, t.former, t.doubt = task, nil, doubt{}
	offsets, err := s.handedOut(t)
	if err != nil {
		s.stop(Failed, fmt.Errorf("source log: %w", err))
		return
	}
	s.event = dataflow.Event{Kind: dataflow.EvStart, Plan: t.plan, Attempt: t.attempt(), Offsets: offsets}
	t.step(&s.event)
}

// handedOut is what the source log has handed out of a task's splits.
func (s *Sim) handedOut(t *taskHost) (offsets []id.Offset, err error) {
	offsets = s.started[:0]
	for _, index := range t.plan.Splits {
		n := t.info.FirstSplit + id.SplitID(index)
		o := s.offsets[n]
		if s.cfg.SourceLog != nil {
			if o, err = s.cfg.SourceLog.Offset(n); err != nil {
				return nil, err
			}
		}
		offsets = append(offsets, o)
	}
	s.started = offsets
	return offsets, nil
}

// furthest is how many records of its splits were handed out by any incarnation.
func (t *taskHost) furthest() (n id.Offset) {
	if t.plan == nil {
		return 0
	}
	for _, index := range t.plan.Splits {
		n += t.s.offsets[t.info.FirstSplit+id.SplitID(index)]
	}
	return n
}

// discard ends an incarnation, if it has not ended yet: its objects, and its slices
// of asynchronous work before them. Its timers, messages and completions are none of
// the next one's. The error is the task's, from Close.
func (t *taskHost) discard(inc uint32) error {
	if t.task == nil {
		return nil
	}
	for i := range t.s.transfers.items {
		if x := &t.s.transfers.items[i]; x.task == t && x.inc == inc {
			x.task = nil
		}
	}
	task := t.task
	t.s.result.Copies.Add(task.CopyCounts())
	t.chain = mix(t.chain, task.Chain(), uint64(inc))
	t.task, t.former, t.turnQueued, t.busyUntil = nil, task, false, 0
	err := task.Close()
	task.Surrender(t.s.pool.put)
	return err
}

// retire discards an incarnation that need not have died: its end has to go well.
func (t *taskHost) retire(inc uint32) {
	failed := t.failure != nil
	if err := t.discard(inc); err != nil && !failed {
		t.s.stop(Failed, fmt.Errorf("close of %s[%d]: %w", t.info.Name, t.info.Index, err))
	}
}

func (s *Sim) closeTasks() {
	for _, z := range s.zombies {
		_ = z.discard(z.inc()) // nobody is left to hear of it
	}
	for i := range s.tasks {
		s.tasks[i].retire(s.tasks[i].inc())
	}
	for i := range s.tasks {
		s.tasks[i].random, s.tasks[i].plan, s.tasks[i].failure = nil, nil, nil
	}
}

// --- Host ---

// Send puts b on the wire.
func (t *taskHost) Send(out int, b *dataflow.Buffer) {
	s := t.s
	if t.doubt.zombie != 0 { // its peers have let go of the connection
		s.pool.spare(b)
		return
	}
	s.result.Sent++
	if t.inTurn {
		t.cost += int64(b.Records) * s.cfg.Model.StepRecord * t.slow
	}
	s.send(int32(t.outputs[out]), s.now+t.cost, b)
}

// Credit returns credits over the connection and recycles the buffer.
func (t *taskHost) Credit(in, n int, b *dataflow.Buffer) {
	s := t.s
	if b != nil {
		if t.inTurn {
			t.cost += int64(b.Records) * s.cfg.Model.StepRecord * t.slow
		}
		s.pool.put(b)
	}
	if k := t.inputs[in]; t.doubt.zombie == 0 && s.roster.Up(k) {
		s.push(s.now+t.cost+s.linkDelay(int32(k)), classWire, kindCredit, int32(k), s.connection(int32(k)), uint64(n))
	}
}

// Back sends a reply over the connection.
func (t *taskHost) Back(in int, data []byte) {
	s := t.s
	if k := t.inputs[in]; t.doubt.zombie == 0 && s.roster.Up(k) {
		s.push(s.now+t.cost+s.linkDelay(int32(k)), classWire, kindReply, int32(k), s.connection(int32(k)), uint64(s.parcels.put(data)))
	}
}

// Tell sends to the coordinator.
func (t *taskHost) Tell(data []byte) {
	s := t.s
	at := s.now + t.cost + s.delay(s.cfg.Model.Message, MessageDelay, int(t.id))
	late, again := s.hitMessage(t.worker, faults.Up)
	s.push(at+late, classCoordinator, kindToCoord, t.id, t.inc(), s.toTerm(uint32(s.parcels.put(data))))
	if again {
		s.push(at+late+s.cfg.Model.Message.Base, classCoordinator, kindToCoord, t.id, t.inc(), s.toTerm(uint32(s.parcels.put(data))))
	}
}

// Timer asks for EvTimer after d.
func (t *taskHost) Timer(k id.Ticket, d dataflow.Nanos) {
	s := t.s
	s.push(s.now+max(int64(d), 0), classTask, kindTimer, t.id, t.inc(), uint64(k))
}

// Store issues a storage operation.
func (t *taskHost) Store(k id.Ticket, op state.Op) {
	issue(t.s, &t.s.stores, op, owner{kind: ofTask, task: t.id, inc: t.inc(), ticket: k})
}

// Transfer begins asynchronous work.
func (t *taskHost) Transfer(k id.Ticket, tr state.Transfer) { t.s.beginTransfer(t, k, tr) }

// External issues an operation on the external store.
func (t *taskHost) External(k id.Ticket, op dataflow.ExtOp) {
	issue(t.s, &t.s.exts, op, owner{kind: ofTask, task: t.id, inc: t.inc(), ticket: k})
}

// Draw makes a choice.
func (t *taskHost) Draw(c dataflow.Choice, n int) int {
	if t.s.quiet || n < 2 {
		return 0
	}
	return t.s.policy.Choose(int(t.id), c, n)
}

// Now is what the clock of the worker shows: virtual time, unless a fault has set it.
func (t *taskHost) Now() int64 { return t.s.workers[t.worker].clock.at(t.s.now + t.cost) }

// Random draws for an operator.
func (t *taskHost) Random() uint64 {
	if t.random == nil {
		t.random = t.s.seeds.Stream(operatorStream, uint64(t.id))
	}
	return t.random.Uint64()
}

// HandedOut tells the source log.
func (t *taskHost) HandedOut(n id.SplitID, from, to id.Offset) {
	s := t.s
	t.cost += int64(to-from) * s.cfg.Model.StepRecord * t.slow
	s.offsets[n] = max(s.offsets[n], to)
	if s.cfg.SourceLog == nil {
		return
	}
	if err := s.cfg.SourceLog.HandedOut(n, to); err != nil {
		s.stop(Failed, fmt.Errorf("source log: %w", err))
	}
}

// Ready is for the newest plan: the task has it, and does not work while it carries it out.
func (t *taskHost) Ready(delivered []id.Seq) {
	if t.doubt.zombie != 0 { // nobody waits for it
		return
	}
	r := &t.s.roster
	t.s.carry(r.Ready(t.s.room(), t.info.ID, r.Incarnation(t.info.ID), r.Plan(), delivered))
}

// Left tells the coordinator.
func (t *taskHost) Left() {
	s := t.s
	at := s.now + s.delay(s.cfg.Model.Message, MessageDelay, int(t.id))
	s.pushUp(at, kindLeft, t, t.inc(), s.toTerm(0))
}

// Fail makes the task dead; it is noticed after a while.
func (t *taskHost) Fail(err error) {
	s := t.s
	if t.doubt.zombie != 0 { // that is its end, and nobody hears of it
		return
	}
	s.roster.Died(t.info.ID, s.roster.Incarnation(t.info.ID))
	t.failure, t.deadBy = err, 0
	s.result.TaskFailures++
	s.result.LastFailure = err
	s.recur(err)
	s.push(s.now+s.delay(s.cfg.Model.Detection, FaultDelay, int(t.worker)+1), classTask, kindFailSeen, t.id, t.inc(), 0)
}

// NewBuffer hands out an empty buffer.
func (t *taskHost) NewBuffer() *dataflow.Buffer { return t.s.pool.get() }
