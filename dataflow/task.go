package dataflow

import (
	"errors"
	"fmt"

	"weir/id"
	"weir/state"
	"weir/state/changelog"
	"weir/state/localcopy"
	"weir/trace"
)

// Task is one parallel instance of an operator with its state and its half of
// the algorithm: the kernel of the model. It is a pure step machine: Step takes
// one event, effects go to the Host. It starts no goroutine, reads no clock and
// takes no lock; whoever calls Step must do so from one goroutine at a time.
//
// One Task is one incarnation. A crash throws it away; recovery makes a new one
// from what storage holds.
type Task struct {
	job      string
	graph    *Graph
	info     *TaskInfo
	cfg      *Config
	host     Host
	observer trace.Observer
	mask     trace.Mask
	event    trace.Event // reused for observation

	proto     Protocol
	announcer Announcer
	deliverer Deliverer
	afterer   Afterer
	stamper   Stamper
	sealer    Sealer
	decider   Decider
	saver     Saver
	holds     bool
	dedups    bool

	op      Operator
	source  Source
	sink    Sink
	onTimer TimerHandler
	onClock ProcessingTimerHandler
	ctx     Context
	store   state.Store
	copies  *localcopy.Store // the same, nil if it keeps no local copies
	log     logging
	times   *state.Clocks // by which entries of the store expire
	timers  state.Timers  // event time; nil: none can be set
	clock   state.Timers  // processing time; nil: none can be set
	// broadcasts are the lists that Broadcast inputs fill.
	broadcasts []*state.OperatorList

	attempt   id.Attempt
	phase     phase
	paused    bool
	splits    []split   // of a source
	unread    int       // of them: have records left
	lastSplit int       // split read last, for the rotation
	offset    id.Offset // records handed out of all splits
	limit     id.Offset // sources: emit up to here
	ended     bool      // source at its end, or every input has delivered EndData
	drained   bool
	finishing bool // leave once commits are through
	watermark int64
	shown     int64 // watermark that the operator was shown last; unseen: none
	low       int64 // lowest watermark of the inputs, and how many have it;
	atLow     int   // 0: not known
	announced int64 // watermark last put on the outputs
	firing    bool  // timers up to the watermark may be left
	advancing bool  // the outputs are not told of the watermark yet
	past      bool  // a timer was set at or behind the watermark
	again     dueTimer

	clockDue  bool      // timers up to clockAt may be left
	clockHeld bool      // by the protocol: they wait
	clockAt   int64     // processing time
	latest    int64     // that now has returned
	alarm     id.Ticket // asked of the driver, for alarmAt; 0: none
	alarmAt   int64

	inputs   []input
	outputs  []output
	servable inputSet     // inputs that could be served
	lastIn   int          // input served last, for the rotation
	serving  Partitioning // of the input whose buffer the operator has; 0: none
	full     int          // outputs at their limit
	openBufs int          // outputs with something not sealed
	loop     LoopHeader
	parked   bool // the recorded input has nothing to serve: wait for the next arrival
	flushing bool
	// streamEnd is the EndStream of all outputs that do not reorder; nil: not sent yet.
	streamEnd *Buffer

	drafts []*Draft
	saving saving
	// transfers counts the captures, and shares of savepoints, that the driver carries out.
	transfers int
	// preCommits are the epochs whose pre-commit is under way, drafts given up included.
	preCommits []id.Epoch
	restore    *restoring
	restored   bool // the state is that of a snapshot
	tickets    id.Ticket
	pending    pending
	extCount   int // external operations under way
	chain      uint64
	seenBuf    []id.Seq
	encoded    []byte // scratch: one captured buffer
	edges      []byte // see edgeSection; nil: not asked for yet
	// finished are the key groups for which Finish was called in an older shape.
	finished []state.GroupRange
	// ahead are the key groups whose owner in an older shape had come further in event
	// time than the task has; nil: none. It is replaced, never changed: drafts share it.
	ahead []GroupsAhead
}

