package sim

import (
	"fmt"
	"slices"
	"strings"

	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/trace"
)

// A leg is what a run does between two changes of its job: with one graph, on one set of
// tasks and channels. An operation of the plan ends it as somebody would who stops a job and
// starts another one over the same storage: the coordinator is asked to stop (one more
// checkpoint); when it has, all processes end, the tasks of the next graph take their place, and a
// coordinator starts, which finds in storage what it goes on from.
//
// What goes on: time, storage, the external store, the source log, the workers with
// their disks, clocks and slowness, the faults that wait, streams and tape, observers. What ends:
// tasks, their zombies among them, the coordinator, connections with all that is on them, their
// stalls, and slowness of links. Operations that are under way take effect as those of the
// crashed do, also late, and nobody hears of them. Zombies of tasks end since whoever starts the
// job again takes its workers; a coordinator that was taken for dead is nobody's to end,
// and goes on beside the next leg. So do several coordinator processes: who has the lease next
// starts that leg.

// operations on the job, in the course of the run.
type operating struct {
	due   []faults.Fault // in the order in which they fell due; the first is under way
	stage stage
	past  uint64   // hash of the legs that have ended
	saved id.Epoch // the newest savepoint, with which the job may be about to end; 0: a plan was executed since
}

// stage is how far the operation under way has come.
type stage uint8

const (
	idle     stage = iota // none is
	stopping              // the coordinator is to stop the job
	starting              // the next leg has not executed a plan yet
	saving                // the coordinator is to take a savepoint
)

// operate takes an operation that has fallen due. One at a time is under way.
func (s *Sim) operate(f *faults.Fault) {
	o := &s.operating
	o.due = append(o.due, *f)
	if o.stage == idle {
		s.ask()
	}
}

// ask begins with the first operation that is due. A coordinator that is gone is
// asked when its successor has started, and so is the successor of one that dies meanwhile.
func (s *Sim) ask() {
	o := &s.operating
	o.stage = idle
	for len(o.due) > 0 && !s.over {
		o.stage = stopping
		if o.due[0].Kind == faults.Savepoint {
			o.stage = saving
		}
		if s.coord.coord == nil || s.coord.ask(o.due[0].Kind) {
			return
		}
		o.stage = idle
		s.result.Missed = append(s.result.Missed, o.due[0]) // it cannot
		o.due = slices.Delete(o.due, 0, 1)
	}
}

// Declined is an operation that reached the coordinator, and was not carried out.
type Declined struct {
	Operation faults.Fault
	Why       string
}

// saved hears that a savepoint is complete, or refused, and why: that it is not taken, or does
// not end the job. Unless the job ends now, the next operation has its turn.
func (s *Sim) saved(refused bool, why string) {
	o := &s.operating
	switch {
	case o.stage == saving && !refused:
	case refused && (o.stage == saving || o.stage == stopping && o.due[0].Kind == faults.StopSaved):
		s.result.Missed = append(s.result.Missed, o.due[0])
		s.result.Declined = append(s.result.Declined, Declined{o.due[0], strings.TrimPrefix(why, "savepoint: ")})
	default:
		return
	}
	s.next()
}

// endsSaved ends the run if the job has ended with a savepoint and nobody is to start it again.
func (s *Sim) endsSaved() bool {
	o := &s.operating
	if !s.cfg.EndsSaved || o.saved == 0 || o.due[0].Kind != faults.StopSaved {
		return false
	}
	s.result.EndedWith = o.saved
	o.due = slices.Delete(o.due, 0, 1)
	s.stop(Done, nil)
	return true
}

// next ends the operation under way, and has the one behind it its turn.
func (s *Sim) next() {
	o := &s.operating
	o.due, o.stage = slices.Delete(o.due, 0, 1), idle
	if len(o.due) > 0 {
		s.push(s.now, classCoordinator, kindOperate, 0, 0, 0)
	}
}

// planned hears that a plan is executed: with its first one a leg has begun, and the next
// operation has its turn.
func (s *Sim) planned() {
	s.operating.saved = 0
	if o := &s.operating; o.stage == starting {
		o.stage = idle
		if len(o.due) > 0 {
			s.push(s.now, classCoordinator, kindOperate, 0, 0, 0)
		}
	}
}

// change ends the leg for the operation under way and begins the next one.
func (s *Sim) change() {
	o := &s.operating
	f := o.due[0]
	o.due = slices.Delete(o.due, 0, 1)
	f.When = faults.Condition{}
	job, infos, err := s.reshaped(&f)
	if err != nil {
		s.stop(Failed, fmt.Errorf("%s: %w", f, err))
		return
	}
	s.endLeg()
	switch {
	case !s.changes(&f, job.Graph):
		s.result.Unchanged++
	case f.Kind == faults.Upgrade:
		s.result.Upgraded++
	}
	s.cfg.Job, s.graph, s.groups, s.infos = job, job.Graph, job.Config.Groups, infos
	s.roster.Reshape(s.infos)
	if err := s.setTasks(); err != nil { // reshaped has placed them all
		s.stop(Failed, err)
		return
	}
	s.setChannels()
	led := s.coord.process
	s.coord.succeed()
	o.past = mix(o.past, uint64(len(s.infos)), uint64(len(s.channels)))
	o.stage = starting
	s.observers.count(trace.Event{Kind: trace.Rescaled, Task: trace.Coordinator, Channel: trace.NoChannel, To: uint64(len(s.infos)), Text: f.String()})
	if led != nil {
		led.handOver()
		return
	}
	s.push(s.now+s.delay(s.cfg.Model.CoordinatorRestart, FaultDelay, 0), classCoordinator, kindCoordStart, 0, s.coord.term(), 0)
}

