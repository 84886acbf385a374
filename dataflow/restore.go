package dataflow

import (
	"fmt"

	"weir/id"
	"weir/state"
	"weir/state/savepoint"
	"weir/trace"
)

// restoring is the way of a new incarnation from a plan to its first turn:
// snapshot object, state, logs, sink. Nothing survives from before but storage.
type restoring struct {
	plan TaskPlan
	snap *Snapshot
	// Of a plan from another shape:
	formers []*Snapshot // by index in plan.Former
	// Of a plan that begins with a savepoint:
	savepoint *savepoint.Restore
	offsets   []id.Offset // Event.Offsets

	unsettled int // operations of the sink under way

	logs   [][]*Buffer // by index in plan.Inject
	toRead int
	keep   bool
	number id.Attempt // of the plan, if it keeps the task
}

// start begins a new incarnation.
func (t *Task) start(ev *Event) {
	t.attempt = ev.Attempt
	t.log.began(t.info.ID, ev.Attempt)
	t.phase = restoringPhase
	r := &restoring{plan: *ev.Plan}
	t.restore = r
	t.observeKey(trace.TaskStarting, 0, string(r.plan.Ref), 0)
	if len(r.plan.Former) > 0 {
		t.readFormers()
		return
	}
	if t.beginsFromSaved() {
		r.offsets = ev.Offsets
		t.readManifest()
		return
	}
	if r.plan.Ref == "" {
		if err := t.takeSplits(r.plan.Splits, ev.Offsets); err != nil {
			t.fail(err)
			return
		}
		t.readLogs()
		return
	}
	op := state.Op{Kind: state.OpGet, Key: string(r.plan.Ref)}
	t.host.Store(t.ticket(&effect{kind: effectRestoreGet, op: op}), op)
}

func (t *Task) restoreProgress(k id.Ticket, e *effect, ev *Event) {
	if t.restore == nil || e.kind == effectRestoreLog && e.reads != t.restore && (t.cfg.Mutant != MutantReplacedLogsTaken || e.idx >= t.restore.toRead) {
		return // of a plan that a newer one has replaced: what that one wants it reads itself
	}
	switch e.kind {
	case effectRestoreGet, effectRestoreLog:
		if ev.Result.Status == state.Failed {
			t.storeAgain(k, e)
			return
		}
		if ev.Result.Status != state.OK {
			t.failFor(trace.Unreadable, fmt.Errorf("restore: %w", resultError(e.op, ev.Result)))
			return
		}
		switch {
		case e.kind == effectRestoreLog:
			t.restoreLog(e.idx, ev.Result.Data)
		case t.restore.formers != nil:
			t.formerRead(e.idx, ev.Result.Data)
		case t.beginsFromSaved():
			t.manifestRead(ev.Result.Data)
		default:
			t.restoreObject(ev.Result.Data)
		}
	case effectRestoreTransfer:
		if ev.Err != nil {
			t.failFor(trace.Unreadable, fmt.Errorf("restore: %w", ev.Err))
			return
		}
		if t.restore.savepoint != nil {
			if err := t.savedRead(); err != nil {
				t.failFor(trace.Unreadable, fmt.Errorf("restore from a savepoint: %w", err))
				return
			}
		}
		t.readLogs()
	case effectSettle:
		t.settled(e, ev.Ext)
	default: // no effect of a restore
	}
}

// restoreObject takes the snapshot object and rebuilds everything but keyed state,
// timers among it.
func (t *Task) restoreObject(data []byte) {
	s, err := DecodeSnapshot(data)
	if err == nil {
		err = t.ours(s)
	}
	if err == nil && SnapshotKey(t.info.ID, s.Epoch) != t.restore.plan.Ref {
		err = misplaced(s)
	}
	if err == nil && t.source != nil {
		if err = t.restoreSplits(t.restore.plan.Splits, s.Splits); err != nil {
			err = fmt.Errorf("%w: %w", err, state.ErrIncompatible) // trying again is of no use
		}
	}
	var tr state.Transfer
	if err == nil {
		tr, err = t.store.Restore([]state.Handle{s.Handle})
	}
	if err != nil {
		t.failFor(trace.Unreadable, fmt.Errorf("restore: %s: %w", t.restore.plan.Ref, err))
		return
	}
	t.restore.snap = s
	t.host.Transfer(t.ticket(&effect{kind: effectRestoreTransfer}), tr)
}

