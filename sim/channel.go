package sim

import (
	"slices"

	"weir/dataflow"
	"weir/id"
	"weir/internal/dataflow/roster"
)

// channel is the wire of one channel of the job.
type channel struct {
	slow        int64
	reorders    bool
	lastArrival Nanos // on the connection it has now
	stalled     Nanos
}

// setChannels makes the wires.
func (s *Sim) setChannels() {
	n := s.roster.Channels()
	s.channels = slices.Grow(s.channels[:0], n)[:n]
	for i := range s.infos {
		for _, o := range s.infos[i].Outputs {
			s.channels[o.ID] = channel{slow: factor(s.cfg.Model.LinkSlow, int(o.ID)), reorders: o.Reorders}
		}
	}
}

// linkDelay is the time from one end to the other.
func (s *Sim) linkDelay(k int32) Nanos {
	d := s.cfg.Model.Link.Base
	if !s.quiet && s.cfg.Model.Link.Jitter > 0 {
		d += s.policy.Delay(LinkDelay, int(k), s.cfg.Model.Link.Jitter)
	}
	return d * s.channels[k].slow
}

// send puts a buffer on the wire of channel k at time leaves.
func (s *Sim) send(k int32, leaves Nanos, b *dataflow.Buffer) {
	at := leaves + s.linkDelay(k)
	if c := &s.channels[k]; !c.reorders {
		at = max(at, c.lastArrival)
		c.lastArrival = at
	}
	s.push(at, classWire, kindArrive, k, s.connection(k), uint64(s.wire.put(b)))
}

// connection is the number that what goes over a channel now carries.
func (s *Sim) connection(k int32) uint32 { return uint32(s.roster.Connection(id.ChannelID(k))) }

// endOf returns a task at one end of the event's channel, if the event is for the
// connection that the channel has and the task runs. put says that the event was put back.
func (s *Sim) endOf(e *event, task id.TaskID) (t *taskHost, put bool) {
	if s.connection(e.ref) != e.gen {
		return nil, false
	}
	t = s.tasks[task]
	if t.task == nil { // one that has failed by itself ignores what it gets
		return nil, false
	}
	if until := max(t.stalled, s.channels[e.ref].stalled); until > s.now {
		s.postpone(e, until)
		return nil, true
	}
	return t, false
}

func (s *Sim) onArrive(e *event) {
	to, in := s.roster.Receiver(id.ChannelID(e.ref))
	t, put := s.endOf(e, to)
	if put {
		return
	}
	if t == nil {
		if t, put = s.zombieAt(e, to, in); put {
			return
		}
	}
	b := s.wire.take(int32(e.arg))
	if t == nil {
		s.pool.spare(b)
		return
	}
	s.arrive.Port, s.arrive.Buffer = in, b
	t.step(&s.arrive)
	s.arrive.Buffer = nil
}

func (s *Sim) onCredit(e *event) {
	from, out := s.roster.Sender(id.ChannelID(e.ref))
	if t, _ := s.endOf(e, from); t != nil {
		s.credit.Port, s.credit.N = out, int(e.arg)
		t.step(&s.credit)
	}
}

func (s *Sim) onReply(e *event) {
	from, out := s.roster.Sender(id.ChannelID(e.ref))
	t, put := s.endOf(e, from)
	if put {
		return
	}
	data := s.parcels.take(int32(e.arg))
	if t != nil {
		s.event = dataflow.Event{Kind: dataflow.EvReply, Port: out, Data: data}
		t.step(&s.event)
	}
}

// onConnect tells the sender that the connection stands.
func (s *Sim) onConnect(e *event) {
	from, out := s.roster.Sender(id.ChannelID(e.ref))
	t, _ := s.endOf(e, from)
	if t == nil {
		return
	}
	if seen, ok := s.roster.Connected(id.ChannelID(e.ref), roster.Connection(e.gen)); ok {
		s.event = dataflow.Event{Kind: dataflow.EvConnected, Port: out, Seq: seen}
		t.step(&s.event)
	}
}
