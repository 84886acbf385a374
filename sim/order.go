package sim

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/state"
)

// Order frees the order of events from time: what is pending happens in the order
// that a chooser, or the stream "order" of the tape, says. 0 is the oldest event.
//
// Free are deliveries (buffers, replies, messages in both directions), completions (a
// write to storage, an operation on the sink store, also of who has died since), turns of
// sources, and timers. A channel stays in order unless it is declared to reorder, and so
// do messages between the coordinator and a task, and the timers of one party.
//
// All else follows at once, as part of the step that made it possible: turns of other tasks,
// credits, starts of tasks, connections, slices of asynchronous work, reads and deletions. So does that the
// caller of an operation hears of it, unless a crash comes in between; and that a crash is
// noticed, and the coordinator started again: a crash that is noticed late is a later one
// of a party that did nothing for a while.
//
// The clock counts steps, and jumps where a timer fires. Latencies of the model mean nothing.
type Order struct {
	// Free, if not 0, frees the order.
	Free int
	// Prompt, if not 0, has what tasks tell the coordinator arrive at once, and behind a
	// crash what it tells them too.
	Prompt int
	// Crashes is how many crashes of a worker or of the coordinator may be chosen. One
	// can be after each step that has made something durable, before anybody hears of it.
	Crashes int
	// Horizon is patience: a timer that is due at or after it fires when nothing else
	// can happen, so that timeouts do not come before what they wait for.
	Horizon Nanos
}

// Chooser chooses what happens next in a run whose order is free. It belongs to the
// goroutine of the run.
type Chooser interface {
	// Choose returns the index of one of the options, of which there is at least one; -1
	// ends the run with verdict Interrupted. The point is valid during the call.
	Choose(p *Point) int
}

// Point is a moment at which something is to be chosen.
type Point struct {
	// Options are what can happen, oldest first and crashes last.
	Options []Option
	// Touched are the parties that what happened since the point before has read or
	// changed: one bit each, all of them where that cannot be told. Two steps without a
	// common bit, both possible, come to the same in either order.
	Touched uint64
	// Left is how many crashes can still be chosen, here or later.
	Left int
	// Image hashes all that the run still depends on: parties, what is under way,
	// storage and sink store, and which crashes are left. What observers remember is not in it.
	Image func() uint64
}

// Option is one thing that can happen. ID is its content, and the same wherever it
// can happen.
type Option struct {
	ID    uint64
	Crash bool
}

// everything is Point.Touched of a step that may have touched any party.
const everything = ^uint64(0)

// ordering is the state of a run whose order is free.
type ordering struct {
	pending []event // in the order in which they were pushed
	options []Option
	of      []int // by option that is no crash: index into pending
	victims []int // by option that is one, in their order: worker, or -1 for the coordinator
	point   Point
	touched uint64
	forced  bool // the one option that is no crash follows at once
	durable bool // the last step made something durable
	crashes int  // chosen so far
	images  images
	draw    func(n int) int
}

// free is the loop of a run whose order is free.
func (s *Sim) free() {
	o := &s.ordering
	*o = ordering{pending: o.pending[:0], options: o.options[:0], of: o.of[:0], victims: o.victims[:0], images: o.images, touched: everything}
	o.images.forget()
	o.point.Image = s.image
	stream := s.seeds.Stream(OrderStream)
	o.draw = stream.Draw
	for !s.over {
		s.gather()
		s.offer()
		if len(o.options) == 0 {
			s.stop(NoProgress, fmt.Errorf("after %d steps nothing is left to happen and the job is not done", s.popped))
			return
		}
		if len(o.options) == 1 && o.forced {
			s.happen(o.of[0])
			continue
		}
		s.choose()
	}
	for _, e := range o.pending { // to land
		s.queue.push(e)
	}
}

// choose has one of the options happen.
func (s *Sim) choose() {
	o := &s.ordering
	k := 0
	switch {
	case s.cfg.Chooser != nil:
		o.point.Options, o.point.Touched, o.point.Left = o.options, o.touched, s.cfg.Model.Order.Crashes-o.crashes
		k = s.cfg.Chooser.Choose(&o.point)
	case len(o.options) > 1:
		k = o.draw(len(o.options))
	}
	o.touched, o.durable = 0, false
	switch {
	case k < 0:
		s.stop(Interrupted, fmt.Errorf("ended at step %d", s.popped))
	case k < len(o.of):
		s.happen(o.of[k])
	default:
		s.strikeDown(o.victims[k-len(o.of)])
	}
}

// gather takes what was pushed from the queue.
func (s *Sim) gather() {
	o := &s.ordering
	n := len(o.pending)
	o.pending = append(o.pending, s.queue.heap...)
	s.queue.reset()
	slices.SortFunc(o.pending[n:], func(a, b event) int { return cmp.Compare(a.sequence(), b.sequence()) })
}