// ours refuses a snapshot of another job or of another graph.
func (t *Task) ours(s *Snapshot) error {
	if s.Job != t.job {
		return fmt.Errorf("the snapshot belongs to job %q, this is job %q: give each job a storage directory of its own: %w", s.Job, t.job, state.ErrIncompatible)
	}
	if s.Task != t.info.Name || s.Index != t.info.Index {
		return fmt.Errorf("the snapshot belongs to %s[%d], this is %s[%d]: the graph has changed: %w", s.Task, s.Index, t.info.Name, t.info.Index, state.ErrIncompatible)
	}
	for i := range s.Inputs {
		if i < len(t.inputs) && s.Inputs[i].Beyond != nil && t.inputs[i].loose == nil {
			return fmt.Errorf("the snapshot was taken while channel %s reordered, and it does not any more: %w", t.inputs[i].ID, state.ErrIncompatible)
		}
	}
	if len(s.Delivered) != len(t.inputs) || len(s.Sealed) != len(t.outputs) {
		return fmt.Errorf("the snapshot has %d inputs and %d outputs, the task %d and %d: the graph has changed: %w", len(s.Delivered), len(s.Sealed), len(t.inputs), len(t.outputs), state.ErrIncompatible)
	}
	return nil
}

// misplaced: a sound snapshot of this task stands where another one should, as after a write
// that went astray.
func misplaced(s *Snapshot) error {
	return fmt.Errorf("what stands there is snapshot %s: %w", s.Epoch, state.ErrCorrupt)
}

// readLogs fetches the log ranges of the plan; without any the sink is next.
func (t *Task) readLogs() {
	r := t.restore
	r.logs = make([][]*Buffer, len(r.plan.Inject))
	r.toRead = len(r.plan.Inject)
	for i, l := range r.plan.Inject {
		op := state.Op{Kind: state.OpReadLog, Key: l.Log, From: l.From, To: l.To}
		t.host.Store(t.ticket(&effect{kind: effectRestoreLog, op: op, reads: r, idx: i}), op)
	}
	if r.toRead == 0 {
		t.logsRead()
	}
}

func (t *Task) restoreLog(i int, data []byte) {
	r := t.restore
	for len(data) > 0 {
		seq, n, payload, rest, err := state.NextEntry(data)
		var b *Buffer
		if err == nil {
			b, err = DecodeBuffer(seq, n, payload)
		}
		if err != nil {
			t.failFor(trace.Unreadable, fmt.Errorf("restore: log %s: %w", r.plan.Inject[i].Log, err))
			return
		}
		r.logs[i] = append(r.logs[i], b)
		data = rest
	}
	if r.toRead--; r.toRead == 0 {
		t.logsRead()
	}
}

func (t *Task) logsRead() {
	r := t.restore
	if r.keep {
		t.restore = nil
		t.injectLogs(r)
		t.ready()
		if t.phase == running { // a task that was restored as left never started its protocol
			t.proto.Thawed(r.number)
		}
		return
	}
	switch {
	case t.sink == nil:
		t.resume()
	case r.formers != nil:
		if err := t.settleFormers(); err != nil {
			t.failFor(trace.Unreadable, fmt.Errorf("restore from another shape: %w", err))
		}
	default:
		if err := t.recoverSink(); err != nil {
			t.failFor(trace.Unreadable, fmt.Errorf("restore: %s: %w", r.plan.Ref, err))
		}
	}
}

// resume puts positions and in-flight buffers back and starts the protocol.
func (t *Task) resume() {
	r := t.restore
	t.restore = nil
	s := Start{Plan: r.plan}
	t.restored = r.snap != nil || r.formers != nil
	if r.snap != nil {
		s.Epoch, s.Saved = r.snap.Epoch, r.snap.Save
		t.goOn(&r.snap.Header)
	}
	if r.formers != nil {
		t.takeOver(r)
	}
	t.forgetTimers()
	t.forgetBroadcast()
	t.observeRestored(r)
	t.phase = running
	if t.cfg.Mutant != MutantSilentClock {
		t.wake()
	}
	if r.snap != nil && !r.plan.Left {
		t.injectCaptured(r.snap)
	}
	if r.formers != nil && r.savepoint == nil {
		if err := t.sendAgain(r); err != nil {
			t.failFor(trace.Unreadable, fmt.Errorf("restore from another shape: %w", err))
			return
		}
	}
	t.injectLogs(r)
	stable := r.plan.Stable
	if t.cfg.Mutant == MutantDrainedCommitsAll && t.drained && r.snap != nil {
		stable = r.snap.Epoch
	}
	if stable > 0 {
		t.commit(stable)
	}
	if !r.plan.Left {
		t.proto.Start(t.kernel(), s)
	}
	if t.phase == failed {
		return
	}
	if r.plan.Left {
		t.leave()
	}
	t.ready()
	if t.source == nil && t.phase == running {
		t.endOfInput() // the instant may lie between the last EndData and Finish
	}
}

