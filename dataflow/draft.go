package dataflow

import (
	"fmt"
	"slices"
	"strconv"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// Draft is a snapshot in the making. Begin fixes its instant (state and
// positions); then channel state is added, then it is sealed. The task writes
// it when it is sealed, its recordings are over, its state is uploaded and the
// sink has pre-committed. Drafts of a task are written in the order of Begin.
type Draft struct {
	t         *Task
	head      Header
	capture   state.Capture
	saves     *share // not nil: it is the task's share of a savepoint, and capture
	in, out   []captured
	bytesIn   int64
	bytesOut  int64
	recording int // inputs still being recorded
	unsent    int // outputs whose queue the barrier has not left, if that is waited for
	sealed    bool
	uploaded  bool
	// transferring: the driver is carrying the capture out, perhaps on another
	// goroutine; it is discarded when that has ended.
	transferring bool
	writing      bool
	key          Ref // of its object
	size         int64

	// What head refers to in a task with few channels: most are.
	positions [6]id.Seq
	inputs    [2]InputHeader
	pending   [2]id.Epoch
	splits    [1]SplitHeader
}

// captured is one buffer of a draft with the channel it was found in.
type captured struct {
	channel int // index of the input or output
	b       *Buffer
}

// Epoch returns the number of the snapshot.
func (d *Draft) Epoch() id.Epoch { return d.head.Epoch }

// SealedUpTo returns the position of an output at the instant.
func (d *Draft) SealedUpTo(out int) id.Seq { return d.head.Sealed[out] }

// Received returns what had been delivered of an input at the instant: everything up to a
// position and, on a channel that reorders, spans beyond it. The draft owns them.
func (d *Draft) Received(in int) (upTo id.Seq, beyond []Span) {
	if b := d.head.Inputs[in].Beyond; b != nil {
		beyond = b.Delivered
	}
	return d.head.Delivered[in], beyond
}

// Record adds what is queued on input in now, and everything that arrives
// there until a control item of this or a later epoch, or EndStream. On a
// channel that reorders such an item says nothing of what came before it.
func (d *Draft) Record(in int) {
	i := &d.t.inputs[in]
	if !d.queuedUntil(i) {
		return
	}
	d.recording++
	i.recorders = append(i.recorders, d)
}

// Queued adds what is queued on input in now.
func (d *Draft) Queued(in int) { d.queuedUntil(&d.t.inputs[in]) }

// queuedUntil adds the numbered items queued before the barrier of this epoch;
// false: the barrier, or the end of the stream, is queued too.
func (d *Draft) queuedUntil(i *input) bool {
	for k := range i.q.len() {
		b := i.q.at(k)
		switch {
		case b.carried():
			d.addIn(i, b)
		case b.Item == EndStream || b.Epoch >= d.head.Epoch:
			return false
		}
	}
	return !i.gone
}

func (d *Draft) addIn(i *input, b *Buffer) {
	if d.t.cfg.Mutant == MutantSkipInputQueue {
		return
	}
	b.Shared = true
	n := 0
	for n < len(d.t.inputs) && &d.t.inputs[n] != i {
		n++
	}
	d.in = append(d.in, captured{n, b})
	if last := len(d.in) - 1; last > 0 && d.t.cfg.Mutant == MutantCapturedOutOfOrder && d.in[last-1].channel == n {
		d.in[last-1], d.in[last] = d.in[last], d.in[last-1]
	}
	d.bytesIn += int64(len(b.Data))
	if d.t.mask.Has(trace.CapturedIn) {
		d.observeCaptured(trace.CapturedIn, i.ID, b)
	}
}

// Add adds one buffer of input in: a late message of an old epoch, a record of a back-edge.
func (d *Draft) Add(in int, b *Buffer) { d.addIn(&d.t.inputs[in], b) }

// Outputs adds everything queued and unsent.
func (d *Draft) Outputs() {
	for n := range d.t.outputs {
		if o := &d.t.outputs[n]; !o.Forbidden { // there the barrier did not overtake: what is queued arrives before it
			d.queuedOn(o, o.q.len())
		}
	}
}

// queuedOn adds what is among the first n of an output's queue.
func (d *Draft) queuedOn(o *output, n int) {
	if d.t.cfg.Mutant == MutantSkipOutputQueue {
		return
	}
	for k := range n {
		if b := o.q.at(k); b.carried() {
			b.Shared = true
			d.addOut(o, b)
		}
	}
}

func (d *Draft) addOut(o *output, b *Buffer) {
	d.out = append(d.out, captured{o.index, b})
	d.bytesOut += int64(len(b.Data))
	if d.t.mask.Has(trace.CapturedOut) {
		d.observeCaptured(trace.CapturedOut, o.ID, b)
	}
}

// AddSent adds one buffer of output out, sent or not, that a Sealer has kept and made Shared: the
// receiver had not had it at its own instant. Those of an output come in the order of their positions.
func (d *Draft) AddSent(out int, b *Buffer) {
	if d.t.cfg.Mutant != MutantSkipOutputQueue {
		d.addOut(&d.t.outputs[out], b)
	}
}

func (d *Draft) observeCaptured(k trace.Kind, c id.ChannelID, b *Buffer) {
	d.t.event = trace.Event{Kind: k, Channel: c, Epoch: d.head.Epoch, From: uint64(b.Seq) - 1, To: uint64(b.Last()), Sum: b.Sum, Data: b.Data}
	d.t.send()
}

// Mark is where an input stood at some moment.
type Mark struct {
	delivered id.Seq
	head      InputHeader
}

func (in *input) header() InputHeader {
	return InputHeader{Watermark: in.wm, Ended: in.ended, Gone: in.gone, Awaits: in.awaits, Waits: in.waits, Waves: in.waves, Beyond: in.loose.snapshot()}
}

// Mark returns where an input stands now.
func (k *kernel) Mark(i int) Mark {
	in := &k.inputs[i]
	return Mark{in.delivered, in.header()}
}

// Ended reports whether the input had delivered its end.
func (m Mark) Ended() bool { return m.head.Ended }

// Reopen returns m for an input whose end will come again, because the snapshot
// of its sender is from before the sender's end.
func (m Mark) Reopen() Mark {
	m.head.Ended = false
	return m
}

// Rewind says that the sender of input in will send again from behind m when
// this snapshot is restored, whatever was delivered since (at-least-once: from
// behind the barrier).
func (d *Draft) Rewind(in int, m Mark) {
	d.head.Delivered[in], d.head.Inputs[in] = m.delivered, m.head
	d.head.Drained = d.head.Drained && m.head.Ended
}

// Save adds the algorithm's own section.
func (d *Draft) Save(b []byte) { d.head.Save = b }

// Seal says that nothing more will be added. Nothing comes of it once the draft
// has failed or was abandoned.
func (d *Draft) Seal() {
	d.sealed = true
	d.t.advanceDrafts()
}

// Begin fixes the instant of snapshot e. The caller adds channel state and seals.
func (k *kernel) Begin(e, base id.Epoch) *Draft { return k.task().begin(e, base) }

func (t *Task) begin(e, base id.Epoch) *Draft {
	d, pre := t.fix(e, base, "")
	prefix, key := namesOf(t.info.ID, e)
	d.key = key
	if t.cfg.Mutant == MutantReuseTableName {
		prefix = "files/" + t.info.ID.String() + "/"
	}
	t.drafts = append(t.drafts, d)
	capture, err := t.store.Snapshot(state.SnapshotRequest{Epoch: e, Base: base, Prefix: prefix})
	if err != nil {
		t.failFor(trace.StateError, fmt.Errorf("snapshot %s: %w", e, err))
		return d
	}
	t.carryOut(d, capture, pre)
	return d
}

// preCommit is the operation that makes durable what the sink has sealed; none: there is none.
type preCommit struct {
	op  ExtOp
	any bool
}

// fix fixes the instant of a snapshot, or of a share of the savepoint below root.
func (t *Task) fix(e, base id.Epoch, root string) (d *Draft, pre preCommit) {
	t.flush() // open buffers belong before the instant
	d = &Draft{t: t}
	d.fixHeader(e, base)
	if t.sink != nil {
		if !t.drained || t.cfg.Mutant != MutantLastRowsUnsealed {
			pre.op, pre.any = t.sink.Seal(e)
		}
		d.head.Pending = t.sink.Pending(d.pending[:0])
	}
	t.observeInstant(d, root)
	return d, pre
}

// carryOut has the driver carry out what makes a draft durable.
func (t *Task) carryOut(d *Draft, capture state.Capture, pre preCommit) {
	d.capture, d.transferring = capture, true
	t.transfers++
	t.host.Transfer(t.ticket(&effect{kind: effectDraftTransfer, draft: d}), capture)
	if pre.any {
		t.preCommits = append(t.preCommits, d.head.Epoch)
		pre.op.Task, pre.op.Attempt = t.info.ID, t.attempt
		t.host.External(t.ticket(&effect{kind: effectPreCommit, draft: d, ext: pre.op}), pre.op)
	}
}

// fixHeader notes where the task stands.
func (d *Draft) fixHeader(e, base id.Epoch) {
	t, h := d.t, &d.head
	in, out := len(t.inputs), len(t.outputs)
	positions := slices.Grow(d.positions[:0], in+out)[:in+out]
	*h = Header{
		Epoch: e, Attempt: t.attempt, Base: base, Watermark: t.watermark, Drained: t.drained, Firing: t.firing, Advancing: t.advancing,
		Delivered: positions[:in:in], Sealed: positions[in:],
		Inputs: slices.Grow(d.inputs[:0], in)[:in], Loop: t.loopHeader(), Finished: t.finished, Ahead: t.ahead,
	}
	if t.source != nil {
		h.Splits = t.splitHeaders(d.splits[:0])
	}
	for i := range t.inputs {
		in := &t.inputs[i]
		h.Delivered[i] = in.delivered
		h.Inputs[i] = in.header()
	}
	for i := range t.outputs {
		h.Sealed[i] = t.outputs[i].sealed
	}
	h.Rotation = t.ctx.rotation()
}

func (t *Task) observeInstant(d *Draft, root string) {
	if t.cfg.CheckState {
		d.head.Sum = t.store.Sum()
		if t.cfg.HashContents {
			t.mix(d.head.Sum, uint64(d.head.Epoch))
		}
	}
	if t.mask.Has(trace.SnapshotBegun) {
		t.event = trace.Event{Kind: trace.SnapshotBegun, Channel: trace.NoChannel, Epoch: d.head.Epoch, From: uint64(t.offset), Sum: d.head.Sum, Key: root}
		if t.cfg.CheckState {
			t.event.To = t.store.SumApart()
		}
		t.send()
	}
	if t.mask.Has(trace.PositionIn) {
		for i, s := range d.head.Delivered {
			t.event = trace.Event{Kind: trace.PositionIn, Channel: t.inputs[i].ID, Epoch: d.head.Epoch, To: uint64(s)}
			t.send()
		}
	}
	if t.mask.Has(trace.PositionOut) {
		for i, s := range d.head.Sealed {
			t.event = trace.Event{Kind: trace.PositionOut, Channel: t.outputs[i].ID, Epoch: d.head.Epoch, To: uint64(s)}
			t.send()
		}
	}
	t.observeSplits(trace.PositionSplit, d.head.Epoch)
}

// Abandon drops draft e if it is not stored yet.
func (k *kernel) Abandon(e id.Epoch) { k.task().abandon(e, trace.Abandoned, "abandoned") }

func (t *Task) abandon(e id.Epoch, c trace.Cause, reason string) {
	for k, d := range t.drafts {
		if d.head.Epoch == e {
			t.drafts = append(t.drafts[:k], t.drafts[k+1:]...)
			if t.cfg.Mutant == MutantAbandonedTakesFiles && d.uploaded {
				for _, f := range d.capture.Handle().Files {
					t.kernel().Store(state.Op{Kind: state.OpDelete, Key: f.Name})
				}
			}
			d.discard()
			t.observeFailure(trace.SnapshotFailed, e, c, reason)
			t.advanceDrafts()
			t.tryLeave()
			t.writeShare()
			return
		}
	}
}

// discard lets go of everything the draft holds.
func (d *Draft) discard() {
	for i := range d.t.inputs {
		in := &d.t.inputs[i]
		kept := in.recorders[:0]
		for _, r := range in.recorders {
			if r != d {
				kept = append(kept, r)
			}
		}
		in.recorders = kept
	}
	if d.capture != nil && !d.transferring {
		d.capture.Discard()
	}
	for i := range d.t.outputs {
		o := &d.t.outputs[i]
		o.waiting = slices.DeleteFunc(o.waiting, func(w *Draft) bool { return w == d })
	}
	d.in, d.out = nil, nil
}

func (t *Task) holdsDraft(d *Draft) bool {
	for _, x := range t.drafts {
		if x == d {
			return true
		}
	}
	return false
}

// advanceDrafts writes the first draft once it is whole.
func (t *Task) advanceDrafts() {
	if len(t.drafts) == 0 || t.phase == failed {
		return
	}
	d := t.drafts[0]
	if d.writing || !d.sealed || !d.uploaded || d.recording+d.unsent > 0 || t.preCommitting(d.head.Epoch) {
		return
	}
	if d.saves != nil {
		t.shareWritten(d)
		return
	}
	d.writing = true
	data := d.encode()
	d.size = int64(len(data))
	t.observeKey(trace.SnapshotWriting, d.head.Epoch, string(d.key), 0)
	op := state.Op{Kind: state.OpPut, Key: string(d.key), Data: data}
	t.host.Store(t.ticket(&effect{kind: effectDraftPut, draft: d, op: op}), op)
}

// SnapshotKey is the storage key of a task's snapshot: unique, as epochs are.
func SnapshotKey(t id.TaskID, e id.Epoch) Ref {
	return Ref(appendName(make([]byte, 0, 40), "snap/", t, e))
}

// namesOf returns the prefix of a snapshot's files and its key, which stand in
// one string.
func namesOf(t id.TaskID, e id.Epoch) (files string, key Ref) {
	b := append(appendName(make([]byte, 0, 80), "files/", t, e), '-')
	n := len(b)
	both := string(appendName(b, "snap/", t, e))
	return both[:n], Ref(both[n:])
}

// appendName appends prefix + task + "/" + epoch.
func appendName(b []byte, prefix string, t id.TaskID, e id.Epoch) []byte {
	b = strconv.AppendInt(append(append(b, prefix...), 't'), int64(t), 10)
	return e.Append(append(b, '/'))
}

// draftProgress takes the outcome of one effect of a draft.
func (t *Task) draftProgress(e *effect, ev *Event) {
	d := e.draft
	if e.kind == effectPreCommit {
		t.preCommitDone(e, ev.Ext)
		return
	}
	if e.kind == effectDraftTransfer {
		t.transferred(d)
	}
	if !t.holdsDraft(d) {
		if e.kind == effectDraftTransfer {
			d.capture.Discard()
			t.tellSaved()
		}
		return
	}
	switch e.kind {
	case effectDraftTransfer:
		if ev.Err != nil {
			t.draftFailed(d, ev.Err)
			return
		}
		d.uploaded = true
	case effectDraftPut:
		switch ev.Result.Status {
		case state.OK:
			t.draftStored(d)
			return
		case state.Failed:
			t.storeAgain(ev.Ticket, e)
			return
		default:
			t.draftFailed(d, fmt.Errorf("snapshot %s: %w", d.head.Epoch, resultError(e.op, ev.Result)))
			return
		}
	default: // no effect of a draft
	}
	t.advanceDrafts()
}

// preCommitDone takes the answer to a pre-commit. It is repeated until it is
// answered, also when its draft was given up: later drafts name the transaction
// as pending, and would commit what the store has never heard of.
func (t *Task) preCommitDone(e *effect, s ExtStatus) {
	epoch := e.draft.head.Epoch
	switch s {
	case ExtOK:
		t.preCommits = slices.DeleteFunc(t.preCommits, func(x id.Epoch) bool { return x == epoch })
		if t.cfg.Mutant == MutantReleaseBeforeStored {
			t.commit(epoch)
		}
		t.advanceDrafts()
	case ExtFailed:
		t.host.External(t.ticket(e), e.ext)
	case ExtAbsent:
		t.failFor(trace.OutputLost, fmt.Errorf("pre-commit of %s: the external store has lost %s", epoch, RowsOf(t.info.ID)))
	default:
		t.failFor(trace.FencedOff, fmt.Errorf("pre-commit of %s: fenced by a newer attempt", epoch))
	}
}

// preCommitting reports that a pre-commit of e or before is not answered yet.
func (t *Task) preCommitting(e id.Epoch) bool {
	for _, x := range t.preCommits {
		if x <= e {
			return true
		}
	}
	return false
}

func (t *Task) draftFailed(d *Draft, err error) {
	if d.saves != nil {
		t.shareFailed(d, err)
		return
	}
	e := d.head.Epoch
	t.abandon(e, trace.Unstored, "abandoned")
	t.proto.StoreFailed(e, err)
}

func (t *Task) draftStored(d *Draft) {
	t.drafts = slices.Delete(t.drafts, 0, 1)
	h := d.capture.Handle()
	s := Stored{
		Ref: d.key, Size: d.size, State: h.Bytes, Changed: h.Changed,
		InBytes: d.bytesIn, OutByte: d.bytesOut, Files: h.Files, Header: d.head,
	}
	t.observeKey(trace.SnapshotStored, d.head.Epoch, string(s.Ref), d.size)
	d.discard()
	t.proto.Stored(d.head.Epoch, s)
	t.advanceDrafts()
	t.tryLeave()
}

// resultError describes an outcome that is final and not OK.
func resultError(op state.Op, r state.Result) error {
	return &state.OpError{Kind: op.Kind, Key: op.Key, Status: r.Status, Err: r.Err}
}
