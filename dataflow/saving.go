package dataflow

import (
	"fmt"

	"weir/id"
	"weir/state"
	"weir/state/savepoint"
	"weir/trace"
)

// A savepoint of a running job is taken by the kernel, whatever the algorithm does
// meanwhile and without its knowing. The coordinator probes all tasks. At the first
// probe a source hands out nothing any more, and every task holds its timers of
// processing time; each answers, when it has done all that comes of what it was delivered,
// with the positions of its channels. When every receiver has what its sender has sent,
// in one wave of answers, nothing is under way, and no task has anything left to do:
// see package stoptheworld, whose argument this is. Then every task writes its share, and
// stands still until it is told that the savepoint is over.
//
// What a task writes is its store as it stands: nothing changes it meanwhile.
// The sink seals what it has, as for a snapshot: the savepoint names the transaction, and
// so does the next snapshot of the task, with which it is committed. A task that restarts from
// an older one aborts it, and does again what it was made of.

// Saver is what a protocol does about savepoints. One that does not care need not be one.
type Saver interface {
	// Saving: the share of savepoint e begins here. It returns the number, above those of all
	// snapshots that have begun, under which the sink seals what it has. Until Saved no
	// snapshot may begin that is not asked for by the coordinator.
	Saving(e id.Epoch) id.Epoch
	// Saved: the savepoint is over, well or not.
	Saved()
}

// saving is a task's part in savepoints.
type saving struct {
	epoch  id.Epoch // of the newest one that the task has heard of
	over   id.Epoch // of the newest one that is over; below epoch: the task is held
	probed bool     // a probe waits until all timers that are due have fired
	draft  *Draft   // of the newest share begun
	// write asks for a share that waits until no snapshot is under way, whose capture has a part in the store.
	write   *SaveMessage
	release id.Epoch // see kernel.ReleaseBase
	told    bool     // the protocol was told that it is over, or never that it began
}

// held reports that sources hand out nothing and timers of processing time wait.
func (s *saving) held() bool { return s.over < s.epoch }

// fence: what is said of savepoints before e comes late, and from a coordinator that leads no more.
func (s *saving) fence(e id.Epoch) { s.epoch, s.over = max(s.epoch, e), max(s.over, e) }

// reading reports that the store is being read, and must not change.
func (s *saving) reading() bool { return s.draft != nil && s.draft.transferring }

// save takes a message of the coordinator. One of a savepoint that is over, or was passed by
// a newer one, comes late.
func (t *Task) save(m *SaveMessage) {
	s := &t.saving
	if m.Epoch <= s.over || m.Epoch < s.epoch {
		return
	}
	switch m.Kind {
	case SaveProbe:
		if m.Epoch > s.epoch {
			t.endSaving() // of one whose end nobody has told
			s.epoch = m.Epoch
		}
		t.stand()
	case SaveWrite:
		if m.Epoch == s.epoch && (s.draft == nil || s.draft.saves.epoch != m.Epoch) {
			s.write = m
			t.writeShare()
		}
	case SaveOver:
		s.epoch = m.Epoch
		t.endSaving()
	default: // goes the other way
	}
}

// stand says where the task stands, once it has done all that comes of what it was delivered.
// What is open is sealed first: nothing else would send it.
func (t *Task) stand() {
	s := &t.saving
	s.probed = t.kernel().Firing()
	if s.probed {
		return
	}
	t.flush()
	m := SaveMessage{Kind: SaveStands, Epoch: s.epoch, Open: t.sink != nil && (t.extCount > 0 || len(t.sink.Pending(nil)) > 0)}
	for i := range t.inputs {
		m.Delivered = append(m.Delivered, t.inputs[i].delivered)
	}
	for i := range t.outputs {
		m.Sealed = append(m.Sealed, t.outputs[i].sealed)
	}
	t.host.Tell(m.Encode())
}

// share is a snapshot that is the task's share of a savepoint.
type share struct {
	*savepoint.Writer
	epoch id.Epoch // of the savepoint
}

