package sim

import (
	"strings"

	"weir/faults"
	"weir/id"
	"weir/trace"
)

// owner is who issued an operation.
type owner struct {
	kind     ownerKind
	task     int32
	inc      uint32 // incarnation of the task or of the coordinator
	ticket   id.Ticket
	transfer int32 // slot + 1 of the transfer that it belongs to, 0 = none
	index    int   // among the operations of one slice
}

type ownerKind uint8

const (
	ofTask ownerKind = iota + 1
	ofCoordinator
)

// key numbers owners for streams: 0 is the coordinator.
func (o *owner) key() int {
	if o.kind == ofCoordinator {
		return 0
	}
	return int(o.task) + 1
}

// fate is what becomes of an operation.
type fate uint8

const (
	fateOK         fate = iota
	fateNotApplied      // no effect, reported as failed
	fateApplied         // takes effect, reported as failed
	fateLate            // reported as failed, takes effect later
	fateTorn            // leaves a part, reported as failed
)

// operation is one asynchronous operation under way.
type operation[O, R any] struct {
	op     O
	by     owner
	fate   fate
	events int8 // still to come: apply, done
	gone   bool // its effect will never be
	after  Nanos
	result R
	back   Nanos // time from effect to caller
}

// operations is one place that carries operations out: checkpoint storage or
// the external store.
type operations[O, R any] struct {
	slab[operation[O, R]]
	model   Operations
	random  streams
	chain   uint64
	stalled Nanos
	slow    int64
	armed   []armed
}

// armed is a fault that waits for operations that match.
type armed struct {
	fault faults.Fault
	left  int
}

func (p *operations[O, R]) reset() {
	p.slab.reset()
	p.chain, p.stalled, p.slow = 0, 0, 1
	p.armed = p.armed[:0]
}

// drawFate decides about a new operation; write says that it has an effect.
func (p *operations[O, R]) drawFate(key int, write bool) fate {
	m := &p.model
	bad := m.NotApplied + m.Applied + m.Late + m.Torn
	if bad == 0 {
		return fateOK
	}
	v := m.Of - 1 - p.random.at(key).Draw(m.Of) // the largest draws fail: 0 is quiet
	switch {
	case v >= bad:
		return fateOK
	case v < m.NotApplied || !write:
		return fateNotApplied
	case v < m.NotApplied+m.Applied:
		return fateApplied
	case v < m.NotApplied+m.Applied+m.Late:
		return fateLate
	default:
		return fateTorn
	}
}

// strike takes the first armed fault that matches.
func (p *operations[O, R]) strike(op trace.Op, key string) (faults.Fault, bool) {
	for i := range p.armed {
		a := &p.armed[i]
		if a.left == 0 || !strings.HasPrefix(key, a.fault.Key) || a.fault.Op != "" && a.fault.Op != faults.OpName(op) {
			continue
		}
		a.left--
		return a.fault, true
	}
	return faults.Fault{}, false
}

// trip draws the times of an operation of size bytes to its place of effect and back.
func (s *Sim) trip(m *Operations, slow int64, d Delay, key, size int) (there, back Nanos) {
	there = (s.delay(m.Latency, d, key) + m.PerKiB*int64(size>>10)) * slow
	back = s.delay(m.Latency, d, key) * slow
	return there, back
}

// lateness draws how much later than its report a late operation takes effect.
func (p *operations[O, R]) lateness(key int) Nanos {
	return p.random.at(key).Range(1, max(p.model.LateBy, 1))
}

// orphan decides what becomes of the operations of an incarnation that is gone:
// as a rule they take effect all the same, some never, some late.
func (s *Sim) orphan(kind ownerKind, task int32, inc uint32) {
	orphan(s, &s.stores, kind, task, inc)
	orphan(s, &s.exts, kind, task, inc)
}

func orphan[O, R any](s *Sim, p *operations[O, R], kind ownerKind, task int32, inc uint32) {
	if p.model.Of == 0 {
		return
	}
	for i := range p.items {
		o := &p.items[i]
		if o.events == 0 || o.by.kind != kind || o.by.task != task || o.by.inc != inc {
			continue
		}
		switch key := o.by.key(); p.random.at(key).Draw(4) {
		case 1:
			o.gone = true
		case 2:
			o.after = s.now + p.lateness(key)
		}
	}
}