// sequence is the event's place in the order of pushes.
func (e *event) sequence() uint64 {
	return e.order << (64 - classShift) >> (64 - classShift + kindBits)
}

// happen handles a pending event.
func (s *Sim) happen(i int) {
	o := &s.ordering
	e := o.pending[i]
	o.pending = slices.Delete(o.pending, i, i+1)
	if s.popped++; s.popped > s.lookAt {
		if s.look(&e); s.over {
			return
		}
	}
	touches := s.touches(&e)
	s.now++
	if was := s.times(); e.isTimer() {
		if s.now = max(s.now, e.time); s.times() != was {
			touches = everything // timers that are set from now on are due later
		}
	}
	if s.makesDurable(&e) {
		o.durable = true
		if o.crashes < s.cfg.Model.Order.Crashes {
			touches = everything // what is before a crash does not commute with it
		}
	}
	o.touched |= touches
	o.images.stale |= touches
	if e.kind() == kindCredit {
		t, _ := s.roster.Sender(id.ChannelID(e.ref))
		o.images.stale |= taskBit(int32(t))
	}
	s.schedule = mix(s.schedule, uint64(e.gen)<<32, uint64(e.kind())^uint64(uint32(e.ref))<<32)
	if next, again := s.dispatch(&e); again {
		s.queue.push(next)
	}
	if s.cfg.Log != nil {
		s.log(&e)
	}
	if faults := s.result.Faults; s.mayStrike() {
		s.strike()
		s.carriedOut = s.carriedOut || s.result.Faults > faults // which may strike anybody
	}
	if s.carriedOut {
		s.carriedOut = false
		o.touched, o.images.stale = everything, everything
	}
}

// strikeDown has a worker or, -1, the coordinator crash.
func (s *Sim) strikeDown(victim int) {
	o := &s.ordering
	o.crashes++
	o.touched, o.images.stale = everything, everything
	s.now++
	s.schedule = mix(s.schedule, crashSalt, uint64(victim))
	if victim < 0 {
		s.coord.crash()
	} else {
		s.crashWorker(victim)
	}
}

// urgent returns the first pending event that does not wait to be chosen, -1 if there
// is none: what follows at once, and what comes too late to be of any effect.
func (s *Sim) urgent() int {
	for i := range s.ordering.pending {
		e := &s.ordering.pending[i]
		switch e.kind() {
		case kindTurn:
			if !s.tasks[e.ref].source {
				return i
			}
		case kindCredit, kindConnect, kindStart, kindTransfer, kindWorkerUp, kindFaultOver, kindStoreDone, kindExtDone, kindCrashSeen, kindFailSeen, kindCoordStart:
			return i
		case kindToCoord, kindReady, kindLeft:
			if s.cfg.Model.Order.Prompt != 0 {
				return i
			}
		case kindToTask:
			if s.cfg.Model.Order.Prompt != 0 && s.ordering.crashes > 0 {
				return i
			}
		case kindStoreApply:
			if op := &s.stores.items[e.ref].op; op.Kind == state.OpDelete || s.reads(e) {
				return i
			}
		}
		if s.isLate(e) {
			return i
		}
	}
	return -1
}

// isLate reports whether an event is for what is gone, for good.
func (s *Sim) isLate(e *event) bool {
	switch e.kind() {
	case kindTurn, kindTimer, kindToTask:
		return !s.isCurrent(e.ref, e.gen)
	case kindArrive, kindReply:
		return s.connection(e.ref) != e.gen
	case kindToCoord, kindReady, kindLeft:
		return roster.Term(e.arg) != s.roster.Term()
	case kindCoordTimer, kindCoordStart:
		return e.gen != s.coord.term()
	}
	return false
}

func (e *event) isTimer() bool {
	k := e.kind()
	return k == kindTimer || k == kindCoordTimer || k == kindWake
}

// offer lists what can happen next.
func (s *Sim) offer() {
	o := &s.ordering
	o.options, o.of, o.victims, o.forced = o.options[:0], o.of[:0], o.victims[:0], false
	if i := s.urgent(); i >= 0 {
		o.options, o.of, o.forced = append(o.options, Option{ID: s.identity(&o.pending[i])}), append(o.of, i), true
	} else {
		s.offerPending()
	}
	if o.durable && o.crashes < s.cfg.Model.Order.Crashes {
		s.offerCrashes()
	}
}