// goOn puts the task where it stood at the instant of a snapshot: event time, the end of the
// input, and the positions of its channels.
func (t *Task) goOn(h *Header) {
	if t.cfg.Mutant != MutantForgetWatermark {
		t.watermark, t.atLow = h.Watermark, 0
	}
	t.firing, t.advancing = h.Firing, h.Advancing
	t.drained, t.ended, t.loop = h.Drained, h.Drained || h.Loop.Ended, h.Loop
	for i := range t.inputs {
		in := &t.inputs[i]
		in.delivered, in.arrived = h.Delivered[i], h.Delivered[i]
		if in.loose != nil {
			in.loose.restore(in.delivered, h.Inputs[i].Beyond)
		}
		if t.cfg.Mutant != MutantForgetWatermark {
			in.wm = h.Inputs[i].Watermark
		}
		in.ended, in.gone, in.waves = h.Inputs[i].Ended, h.Inputs[i].Gone, h.Inputs[i].Waves
		in.awaits, in.waits = h.Inputs[i].Awaits, h.Inputs[i].Waits
	}
	for i := range t.inputs {
		if t.inputs[i].waits {
			t.orderEdge(t.inputs[i].Edge)
		}
	}
	for i := range t.outputs {
		t.outputs[i].sealed = h.Sealed[i]
	}
	t.ctx.rotate(h.Rotation)
	t.finished, t.ahead = h.Finished, h.Ahead
}

// forgetTimers makes the mistakes MutantForgetTimers and MutantForgetClock.
func (t *Task) forgetTimers() {
	forgotten := t.timers
	switch t.cfg.Mutant {
	case MutantForgetTimers:
	case MutantForgetClock:
		forgotten = t.clock
	default:
		return
	}
	if forgotten != nil {
		for ok := true; ok; _, _, _, ok = forgotten.Pop(EndOfTime) {
		}
	}
}

func (t *Task) observeRestored(r *restoring) {
	if !t.mask.Has(trace.TaskRestored) {
		return
	}
	t.event = trace.Event{Kind: trace.TaskRestored, Channel: trace.NoChannel}
	if r.snap != nil {
		t.event.Epoch = r.snap.Epoch
	} else if r.formers != nil {
		t.event.Epoch = r.plan.Stable
	}
	if r.savepoint != nil {
		t.event.Epoch = r.plan.Saved.Epoch
	}
	if t.event.Epoch != 0 && t.cfg.CheckState {
		t.event.Sum, t.event.To = t.store.Sum(), t.store.SumApart()
	}
	t.event.From = uint64(t.offset)
	t.send()
	t.observeSplits(trace.SplitTaken, 0)
}

func (t *Task) injectCaptured(s *Snapshot) {
	for _, c := range s.Out {
		o := &t.outputs[c.Channel]
		t.observeInjected(o.ID, c.Buffer, trace.FromOutput)
		if t.sealer != nil {
			t.sealer.Sealed(c.Channel, c.Buffer)
		}
		o.q.push(c.Buffer)
	}
	for i := range t.outputs {
		t.outputs[i].drain()
	}
	for _, c := range s.In {
		t.inject(c.Channel, c.Buffer, trace.FromInput)
	}
}

func (t *Task) injectLogs(r *restoring) {
	for i, bs := range r.logs {
		for _, b := range bs {
			t.inject(r.plan.Inject[i].In, b, trace.FromLog)
		}
	}
}

func (t *Task) inject(i int, b *Buffer, from trace.Way) {
	in := &t.inputs[i]
	b.Injected = true
	if in.knows(b) {
		return
	}
	if !in.follows(b) {
		t.failFor(trace.RestoredGap, fmt.Errorf("input %s: restored item %d does not follow %d", in.ID, b.Seq, in.arrived))
		return
	}
	in.came(b)
	t.observeInjected(in.ID, b, from)
	t.enqueueInput(i, b)
}

func (t *Task) observeInjected(c id.ChannelID, b *Buffer, from trace.Way) {
	if t.mask.Has(trace.Injected) {
		t.event = trace.Event{Kind: trace.Injected, Channel: c, From: uint64(b.Seq) - 1, To: uint64(b.Last()), Sum: b.Sum, Data: b.Data, Way: from}
		t.send()
	}
}

// ready tells the driver what this task has of every input, delivered or queued.
func (t *Task) ready() {
	if t.phase == failed {
		return
	}
	for i := range t.inputs {
		t.seenBuf[i] = t.inputs[i].arrived
	}
	t.observe(trace.TaskReady, 0, "")
	t.host.Ready(t.seenBuf)
}

// keep carries out a plan that keeps this incarnation. It replaces one whose logs
// are still being read: nothing of them has been put back.
func (t *Task) keep(ev *Event) {
	if t.phase != running && t.phase != left {
		return
	}
	if t.saving.held() {
		t.endSaving() // whoever leads now knows nothing of that savepoint
	}
	t.saving.fence(id.MakeEpoch(ev.Attempt, 0))
	if t.phase == left && ev.Plan.Left && t.cfg.Mutant != MutantLeftOnce {
		t.sayLeft()
	}
	t.log.began(t.info.ID, ev.Attempt)
	t.restore = &restoring{plan: *ev.Plan, keep: true, number: ev.Attempt}
	if ev.Plan.Stable > 0 {
		t.commit(ev.Plan.Stable)
	}
	t.readLogs()
}