// unseen is Task.shown before the first time; no source says it.
const unseen = NoWatermark + 1

type phase uint8

const (
	created phase = iota
	restoringPhase
	running
	left
	failed
)

// effect is what an outstanding ticket stands for.
type effect struct {
	kind   effectKind
	op     state.Op
	ext    ExtOp
	draft  *Draft
	stream *changelog.Stream
	heir   Sink       // effectSettle: commits then; nil: nothing is left to do
	reads  *restoring // of a log: for what plan
	idx    int
}

type effectKind uint8

const (
	effectProtocolStore effectKind = iota + 1
	effectProtocolTimer
	effectFlushTimer
	effectAlarm
	effectDraftTransfer
	effectDraftPut
	effectPreCommit
	effectExternal
	effectRestoreGet
	effectRestoreTransfer
	effectRestoreLog
	effectSettle
	effectStream
)

type input struct {
	Channel
	q         queue
	blocked   block  // 0: it may be served
	delivered id.Seq // last position up to which everything was delivered
	arrived   id.Seq // last one up to which everything is queued or delivered
	ended     bool   // EndData delivered
	gone      bool   // EndStream delivered
	awaits    bool   // see InputHeader
	waits     bool
	wm        int64
	waves     InputWaves
	recorders []*Draft // drafts that record this input until their barrier
	loose     *loose   // nil: the channel is FIFO
}

// Env is where a task runs: what the driver adds to the job.
type Env struct {
	Host     Host
	Observer trace.Observer // nil: nobody looks
	Dir      string         // local directory of this incarnation, for backends that keep files
	FS       any            // file system of the worker, for such backends
	// Copies is the local directory, of all incarnations of the task on the worker, for copies
	// of what its newest snapshot has in storage; "": none are kept. It is used with
	// Config.Checkpoint.LocalRecovery, and FS is a vfs.FS then.
	Copies string
	// Former is an incarnation that is closed and that nobody uses any more, or nil.
	// If it was of the same task of the same graph, neither changed since, the new one
	// is made in its memory.
	Former *Task
}

