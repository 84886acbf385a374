package dataflow

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
	"weir/state/heap"
)

// rounds emits records that still have to go round so many times.
type rounds struct {
	times []byte
	next  int
	out   *Output
}

func (s *rounds) Open(c *Context) error         { s.out = c.Out(0); return nil }
func (s *rounds) Process(int, *Buffer) error    { return nil }
func (s *rounds) Finish() error                 { return nil }
func (s *rounds) Seek(_ int, o id.Offset) error { s.next = int(o); return nil }
func (s *rounds) Emit(_, most int) (b Batch, err error) {
	b.Watermark = NoWatermark
	for ; most > 0 && s.next < len(s.times); most-- {
		s.out.Emit(s.times[s.next : s.next+1])
		s.next++
		b.Records++
	}
	b.Done = s.next == len(s.times)
	return b, nil
}

// splitsOf gives an instance of a source the split of its number.
func splitsOf(info *TaskInfo) []int {
	if info.Role != RoleSource {
		return nil
	}
	return []int{info.Index}
}

// turnstile lets a record out of the loop once it has gone round often enough;
// relay sends it back.
type turnstile struct {
	round, out *Output
	done       *int
	late       bool // emits another round in Finish
}

func (o *turnstile) Open(c *Context) error { o.round, o.out = c.Out(0), c.Out(1); return nil }
func (o *turnstile) Process(_ int, b *Buffer) error {
	for rec, rest := NextRecord(b.Data); rec != nil; rec, rest = NextRecord(rest) {
		if rec[0] == 0 {
			*o.done++
			o.out.Emit(rec)
		} else {
			o.round.Emit([]byte{rec[0] - 1})
		}
	}
	return nil
}

func (o *turnstile) Finish() error {
	if o.late {
		o.round.Emit([]byte{0})
	}
	return nil
}

// mesh runs the tasks of a graph, each turn and each delivery drawn.
type mesh struct {
	t     *testing.T
	rng   *rand.Rand
	tasks []*Task
	wires [][]*Buffer // by channel
	ends  [][4]int    // by channel: from, output, to, input
	err   error
}

// meshHost is the world as one task sees it.
type meshHost struct {
	*rig
	m    *mesh
	task int
}

func (h *meshHost) Send(out int, b *Buffer) {
	c := h.m.tasks[h.task].info.Outputs[out].ID
	h.m.wires[c] = append(h.m.wires[c], b)
}

func (h *meshHost) Credit(in, n int, _ *Buffer) {
	e := h.m.ends[h.m.tasks[h.task].info.Inputs[in].ID]
	h.m.tasks[e[0]].Step(&Event{Kind: EvCredit, Port: e[1], N: n})
}

func (h *meshHost) Draw(_ Choice, n int) int { return h.m.rng.IntN(n) }
func (h *meshHost) Ready([]id.Seq)           {}
func (h *meshHost) Fail(err error)           { h.m.err = err }

func newMesh(t *testing.T, seed uint64, g *Graph) *mesh {
	infos, err := g.Expand(8)
	if err != nil {
		t.Fatal(err)
	}
	m := &mesh{t: t, rng: rand.New(rand.NewPCG(seed, 0))}
	c := DefaultConfig()
	c.BatchTimeout, c.BatchRecords, c.SourceBatch, c.Credits, c.QueueBuffers = 0, 1+m.rng.IntN(3), 1+m.rng.IntN(4), 1+m.rng.IntN(2), 1
	j := &Job{Name: "loop", Graph: g, Backend: heap.Backend{}, Config: c, Algorithm: scripted{func() Protocol { return &script{} }}}
	for i := range infos {
		for n, out := range infos[i].Outputs {
			for len(m.ends) <= int(out.ID) {
				m.ends, m.wires = append(m.ends, [4]int{}), append(m.wires, nil)
			}
			m.ends[out.ID][0], m.ends[out.ID][1] = i, n
		}
		for n, in := range infos[i].Inputs {
			for len(m.ends) <= int(in.ID) {
				m.ends, m.wires = append(m.ends, [4]int{}), append(m.wires, nil)
			}
			m.ends[in.ID][2], m.ends[in.ID][3] = i, n
		}
	}
	for i := range infos {
		task, err := NewTask(j, &infos[i], Env{Host: &meshHost{&rig{t: t, ops: map[id.Ticket]state.Op{}, exts: map[id.Ticket]ExtOp{}}, m, i}})
		if err != nil {
			t.Fatal(err)
		}
		m.tasks = append(m.tasks, task)
	}
	for i, task := range m.tasks {
		task.Step(&Event{Kind: EvStart, Attempt: 1, Plan: &TaskPlan{Splits: splitsOf(task.info)}})
		for n := range infos[i].Outputs {
			task.Step(&Event{Kind: EvConnected, Port: n})
		}
	}
	return m
}