// Handle implements state.Capture: a share refers to nothing.
func (*share) Handle() state.Handle { return state.Handle{} }

// writeShare begins to write the task's share of a savepoint, once nobody else reads the store.
func (t *Task) writeShare() {
	m := t.saving.write
	if m == nil || t.transfers > 0 || len(t.drafts) > 0 {
		return
	}
	t.saving.write = nil
	if len(t.ahead) > 0 {
		t.refuseSave(m.Epoch, "since its parallelism changed event time has come further in some of its key groups than in others, for which the format has no place; ask again later")
		return
	}
	number := m.Epoch
	if t.saver != nil {
		number = t.saver.Saving(m.Epoch)
	}
	t.saving.told = t.saver == nil
	d, pre := t.fix(number, 0, m.Root)
	d.sealed = true
	d.saves = &share{savepoint.NewWriter(m.Root, t.job, m.Epoch, t.saved(&d.head), t.store, savepoint.Usual), m.Epoch}
	t.saving.draft = d
	t.drafts = append(t.drafts, d)
	t.carryOut(d, d.saves, pre)
}

// saved is what a savepoint has of the task beside keyed state.
func (t *Task) saved(h *Header) savepoint.Task {
	s := savepoint.Task{
		ID: t.info.ID, Operator: t.info.Name, Instance: t.info.Index, Instances: t.info.Parallelism, Groups: t.info.Groups,
		Watermark: h.Watermark, Firing: h.Firing, Advancing: h.Advancing, Drained: h.Drained,
		Pending: h.Pending, Finished: h.Finished, Own: t.store.AppendOperator(nil),
	}
	for _, x := range h.Splits {
		s.Splits = append(s.Splits, savepoint.Split{Split: x.Split, Offset: x.Offset, Watermark: x.Watermark, Ended: x.Ended})
	}
	return s
}

// shareWritten tells of a share that is durable, with what the sink has sealed.
func (t *Task) shareWritten(d *Draft) {
	m := SaveMessage{Kind: SaveWritten, Epoch: d.saves.epoch, Taken: d.head.Epoch, Part: d.saves.Part()}
	t.dropDraft(d)
	t.host.Tell(m.Encode())
}

func (t *Task) refuseSave(e id.Epoch, why string) {
	m := SaveMessage{Kind: SaveRefused, Epoch: e, Text: fmt.Sprintf("%s[%d]: %s", t.info.Name, t.info.Index, why)}
	t.host.Tell(m.Encode())
}

// shareFailed tells of a share that cannot be stored.
func (t *Task) shareFailed(d *Draft, err error) {
	t.observeFailure(trace.SnapshotFailed, d.head.Epoch, trace.Unstored, err.Error())
	t.dropDraft(d)
	t.refuseSave(d.saves.epoch, err.Error())
}

// endSaving goes on after a savepoint. As long as the store is read the task stands still all
// the same, and its protocol hears of it later.
func (t *Task) endSaving() {
	s := &t.saving
	s.over, s.probed, s.write = s.epoch, false, nil
	if d := s.draft; d != nil {
		t.dropDraft(d)
	}
	t.tellSaved()
}

// tellSaved tells the protocol of the end of a savepoint whose share had begun.
func (t *Task) tellSaved() {
	s := &t.saving
	if s.draft == nil || s.held() || s.reading() {
		return
	}
	s.draft = nil
	if !s.told {
		s.told = true
		t.saver.Saved()
	}
}

// transferred hears that the transfer of a draft has ended: the store may change again.
func (t *Task) transferred(d *Draft) {
	d.transferring = false
	t.transfers--
	if e := t.saving.release; e != 0 && !t.saving.reading() {
		t.saving.release = 0
		t.store.Release(e)
	}
}

// dropDraft forgets a draft, if it is still under way.
func (t *Task) dropDraft(d *Draft) {
	for k := range t.drafts {
		if t.drafts[k] == d {
			t.drafts = append(t.drafts[:k], t.drafts[k+1:]...)
			d.discard()
			t.advanceDrafts()
			t.tryLeave()
			return
		}
	}
}
