package rounds_test

import (
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"

	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
	"weir/internal/algorithms/algorithmstest"
	"weir/state"
	"weir/state/storage"
	"weir/trace"
)

const ms = 1_000_000

// registry is what records and plans are to those who use them: the newest complete
// checkpoint, and who may complete the next one.
type registry struct {
	leader uint64
	newest id.Epoch
}

// entry is one operation on the registry: a coordinator recovers, and goes back to a
// checkpoint, or it completes one.
type entry struct {
	call, back int
	recovers   bool
	by         uint64
	epoch      id.Epoch
}

var registered = porcupine.Model{
	Init: func() any { return registry{} },
	Step: func(state, input, _ any) (bool, any) {
		now, e := state.(registry), input.(entry)
		if e.recovers {
			return e.epoch == now.newest, registry{e.by, now.newest}
		}
		return e.by == now.leader, registry{e.by, e.epoch}
	},
}

// cluster is coordinators over one simulated storage, in virtual time. Now and then one
// more is started; those before it stand still, or go on without knowing.
type cluster struct {
	algorithmstest.Agenda
	t       *testing.T
	random  *rand.Rand
	config  dataflow.Config
	disk    *storage.Memory
	plans   id.Attempt // the highest executed: whoever carries plans out ignores lower ones
	started uint64
	history []entry
	unsure  []entry // records that are being made
	deposed int
}

func (w *cluster) oneIn(n int) bool { return w.random.IntN(n) == 0 }

// office is the host of one coordinator, with tasks that answer it and nobody else.
type office struct {
	w       *cluster
	nonce   uint64
	half    *rounds.Coordinated
	tickets id.Ticket
	paused  int64
	begun   int
	done    bool
}

// play runs coordinators that come one after the other, and returns their cluster.
func play(t *testing.T, seed uint64, m dataflow.Mutant) *cluster {
	w := &cluster{t: t, random: rand.New(rand.NewPCG(seed, 2)), config: dataflow.DefaultConfig(), disk: storage.NewMemory(0)}
	k := &w.config.Checkpoint
	k.Interval, k.Timeout, k.Retain, k.MaxConcurrent, k.Tolerated = 4*ms, 60*ms, 1+int(seed%2), 1+int(seed/2%2), -1
	w.config.Mutant = m
	w.start()
	w.Run(400 * ms)
	return w
}

// start begins one more coordinator.
func (w *cluster) start() {
	w.started++
	job := &dataflow.JobInfo{Name: "job", Config: &w.config, Nonce: w.started, Tasks: make([]dataflow.TaskInfo, 2)}
	for i := range job.Tasks {
		job.Tasks[i] = dataflow.TaskInfo{ID: id.TaskID(i), Name: "op", Parallelism: 2, Index: i}
	}
	o := &office{w: w, nonce: w.started, half: rounds.NewCoordinated(&w.config, rounds.Triggers{}), begun: w.Moment()}
	o.half.Start(o, job)
	w.After(10*ms+w.random.Int64N(40*ms), func() {
		switch {
		case w.oneIn(4):
			o.done = true // it crashes
		case w.oneIn(2):
			o.paused = w.Now + w.random.Int64N(40*ms)
		}
		w.After(w.random.Int64N(10*ms), w.start)
	})
}

// hear gives something to the coordinator when its process runs.
func (o *office) hear(give func()) {
	switch w := o.w; {
	case o.done:
	case w.Now < o.paused:
		w.After(o.paused-w.Now, func() { o.hear(give) })
	default:
		give()
	}
}

func (o *office) After(d dataflow.Nanos) id.Ticket {
	o.tickets++
	k := o.tickets
	o.w.After(int64(d), func() { o.hear(func() { o.half.Timer(k) }) })
	return k
}

