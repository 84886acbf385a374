package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// Participant is the half of one task that these algorithms share: message logs,
// local snapshots at its own times, recovery. Embed it in a Protocol and call
// Join in Start.
type Participant struct {
	dataflow.BaseProtocol
	K        dataflow.Kernel
	section  func() []byte // of the algorithm, in every snapshot; nil: none
	index    uint32        // of the newest epoch of this attempt
	newest   id.Epoch      // newest snapshot that is stored: base of the next
	timer    id.Ticket
	logs     []channelLog
	waiting  []waiting // drafts whose log is not durable yet, oldest first
	final    id.Epoch  // snapshot taken when drained
	underWay int       // snapshots begun and neither stored nor given up
	pausing  bool
	saving   bool // a savepoint is under way: no snapshot begins but the one that covers it
	cover    bool // that one is asked for
}

// waiting is a draft that may be sealed once the logs are durable up to upTo.
type waiting struct {
	draft *dataflow.Draft
	upTo  []id.Seq
}

// Join starts taking part. section, if not nil, is called at the instant of every
// snapshot, when nothing sent before it is open any more, and returns what the
// algorithm keeps in it.
func (p *Participant) Join(k dataflow.Kernel, s dataflow.Start, section func() []byte) {
	p.K, p.newest, p.section = k, s.Epoch, section
	p.logs = make([]channelLog, len(k.Info().Outputs))
	for i := range p.logs {
		at := k.SealedUpTo(i)
		p.logs[i] = channelLog{key: LogKey(k.Info().Outputs[i].ID), from: at, sealed: at, durable: at}
	}
	if k.IsDrained() {
		p.final = s.Epoch
		if s.Plan.Stable >= s.Epoch && s.Epoch != 0 {
			k.Finish()
		}
		return
	}
	// Tasks do not snapshot in step: the first comes at a task's own phase.
	interval := int64(k.Config().Checkpoint.Interval)
	p.timer = k.After(dataflow.Nanos(interval/4 + interval*int64(k.Info().ID%4)/4 + 1))
}

// progress seals drafts whose log is durable, and reports once it may.
func (p *Participant) progress() {
	for len(p.waiting) > 0 && p.durableUpTo(p.waiting[0].upTo) {
		w := p.waiting[0]
		p.waiting = p.waiting[1:]
		w.draft.Seal()
	}
	if p.pausing && p.allDurable() {
		p.pausing = false
		p.report()
	}
}

// Timer takes a basic snapshot, unless one is under way, and sets the next.
func (p *Participant) Timer(t id.Ticket) {
	if t != p.timer || p.K.IsDrained() {
		return
	}
	if p.tryCover(); p.underWay == 0 && !p.saving {
		p.snapshot()
	}
	interval := int64(p.K.Config().Checkpoint.Interval)
	p.timer = p.K.After(dataflow.Nanos(interval + interval*int64(p.K.Draw(dataflow.TimerFire, 4))/8))
}

// Force takes a snapshot now, whatever else is under way: what is about to be
// delivered must not be in it. Only in Deliver.
func (p *Participant) Force() {
	if p.K.Config().Mutant == MutantNeverForced {
		return
	}
	p.K.Observe(trace.Forced, id.MakeEpoch(p.K.Attempt(), p.index+1), "")
	p.snapshot()
}

// snapshot fixes an instant. Its base is the snapshot right before it, if that is
// stored: files of an older base may be deleted by then, so without it the
// snapshot is full.
func (p *Participant) snapshot() {
	p.index++
	e, base := id.MakeEpoch(p.K.Attempt(), p.index), p.newest
	if p.underWay > 0 && p.K.Config().Mutant != MutantForcedKeepsBase {
		base = 0
	}
	p.underWay++
	if p.K.IsDrained() {
		p.final = e
	}
	d := p.K.Begin(e, base)
	if p.section != nil {
		d.Save(p.section())
	}
	p.appendAll()
	upTo := make([]id.Seq, len(p.logs))
	for i := range upTo {
		upTo[i] = d.SealedUpTo(i)
	}
	if p.K.Config().Mutant == MutantSnapshotBeforeLog {
		d.Seal()
		return
	}
	p.waiting = append(p.waiting, waiting{d, upTo})
	p.progress()
}

// Drained takes the final snapshot as soon as none is under way.
func (p *Participant) Drained() { p.takeFinal() }

func (p *Participant) takeFinal() {
	if p.underWay == 0 && p.final == 0 && p.K.IsDrained() && !p.saving {
		p.snapshot()
	}
}

// Stored reports a snapshot that has become visible.
func (p *Participant) Stored(e id.Epoch, s dataflow.Stored) {
	p.newest = max(p.newest, e)
	p.K.ReleaseBase(p.newest)
	p.K.Tell((&coordinator.Message{Kind: coordinator.Ack, Epoch: e, Stored: &s}).Encode())
	p.underWay--
	p.tryCover()
	p.takeFinal()
}

// StoreFailed reports a snapshot that cannot be stored; a final one is the
// job's end, others are tried again by the timer, which a drained task has none of.
// Its draft may still wait for the log, and is then sealed to no effect.
func (p *Participant) StoreFailed(e id.Epoch, err error) {
	p.K.Tell((&coordinator.Message{Kind: coordinator.Decline, Epoch: e, Text: err.Error()}).Encode())
	if p.final == e {
		p.final = 0
	}
	p.underWay--
	p.cover = p.cover || p.saving
	if p.K.IsDrained() {
		p.tryCover()
	}
	p.takeFinal()
}

// Message from the coordinator.
func (p *Participant) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		panic(err) // both ends are this program
	}
	switch m.Kind {
	case coordinator.Complete:
		p.K.Commit(m.Epoch)
		if p.final != 0 && m.Epoch >= p.final {
			p.K.Finish()
		}
	case Cover:
		p.cover = true
		p.tryCover()
	case Pause, End:
		if m.Kind == End {
			p.timer = 0
		}
		p.K.Pause(true)
		p.K.Flush() // what is sealed after the report, the plan would not know of
		p.appendAll()
		p.pausing = true
		p.progress()
	default: // goes the other way, or means nothing here
	}
}

// report tells where this task stands; everything it has sent is in the log.
func (p *Participant) report() {
	var h dataflow.Header
	for i := range p.K.Info().Inputs {
		h.Delivered = append(h.Delivered, p.K.Delivered(i))
	}
	for i := range p.logs {
		h.Sealed = append(h.Sealed, p.K.SealedUpTo(i))
	}
	h.Drained = p.K.IsDrained()
	p.K.Tell((&coordinator.Message{Kind: Position, Stored: &dataflow.Stored{Header: h}}).Encode())
}

// Thawed goes on after a recovery that kept this task.
func (p *Participant) Thawed(id.Attempt) {
	p.pausing = false
	p.K.Pause(false)
}
