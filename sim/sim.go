package sim

import (
	"fmt"
	"runtime/debug"

	"weir/dataflow"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/sim/seed"
	"weir/state"
	"weir/state/storage"
	"weir/trace"
)

// Sim runs jobs in virtual time, one after the other, and keeps its memory from
// one to the next. It belongs to one goroutine.
type Sim struct {
	cfg    Config
	queue  queue
	now    Nanos
	seq    uint64
	popped int64 // events taken from the queue
	steps  int64 // steps of tasks and callbacks of the coordinator
	half   headway
	// failing has of what tasks have failed since then; nil: that is still to come, or it was too much.
	failing []error
	lookAt  int64 // event after which look is called next; not above maxEvents
	// Beyond these atLimit is asked; half of the limits at first.
	maxEvents int64
	maxTime   Nanos
	over      bool
	verdict   Verdict
	err       error
	stack     string

	seeds  *seed.Source
	policy Policy
	quiet  bool // the policy is

	tasks    []*taskHost
	zombies  []*taskHost // incarnations that were taken for dead and go on
	channels []channel
	workers  []worker
	coord    *coordHost
	ghosts   []*coordHost // coordinators that were taken for dead and go on
	// With several coordinators: their processes, and how many candidates there were.
	processes   []*process
	candidacies uint64
	led         *process        // that took the lead last; nil: none has
	graph       *dataflow.Graph // whose expansion infos is
	groups      int
	infos       []dataflow.TaskInfo
	roster      roster.Roster
	rooms       [][]roster.Effect // see room

	wire      slab[*dataflow.Buffer] // buffers on their way
	parcels   slab[[]byte]           // messages and replies on their way
	transfers slab[transfer]
	stores    operations[state.Op, state.Result]
	exts      operations[dataflow.ExtOp, dataflow.ExtStatus]
	pool      pool
	memory    *storage.Memory // the default storage
	offsets   []id.Offset     // by split: handed out by any incarnation; the default source log
	started   []id.Offset     // scratch: what an incarnation starts from
	written   []string        // keys of objects, in the order in which they were written, when an injector may want them
	relied    relied          // likewise

	observers fanout
	injector  Injector
	deadline  Nanos // of the injector; noDeadline if it waits for none
	schedule  uint64
	committed uint64
	result    Result

	operating  operating
	queries    queries
	suspicions slab[[]roster.Ref]
	messages   []armed  // faults that wait for messages
	ordering   ordering // of a run whose order is free
	carriedOut bool     // effects of the roster were, since that was looked at

	sourceStalled Nanos      // the source log answers nothing until then
	committing    id.Attempt // of the operation on the external store that is taking effect

	// Events handed to tasks; the driver owns them.
	turn, arrive, credit, event dataflow.Event
}

const noDeadline = Nanos(1<<63 - 1)

// New returns a simulator.
func New() *Sim {
	s := &Sim{memory: storage.NewMemory(0), seeds: seed.New(0)}
	s.turn.Kind, s.arrive.Kind, s.credit.Kind = dataflow.EvTurn, dataflow.EvArrive, dataflow.EvCredit
	s.observers.sim = s
	s.coord = &coordHost{s: s}
	return s
}

// Run runs one experiment to its end. A configuration that cannot run gives
// verdict Failed with the reason; a panic in what is run gives Panicked.
func (s *Sim) Run(cfg Config) Result {
	s.begin(cfg)
	func() {
		defer s.catch()
		if err := s.setUp(); err != nil {
			s.stop(Failed, err)
			return
		}
		if s.cfg.Model.Order.Free != 0 {
			s.free()
		} else {
			s.loop()
		}
		s.land()
	}()
	s.end()
	return s.result
}

// catch turns a panic of the code under test into a verdict.
func (s *Sim) catch() {
	if p := recover(); p != nil && s.verdict != Panicked {
		s.stack = string(debug.Stack())
		s.stop(Panicked, fmt.Errorf("panic at %d ns of virtual time: %v", s.now, p))
	}
}

// stop ends the run; the first call counts, but a panic overrides.
func (s *Sim) stop(v Verdict, err error) {
	if s.over && v != Panicked {
		return
	}
	s.over, s.verdict, s.err = true, v, err
}

// mostWritten bounds what a simulator keeps of the keys that a run wrote.
const mostWritten = 1 << 13

