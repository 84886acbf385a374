package sim

import (
	"slices"
	"strconv"

	"weir/dataflow"
	"weir/id"
	"weir/sim/disk"
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
		w.state, w.crashes, w.upAt, w.inUse = up, 0, 0, false
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
		w.disk.Crash(s.seeds.Stream("disk.crash", uint64(n)))
	}
	s.observers.count(trace.Event{Kind: trace.WorkerCrashed, Task: trace.Coordinator, Channel: trace.NoChannel, Worker: int32(n), Text: w.name})
	for i := range s.tasks {
		t := &s.tasks[i]
		if int(t.worker) != n || t.phase != alive && t.phase != starting && t.task == nil {
			continue
		}
		if t.phase != dead {
			t.phase, t.deadBy = dead, w.crashes
		}
		t.stalled = 0
		t.discard()
		s.orphan(ofTask, t.id, t.inc)
	}
	at := s.now + s.delay(s.cfg.Model.Detection, FaultDelay, n+1)
	s.push(at, classTask, kindCrashSeen, int32(n), w.crashes, 0)
	return true
}

// onFailure handles what follows from failures.
func (s *Sim) onFailure(e *event) {
	switch e.kind() {
	case kindCrashSeen:
		s.crashSeen(int(e.ref), e.gen)
	case kindFailSeen:
		t := &s.tasks[e.ref]
		if t.inc == e.gen && t.phase == dead && !t.isolated {
			s.isolate(t)
			s.coord.failed([]id.TaskID{t.info.ID}, t.failure)
		}
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

// crashSeen is the moment when everybody knows that a worker crashed: survivors
// are cut off first.
func (s *Sim) crashSeen(n int, crash uint32) {
	var gone []id.TaskID
	for i := range s.tasks {
		if t := &s.tasks[i]; int(t.worker) == n && t.phase == dead && t.deadBy == crash {
			s.isolate(t)
			gone = append(gone, t.info.ID)
		}
	}
	if len(gone) > 0 {
		s.coord.failed(gone, nil)
	}
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

// execute carries a plan out: it ends what is to be restarted, cuts survivors
// off, tells them to go on, and starts the new incarnations.
func (s *Sim) execute(p *dataflow.Plan) {
	if p.Number <= s.lastPlan {
		return
	}
	s.lastPlan = p.Number
	s.result.Plans++
	for i := range s.tasks {
		t := &s.tasks[i]
		t.ready = false
		if p.Tasks[i].Mode == dataflow.Restart {
			t.discard()
			s.orphan(ofTask, t.id, t.inc)
		}
	}
	for k := range s.channels {
		if s.channels[k].connecting {
			s.sever(int32(k)) // both ends report their positions anew
		}
	}
	for i := range s.tasks {
		if p.Tasks[i].Mode == dataflow.Restart {
			s.isolate(&s.tasks[i])
		}
	}
	restored := slices.ContainsFunc(p.Tasks, func(t dataflow.TaskPlan) bool { return t.Ref != "" })
	if restored {
		s.result.Recoveries++
	}
	for i := range s.tasks {
		s.carryOut(&s.tasks[i], &p.Tasks[i], p.Number)
	}
}

func (s *Sim) carryOut(t *taskHost, plan *dataflow.TaskPlan, number id.Attempt) {
	t.session = s.coord.inc
	if plan.Mode == dataflow.Keep {
		if t.task != nil {
			s.event = dataflow.Event{Kind: dataflow.EvKeep, Plan: plan, Attempt: number}
			t.step(&s.event)
		}
		return
	}
	t.inc++
	t.phase, t.plan, t.attempt, t.failure, t.isolated = starting, plan, number, nil, false
	s.push(s.raise(t.worker), classTask, kindStart, t.id, t.inc, 0)
}
