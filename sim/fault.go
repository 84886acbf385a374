package sim

import (
	"fmt"

	"weir/faults"
	"weir/id"
	"weir/trace"
)

// setInjector starts the injector of the run, which strikes for the first time
// after the first event: the coordinator's start.
func (s *Sim) setInjector() {
	s.injector = s.cfg.Injector
	s.deadline = noDeadline
}

// mayStrike reports that the injector has seen something, or waited for this time.
func (s *Sim) mayStrike() bool {
	return s.injector != nil && (s.observers.struck || s.now >= s.deadline)
}

// strike carries out the faults that are due after an event, and sees to it
// that the injector wakes when it waits for a time.
func (s *Sim) strike() {
	s.observers.struck = false
	s.injector.Advance(s.now)
	for f, ok := s.injector.Next(); ok; f, ok = s.injector.Next() {
		if s.over {
			s.result.Missed = append(s.result.Missed, f)
			continue
		}
		s.inject(&f)
	}
	at, ok := s.injector.Deadline()
	if !ok || at <= s.now {
		s.deadline = noDeadline
		return
	}
	if at != s.deadline {
		s.deadline = at
		s.push(at, classTurn, kindWake, 0, 0, 0)
	}
}

// inject carries one fault out.
func (s *Sim) inject(f *faults.Fault) {
	if s.isOfAnotherLeg(f) {
		s.result.Faults++
		s.result.Missed = append(s.result.Missed, *f)
		return
	}
	if err := s.possible(f); err != nil {
		s.stop(Failed, err)
		return
	}
	s.result.Faults++
	s.observers.counts[trace.FaultInjected]++
	if s.observers.wants(trace.FaultInjected) {
		what := *f
		what.When = faults.Condition{}
		e := trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Channel: trace.NoChannel, To: s.holdsUp(f), Text: what.String()}
		switch {
		case f.LosesOutput():
			e.Cause = trace.OutputLost
		case f.Damages():
			e.Cause = trace.Damage
		}
		s.observers.send(e)
	}
	hit := true // an armed one is looked at again at the end
	switch f.Kind {
	case faults.Crash:
		hit = s.crash(f)
	case faults.Wipe:
		if hit = s.crashWorker(f.Worker); hit {
			s.workers[f.Worker].inUse = false // what is mounted next is empty
		}
	case faults.Suspect:
		hit = s.suspect(f)
	case faults.Stall:
		s.stall(f, s.now+f.Duration)
	case faults.Fail, faults.Delay, faults.Repeat:
		s.arm(f)
	case faults.Slow, faults.Drift:
		s.slowDown(f)
	case faults.Jump:
		s.workers[f.Worker].clock.jump(f.Duration)
	case faults.Abort:
		hit = s.abort(f)
	case faults.Corrupt:
		hit = s.corrupt(f.Key)
	case faults.Cut:
		if f.Target == faults.Control {
			hit = s.cutControl(f)
		} else {
			hit = s.cut(f.Link)
		}
	case faults.Stop:
		hit = s.coord.stop()
	case faults.Rescale, faults.Upgrade, faults.Savepoint, faults.StopSaved:
		s.operate(f)
	case faults.Resume:
		hit = false // it is for whoever runs the next job
	case faults.Failover:
		hit = s.failOver(f.Duration)
	case faults.Query:
		s.query(f)
	default: // Validate knows them all
	}
	if !hit {
		s.result.Missed = append(s.result.Missed, *f)
	}
}

// crash takes the target down; false: it is down.
func (s *Sim) crash(f *faults.Fault) bool {
	switch f.Target {
	case faults.Worker:
		return s.crashWorker(f.Worker)
	case faults.Storage:
		crashPlace(s, &s.stores, s.seeds.Stream(crashStream, 0))
	case faults.Sink:
		crashPlace(s, &s.exts, s.seeds.Stream(crashStream, 1))
		if c, ok := s.cfg.External.(interface{ Crash() }); ok {
			c.Crash()
		}
	default:
		return s.coord.crash()
	}
	return true
}

