package reachability

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/state"
)

const (
	newsBytes = 32 // to follow: kind, node, the traveller that is new there or where an edge leads, and whom it takes
	stepBytes = 16 // round the loop: traveller, node
	rowBytes  = 24
	isQuery   = 1 << 63
)

// The input ports of reach.
const (
	fromSource = iota
	fromLoop
)

// The output ports of reach.
const (
	toFollow = iota
	toSink
)

// number returns the i-th number of a record or a value.
func number(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }

// hashOf returns the hash function of records whose node is the i-th number.
func hashOf(i int) func(rec []byte) uint64 {
	return func(rec []byte) uint64 { return state.HashUint64(number(rec, i)) }
}

// placeOf hashes source records by the node that they are about.
func placeOf(rec []byte) uint64 {
	e := decode(rec)
	if e.kind == anEdge {
		return state.HashUint64(e.a)
	}
	return state.HashUint64(e.b)
}

// keyOf returns the key of bytes in the key group of a node.
func keyOf(node uint64, bytes []byte, groups int) state.Key {
	return state.Key{Hash: state.HashBytes(bytes), Group: state.GroupOf(state.HashUint64(node), groups), Bytes: bytes}
}

// each calls f with the records of b, of so many bytes.
func each(b *dataflow.Buffer, want int, f func(rec []byte)) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if len(rec) != want {
			return fmt.Errorf("reachability: a record of %d bytes; there they have %d", len(rec), want)
		}
		f(rec)
	}
	return nil
}

// reach counts the arrivals of every traveller at every node.
type reach struct {
	ctx             *dataflow.Context
	roots, versions uint64
	pairs           state.ValueTable // traveller, node: arrivals, then the queries that wait
	early           state.MapTable   // node: sequence of a query whose time is to come, and its traveller
	next, out       *dataflow.Output
	groups          int
	key             [16]byte
	row             [newsBytes]byte
	scratch         []byte
}

// Open opens the keyed state.
func (r *reach) Open(c *dataflow.Context) (err error) {
	r.ctx = c
	r.pairs, err = state.OpenValueTable(c.Store(), state.Descriptor{Name: "pairs", Codec: "arrivals-queries/1"})
	if err == nil {
		r.early, err = state.OpenMapTable(c.Store(), state.Descriptor{Name: "early", Codec: "seq->traveller/1"})
	}
	r.next, r.out, r.groups = c.Out(toFollow), c.Out(toSink), c.Info().NumGroups
	return err
}

// Process takes source records and arrivals.
func (r *reach) Process(port int, b *dataflow.Buffer) error {
	if port == fromLoop {
		return each(b, stepBytes, func(rec []byte) { r.arrive(number(rec, 0), number(rec, 1)) })
	}
	return each(b, recordBytes, func(rec []byte) {
		switch e := decode(rec); e.kind {
		case aRoot:
			for v := range r.versions {
				r.arrive(r.traveller(e.a, v), e.b)
			}
		case anEdge:
			r.tell(anEdge, e.a, e.b, r.travellers(e.since, e.until))
		case aQuery:
			r.wait(r.traveller(e.a, e.since), e.b, e.seq)
		}
	})
}

// wait keeps a query until its time has come.
func (r *reach) wait(who, node, query uint64) {
	r.early.MapPut(r.node(node), binary.BigEndian.AppendUint64(nil, query), binary.LittleEndian.AppendUint64(nil, who))
	r.ctx.Timer(timeOf(query), r.key[:8])
}

// node returns the key of a node.
func (r *reach) node(node uint64) state.Key {
	binary.LittleEndian.PutUint64(r.key[:], node)
	return keyOf(node, r.key[:8], r.groups)
}

// OnTimer asks the query of a node whose time has come.
func (r *reach) OnTimer(at int64, node []byte) error {
	query := uint64(at / step)
	k, field := r.node(number(node, 0)), binary.BigEndian.AppendUint64(nil, query)
	who, ok := r.early.MapGet(k, field)
	if !ok {
		return fmt.Errorf("reachability: it is time for query %d, which nobody has asked", query)
	}
	asks := number(who, 0)
	r.early.MapDelete(k, field)
	r.ask(asks, number(node, 0), query)
	return nil
}

func (r *reach) traveller(root, version uint64) uint64 { return root*r.versions + version }

// travellers returns those of the versions from since up to, without, until, as a
// set of bits.
func (r *reach) travellers(since, until uint64) (set uint64) {
	for root := range r.roots {
		for v := since; v < until; v++ {
			set |= 1 << r.traveller(root, v)
		}
	}
	return set
}

// pair returns the key of a traveller at a node and its value, which is borrowed.
func (r *reach) pair(who, node uint64) (state.Key, []byte) {
	binary.LittleEndian.PutUint64(r.key[:], node)
	binary.LittleEndian.PutUint64(r.key[8:], who)
	k := keyOf(node, r.key[:], r.groups)
	v, _ := r.pairs.Get(k)
	return k, v
}

