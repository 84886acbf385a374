package sim

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"weir/faults"
	"weir/id"
	"weir/sim/seed"
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
	ofCandidate // of the coordinator process task
	ofReader    // of reading inc
)

// key numbers owners for streams: 0 is the coordinator.
func (o *owner) key() int {
	if o.kind != ofTask {
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
	fateRefused         // no effect, and none ever, which is reported
	// Of these the caller hears that all is well.
	fateForgotten   // no effect
	fateMisdirected // the effect is another's
	fateStale       // the answer is an old one
)

// operation is one asynchronous operation under way.
type operation[O, R any] struct {
	op     O
	by     owner
	fate   fate
	events int8 // still to come: apply, done
	gone   bool // its effect will never be
	left   bool // its caller has ended with its leg: nobody hears of it
	landed bool // its effect has been
	lost   bool // its place forgot it, and its caller hears that the outcome is unknown
	after  Nanos
	result R
	back   Nanos // time from effect to caller
}

// place is what is particular to checkpoint storage, and to the external store.
type place[O, R any] interface {
	// key names the stream from which an owner's operations draw.
	key(by *owner) int
	// about returns what an operation is and the object it is about, whether it has
	// an effect, and its bytes.
	about(op *O) (kind trace.Op, object string, writes bool, size int)
	// tears reports whether an operation that fails may leave a part.
	tears(op *O) bool
	// do carries an operation out.
	do(o *operation[O, R])
	// failed is the result of an operation of which nobody knows what came, or,
	// by its fate, of one that will never work.
	failed(op *O, f fate) R
	// answer hands a result to the caller, if it is still there.
	answer(o *operation[O, R], result R)
	// lost hears of an operation that will have neither effect nor answer.
	lost(o *operation[O, R])
	// issued, applied and done show an operation to the observers.
	issued(o *operation[O, R])
	applied(o *operation[O, R])
	done(o *operation[O, R], result R)
}

// operations is one place that carries operations out, with what is under way
// there. Operations may overtake each other.
type operations[O, R any] struct {
	place[O, R]
	slab[*operation[O, R]]
	spent       []*operation[O, R] // for those to come, of the next runs too
	apply, back uint8              // event kinds: it takes effect, its caller hears of it
	delay       Delay
	model       Operations
	random      seed.Family
	chain       uint64
	stalled     Nanos
	slow        int64
	armed       []armed
}

// armed is a fault that waits for operations that match.
type armed struct {
	fault faults.Fault
	left  int
}

func (p *operations[O, R]) reset() {
	for _, o := range p.items {
		if o != nil {
			p.forget(o)
		}
	}
	p.slab.reset()
	p.chain, p.stalled, p.slow = 0, 0, 1
	p.armed = p.armed[:0]
}

// begin returns an operation that is not under way yet.
func (p *operations[O, R]) begin(op O, by owner) *operation[O, R] {
	var o *operation[O, R]
	if n := len(p.spent); n > 0 {
		o, p.spent = p.spent[n-1], p.spent[:n-1]
	} else {
		o = new(operation[O, R])
	}
	o.op, o.by, o.events = op, by, 1
	return o
}

// forget ends the use of an operation that is under way no longer.
func (p *operations[O, R]) forget(o *operation[O, R]) {
	*o = operation[O, R]{}
	p.spent = append(p.spent, o)
}

// drawFate decides about a new operation; write says that it has an effect.
func (p *operations[O, R]) drawFate(key int, write bool) fate {
	m := &p.model
	bad := m.NotApplied + m.Applied + m.Late + m.Torn
	if bad == 0 {
		return fateOK
	}
	v := m.Of - 1 - p.random.Draw(key, m.Of) // the largest draws fail: 0 is quiet
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

// issue puts an operation on its way.
func issue[O, R any](s *Sim, p *operations[O, R], op O, by owner) {
	o := p.begin(op, by)
	kind, object, writes, size := p.about(&o.op)
	key := p.key(&o.by)
	p.issued(o)
	drawFor(s, p, &o.op, key, issued)
	o.fate = p.drawFate(key, writes)
	there, back := s.trip(&p.model, p.slow, p.delay, key, size)
	o.back = back
	if len(p.armed) > 0 {
		if f, ok := p.strike(kind, object); ok {
			there += o.hit(f)
		}
	}
	if o.fate == fateTorn && !p.tears(&o.op) {
		o.fate = fateNotApplied
	}
	switch o.fate {
	case fateNotApplied, fateRefused:
		s.push(s.now+there+back, classStorage, p.back, p.put(o), 0, 0)
	case fateLate:
		o.events = 2
		k := p.put(o)
		s.push(s.now+there+back, classStorage, p.back, k, 0, 0)
		s.push(s.now+there+back+p.lateness(key), classStorage, p.apply, k, 0, 0)
	default:
		s.push(s.now+there, classStorage, p.apply, p.put(o), 0, 0)
	}
}

// hit lets a fault of the plan decide about an operation; it returns by how
// much its effect is delayed.
func (o *operation[O, R]) hit(f faults.Fault) Nanos {
	if f.Kind == faults.Delay {
		return f.Duration
	}
	switch f.Outcome {
	case faults.NotApplied:
		o.fate = fateNotApplied
	case faults.Applied:
		o.fate = fateApplied
	case faults.Torn:
		o.fate = fateTorn
	case faults.Refused:
		o.fate = fateRefused
	case faults.Forgotten:
		o.fate = fateForgotten
	case faults.Misdirected:
		o.fate = fateMisdirected
	case faults.Stale:
		o.fate = fateStale
	default: // Validate knows them all
	}
	return 0
}

// onApply is the moment when an operation takes effect.
func onApply[O, R any](s *Sim, p *operations[O, R], e *event) {
	o := p.items[e.ref]
	if until := max(p.stalled, o.after); until > s.now {
		s.postpone(e, until)
		return
	}
	if o.lost {
		o.fate = fateNotApplied
	} else if !o.gone {
		if s.over {
			s.result.LandedLate++
		}
		p.do(o)
		o.landed = true
		p.applied(o)
	}
	o.events--
	switch {
	case o.fate == fateLate:
		if o.events == 0 {
			p.forget(p.take(e.ref))
		}
	case o.gone, o.left:
		p.take(e.ref)
		p.lost(o)
		p.forget(o)
	default:
		o.events = 1
		s.push(s.now+o.back, classStorage, p.back, e.ref, 0, 0)
	}
}

// onDone is the moment when the caller hears of the outcome.
func onDone[O, R any](s *Sim, p *operations[O, R], e *event) {
	o := p.items[e.ref]
	if until := s.callerStalled(&o.by); until > s.now {
		s.postpone(e, until)
		return
	}
	result := o.result
	if o.fate != fateOK && o.fate < fateForgotten {
		result = p.failed(&o.op, o.fate)
	}
	o.events--
	over := o.events == 0
	if over {
		p.take(e.ref)
	}
	p.done(o, result)
	p.answer(o, result)
	if over {
		p.forget(o)
	}
}

func (s *Sim) callerStalled(by *owner) Nanos {
	if by.kind == ofCoordinator {
		if c := s.coordinator(by.inc); c != nil {
			return c.stalled
		}
		return s.coord.stalled
	}
	if by.kind == ofCandidate {
		return s.processes[by.task].stalled
	}
	if by.kind == ofReader {
		return 0
	}
	if t := s.host(by.task, by.inc); t != nil {
		return t.stalled
	}
	return s.tasks[by.task].stalled
}

// trip draws the times of an operation of size bytes to its place of effect and back.
func (s *Sim) trip(m *Operations, slow int64, d Delay, key, size int) (there, back Nanos) {
	there = (s.delay(m.Latency, d, key) + m.PerKiB*int64(size>>10)) * slow
	back = s.delay(m.Latency, d, key) * slow
	return there, back
}

// What draws about an operation decide: its outcome and times, or what becomes of it when
// its caller is gone.
const (
	issued uint64 = iota
	orphaned
)

// drawFor puts the draws to come about an operation, on a tape, among those about its like: one
// that another build issues more, or that is under way when a caller dies, moves no others.
func drawFor[O, R any](s *Sim, p *operations[O, R], op *O, key int, why uint64) {
	if s.cfg.Record == nil && s.cfg.Replay == nil {
		return
	}
	kind, object, _, _ := p.about(op)
	if dir, _, ok := strings.Cut(object, "/"); ok {
		why |= xxhash.Sum64String(dir) & 0xffff << 1
	}
	what := why | uint64(kind)<<17
	p.random.About(key, what)
	s.policy.About(p.delay, key, what)
}

// lateness draws how much later than its report a late operation takes effect.
func (p *operations[O, R]) lateness(key int) Nanos {
	return p.random.Range(key, 1, max(p.model.LateBy, 1))
}

// crashPlace ends what is under way at a place that crashes: what has not landed is
// lost or has just been made durable, what has landed is not answered any more, and
// nobody is told which. The place answers nothing until it is back.
func crashPlace[O, R any](s *Sim, p *operations[O, R], d *seed.Stream) {
	for _, o := range p.items {
		if o == nil || o.fate != fateOK || o.gone || o.lost {
			continue
		}
		if o.lost = !o.landed && d.Chance(1, 2); !o.lost {
			o.fate = fateApplied
		}
	}
	p.stalled = max(p.stalled, s.now+s.cfg.Model.Restart.Base+s.cfg.Model.Restart.Jitter)
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
		o := p.items[i]
		if o == nil || o.by.kind != kind || o.by.task != task || o.by.inc != inc {
			continue
		}
		key := o.by.key()
		drawFor(s, p, &o.op, key, orphaned)
		switch p.random.Draw(key, 4) {
		case 1:
			o.gone = true
		case 2:
			o.after = s.now + p.lateness(key)
		}
	}
}