// abort has the external store end what is open there; false: nothing is.
func (s *Sim) abort(f *faults.Fault) bool {
	c, ok := s.cfg.External.(interface{ Abort() []string })
	if !ok {
		s.stop(Failed, fmt.Errorf("%s: the external store %T of this run has no transactions that end by themselves", f, s.cfg.External))
		return false
	}
	ended := c.Abort()
	s.result.Destroyed = append(s.result.Destroyed, ended...)
	return len(ended) > 0
}

// destroyed notes a key under which is not, or no longer, what somebody has written.
func (s *Sim) destroyed(key string) {
	s.result.Destroyed = append(s.result.Destroyed, key)
	if s.observers.wants(trace.FaultInjected) {
		s.observers.send(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, Channel: trace.NoChannel, Cause: trace.Damage, Key: key, Text: "destroys " + key})
	}
}

// arm has a fault wait for operations or messages.
func (s *Sim) arm(f *faults.Fault) {
	a := armed{*f, f.Times}
	switch f.Target {
	case faults.Storage:
		s.stores.armed = append(s.stores.armed, a)
	case faults.Sink:
		s.exts.armed = append(s.exts.armed, a)
	default: // Control
		s.messages = append(s.messages, a)
	}
}

// cut breaks a connection; false: there is none.
func (s *Sim) cut(k id.ChannelID) bool {
	if !s.roster.Up(k) {
		return false
	}
	err := fmt.Errorf("the connection of channel %s is lost", k)
	to, _ := s.roster.Receiver(k)
	s.observers.count(trace.Event{Kind: trace.TaskFailed, Cause: trace.Struck, Task: to, Attempt: s.roster.Attempt(to), Channel: k, Text: err.Error()})
	s.carry(s.roster.Lost(s.room(), k, s.roster.Connection(k), err))
	return true
}

// holdsUp is Fault.HoldsUp, and for a slowness that ends what was begun in it and
// ends later: a turn, an operation, a buffer on its way.
func (s *Sim) holdsUp(f *faults.Fault) uint64 {
	d := f.HoldsUp()
	if f.Kind != faults.Slow || d == trace.NoBound {
		return d
	}
	m, c := &s.cfg.Model, &s.cfg.Job.Config
	var longest Nanos
	switch f.Target {
	case faults.Worker:
		for i := range s.tasks {
			if t := s.tasks[i]; int(t.worker) == f.Worker {
				longest = max(longest, t.slow*(m.StepBase+2*int64(c.BatchRecords+c.SourceBatch)*m.StepRecord))
			}
		}
	case faults.Storage:
		longest = s.stores.slow * (m.Storage.Base + m.Storage.Jitter)
	case faults.Sink:
		longest = s.exts.slow * (m.Sink.Base + m.Sink.Jitter)
	case faults.Link:
		longest = s.channels[f.Link].slow * (m.Link.Base + m.Link.Jitter)
	default: // a plan cannot slow the others down
	}
	return d + uint64(longest)*uint64(f.Factor)
}

// missed adds the armed faults that no operation has met, and the operations on the job that
// came to nothing, as it had ended.
func (s *Sim) missed() {
	s.result.Missed = append(s.result.Missed, s.operating.due...)
	for _, all := range [...][]armed{s.stores.armed, s.exts.armed, s.messages} {
		for i := range all {
			if a := &all[i]; a.left == a.fault.Times {
				s.result.Missed = append(s.result.Missed, a.fault)
			}
		}
	}
}