// begin forgets the run before.
func (s *Sim) begin(cfg Config) {
	s.cfg = cfg
	s.queue.reset()
	s.now, s.seq, s.popped, s.steps = 0, 0, 0, 0
	s.over, s.verdict, s.err, s.stack = false, Running, nil, ""
	s.schedule, s.committed = 0, 0
	for _, b := range s.wire.items {
		s.pool.spare(b)
	}
	s.wire.reset()
	s.parcels.reset()
	s.transfers.reset()
	s.stores.reset()
	s.exts.reset()
	s.relied.reset()
	if s.written = s.written[:0]; cap(s.written) > mostWritten {
		s.written = nil
	}
	s.suspicions.reset()
	s.zombies, s.ghosts, s.messages = nil, nil, s.messages[:0]
	s.sourceStalled = 0
	s.operating = operating{due: s.operating.due[:0]}
	s.queries.begin(s)
	s.result = Result{Tasks: s.result.Tasks[:0]}
	if cfg.Log != nil {
		cfg.Log.reset()
	}
}

// setUp makes tasks, channels and workers from the configuration.
func (s *Sim) setUp() error {
	if err := s.cfg.Validate(); err != nil {
		return err
	}
	s.setSeeds()
	s.setLimits()
	if err := s.expand(); err != nil {
		return err
	}
	s.roster.Reset(s.infos)
	s.setWorkers()
	if err := s.setTasks(); err != nil {
		return err
	}
	s.setChannels()
	s.setWorld()
	s.observers.reset(s.cfg.Observers, s.cfg.Injector)
	if s.queries.watched() {
		s.observers.add(&s.queries, false)
	}
	s.pool.reset(s.cfg.Job.Config.BatchBytes, s.cfg.Poison)
	s.coord.reset()
	s.setInjector()
	s.setCoordinators()
	return nil
}

func (s *Sim) setSeeds() {
	switch {
	case s.cfg.Replay == nil:
		s.seeds.Reset(s.cfg.Seed)
	case s.cfg.Redraw != 0:
		s.seeds.Redraw(s.cfg.Replay, s.cfg.Redraw)
	default:
		s.seeds.Replay(s.cfg.Replay)
	}
	s.seeds.Record(s.cfg.Record)
	s.policy = s.cfg.Policy
	if s.policy == nil {
		s.policy = FIFO{}
	}
	s.policy.Begin(s.seeds)
	s.quiet = s.policy.Quiet()
}

func (s *Sim) setLimits() {
	if s.cfg.MaxEvents == 0 {
		s.cfg.MaxEvents = 50_000_000
	}
	if s.cfg.MaxTime == 0 {
		s.cfg.MaxTime = 3600 * 1e9
	}
	s.failing = nil
	s.half, s.maxEvents, s.maxTime = headway{}, s.cfg.MaxEvents/2, s.cfg.MaxTime/2
	s.lookAt = min(s.maxEvents, eventsPerLook)
}

// expand reuses the expansion of the run before where the graph is the same.
func (s *Sim) expand() error {
	g, groups := s.cfg.Job.Graph, s.cfg.Job.Config.Groups
	if g == s.graph && groups == s.groups && s.infos != nil {
		return nil
	}
	infos, err := g.Expand(groups)
	if err != nil {
		return err
	}
	s.graph, s.groups, s.infos = g, groups, infos
	return nil
}

// setWorld takes the substances of storage and external store.
func (s *Sim) setWorld() {
	s.stores.model, s.exts.model = s.cfg.Model.Storage, s.cfg.Model.Sink
	s.stores.place, s.stores.apply, s.stores.back, s.stores.delay = storagePlace{s}, kindStoreApply, kindStoreDone, StorageDelay
	s.exts.place, s.exts.apply, s.exts.back, s.exts.delay = sinkPlace{s}, kindExtApply, kindExtDone, SinkDelay
	s.stores.random.Begin(s.seeds, storageStream)
	s.exts.random.Begin(s.seeds, sinkStream)
	if s.cfg.Storage == nil {
		s.memory.Reset(0)
		s.cfg.Storage = s.memory
	}
	s.offsets = append(s.offsets[:0], make([]id.Offset, splitsOf(s.infos))...)
}

func (s *Sim) push(at Nanos, class uint64, kind uint8, ref int32, gen uint32, arg uint64) {
	s.queue.push(event{time: at, order: s.order(class, kind), arg: arg, ref: ref, gen: gen})
}

func (s *Sim) order(class uint64, kind uint8) uint64 {
	s.seq++
	return class | s.seq<<kindBits | uint64(kind)
}

// loop runs events until somebody stops the run.
func (s *Sim) loop() {
	for !s.over {
		if s.queue.len() == 0 {
			s.stop(NoProgress, fmt.Errorf("at %d ns nothing is left to happen and the job is not done", s.now))
			return
		}
		s.advance(s.queue.pop())
	}
}

