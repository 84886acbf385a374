package explore

import (
	"github.com/cespare/xxhash/v2"

	"weir/faults"
	"weir/id"
	"weir/scenario"
	"weir/trace"
)

// crashEvery crashes somebody at every transition of the protocol and durable step. A
// base run is drawn, faults and all, and watched; each of its events is a place to crash
// at, and the run up to there is the same each time. Of all that was not tried yet, in this
// base run or another, that comes first whose sort was tried least: the transition, the
// durable step before it, and who crashes. The same crash is not tried on the same durable
// image: what had taken effect at storage and sink by then, by name.
type crashEvery struct {
	runner *scenario.Runner
	next   uint64 // seed of the next base run
	watch  places
	base   Proposal
	run    int // of the base run: 0 is itself
	tried  map[sort]int
	images map[attempt]bool
}

// sort is a kind of crash.
type sort struct {
	at      trace.Kind // the event
	durable trace.Op   // that took effect last
	whom    role
}

// role is who crashes, seen from the event.
type role uint8

const (
	coordinator role = iota
	itself           // the worker of the event's task
	another          // a worker that it does not live on
	roles
)

// attempt is one crash on one durable image.
type attempt struct {
	image  uint64
	at     trace.Kind
	worker int // -1: the coordinator
}

// ofBase is how many crashes are tried of one base run: each sort comes many times in a
// run, and other settings show more than its ninth place does.
const ofBase = 8

func newCrashEvery(r *scenario.Runner, first uint64) Policy {
	p := &crashEvery{runner: r, next: first, run: ofBase, tried: map[sort]int{}, images: map[attempt]bool{}}
	p.watch.workerOf = r.WorkerOf
	return p
}

// Watcher sees the places of base runs.
func (p *crashEvery) Watcher() trace.Observer { return &p.watch }

// Records is false: the decisions of a run follow from its seed.
func (p *crashEvery) Records() bool { return false }

// Propose returns a base run, or one of its crashes.
func (p *crashEvery) Propose(last *scenario.Outcome) Proposal {
	if p.run < ofBase {
		if at, whom, ok := p.choose(); ok {
			p.run++
			p.watch.off = true
			s := p.base
			c := victim(whom + 1)
			c.When = faults.At(faults.Nth(at+1, faults.SweepEvents()))
			s.Plan.Faults = append(append([]faults.Fault{}, s.Plan.Faults...), c)
			return s
		}
	}
	p.base = Proposal{p.next, p.runner.Draw(p.next)}
	p.next++
	p.run = 0
	p.watch.reset()
	return p.base
}

// choose returns the place to crash at next, and whom, -1 being the coordinator; false:
// every place of the base run was tried on its image.
func (p *crashEvery) choose() (at, whom int, ok bool) {
	least := 0
	for i := range p.watch.seen {
		e := &p.watch.seen[i]
		for r := range roles {
			w, there := p.crashed(e, r)
			if n := p.tried[sort{e.kind, e.durable, r}]; there && (!ok || n < least) && !p.images[attempt{e.image, e.kind, w}] {
				at, whom, ok, least = i, w, true, n
			}
		}
	}
	if ok {
		p.note(p.watch.seen[at].time, whom)
	}
	return at, whom, ok
}

// note counts a crash for all events of its instant: it strikes when their step is over,
// so that it is the same one.
func (p *crashEvery) note(instant int64, whom int) {
	for i := range p.watch.seen {
		e := &p.watch.seen[i]
		if e.time != instant {
			continue
		}
		p.images[attempt{e.image, e.kind, whom}] = true
		for r := range roles {
			if w, there := p.crashed(e, r); there && w == whom {
				p.tried[sort{e.kind, e.durable, r}]++
			}
		}
	}
}

// crashed returns who is meant by a role at an event, -1 being the coordinator; false:
// nobody. Which of the other workers depends on the image.
func (p *crashEvery) crashed(e *place, r role) (worker int, ok bool) {
	workers := p.runner.Faults().Workers
	turn := int(e.image % uint64(workers))
	switch {
	case r == coordinator:
		return -1, true
	case r == itself:
		return e.worker, e.worker >= 0
	case turn == e.worker:
		turn = (turn + 1) % workers
	}
	return turn, turn != e.worker
}

// place is an event of a base run.
type place struct {
	kind    trace.Kind
	durable trace.Op
	worker  int // of the event's task, -1: of the coordinator
	time    int64
	image   uint64 // of what is durable
}

// places is the observer of base runs.
type places struct {
	workerOf func(id.TaskID) int
	off      bool // the run is no base run
	seen     []place
	durable  trace.Op
	image    uint64
}

func (w *places) reset() {
	w.off, w.seen, w.durable, w.image = false, w.seen[:0], trace.NoOp, 0
}

// Wants is what can be crashed at.
func (w *places) Wants() trace.Mask { return faults.SweepEvents() }

// Observe notes an event as a place.
func (w *places) Observe(e *trace.Event) {
	if w.off {
		return
	}
	if e.Kind == trace.StoreApplied || e.Kind == trace.ExtApplied {
		w.durable = e.Op
		w.image += named(e) // a sum: the order in which things became durable is no part of the image
	}
	at := place{time: e.Time, kind: e.Kind, durable: w.durable, worker: -1, image: w.image}
	if e.Task != trace.Coordinator {
		at.worker = w.workerOf(e.Task)
	}
	w.seen = append(w.seen, at)
}

// named hashes what an operation has made durable.
func named(e *trace.Event) uint64 {
	h := xxhash.Sum64String(e.Key)
	for _, v := range [...]uint64{uint64(e.Op), uint64(e.Task), uint64(e.Epoch), e.From, e.To} {
		h = (h ^ v) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}