// NewTask builds an incarnation of a task. Nothing runs before EvStart.
func NewTask(j *Job, info *TaskInfo, env Env) (*Task, error) {
	t, wired := blank(env.Former, j.Graph, info)
	t.job, t.cfg, t.host, t.observer = j.Name, &j.Config, env.Host, env.Observer
	if env.Observer != nil {
		t.mask = env.Observer.Wants()
	}
	t.op = j.Graph.Vertices[info.Vertex].New()
	t.source, _ = t.op.(Source)
	t.sink, _ = t.op.(Sink)
	t.onTimer, _ = t.op.(TimerHandler)
	t.onClock, _ = t.op.(ProcessingTimerHandler)
	writes := info.Role == RoleSink || info.Role == RoleWriter
	if (info.Role == RoleSource) != (t.source != nil) || writes != (t.sink != nil) {
		return nil, fmt.Errorf("%s: its role in the graph and its operator %T do not fit: a source must implement Source, a sink Sink, others neither", info.Name, t.op)
	}
	t.setProtocol(j.Algorithm.NewProtocol(info, &j.Config))
	if t.cfg.Mutant == MutantBackEdgeHolds {
		for i := range t.inputs {
			t.inputs[i].wm = NoWatermark
		}
	}
	if wired {
		t.ctx.rewind()
	} else if err := t.ctx.wire(j.Graph); err != nil {
		return nil, err
	}
	keyed := j.Graph.Vertices[info.Vertex].Keyed
	store, err := j.Backend.Open(state.Open{
		Task: info.ID, Dir: env.Dir, Groups: info.Groups, FS: env.FS, Keyed: keyed, Instance: info.Index, Instances: info.Parallelism,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", info.Name, err)
	}
	if store, err = t.keepLog(store, j.Algorithm.Properties()); err == nil {
		store, err = t.keepCopies(store, &env)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", info.Name, errors.Join(err, store.Close()))
	}
	t.store, t.times = store, store.Clocks()
	err = t.openTimers(keyed)
	if err == nil {
		err = t.op.Open(&t.ctx)
	}
	if err == nil {
		err = t.ctx.err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", info.Name, errors.Join(err, store.Close()))
	}
	return t, nil
}

// blank returns a task without history, in the memory of former if that was the
// same one; then its ports are wired.
func blank(former *Task, g *Graph, info *TaskInfo) (t *Task, wired bool) {
	t, wired = former, former != nil && former.graph == g && former.info == info
	if !wired {
		in, out := len(info.Inputs), len(info.Outputs)
		t = &Task{inputs: make([]input, in), outputs: make([]output, out), servable: newInputSet(in), seenBuf: make([]id.Seq, in)}
	}
	clear(t.drafts)
	*t = Task{
		graph: g, info: info, limit: ^id.Offset(0), watermark: NoWatermark, shown: unseen, announced: NoWatermark,
		inputs: t.inputs, outputs: t.outputs, servable: t.servable.emptied(), seenBuf: t.seenBuf, encoded: t.encoded, edges: t.edges,
		splits: t.splits[:0], drafts: t.drafts[:0], preCommits: t.preCommits[:0], pending: t.pending.emptied(), ctx: t.ctx,
	}
	t.ctx.t, t.ctx.err = t, nil
	for i := range t.inputs {
		in := &t.inputs[i]
		clear(in.recorders)
		*in = input{Channel: info.Inputs[i], wm: NoWatermark, q: in.q.emptied(), recorders: in.recorders[:0]}
		if in.Back {
			in.wm = EndOfTime // never holds the task's back
		}
		if in.Reorders {
			in.loose = &loose{}
		}
	}
	for i := range t.outputs {
		t.outputs[i] = output{Channel: info.Outputs[i], t: t, index: i, watermark: NoWatermark, q: t.outputs[i].q.emptied()}
	}
	return t, wired
}

func (t *Task) setProtocol(p Protocol) {
	t.proto = p
	t.announcer, _ = p.(Announcer)
	t.deliverer, _ = p.(Deliverer)
	t.afterer, _ = p.(Afterer)
	t.stamper, _ = p.(Stamper)
	t.sealer, _ = p.(Sealer)
	t.decider, _ = p.(Decider)
	t.saver, _ = p.(Saver)
	if h, ok := p.(Holder); ok {
		t.holds = h.HoldsOutput()
	}
	if d, ok := p.(Deduper); ok {
		t.dedups = d.Dedups()
	}
}

// Offset returns how many records a source has handed out, of all its splits
// together; 0 for others.
func (t *Task) Offset() id.Offset { return t.offset }

// Chain is the running hash over events in and effects out, 0 unless Config.HashContents.
func (t *Task) Chain() uint64 { return t.chain }

// State returns the working state, for inspection between steps.
func (t *Task) State() state.Store { return t.store }

// Runnable reports whether EvTurn would do something. Drivers ask after every Step.
func (t *Task) Runnable() bool {
	if t.phase != running || t.paused || t.full > 0 || t.saving.reading() {
		return false
	}
	if t.firing || t.clockFires() {
		return true
	}
	if t.parked {
		return false
	}
	if t.source != nil {
		return !t.ended && !t.saving.held() && (t.offset < t.limit || t.unread == 0)
	}
	return t.servable.n > 0
}

// Close frees local resources; the task is not used afterwards. No transfer
// of it may be running any more.
func (t *Task) Close() error {
	for _, d := range t.drafts {
		d.transferring = false
		d.discard()
	}
	t.drafts = nil
	return t.store.Close()
}

// Surrender calls f with every buffer that is left in a closed task and that
// nobody shares: the driver may use it again.
func (t *Task) Surrender(f func(*Buffer)) {
	for i := range t.inputs {
		t.inputs[i].q.surrender(f)
	}
	for i := range t.outputs {
		o := &t.outputs[i]
		o.q.surrender(f)
		if o.open != nil {
			f(o.open)
			o.open = nil
		}
	}
}

// Step handles one event.
func (t *Task) Step(ev *Event) {
	if t.phase == failed {
		return
	}
	if t.cfg.HashContents {
		t.mixEvent(ev)
	}
	switch ev.Kind {
	case EvTurn:
		if t.Runnable() {
			t.turn(ev.N, ev.Port)
			t.stream()
			if t.saving.probed && t.phase == running {
				t.stand()
			}
		}
	case EvArrive:
		t.arrive(ev.Port, ev.Buffer)
	case EvCredit:
		t.outputs[ev.Port].credited(ev.N)
	case EvStart:
		t.start(ev)
	case EvKeep:
		t.keep(ev)
	case EvCutInput:
		t.cutInput(ev.Port)
	case EvCutOutput:
		t.outputs[ev.Port].cut()
	case EvConnected:
		t.connected(ev.Port, ev.Seq)
	case EvMessage:
		t.message(ev.Data)
	case EvReply:
		if t.phase == running && t.outputs[ev.Port].connected {
			t.proto.Reply(ev.Port, ev.Data)
		}
	case EvTimer, EvStored, EvTransfer, EvExternal:
		t.complete(ev)
	}
}

// message takes one from the coordinator: of the algorithm, or about a savepoint.
func (t *Task) message(data []byte) {
	switch {
	case t.phase != running:
	case IsSaveMessage(data):
		m, err := DecodeSaveMessage(data)
		if err != nil {
			panic(err) // both ends are this program
		}
		t.save(&m)
	default:
		t.proto.Message(data)
	}
}

// complete hands the outcome of an effect to whoever asked for it.
func (t *Task) complete(ev *Event) {
	e := t.pending.take(ev.Ticket)
	if e == nil {
		return
	}
	switch e.kind {
	case effectProtocolStore:
		if ev.Result.Status == state.Failed {
			t.storeAgain(ev.Ticket, e)
		} else if t.phase == running {
			t.proto.Done(ev.Ticket, ev.Result)
		}
	case effectProtocolTimer:
		if t.phase == running {
			t.proto.Timer(ev.Ticket)
		}
	case effectAlarm:
		t.dueClock()
	case effectFlushTimer:
		t.flushing = false
		t.flush()
	case effectDraftTransfer, effectDraftPut, effectPreCommit:
		t.draftProgress(e, ev)
		t.writeShare()
	case effectStream:
		t.streamed(e.stream)
	case effectExternal:
		t.externalDone(e, ev.Ext)
	case effectRestoreGet, effectRestoreTransfer, effectRestoreLog, effectSettle:
		t.restoreProgress(ev.Ticket, e, ev)
	}
	t.pending.spend(e)
}

// storeAgain repeats an operation whose outcome is unknown, under its ticket.
func (t *Task) storeAgain(k id.Ticket, e *effect) {
	t.pending.put(k, e)
	t.host.Store(k, e.op)
}

func (t *Task) ticket(e *effect) id.Ticket {
	t.tickets++
	t.pending.put(t.tickets, e)
	return t.tickets
}

// fail is failFor an error of an operator, a source or keyed state.
func (t *Task) fail(err error) {
	c := trace.OperatorError
	if errors.Is(err, state.ErrCorrupt) {
		c = trace.StateError
	}
	t.failFor(c, err)
}

// failFor stops the task for good; the driver treats it as crashed.
func (t *Task) failFor(c trace.Cause, err error) {
	if t.phase == failed {
		return
	}
	t.phase = failed
	t.observeFailure(trace.TaskFailed, 0, c, err.Error())
	t.host.Fail(fmt.Errorf("%s[%d]: %w", t.info.Name, t.info.Index, err))
}