// advance handles one event, and then the turns that the handling would put at
// the front of the queue.
func (s *Sim) advance(e event) {
	for {
		if s.popped++; s.popped > s.lookAt || e.time > s.maxTime {
			if s.look(&e); s.over {
				return
			}
		}
		s.now = e.time
		s.schedule = mix(s.schedule, uint64(e.time)^uint64(e.gen)<<32, e.order^uint64(uint32(e.ref))<<32)
		next, again := s.dispatch(&e)
		if s.cfg.Log != nil {
			s.log(&e)
		}
		if s.mayStrike() {
			s.strike()
		}
		if !again {
			return
		}
		if first := s.queue.min(); s.over || first != nil && first.before(&next) {
			s.queue.push(next)
			return
		}
		e = next
	}
}

// eventsPerLook bounds how long an interrupted run goes on: about a millisecond,
// and a tenth of a second where an event is a snapshot of thousands of splits.
const eventsPerLook = 256

// look ends a run that is interrupted, and one at its limits.
func (s *Sim) look(e *event) {
	if s.cfg.Interrupted != nil && s.cfg.Interrupted() {
		s.stop(Interrupted, fmt.Errorf("interrupted before event %d", s.popped))
		return
	}
	if s.popped > s.maxEvents || e.time > s.maxTime {
		s.atLimit(e)
	}
	s.lookAt = min(s.maxEvents, s.popped+eventsPerLook)
}

// dispatch carries one event out. A turn returns the next turn of the task
// instead of queueing it.
func (s *Sim) dispatch(e *event) (next event, again bool) {
	switch e.kind() {
	case kindTurn:
		return s.onTurn(e)
	case kindArrive:
		s.onArrive(e)
	case kindCredit:
		s.onCredit(e)
	case kindReply:
		s.onReply(e)
	case kindConnect:
		s.onConnect(e)
	case kindTimer:
		s.onTimer(e)
	case kindToTask:
		s.onToTask(e)
	case kindStart:
		s.onStart(e)
	case kindTransfer:
		s.onTransfer(e)
	case kindStoreApply:
		onApply(s, &s.stores, e)
	case kindStoreDone:
		onDone(s, &s.stores, e)
	case kindExtApply:
		onApply(s, &s.exts, e)
	case kindExtDone:
		onDone(s, &s.exts, e)
	case kindCrashSeen, kindFailSeen, kindSuspected, kindWorkerUp, kindFaultOver:
		s.onFailure(e)
	case kindOperate:
		s.ask()
	case kindQuery:
		s.queries.turn()
	case kindAsk:
		s.onAsk(e)
	case kindCampaign, kindCandidateTimer:
		s.onProcess(e)
	case kindWake:
	default:
		s.onCoordinator(e)
	}
	return event{}, false
}

// delay adds what the policy draws to a latency.
func (s *Sim) delay(l Latency, d Delay, key int) Nanos {
	if s.quiet || l.Jitter == 0 {
		return l.Base
	}
	return l.Base + s.policy.Delay(d, key, l.Jitter)
}

// land lets the operations that are still under way take effect, so that what
// lands after the end of the job is seen.
func (s *Sim) land() {
	if s.verdict != Done {
		return
	}
	for s.queue.len() > 0 {
		e := s.queue.pop()
		switch e.kind() {
		case kindStoreApply, kindExtApply:
			s.now = max(s.now, e.time)
			s.dispatch(&e)
		}
	}
}

// end closes what is open and makes the result.
func (s *Sim) end() {
	s.queries.giveUp()
	s.finish()
	s.missed()
	if s.verdict == NoProgress || s.verdict == Failed {
		s.result.Standstill = s.standstill()
	}
	func() {
		defer s.catch()
		s.closeTasks()
	}()
	s.result.Verdict, s.result.Err, s.result.Stack = s.verdict, s.err, s.stack
	s.observers.reset(nil, nil)
	s.injector = nil
	s.cfg = Config{}
}

// Committed is what the external store of the run calls, in the course of Do,
// with rows that have become visible to a read-committed reader: it mixes them
// into the hash and shows them to the observers. rows are borrowed. Its signature
// is that of external.StoreConfig.OnCommit.
func (s *Sim) Committed(task id.TaskID, txn id.Epoch, rows []byte, count int) {
	s.committed = mix(s.committed, sum(rows), uint64(task)<<32^uint64(txn)^uint64(count)<<48)
	s.result.RowsCommitted += int64(count)
	s.observers.counts[trace.OutputCommitted]++
	if s.observers.wants(trace.OutputCommitted) {
		s.observers.send(trace.Event{Kind: trace.OutputCommitted, Task: task, Channel: trace.NoChannel, Attempt: s.committing, Epoch: txn, To: uint64(count), Data: rows})
	}
}
