package sim

import (
	"errors"

	"weir/faults"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/trace"
)

// A zombie was taken for dead, has been replaced, and goes on without knowing: an
// incarnation of a task, or of the coordinator. It gets what had been sent to it
// before that, and answers of storage and the external store. Nobody hears what it
// says: its peers have closed their connections, and tasks and coordinator drop what
// comes from an older incarnation. What it asks of storage and of the external store
// is carried out like anybody's: to refuse that is up to them.

// doubt is what a host knows of those who take its incarnation for dead.
type doubt struct {
	suspected  bool       // it runs, and will be declared dead
	attempt    id.Attempt // that started it
	zombie     uint32     // the incarnation, once it was replaced; else 0
	deaf, mute bool       // its control connection carries nothing down, or up
	wires      []uint32   // by input: connection when it was suspected, noConnection if it was cut off from that
}

// noConnection is the number of none.
const noConnection = 0

var errSuspected = errors.New("taken for dead, although it runs")

// suspect has a worker or the coordinator stand still for a while, and be declared
// dead when a failure would have been detected. One that is dead already stays as it is: false.
func (s *Sim) suspect(f *faults.Fault) bool {
	if f.Target == faults.Coordinator {
		return s.coord.suspect(f.Duration)
	}
	return s.suspectWorker(f.Worker, f.Duration, false, false)
}

// cutControl breaks the connection of a worker with the coordinator, in one direction or both.
func (s *Sim) cutControl(f *faults.Fault) bool {
	return s.suspectWorker(f.Worker, 0, f.Op != faults.Up, f.Op != faults.Down)
}

func (s *Sim) suspectWorker(n int, pause Nanos, deaf, mute bool) bool {
	var refs []roster.Ref
	for _, t := range s.tasks {
		phase := s.roster.Phase(t.info.ID)
		if int(t.worker) != n || phase != roster.Starting && phase != roster.Alive {
			continue
		}
		refs = append(refs, roster.Ref{Task: t.info.ID, Incarnation: s.roster.Incarnation(t.info.ID)})
		if t.task == nil {
			continue
		}
		if pause > 0 {
			t.stalled = max(t.stalled, s.now+pause)
		}
		t.doubt = doubt{suspected: true, attempt: t.attempt(), deaf: t.doubt.deaf || deaf, mute: t.doubt.mute || mute, wires: make([]uint32, len(t.inputs))}
		for in, k := range t.inputs {
			t.doubt.wires[in] = s.connection(int32(k))
		}
	}
	if refs == nil {
		return false
	}
	at := s.now + s.delay(s.cfg.Model.Detection, FaultDelay, n+1)
	s.push(at, classTask, kindSuspected, s.suspicions.put(refs), 0, 0)
	return true
}

// onSuspected is the moment when those who are suspected are declared dead.
func (s *Sim) onSuspected(e *event) {
	if e.ref < 0 {
		if s.coord.coord != nil && s.coord.term() == e.gen {
			s.replaceCoordinator()
		}
		return
	}
	refs := s.suspicions.take(e.ref)
	for _, r := range refs {
		if !s.roster.Died(r.Task, r.Incarnation) {
			continue
		}
		t := s.tasks[r.Task]
		s.observers.count(trace.Event{Kind: trace.TaskFailed, Cause: trace.Struck, Task: r.Task, Attempt: t.attempt(), Channel: trace.NoChannel, Text: errSuspected.Error()})
		t.deadBy = 0
		if t.task != nil {
			s.outlives(t, uint32(r.Incarnation))
		}
	}
	s.carry(s.roster.Noticed(s.room(), nil, refs...))
}

// outlives makes an incarnation that is to be discarded a zombie, if it is suspected,
// and puts another host in its place; false: it is an ordinary one.
func (s *Sim) outlives(t *taskHost, inc uint32) bool {
	if s.zombie(t.id, inc) != nil {
		return true
	}
	if !t.doubt.suspected || t.task == nil {
		return false
	}
	s.tasks[t.id] = &taskHost{
		s: s, id: t.id, info: t.info, worker: t.worker, source: t.source, slow: t.slow,
		inputs: t.inputs, outputs: t.outputs, chain: t.chain, random: t.random, plan: t.plan,
	}
	t.doubt.zombie, t.chain = inc, 0
	s.zombies = append(s.zombies, t)
	return true
}

