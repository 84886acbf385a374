package sim

import (
	"strconv"

	"weir/internal/dataflow/roster"
	"weir/internal/sim/disk"
	"weir/trace"
)

// worker is a fault domain: some tasks and one local disk.
type worker struct {
	state   workerState
	crashes uint32
	upAt    Nanos // when rising
	name    string
	disk    *disk.Volume // nil until a task needs it
	inUse   bool         // the disk belongs to this run
	clock   clock
	slow    int64 // multiplies the times of its tasks
}

type workerState uint8

const (
	up workerState = iota
	down
	rising
)

func (s *Sim) setWorkers() {
	n := s.cfg.workers()
	for len(s.workers) < n {
		s.workers = append(s.workers, worker{name: strconv.Itoa(len(s.workers))})
	}
	s.workers = s.workers[:n]
	for i := range s.workers {
		w := &s.workers[i]
		w.state, w.crashes, w.upAt, w.inUse, w.clock, w.slow = up, 0, 0, false, clock{}, factor(s.cfg.Model.WorkerSlow, i)
	}
}

// mount returns the file system of the worker as its state backend sees it.
func (w *worker) mount() any {
	if w.disk == nil {
		w.disk = disk.New(disk.Config{})
	} else if !w.inUse {
		w.disk.Reset(disk.Config{})
	}
	w.inUse = true
	return w.disk.Mount().Retaining()
}

// hasDisks reports whether workers have disks.
func (s *Sim) hasDisks() bool { return s.cfg.LocalDisks || s.cfg.Job.Config.Checkpoint.LocalRecovery }

// crashWorker takes a worker down: unsynced bytes, tasks, timers and
// connections are lost. One that is down already stays as it is: false.
func (s *Sim) crashWorker(n int) bool {
	w := &s.workers[n]
	if w.state == down {
		return false
	}
	w.state = down
	w.crashes++
	s.result.Crashes++
	if w.inUse {
		w.disk.Crash(s.seeds.Stream(diskStream, uint64(n)))
	}
	s.observers.count(trace.Event{Kind: trace.WorkerCrashed, Task: trace.Coordinator, Channel: trace.NoChannel, Worker: int32(n), Text: w.name})
	for i := range s.tasks {
		t := s.tasks[i]
		if int(t.worker) != n {
			continue
		}
		if s.roster.Died(t.info.ID, s.roster.Incarnation(t.info.ID)) {
			t.deadBy = w.crashes
		} else if t.task == nil {
			continue
		}
		t.stalled, t.doubt = 0, doubt{}
		_ = t.discard(t.inc()) // nobody is left to hear of it
		s.orphan(ofTask, t.id, t.inc())
	}
	s.bury(n)
	at := s.now + s.delay(s.cfg.Model.Detection, FaultDelay, n+1)
	s.push(at, classTask, kindCrashSeen, int32(n), w.crashes, 0)
	return true
}

// onFailure handles what follows from failures.
func (s *Sim) onFailure(e *event) {
	switch e.kind() {
	case kindCrashSeen:
		s.crashSeen(int(e.ref), e.gen)
	case kindSuspected:
		s.onSuspected(e)
	case kindFailSeen:
		t := s.tasks[e.ref]
		s.carry(s.roster.Noticed(s.room(), t.failure, roster.Ref{Task: t.info.ID, Incarnation: roster.Incarnation(e.gen)}))
	case kindWorkerUp:
		w := &s.workers[e.ref]
		if w.state == rising && w.crashes == e.gen {
			w.state = up
			s.observers.count(trace.Event{Kind: trace.WorkerRestarted, Task: trace.Coordinator, Channel: trace.NoChannel, Worker: e.ref, Text: w.name})
		}
	case kindFaultOver:
		s.faultOver(e)
	}
}

// crashSeen is the moment when everybody knows that a worker crashed.
func (s *Sim) crashSeen(n int, crash uint32) {
	var dead []roster.Ref
	for i := range s.tasks {
		if t := s.tasks[i]; int(t.worker) == n && t.deadBy == crash {
			dead = append(dead, roster.Ref{Task: t.info.ID, Incarnation: s.roster.Incarnation(t.info.ID)})
		}
	}
	s.carry(s.roster.Noticed(s.room(), nil, dead...))
}

// raise sees to it that a worker runs and returns when it does.
func (s *Sim) raise(n int32) Nanos {
	w := &s.workers[n]
	switch w.state {
	case up:
		return s.now
	case down:
		w.state = rising
		w.upAt = s.now + s.delay(s.cfg.Model.Restart, FaultDelay, int(n)+1)
		s.push(w.upAt, classTask, kindWorkerUp, n, w.crashes, 0)
	case rising: // on its way already
	}
	return w.upAt
}