func (o *office) Store(op state.Op) id.Ticket {
	w := o.w
	o.tickets++
	k := o.tickets
	if e, ok := coordinator.EpochOfKey(op.Key); ok && op.Kind == state.OpCreate {
		w.unsure = append(w.unsure, entry{call: w.Moment(), by: o.nonce, epoch: e})
	}
	there, back := ms/4+w.random.Int64N(ms), ms/4+w.random.Int64N(ms)
	if w.oneIn(10) {
		there += w.random.Int64N(20 * ms)
	}
	answer := func(r state.Result) { w.After(back, func() { o.hear(func() { o.half.Done(k, r) }) }) }
	if !w.oneIn(12) {
		w.After(there, func() { answer(w.disk.Do(op)) })
		return k
	}
	how, late := w.random.IntN(3), w.random.Int64N(40*ms)
	w.After(there, func() { // its outcome is unknown: without effect, with it, or later
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

// Tell has a task take its snapshot as soon as it is asked.
func (o *office) Tell(to id.TaskID, data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		o.w.t.Fatal(err)
	}
	if m.Kind != rounds.Trigger {
		return
	}
	o.w.After(o.w.random.Int64N(2*ms), func() {
		s := dataflow.Stored{Ref: dataflow.SnapshotKey(to, m.Epoch), Header: dataflow.Header{Epoch: m.Epoch}}
		o.w.disk.Do(state.Op{Kind: state.OpPut, Key: string(s.Ref), Data: []byte(s.Ref)})
		ack := (&coordinator.Message{Kind: coordinator.Ack, Epoch: m.Epoch, Stored: &s}).Encode()
		o.hear(func() { o.half.Message(to, ack) })
	})
}

// Execute notes what the coordinator goes back to, which must be there.
func (o *office) Execute(p *dataflow.Plan) {
	w := o.w
	if p.Number <= w.plans {
		return
	}
	w.plans = p.Number
	w.history = append(w.history, entry{call: o.begun, back: w.Moment(), recovers: true, by: o.nonce, epoch: p.Tasks[0].Stable})
	for i := range p.Tasks {
		if ref := string(p.Tasks[i].Ref); ref != "" && w.disk.Do(state.Op{Kind: state.OpGet, Key: ref}).Status != state.OK {
			w.history = append(w.history, entry{call: w.Moment(), back: w.Moment(), recovers: true, by: o.nonce}) // from nothing
		}
		w.After(w.random.Int64N(2*ms), func() { o.hear(func() { o.half.Ready(id.TaskID(i), p.Number) }) })
	}
}

func (o *office) Observe(k dataflow.TraceKind, _ id.TaskID, _ id.Attempt, e id.Epoch, _ string) {
	if k != trace.Completed {
		return
	}
	w := o.w
	for i := range w.unsure {
		if x := w.unsure[i]; x.epoch == e && x.by == o.nonce {
			x.back = w.Moment()
			w.history = append(w.history, x)
			w.unsure = append(w.unsure[:i], w.unsure[i+1:]...)
			return
		}
	}
}

func (o *office) JobDone()        {}
func (o *office) JobFailed(error) { o.done = true }
func (o *office) Deposed()        { o.w.deposed++ }
func (o *office) Draw(int) int    { return 0 }

// linearizable reports whether the history could be that of a registry. A checkpoint
// that nobody heard to be complete is so all the same if somebody went back to it.
func (w *cluster) linearizable() bool {
	end := w.Moment()
	var ops []porcupine.Operation
	add := func(e entry, back int) {
		ops = append(ops, porcupine.Operation{ClientId: int(e.by), Input: e, Call: int64(e.call), Return: int64(back)})
	}
	seen := map[id.Epoch]bool{}
	for _, e := range w.history {
		add(e, e.back)
		seen[e.epoch] = seen[e.epoch] || e.recovers
	}
	for _, e := range w.unsure {
		if seen[e.epoch] {
			add(e, end)
			seen[e.epoch] = false // the same record, asked for again
		}
	}
	return porcupine.CheckOperations(registered, ops)
}

// TestWhatIsCompleteIsGoneBackTo: over coordinators of which several are about at
// once, stand still and crash, and storage that is slow, fails and lands late, a checkpoint
// that somebody calls complete is what the next coordinator goes back to; without the
// fence it is not.
func TestWhatIsCompleteIsGoneBackTo(t *testing.T) {
	const seeds = 150
	for _, m := range []dataflow.Mutant{"", coordinator.MutantUnfenced} {
		broken, complete, recovered, deposed := 0, 0, 0, 0
		for seed := range uint64(seeds) {
			w := play(t, seed, m)
			for _, e := range w.history {
				if e.recovers {
					recovered++
				} else {
					complete++
				}
			}
			deposed += w.deposed
			if !w.linearizable() {
				broken++
				if m == "" {
					t.Errorf("seed %d: the history is not that of a registry: %+v", seed, w.history)
				}
			}
		}
		t.Logf("%q: %d of %d histories are broken; %d checkpoints, %d recoveries, %d coordinators deposed", m, broken, seeds, complete, recovered, deposed)
		if m != "" && broken == 0 || m == "" && deposed == 0 || recovered < 3*seeds || complete < 5*seeds {
			t.Errorf("%q: %d of %d histories are broken, %d checkpoints, %d recoveries, %d deposed", m, broken, seeds, complete, recovered, deposed)
		}
	}
}
