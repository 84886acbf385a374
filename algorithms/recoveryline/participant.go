package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// MutantSnapshotBeforeLog is the mistake of a snapshot that becomes visible before its message log.
const MutantSnapshotBeforeLog dataflow.Mutant = "snapshot-before-log"

// LogKey is the storage key of a channel's message log.
func LogKey(c id.ChannelID) string { return coordinator.LogPrefix + c.String() }

// Participant is the half of one task.
type Participant struct {
	dataflow.BaseProtocol
	k       dataflow.Kernel
	index   uint32   // of the newest epoch of this attempt
	newest  id.Epoch // newest snapshot that is stored: base of the next
	timer   id.Ticket
	logs    []channelLog
	waiting []waiting // drafts whose log is not durable yet, oldest first
	final   id.Epoch  // snapshot taken when drained
	// busy: a snapshot is under way. The next one waits, so that its base is the
	// snapshot right before it: files of an older base may be deleted already.
	busy    bool
	pausing bool
}

// channelLog is the writing end of one channel's log. One append is under way
// at a time, so that they land in order.
type channelLog struct {
	key     string
	open    []byte // entries not handed to storage yet
	from    id.Seq // position before them
	sealed  id.Seq
	durable id.Seq
	ticket  id.Ticket // of the append under way, 0 = none
	upTo    id.Seq    // its last position
}

// waiting is a draft that may be sealed once the logs are durable up to upTo.
type waiting struct {
	draft *dataflow.Draft
	upTo  []id.Seq
}

func (p *Participant) Start(k dataflow.Kernel, s dataflow.Start) {
	p.k, p.newest = k, s.Epoch
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

// Sealed logs every numbered buffer.
func (p *Participant) Sealed(out int, b *dataflow.Buffer) {
	l := &p.logs[out]
	var scratch [64]byte
	l.open = state.AppendEntry(l.open, b.Seq, uint32(b.N), dataflow.EncodeBuffer(scratch[:0], b))
	l.sealed = b.Last()
}

// After hands what the turn has logged to storage.
func (p *Participant) After(int) { p.appendAll() }

func (p *Participant) appendAll() {
	for i := range p.logs {
		p.append(&p.logs[i])
	}
}

func (p *Participant) append(l *channelLog) {
	if l.ticket != 0 || len(l.open) == 0 {
		return
	}
	l.upTo = l.sealed
	l.ticket = p.k.Store(state.Op{Kind: state.OpAppend, Key: l.key, Data: l.open, Attempt: p.k.Attempt(), From: l.from, To: l.upTo})
	l.open, l.from = nil, l.upTo
}

// Done takes the outcome of an append.
func (p *Participant) Done(t id.Ticket, r state.Result) {
	for i := range p.logs {
		l := &p.logs[i]
		if l.ticket != t {
			continue
		}
		l.ticket = 0
		switch r.Status {
		case state.OK:
			l.durable = l.upTo
			p.append(l)
		case state.Lost:
			// A newer attempt owns the log, this one is a zombie whose snapshots
			// must never become visible: durable stays behind for ever.
		default:
			text := coordinator.Error("append to "+l.key, r).Error()
			p.k.Tell((&coordinator.Message{Kind: coordinator.Decline, Text: text}).Encode())
		}
		break
	}
	p.progress()
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

func (p *Participant) durableUpTo(upTo []id.Seq) bool {
	for i := range p.logs {
		if p.logs[i].durable < upTo[i] {
			return false
		}
	}
	return true
}

func (p *Participant) allDurable() bool {
	for i := range p.logs {
		if p.logs[i].durable < p.logs[i].sealed {
			return false
		}
	}
	return true
}

// Timer takes a local snapshot and sets the next one.
func (p *Participant) Timer(t id.Ticket) {
	if t != p.timer || p.k.IsDrained() {
		return
	}
	p.snapshot()
	interval := int64(p.k.Config().Checkpoint.Interval)
	p.timer = p.k.After(dataflow.Nanos(interval + interval*int64(p.k.Draw(dataflow.TimerFire, 4))/8))
}

func (p *Participant) snapshot() {
	if p.busy {
		return
	}
	p.busy = true
	p.index++
	e := id.MakeEpoch(p.k.Attempt(), p.index)
	if p.k.IsDrained() {
		p.final = e
	}
	d := p.k.Begin(e, p.newest)
	p.appendAll()
	upTo := make([]id.Seq, len(p.logs))
	for i := range upTo {
		upTo[i] = d.SealedUpTo(i)
	}
	if p.k.Config().Mutant == MutantSnapshotBeforeLog {
		d.Seal()
		return
	}
	p.waiting = append(p.waiting, waiting{d, upTo})
	p.progress()
}

// Drained takes the final snapshot as soon as none is under way.
func (p *Participant) Drained() { p.snapshot() }

// next goes on when a snapshot is stored or given up.
func (p *Participant) next() {
	p.busy = false
	if p.k.IsDrained() && p.final == 0 {
		p.snapshot()
	}
}

// Stored reports a snapshot that has become visible.
func (p *Participant) Stored(e id.Epoch, s dataflow.Stored) {
	p.newest = max(p.newest, e)
	p.k.ReleaseBase(p.newest)
	p.k.Tell((&coordinator.Message{Kind: coordinator.Ack, Epoch: e, Stored: s}).Encode())
	p.next()
}

// StoreFailed reports a snapshot that cannot be stored; a final one is the
// job's end, others are tried again by the timer.
func (p *Participant) StoreFailed(e id.Epoch, err error) {
	for i := range p.waiting {
		if p.waiting[i].draft.Epoch() == e {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			break
		}
	}
	p.k.Tell((&coordinator.Message{Kind: coordinator.Decline, Epoch: e, Text: err.Error()}).Encode())
	if p.final == e {
		p.final = 0
	}
	p.next()
}

// Message from the coordinator.
func (p *Participant) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		panic(err) // both ends are this program
	}
	switch m.Kind {
	case coordinator.Complete:
		p.k.Commit(m.Epoch)
		if p.final != 0 && m.Epoch >= p.final {
			p.k.Finish()
		}
	case coordinator.Pause:
		p.k.Pause(true)
		p.k.Flush()
		p.appendAll()
		p.pausing = true
		p.progress()
	default: // goes the other way, or means nothing here
	}
}

// report tells where this task stands; everything it has sent is in the log.
func (p *Participant) report() {
	var h dataflow.Header
	for i := range p.k.Info().Inputs {
		h.Delivered = append(h.Delivered, p.k.Delivered(i))
	}
	for i := range p.logs {
		h.Sealed = append(h.Sealed, p.k.SealedUpTo(i))
	}
	h.Drained = p.k.IsDrained()
	p.k.Tell((&coordinator.Message{Kind: coordinator.Position, Stored: dataflow.Stored{Header: h}}).Encode())
}

// Thawed goes on after a recovery that kept this task.
func (p *Participant) Thawed() {
	p.pausing = false
	p.k.Pause(false)
}
