package lease

import (
	"math/rand/v2"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/internal/algorithms/algorithmstest"
	"weir/state"
	"weir/state/storage"
)

const ms = 1_000_000

// trouble says what goes wrong in a world, each in one of so many cases; 0: never.
type trouble struct {
	failed  int // operations whose outcome is unknown: without effect, with it, or later
	slow    int // operations that take up to 30 ms to their effect, or back
	paused  int // turns after which a process stands still for up to 60 ms
	crashed int // turns after which a process begins anew
	// clocks run apart by up to this much over a lease.
	drift int64
}

var rough = trouble{failed: 12, slow: 8, paused: 40, crashed: 200, drift: 2 * ms}

// world is some processes that campaign for one lease over simulated storage, in
// virtual time, with a history of what they believed.
type world struct {
	algorithmstest.Agenda
	random  *rand.Rand
	trouble trouble
	cfg     Config
	mutant  dataflow.Mutant
	disk    *storage.Memory
	procs   []*process
	nonce   uint64
	history []step
}

// step is one operation on the lease with the moments between which it took place.
type step struct {
	call, back int
	take       bool // else it acted as the holder
	party      uint64
	number     uint64
}

// process is the host of one party after the other.
type process struct {
	w       *world
	pace    int64 // of its clock, in millionths
	party   *Party
	tickets id.Ticket
	paused  int64
	asked   map[uint64]int // when it first asked for a lease, by number
	had     uint64         // the lease that is in the history
}

func newWorld(seed uint64, t trouble, m dataflow.Mutant) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 1)), trouble: t, mutant: m, disk: storage.NewMemory(0),
		cfg: Config{Duration: 40 * ms, Renew: 10 * ms, Drift: 2 * ms},
	}
	for range 3 {
		p := &process{w: w, pace: 1_000_000}
		if t.drift > 0 {
			p.pace += w.random.Int64N(t.drift*1_000_000/int64(w.cfg.Duration)+1) / 2 * (1 - 2*w.random.Int64N(2))
		}
		w.procs = append(w.procs, p)
		p.begin()
		w.After(w.random.Int64N(ms), p.turn)
	}
	return w
}

func (w *world) oneIn(n int) bool { return n > 0 && w.random.IntN(n) == 0 }

// begin starts another party.
func (p *process) begin() {
	p.w.nonce++
	p.had, p.asked = 0, map[uint64]int{}
	p.party = NewParty(p, p.w.cfg, "job", p.w.nonce, p.w.mutant)
	p.party.Start()
}

// turn is what a process does of its own accord: it acts if it holds the lease.
// That it does so before its timers is what a process does that has stood still.
func (p *process) turn() {
	w := p.w
	if w.Now >= p.paused {
		p.act()
		switch {
		case w.oneIn(w.trouble.crashed):
			p.party.End()
			p.paused = w.Now + w.random.Int64N(30*ms)
			w.After(p.paused-w.Now, p.begin)
		case w.oneIn(w.trouble.paused):
			p.paused = w.Now + w.random.Int64N(60*ms)
			w.After(p.paused-w.Now, p.act)
		}
	}
	w.After(ms/2+w.random.Int64N(2*ms), p.turn)
}

func (p *process) act() {
	p.note()
	if n := p.party.Number(); n != 0 {
		p.w.history = append(p.w.history, step{call: p.w.Moment(), back: p.w.Moment(), party: p.party.nonce, number: n})
	}
}

// note adds a lease to the history that the party has got.
func (p *process) note() {
	if n := p.party.number; n != p.had {
		p.had = n
		p.w.history = append(p.w.history, step{call: p.asked[n], back: p.w.Moment(), take: true, party: p.party.nonce, number: n})
	}
}

// hear gives something to a party, when its process runs.
func (p *process) hear(party *Party, give func()) {
	if w := p.w; w.Now < p.paused {
		w.After(p.paused-w.Now, func() { p.hear(party, give) })
		return
	}
	if party == p.party {
		give()
		p.note()
	}
}

func (p *process) Now() int64 { return p.w.Now / 1000 * p.pace / 1000 }

func (p *process) After(d dataflow.Nanos) id.Ticket {
	p.tickets++
	k, party := p.tickets, p.party
	p.w.After(int64(d), func() { p.hear(party, func() { party.Timer(k) }) })
	return k
}

func (p *process) Store(op state.Op) id.Ticket {
	w := p.w
	p.tickets++
	k, party := p.tickets, p.party
	if n, _ := coordinator.NumberOfLease(op.Key); n != 0 && op.Kind != state.OpDelete && p.asked[n] == 0 {
		p.asked[n] = w.Moment()
	}
	there, back := ms/4+w.random.Int64N(ms), ms/4+w.random.Int64N(ms)
	if w.oneIn(w.trouble.slow) {
		there += w.random.Int64N(30 * ms)
	}
	if w.oneIn(w.trouble.slow) {
		back += w.random.Int64N(30 * ms)
	}
	answer := func(r state.Result) { w.After(back, func() { p.hear(party, func() { party.Done(k, r) }) }) }
	if !w.oneIn(w.trouble.failed) {
		w.After(there, func() { answer(w.disk.Do(op)) })
		return k
	}
	how, late := w.random.IntN(3), w.random.Int64N(60*ms)
	w.After(there, func() {
		switch how {
		case 1:
			w.disk.Do(op)
		case 2:
			w.After(late, func() { w.disk.Do(op) })
		}
		answer(state.Result{Status: state.Failed})
	})
	return k
}

func (p *process) Acquired() {}

func (p *process) Expired() { p.w.After(p.w.random.Int64N(5*ms), p.begin) }