// run goes on until nothing moves and reports how many tasks have drained.
func (m *mesh) run() (drained int) {
	for m.err == nil {
		var moves []func()
		for _, task := range m.tasks {
			if task.Runnable() {
				moves = append(moves, func() { task.Step(&Event{Kind: EvTurn}) })
			}
		}
		for c := range m.wires {
			if len(m.wires[c]) > 0 {
				moves = append(moves, func() {
					b := m.wires[c][0]
					m.wires[c] = m.wires[c][1:]
					m.tasks[m.ends[c][2]].Step(&Event{Kind: EvArrive, Port: m.ends[c][3], Buffer: b})
				})
			}
		}
		if len(moves) == 0 {
			break
		}
		moves[m.rng.IntN(len(moves))]()
	}
	for _, task := range m.tasks {
		if task.drained {
			drained++
		}
	}
	return drained
}

// loopGraph is source -> turnstile -> relay -> (back) turnstile -> sink; nested
// puts a second turnstile, and so a second back-edge, between the two.
func loopGraph(p int, back Partitioning, times []byte, done *int, nested, late bool) *Graph {
	half := func(i int) []byte { return times[i*len(times)/p : (i+1)*len(times)/p] }
	opened := 0
	source := func() Operator { s := &rounds{times: half(opened % p)}; opened++; return s }
	stile := func() Operator { return &turnstile{done: done, late: late} }
	key := func(rec []byte) uint64 { return state.HashUint64(uint64(rec[0])) }
	g := &Graph{Vertices: []Vertex{
		{Name: "source", Parallelism: p, Role: RoleSource, New: source},
		{Name: "turnstile", Parallelism: p, New: stile},
		{Name: "relay", Parallelism: p, New: newNothing},
		{Name: "end", Parallelism: 1, New: newNothing},
	}}
	through := 2
	if nested {
		g.Vertices = append(g.Vertices, Vertex{Name: "inner", Parallelism: p, New: stile}, Vertex{Name: "inner relay", Parallelism: p, New: newNothing})
		g.Edges = append(g.Edges,
			Edge{From: 4, To: 5, Partitioning: Rebalance}, Edge{From: 4, Port: 1, To: 2, Partitioning: Rebalance},
			Edge{From: 5, To: 4, Partitioning: back, Key: key, Back: true})
		through = 4
	}
	g.Edges = append(g.Edges,
		Edge{From: 0, To: 1, Partitioning: Rebalance}, Edge{From: 1, To: through, Partitioning: back, Key: key},
		Edge{From: 2, To: 1, Partitioning: back, Key: key, Back: true}, Edge{From: 1, Port: 1, To: 3, Partitioning: Rebalance})
	return g
}

// TestALoopEnds: whatever the order, a job with a loop comes to its end, not
// before the last record has left the loop, and although every queue is short.
func TestALoopEnds(t *testing.T) {
	for _, back := range []Partitioning{Forward, Hash, Rebalance} {
		for _, p := range []int{1, 2, 3} {
			for seed := range uint64(100) {
				rng, done, want := rand.New(rand.NewPCG(seed, 1)), 0, int(seed%30)
				times := make([]byte, want)
				for i := range times {
					times[i] = byte(rng.IntN(9))
				}
				m := newMesh(t, seed, loopGraph(p, back, times, &done, false, false))
				if n := m.run(); m.err != nil || n != len(m.tasks) || done != want {
					t.Fatalf("partitioning %d, parallelism %d, seed %d: %d of %d tasks have drained, %d of %d records have left the loop; %v\n%s", back, p, seed, n, len(m.tasks), done, want, m.err, m.waits())
				}
			}
		}
	}
}

func (m *mesh) waits() string {
	var all []string
	for _, task := range m.tasks {
		all = append(all, fmt.Sprintf("%s[%d] %+v: %s", task.info.Name, task.info.Index, task.loop, task.Waits()))
	}
	return strings.Join(all, "\n")
}

// TestALoopInALoopEnds: the head of the inner one is no head of the outer one.
func TestALoopInALoopEnds(t *testing.T) {
	for seed := range uint64(100) {
		for _, back := range []Partitioning{Forward, Hash, Rebalance} {
			done := 0
			m := newMesh(t, seed, loopGraph(2, back, []byte{5, 0, 3, 8, 2, 2, 1}, &done, true, false))
			if n := m.run(); m.err != nil || n != len(m.tasks) {
				t.Fatalf("seed %d: %d of %d tasks have drained; %v\n%s", seed, n, len(m.tasks), m.err, m.waits())
			}
		}
	}
}

// TestNothingGoesRoundAfterTheEnd: Finish is too late.
func TestNothingGoesRoundAfterTheEnd(t *testing.T) {
	done := 0
	m := newMesh(t, 1, loopGraph(1, Hash, []byte{1, 2}, &done, false, true))
	if m.run(); m.err == nil || !strings.Contains(m.err.Error(), "came round after the loop had ended") {
		t.Errorf("%v", m.err)
	}
}

// TestLoopsThatCannotBe are refused before anything runs.
func TestLoopsThatCannotBe(t *testing.T) {
	for want, spoil := range map[string]func(g *Graph){
		"closes no cycle":                 func(g *Graph) { g.Edges[3].Back = true },
		"whose channels must be FIFO":     func(g *Graph) { g.Edges[1].Reorders = true },
		"mark the edge that closes it as": func(g *Graph) { g.Edges[2].Back = false },
	} {
		g := loopGraph(1, Hash, nil, nil, false, false)
		spoil(g)
		if _, err := g.Expand(8); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error that says %q", err, want)
		}
	}
}
