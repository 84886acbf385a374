package recoveryline

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// logPrefix is where message logs stand in storage: log/CHANNEL.
const logPrefix = "log/"

// LogKey is the storage key of a channel's message log.
func LogKey(c id.ChannelID) string { return logPrefix + c.String() }

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
	l.ticket = p.K.Store(state.Op{Kind: state.OpAppend, Key: l.key, Data: l.open, Attempt: p.K.Attempt(), From: l.from, To: l.upTo})
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
			p.K.Tell((&coordinator.Message{Kind: coordinator.Decline, Text: text}).Encode())
		}
		break
	}
	p.progress()
}

func (p *Participant) durableUpTo(upTo []id.Seq) bool {
	ahead := id.Seq(0)
	if p.K.Config().Mutant == MutantDurableOneAhead {
		ahead = 1
	}
	for i := range p.logs {
		if p.logs[i].durable+ahead < upTo[i] {
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