// changes reports whether the job is another one as graph next: of another version, or with another
// parallelism.
func (s *Sim) changes(f *faults.Fault, next *dataflow.Graph) bool {
	if f.Kind == faults.Upgrade {
		return next != s.graph
	}
	return !next.SameShape(s.graph)
}

// reshaped returns the job of the next leg with its tasks.
func (s *Sim) reshaped(f *faults.Fault) (*dataflow.Job, []dataflow.TaskInfo, error) {
	job, err := s.cfg.Reshape(f)
	if err != nil {
		return nil, nil, err
	}
	if err := job.Validate(); err != nil {
		return nil, nil, err
	}
	infos, err := job.Graph.Expand(job.Config.Groups)
	if err != nil {
		return nil, nil, err
	}
	for i := range infos {
		if _, err := s.cfg.place(i); err != nil {
			return nil, nil, err
		}
	}
	if n := splitsOf(infos); n != len(s.offsets) {
		return nil, nil, fmt.Errorf("it has %d splits, and the source log %d", n, len(s.offsets))
	}
	return job, infos, nil
}

// splitsOf returns how many splits the sources of a job have.
func splitsOf(infos []dataflow.TaskInfo) (n int) {
	for i := range infos {
		n = max(n, int(infos[i].FirstSplit)+infos[i].Splits)
	}
	return n
}

// endLeg ends all processes, without a crash, and drops what was on its way to them.
func (s *Sim) endLeg() {
	for w := range s.workers {
		s.bury(w)
	}
	o := &s.operating
	for i := range s.tasks {
		t := s.tasks[i]
		inc := t.inc()
		t.retire(inc)
		s.orphan(ofTask, t.id, inc)
		o.past = mix(o.past, t.chain, uint64(i))
	}
	s.orphan(ofCoordinator, 0, s.coord.term())
	s.queries.endLeg()
	leave(s, &s.stores)
	leave(s, &s.exts)
	s.queue.retain(s.outlivesLeg)
	if s.cfg.Model.Order.Free != 0 {
		s.ordering.pending = slices.DeleteFunc(s.ordering.pending, func(e event) bool { return !s.outlivesLeg(&e) })
		s.carriedOut = true
	}
	s.transfers.reset()
	s.relied.reset()
}

// succeed makes the host that of the next leg's coordinator. Its chain and its draws go on.
func (c *coordHost) succeed() {
	chain, random := c.chain, c.random
	c.reset()
	c.chain, c.random = chain, random
}

// leave marks the operations whose callers end with the leg: they have their effect, and no answer.
func leave[O, R any](s *Sim, p *operations[O, R]) {
	for _, o := range p.items {
		if o != nil && o.by.kind != ofCandidate && (o.by.kind != ofCoordinator || s.ghost(o.by.inc) == nil) {
			o.left, o.by.transfer = true, 0
		}
	}
}

// outlivesLeg reports whether an event is still to happen when a leg has ended, and frees what
// it refers to if not. A buffer, message, timer or report has nobody left who
// waits for it, unless it is for a coordinator that was taken for dead.
func (s *Sim) outlivesLeg(e *event) bool {
	switch e.kind() {
	case kindStoreApply, kindExtApply, kindWorkerUp, kindWake, kindOperate, kindCampaign, kindCandidateTimer:
		return true
	case kindStoreDone:
		return unanswered(&s.stores, e.ref)
	case kindExtDone:
		return unanswered(&s.exts, e.ref)
	case kindFaultOver:
		return faults.Target(e.arg) != faults.Link
	case kindCoordTimer:
		return s.ghost(e.gen) != nil
	case kindToCoord:
		if s.ghost(uint32(e.arg)) != nil {
			return true
		}
		s.parcels.take(int32(e.arg >> 32))
	case kindToTask, kindReply:
		s.parcels.take(int32(e.arg))
	case kindArrive:
		s.pool.spare(s.wire.take(int32(e.arg)))
	case kindSuspected:
		if e.ref >= 0 {
			s.suspicions.take(e.ref)
		}
	}
	return false
}

// unanswered reports whether the answer of an operation is still waited for; one that is
// not is forgotten, unless its effect is still to come.
func unanswered[O, R any](p *operations[O, R], k int32) bool {
	o := p.items[k]
	if !o.left {
		return true
	}
	if o.events--; o.events == 0 {
		p.forget(p.take(k))
	}
	return false
}

// ghost returns the coordinator of a term that was taken for dead and goes on; nil: there is none.
func (s *Sim) ghost(term uint32) *coordHost {
	for _, g := range s.ghosts {
		if g.zombie == term {
			return g
		}
	}
	return nil
}

// isOfAnotherLeg reports a fault of a channel that the graph of the moment lacks, and that of
// another leg may have.
func (s *Sim) isOfAnotherLeg(f *faults.Fault) bool {
	return s.cfg.Reshape != nil && f.Target == faults.Link && f.Link >= id.ChannelID(len(s.channels))
}