// arrive counts an arrival. The first one goes on, and answers who waits.
func (r *reach) arrive(who, node uint64) {
	k, v := r.pair(who, node)
	arrivals := uint64(1)
	if len(v) > 0 {
		arrivals += number(v, 0)
	}
	r.scratch = binary.LittleEndian.AppendUint64(r.scratch[:0], arrivals)
	r.emit(who, node, arrivals)
	if arrivals == 1 {
		for i := 1; 8*i < len(v); i++ {
			r.emit(who, node, isQuery|number(v, i))
		}
		r.tell(aRoot, node, who, 0)
	}
	r.pairs.Put(k, r.scratch)
}

// ask answers a query, or lets it wait for the first arrival.
func (r *reach) ask(who, node, query uint64) {
	k, v := r.pair(who, node)
	if len(v) > 0 && number(v, 0) > 0 {
		r.emit(who, node, isQuery|query)
		return
	}
	r.scratch = append(r.scratch[:0], v...)
	if len(v) == 0 {
		r.scratch = binary.LittleEndian.AppendUint64(r.scratch, 0)
	}
	r.pairs.Put(k, binary.LittleEndian.AppendUint64(r.scratch, query))
}

// tell sends follow news of a node.
func (r *reach) tell(k kind, node, what, whom uint64) {
	r.next.Emit(r.put(uint64(k), node, what, whom))
}

func (r *reach) emit(who, node, what uint64) { r.out.Emit(r.put(who, node, what)) }

// put returns numbers as a record, valid until the next call.
func (r *reach) put(numbers ...uint64) []byte {
	for i, n := range numbers {
		binary.LittleEndian.PutUint64(r.row[8*i:], n)
	}
	return r.row[:8*len(numbers)]
}

// Finish emits nothing: a query that still waits has no answer.
func (r *reach) Finish() error { return nil }

// follow sends every traveller that reaches a node along the edges of the node that
// are there in its version.
type follow struct {
	nodes   state.ValueTable // node: the travellers as a set of bits, then of each edge its end and whom it takes
	out     *dataflow.Output
	groups  int
	key     [8]byte
	step    [stepBytes]byte
	scratch []byte
}

// Open opens the keyed state.
func (f *follow) Open(c *dataflow.Context) (err error) {
	f.nodes, err = state.OpenValueTable(c.Store(), state.Descriptor{Name: "nodes", Codec: "travellers-edges/1"})
	f.out, f.groups = c.Out(0), c.Info().NumGroups
	return err
}

// Process takes edges and travellers.
func (f *follow) Process(_ int, b *dataflow.Buffer) error {
	return each(b, newsBytes, func(rec []byte) {
		if kind(number(rec, 0)) == anEdge {
			f.edge(number(rec, 1), number(rec, 2), number(rec, 3))
		} else {
			f.reached(number(rec, 2), number(rec, 1))
		}
	})
}

// node returns the key of a node, and leaves a copy of its value in scratch.
func (f *follow) node(node uint64) state.Key {
	binary.LittleEndian.PutUint64(f.key[:], node)
	k := keyOf(node, f.key[:], f.groups)
	v, _ := f.nodes.Get(k)
	f.scratch = append(f.scratch[:0], v...)
	if len(v) == 0 {
		f.scratch = binary.LittleEndian.AppendUint64(f.scratch, 0)
	}
	return k
}

// reached notes a traveller that is new at a node.
func (f *follow) reached(who, node uint64) {
	k := f.node(node)
	for i := 1; 8*i < len(f.scratch); i += 2 {
		if number(f.scratch, i+1)>>who&1 != 0 {
			f.send(who, number(f.scratch, i))
		}
	}
	binary.LittleEndian.PutUint64(f.scratch, number(f.scratch, 0)|1<<who)
	f.nodes.Put(k, f.scratch)
}

// edge adds an edge, which those of whom it takes that are there take at once.
func (f *follow) edge(from, to, whom uint64) {
	k := f.node(from)
	for set, who := number(f.scratch, 0)&whom, uint64(0); set != 0; set, who = set>>1, who+1 {
		if set&1 != 0 {
			f.send(who, to)
		}
	}
	f.scratch = binary.LittleEndian.AppendUint64(f.scratch, to)
	f.nodes.Put(k, binary.LittleEndian.AppendUint64(f.scratch, whom))
}

func (f *follow) send(who, node uint64) {
	binary.LittleEndian.PutUint64(f.step[:], who)
	binary.LittleEndian.PutUint64(f.step[8:], node)
	f.out.Emit(f.step[:])
}

// Finish has nothing left to emit.
func (f *follow) Finish() error { return nil }