// host returns the host of an incarnation that runs, be it a zombie; nil: none does.
func (s *Sim) host(task int32, inc uint32) *taskHost {
	if s.isCurrent(task, inc) {
		return s.tasks[task]
	}
	return s.zombie(task, inc)
}

func (s *Sim) zombie(task int32, inc uint32) *taskHost {
	for _, z := range s.zombies {
		if z.id == task && z.doubt.zombie == inc {
			return z
		}
	}
	return nil
}

// startedBy returns the host of the incarnation of a task that an attempt has started, if it
// runs, be it a zombie; nil: it does not.
func (s *Sim) startedBy(task id.TaskID, a id.Attempt) *taskHost {
	if t := s.tasks[task]; t.task != nil && t.attempt() == a {
		return t
	}
	for _, z := range s.zombies {
		if z.info.ID == task && z.attempt() == a {
			return z
		}
	}
	return nil
}

// zombieAt returns the zombie that an arriving buffer was sent to. put says that the
// event was put back.
func (s *Sim) zombieAt(e *event, to id.TaskID, in int) (z *taskHost, put bool) {
	for _, z := range s.zombies {
		if z.info.ID != to || z.doubt.wires[in] != e.gen {
			continue
		}
		if until := max(z.stalled, s.channels[e.ref].stalled); until > s.now {
			s.postpone(e, until)
			return nil, true
		}
		return z, false
	}
	return nil, false
}

// bury ends the zombies of a worker that crashes.
func (s *Sim) bury(worker int) {
	left := s.zombies[:0]
	for _, z := range s.zombies {
		if int(z.worker) != worker {
			left = append(left, z)
			continue
		}
		inc := z.inc()
		_ = z.discard(inc) // nobody is left to hear of it
		t := s.tasks[z.id]
		t.chain = mix(t.chain, z.chain, uint64(inc))
		s.orphan(ofTask, z.id, inc)
	}
	s.zombies = left
}

// suspect is that of the simulator.
func (c *coordHost) suspect(pause Nanos) bool {
	if c.coord == nil {
		return false
	}
	s := c.s
	c.stalled = max(c.stalled, s.now+pause)
	if c.process != nil { // whether it is followed depends on its lease
		c.process.stalled = max(c.process.stalled, c.stalled)
		return true
	}
	s.push(s.now+s.delay(s.cfg.Model.Detection, FaultDelay, 0), classTask, kindSuspected, -1, c.term(), 0)
	return true
}

// replaceCoordinator makes the coordinator a zombie and has another one started.
func (s *Sim) replaceCoordinator() {
	s.outrun()
	s.push(s.now+s.delay(s.cfg.Model.CoordinatorRestart, FaultDelay, 0), classCoordinator, kindCoordStart, 0, s.coord.term(), 0)
}

// outrun makes the coordinator a zombie; the next one is still to be started.
func (s *Sim) outrun() {
	old := s.coord
	s.result.CoordinatorCrashes++
	s.observers.count(trace.Event{Kind: trace.CoordinatorCrashed, Task: trace.Coordinator, Channel: trace.NoChannel, Text: errSuspected.Error()})
	s.coord = &coordHost{s: s}
	s.coord.reset()
	s.coord.chain = old.chain
	old.zombie, old.chain = old.term(), 0
	s.ghosts = append(s.ghosts, old)
	s.roster.CoordinatorLost()
}

// coordinator returns the host of an incarnation of the coordinator that runs, be it
// a zombie; nil: it does not.
func (s *Sim) coordinator(term uint32) *coordHost {
	if c := s.coord; c.coord != nil && c.term() == term {
		return c
	}
	for _, g := range s.ghosts {
		if g.zombie == term {
			return g
		}
	}
	return nil
}

// onCoordinator gives an event to the coordinator that it is for: as a rule the
// one that runs, which knows what is not for it.
func (s *Sim) onCoordinator(e *event) {
	term := e.gen
	if k := e.kind(); k == kindToCoord || k == kindReady || k == kindLeft {
		term = uint32(e.arg)
	}
	for _, g := range s.ghosts {
		if g.zombie == term && e.kind() != kindCoordStart {
			g.on(e)
			return
		}
	}
	s.coord.on(e)
}

// heard reports whether a message was sent to this zombie before it was one.
func (c *coordHost) heard(e *event) bool { return c.zombie != 0 && uint32(e.arg) == c.zombie }
