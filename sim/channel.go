package sim

import (
	"weir/dataflow"
)

// channel is one channel of the job with the connection it has now.
type channel struct {
	from, to    int32 // tasks
	out, in     int32 // index among their outputs and inputs
	gen         uint32
	up          bool // the sender has been given EvConnected
	connecting  bool
	slow        int64
	reorders    bool
	lastArrival Nanos
	stalled     Nanos
}

// setChannels makes the channels that the tasks name.
func (s *Sim) setChannels() {
	n := 0
	for i := range s.infos {
		n += len(s.infos[i].Outputs)
	}
	if cap(s.channels) < n {
		s.channels = make([]channel, n)
	}
	s.channels = s.channels[:n]
	for i := range s.infos {
		for k, o := range s.infos[i].Outputs {
			s.channels[o.ID] = channel{from: int32(i), out: int32(k), slow: factor(s.cfg.Model.LinkSlow, int(o.ID)), reorders: o.Reorders}
			s.tasks[i].outputs = append(s.tasks[i].outputs, int32(o.ID))
		}
	}
	for i := range s.infos {
		for k, in := range s.infos[i].Inputs {
			c := &s.channels[in.ID]
			c.to, c.in = int32(i), int32(k)
			s.tasks[i].inputs = append(s.tasks[i].inputs, int32(in.ID))
		}
	}
}

// linkDelay is the time from one end to the other.
func (s *Sim) linkDelay(c *channel, k int32) Nanos {
	d := s.cfg.Model.Link.Base
	if !s.quiet && s.cfg.Model.Link.Jitter > 0 {
		d += s.policy.Delay(LinkDelay, int(k), s.cfg.Model.Link.Jitter)
	}
	return d * c.slow
}

// send puts a buffer on the wire of channel k at time leaves.
func (s *Sim) send(k int32, leaves Nanos, b *dataflow.Buffer) {
	c := &s.channels[k]
	at := leaves + s.linkDelay(c, k)
	if !c.reorders {
		at = max(at, c.lastArrival)
		c.lastArrival = at
	}
	s.push(at, classWire, kindArrive, k, c.gen, uint64(s.wire.put(b)))
}

// endOf returns a task at one end of a channel, if it is for the connection of
// the event and runs. put says that the event was put back.
func (s *Sim) endOf(e *event, c *channel, task int32) (t *taskHost, put bool) {
	if c.gen != e.gen {
		return nil, false
	}
	t = &s.tasks[task]
	if t.task == nil {
		return nil, false
	}
	if until := max(t.stalled, c.stalled); until > s.now {
		s.postpone(e, until)
		return nil, true
	}
	return t, false
}

func (s *Sim) onArrive(e *event) {
	c := &s.channels[e.ref]
	t, put := s.endOf(e, c, c.to)
	if put {
		return
	}
	b := s.wire.take(int32(e.arg))
	if t == nil {
		return
	}
	s.arrive.Port, s.arrive.Buffer = int(c.in), b
	t.step(&s.arrive)
	s.arrive.Buffer = nil
}

func (s *Sim) onCredit(e *event) {
	c := &s.channels[e.ref]
	if t, _ := s.endOf(e, c, c.from); t != nil {
		s.credit.Port, s.credit.N = int(c.out), int(e.arg)
		t.step(&s.credit)
	}
}

func (s *Sim) onReply(e *event) {
	c := &s.channels[e.ref]
	t, put := s.endOf(e, c, c.from)
	if put {
		return
	}
	data := s.parcels.take(int32(e.arg))
	if t != nil {
		s.event = dataflow.Event{Kind: dataflow.EvReply, Port: int(c.out), Data: data}
		t.step(&s.event)
	}
}

// connect begins a connection if there is none and both ends are ready.
func (s *Sim) connect(k int32) {
	c := &s.channels[k]
	if c.up || c.connecting || !s.tasks[c.from].ready || !s.tasks[c.to].ready {
		return
	}
	c.gen++
	c.connecting, c.lastArrival = true, 0
	s.push(s.now+s.linkDelay(c, k), classWire, kindConnect, k, c.gen, 0)
}

// onConnect tells the sender that the connection stands.
func (s *Sim) onConnect(e *event) {
	c := &s.channels[e.ref]
	t, put := s.endOf(e, c, c.from)
	if put || t == nil {
		return
	}
	c.up, c.connecting = true, false
	s.event = dataflow.Event{Kind: dataflow.EvConnected, Port: int(c.out), Seq: s.tasks[c.to].delivered[c.in]}
	t.step(&s.event)
}

// sever ends the connection of channel k; what is on the wire is lost.
func (s *Sim) sever(k int32) {
	c := &s.channels[k]
	c.gen++
	c.up, c.connecting = false, false
}

// isolate cuts the other tasks off from t, at once.
func (s *Sim) isolate(t *taskHost) {
	if t.isolated {
		return
	}
	t.isolated, t.ready = true, false // nobody connects to it until its next incarnation is ready
	for _, k := range t.inputs {
		s.sever(k)
		c := &s.channels[k]
		if o := &s.tasks[c.from]; o != t && o.task != nil {
			s.event = dataflow.Event{Kind: dataflow.EvCutOutput, Port: int(c.out)}
			o.step(&s.event)
		}
	}
	for _, k := range t.outputs {
		s.sever(k)
		c := &s.channels[k]
		if o := &s.tasks[c.to]; o != t && o.task != nil {
			s.event = dataflow.Event{Kind: dataflow.EvCutInput, Port: int(c.in)}
			o.step(&s.event)
		}
	}
}
