package lease

import (
	"container/heap"
	"math/rand/v2"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
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
	random  *rand.Rand
	trouble trouble
	cfg     Config
	mutant  dataflow.Mutant
	disk    *storage.Memory
	now     int64
	queue   queue
	seq     int
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

// due is something that happens at a time.
type due struct {
	at  int64
	seq int
	do  func()
}

type queue []due

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(due)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
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
		w.after(w.random.Int64N(ms), p.turn)
	}
	return w
}

func (w *world) run(until int64) {
	for w.queue.Len() > 0 && w.now < until {
		d := heap.Pop(&w.queue).(due)
		w.now = d.at
		d.do()
	}
}

func (w *world) after(by int64, do func()) {
	w.seq++
	heap.Push(&w.queue, due{w.now + by, w.seq, do})
}

func (w *world) oneIn(n int) bool { return n > 0 && w.random.IntN(n) == 0 }

// moment numbers what happens.
func (w *world) moment() int {
	w.seq++
	return w.seq
}

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
	if w.now >= p.paused {
		p.act()
		switch {
		case w.oneIn(w.trouble.crashed):
			p.party.End()
			p.paused = w.now + w.random.Int64N(30*ms)
			w.after(p.paused-w.now, p.begin)
		case w.oneIn(w.trouble.paused):
			p.paused = w.now + w.random.Int64N(60*ms)
			w.after(p.paused-w.now, p.act)
		}
	}
	w.after(ms/2+w.random.Int64N(2*ms), p.turn)
}

func (p *process) act() {
	p.note()
	if n := p.party.Number(); n != 0 {
		p.w.history = append(p.w.history, step{call: p.w.moment(), back: p.w.moment(), party: p.party.nonce, number: n})
	}
}

// note adds a lease to the history that the party has got.
func (p *process) note() {
	if n := p.party.number; n != p.had {
		p.had = n
		p.w.history = append(p.w.history, step{call: p.asked[n], back: p.w.moment(), take: true, party: p.party.nonce, number: n})
	}
}

// hear gives something to a party, when its process runs.
func (p *process) hear(party *Party, give func()) {
	if w := p.w; w.now < p.paused {
		w.after(p.paused-w.now, func() { p.hear(party, give) })
		return
	}
	if party == p.party {
		give()
		p.note()
	}
}

func (p *process) Now() int64 { return p.w.now / 1000 * p.pace / 1000 }

func (p *process) After(d dataflow.Nanos) id.Ticket {
	p.tickets++
	k, party := p.tickets, p.party
	p.w.after(int64(d), func() { p.hear(party, func() { party.Timer(k) }) })
	return k
}

func (p *process) Store(op state.Op) id.Ticket {
	w := p.w
	p.tickets++
	k, party := p.tickets, p.party
	if n, _ := coordinator.NumberOfLease(op.Key); n != 0 && op.Kind != state.OpDelete && p.asked[n] == 0 {
		p.asked[n] = w.moment()
	}
	there, back := ms/4+w.random.Int64N(ms), ms/4+w.random.Int64N(ms)
	if w.oneIn(w.trouble.slow) {
		there += w.random.Int64N(30 * ms)
	}
	if w.oneIn(w.trouble.slow) {
		back += w.random.Int64N(30 * ms)
	}
	answer := func(r state.Result) { w.after(back, func() { p.hear(party, func() { party.Done(k, r) }) }) }
	if !w.oneIn(w.trouble.failed) {
		w.after(there, func() { answer(w.disk.Do(op)) })
		return k
	}
	how, late := w.random.IntN(3), w.random.Int64N(60*ms)
	w.after(there, func() {
		switch how {
		case 1:
			w.disk.Do(op)
		case 2:
			w.after(late, func() { w.disk.Do(op) })
		}
		answer(state.Result{Status: state.Failed})
	})
	return k
}

func (p *process) Acquired() {}

func (p *process) Expired() { p.w.after(p.w.random.Int64N(5*ms), p.begin) }