// possible reports why a fault cannot be carried out in this run.
func (s *Sim) possible(f *faults.Fault) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if (f.Target == faults.Worker || f.Target == faults.Control) && f.Worker >= len(s.workers) {
		return fmt.Errorf("fault %s: the run has workers 0 to %d", f, len(s.workers)-1)
	}
	if f.Kind == faults.Query && s.cfg.Reader == nil {
		return fmt.Errorf("operation %s: nobody reads in this run", f)
	}
	if f.Kind.ChangesJob() && s.cfg.Reshape == nil {
		return fmt.Errorf("operation %s: the job of this run cannot change", f)
	}
	if f.Kind == faults.Failover && len(s.processes) == 0 {
		return fmt.Errorf("operation %s: the run has one coordinator process, and nobody to take over", f)
	}
	if f.Target == faults.Process && f.Worker >= len(s.processes) {
		return fmt.Errorf("fault %s: the run has %d coordinator processes that have a lease, numbered from 0", f, len(s.processes))
	}
	if f.Target == faults.Link && int(f.Link) >= len(s.channels) {
		return fmt.Errorf("fault %s: the job has channels 0 to %d", f, len(s.channels)-1)
	}
	return nil
}

// stall makes a target answer nothing until a time.
func (s *Sim) stall(f *faults.Fault, until Nanos) {
	switch f.Target {
	case faults.Worker:
		for i := range s.tasks {
			if t := s.tasks[i]; int(t.worker) == f.Worker {
				t.stalled = max(t.stalled, until)
			}
		}
	case faults.Coordinator:
		s.coord.stalled = max(s.coord.stalled, until)
		if p := s.coord.process; p != nil {
			p.stalled = max(p.stalled, until)
		}
	case faults.Storage:
		s.stores.stalled = max(s.stores.stalled, until)
	case faults.Sink:
		s.exts.stalled = max(s.exts.stalled, until)
	case faults.SourceLog:
		s.sourceStalled = max(s.sourceStalled, until)
	case faults.Link:
		c := &s.channels[f.Link]
		c.stalled = max(c.stalled, until)
	default: // a plan cannot stall the others
	}
}

// slowDown multiplies the times of a target, or the pace of its clock, for a while
// or for good.
func (s *Sim) slowDown(f *faults.Fault) {
	s.scale(f.Kind, f.Target, f.Worker, int(f.Link), int64(f.Factor), 1)
	if f.Duration > 0 {
		which := int32(f.Worker)
		if f.Target == faults.Link {
			which = int32(f.Link)
		}
		s.push(s.now+f.Duration, classTask, kindFaultOver, which, uint32(f.Factor), uint64(f.Kind)<<8|uint64(f.Target))
	}
}

// faultOver ends a slowness.
func (s *Sim) faultOver(e *event) {
	s.scale(faults.Kind(e.arg>>8), faults.Target(e.arg), int(e.ref), int(e.ref), 1, int64(e.gen))
}

func (s *Sim) scale(kind faults.Kind, target faults.Target, worker, link int, by, over int64) {
	if kind == faults.Drift && target == faults.Process {
		s.processes[worker].clock.drift(s.now, by, over)
		return
	}
	if kind == faults.Drift {
		s.workers[worker].clock.drift(s.now, by, over)
		return
	}
	switch target {
	case faults.Worker:
		w := &s.workers[worker]
		w.slow = w.slow * by / over
		for i := range s.tasks {
			if t := s.tasks[i]; int(t.worker) == worker {
				t.slow = w.slow
			}
		}
	case faults.Storage:
		s.stores.slow = s.stores.slow * by / over
	case faults.Sink:
		s.exts.slow = s.exts.slow * by / over
	case faults.Link:
		c := &s.channels[link]
		c.slow = c.slow * by / over
	default: // a plan cannot slow the others down
	}
}

// corrupt damages the object under the prefix that was written last and is still
// there; false: there is none.
func (s *Sim) corrupt(prefix string) bool {
	c, ok := s.cfg.Storage.(interface {
		Corrupt(key string, bit int) bool
	})
	if !ok {
		s.stop(Failed, fmt.Errorf("corrupt storage: the storage %T of this run cannot be corrupted; use coordinator memory", s.cfg.Storage))
		return false
	}
	bit := s.seeds.Stream(corruptStream).Draw(1 << 16)
	for i := len(s.written) - 1; i >= 0; i-- {
		if key := s.written[i]; len(key) >= len(prefix) && key[:len(prefix)] == prefix && c.Corrupt(key, bit) {
			s.destroyed(key)
			return true
		}
	}
	return false
}