// offerPending lists the pending events that nothing keeps back.
func (s *Sim) offerPending() {
	o := &s.ordering
	patience := -1 // the first timer behind the horizon
	for i := range o.pending {
		e := &o.pending[i]
		switch {
		case e.isTimer():
			if !s.first(i, func(x *event) bool {
				return x.kind() == e.kind() && x.ref == e.ref && (x.time < e.time || x.time == e.time && x.sequence() < e.sequence())
			}) {
				continue
			}
			if e.time >= s.cfg.Model.Order.Horizon {
				if patience < 0 || e.time < o.pending[patience].time {
					patience = i
				}
				continue
			}
		default:
			if k := s.lane(e); k != 0 && !s.first(i, func(x *event) bool { return s.lane(x) == k && x.sequence() < e.sequence() }) {
				continue
			}
		}
		o.options, o.of = append(o.options, Option{ID: s.identity(e)}), append(o.of, i)
	}
	if len(o.options) == 0 && patience >= 0 {
		o.options, o.of = append(o.options, Option{ID: s.identity(&o.pending[patience])}), append(o.of, patience)
	}
}

// lane numbers what keeps its order: the buffers and the replies of a channel, and the
// messages between a task and the coordinator in one direction. 0: an event overtakes others.
func (s *Sim) lane(e *event) uint64 {
	switch k := e.kind(); k {
	case kindArrive:
		if s.channels[e.ref].reorders {
			return 0
		}
		return uint64(k)<<32 | uint64(e.ref)
	case kindReply, kindToTask:
		return uint64(k)<<32 | uint64(e.ref)
	case kindToCoord, kindReady, kindLeft:
		return uint64(kindToCoord)<<32 | uint64(e.ref)
	default:
		return 0
	}
}

// first reports whether no pending event is before the i-th.
func (s *Sim) first(i int, before func(*event) bool) bool {
	for k := range s.ordering.pending {
		if k != i && before(&s.ordering.pending[k]) {
			return false
		}
	}
	return true
}

// offerCrashes adds the workers that run something, and the coordinator if it runs.
func (s *Sim) offerCrashes() {
	o := &s.ordering
	for w := range s.workers {
		if s.workers[w].state == up && slices.ContainsFunc(s.tasks, func(t *taskHost) bool { return int(t.worker) == w && t.task != nil }) {
			o.options, o.victims = append(o.options, Option{ID: mix(crashSalt, uint64(w), 0), Crash: true}), append(o.victims, w)
		}
	}
	if s.coord.coord != nil {
		o.options, o.victims = append(o.options, Option{ID: mix(crashSalt, 0, 1), Crash: true}), append(o.victims, -1)
	}
}

const crashSalt = 0xc4a5

// The bits of Point.Touched: tasks have the lowest, storage those above, by key.
const (
	coordinatorBit = 1 << 63
	sinkBit        = 1 << 62
	firstStoreBit  = 24
	storeBits      = 38
	allStores      = (1<<storeBits - 1) << firstStoreBit
)

func taskBit(t int32) uint64 { return 1 << (uint(t) % firstStoreBit) }

// touches returns the parties that an event reads or changes, as it will be seen
// before it happens. What its task or the coordinator then does to the roster is noted
// apart (carriedOut). A credit touches nobody: it adds to a number that is never used up,
// since outputs of a run whose order is free have more credit than they can spend.
func (s *Sim) touches(e *event) uint64 {
	switch e.kind() {
	case kindTurn, kindTimer, kindToTask:
		return taskBit(e.ref)
	case kindArrive:
		t, _ := s.roster.Receiver(id.ChannelID(e.ref))
		return taskBit(int32(t))
	case kindReply:
		t, _ := s.roster.Sender(id.ChannelID(e.ref))
		return taskBit(int32(t))
	case kindCredit, kindWake:
		return 0
	case kindTransfer:
		if t := s.transfers.items[e.ref].task; t != nil {
			return taskBit(t.id)
		}
		return 0
	case kindToCoord, kindReady, kindLeft, kindCoordTimer:
		return coordinatorBit
	case kindStoreApply:
		return storeBit(&s.stores.items[e.ref].op)
	case kindExtApply:
		return sinkBit
	case kindStoreDone:
		return ownerBit(&s.stores.items[e.ref].by)
	case kindExtDone:
		return ownerBit(&s.exts.items[e.ref].by)
	}
	return everything
}

func ownerBit(by *owner) uint64 {
	if by.kind == ofCoordinator {
		return coordinatorBit
	}
	return taskBit(by.task)
}

// storeBit is that of an object; a listing and a fence are about many.
func storeBit(op *state.Op) uint64 {
	if op.Kind == state.OpList || op.Kind == state.OpFence {
		return allStores
	}
	return 1 << (firstStoreBit + xxhash.Sum64String(op.Key)%storeBits)
}

// makesDurable reports whether an event is an operation with an effect that outlives
// crashes.
func (s *Sim) makesDurable(e *event) bool {
	switch e.kind() {
	case kindStoreApply:
		return !s.reads(e)
	case kindExtApply:
		return true
	}
	return false
}

// reads reports whether the operation of an event has no effect.
func (s *Sim) reads(e *event) bool {
	_, _, writes, _ := s.stores.about(&s.stores.items[e.ref].op)
	return !writes
}
