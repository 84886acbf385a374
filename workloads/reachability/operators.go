package reachability

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/state"
)

const (
	newsBytes = 24 // to follow: kind, node, and the root that is new there or where an edge leads
	stepBytes = 16 // round the loop: root, node
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

// reach counts the arrivals of every root at every node.
type reach struct {
	pairs     state.Table // root, node: arrivals, then the queries that wait
	next, out *dataflow.Output
	groups    int
	key       [16]byte
	row       [rowBytes]byte
	scratch   []byte
}

// Open opens the keyed state.
func (r *reach) Open(c *dataflow.Context) (err error) {
	r.pairs, err = c.Store().Table(state.Descriptor{Name: "pairs", Kind: state.KindValue, Codec: "arrivals-queries/1"})
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
			r.arrive(e.a, e.b)
		case anEdge:
			r.tell(anEdge, e.a, e.b)
		case aQuery:
			r.ask(e)
		}
	})
}

// pair returns the key of a root at a node and its value, which is borrowed.
func (r *reach) pair(root, node uint64) (state.Key, []byte) {
	binary.LittleEndian.PutUint64(r.key[:], node)
	binary.LittleEndian.PutUint64(r.key[8:], root)
	k := keyOf(node, r.key[:], r.groups)
	v, _ := r.pairs.Get(k)
	return k, v
}

// arrive counts an arrival. The first one goes on, and answers who waits.
func (r *reach) arrive(root, node uint64) {
	k, v := r.pair(root, node)
	arrivals := uint64(1)
	if len(v) > 0 {
		arrivals += number(v, 0)
	}
	r.scratch = binary.LittleEndian.AppendUint64(r.scratch[:0], arrivals)
	r.emit(root, node, arrivals)
	if arrivals == 1 {
		for i := 1; 8*i < len(v); i++ {
			r.emit(root, node, isQuery|number(v, i))
		}
		r.tell(aRoot, node, root)
	}
	r.pairs.Put(k, r.scratch)
}

// ask answers a query, or lets it wait for the first arrival.
func (r *reach) ask(e event) {
	k, v := r.pair(e.a, e.b)
	if len(v) > 0 && number(v, 0) > 0 {
		r.emit(e.a, e.b, isQuery|e.seq)
		return
	}
	r.scratch = append(r.scratch[:0], v...)
	if len(v) == 0 {
		r.scratch = binary.LittleEndian.AppendUint64(r.scratch, 0)
	}
	r.pairs.Put(k, binary.LittleEndian.AppendUint64(r.scratch, e.seq))
}

// tell sends follow news of a node.
func (r *reach) tell(k kind, node, what uint64) {
	binary.LittleEndian.PutUint64(r.row[:], uint64(k))
	binary.LittleEndian.PutUint64(r.row[8:], node)
	binary.LittleEndian.PutUint64(r.row[16:], what)
	r.next.Emit(r.row[:newsBytes])
}

func (r *reach) emit(root, node, what uint64) {
	binary.LittleEndian.PutUint64(r.row[:], root)
	binary.LittleEndian.PutUint64(r.row[8:], node)
	binary.LittleEndian.PutUint64(r.row[16:], what)
	r.out.Emit(r.row[:])
}

// Finish emits nothing: a query that still waits has no answer.
func (r *reach) Finish() error { return nil }

// follow sends every root that reaches a node along the edges of the node.
type follow struct {
	nodes   state.Table // node: the roots as a set of bits, then the ends of its edges
	out     *dataflow.Output
	groups  int
	key     [8]byte
	step    [stepBytes]byte
	scratch []byte
}

// Open opens the keyed state.
func (f *follow) Open(c *dataflow.Context) (err error) {
	f.nodes, err = c.Store().Table(state.Descriptor{Name: "nodes", Kind: state.KindValue, Codec: "roots-ends/1"})
	f.out, f.groups = c.Out(0), c.Info().NumGroups
	return err
}

// Process takes edges and roots.
func (f *follow) Process(_ int, b *dataflow.Buffer) error {
	return each(b, newsBytes, func(rec []byte) {
		if kind(number(rec, 0)) == anEdge {
			f.edge(number(rec, 1), number(rec, 2))
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

// reached notes a root that is new at a node.
func (f *follow) reached(root, node uint64) {
	k := f.node(node)
	for i := 1; 8*i < len(f.scratch); i++ {
		f.send(root, number(f.scratch, i))
	}
	binary.LittleEndian.PutUint64(f.scratch, number(f.scratch, 0)|1<<root)
	f.nodes.Put(k, f.scratch)
}

// edge adds an edge, which the roots that are there take at once.
func (f *follow) edge(from, to uint64) {
	k := f.node(from)
	for roots, root := number(f.scratch, 0), uint64(0); roots != 0; roots, root = roots>>1, root+1 {
		if roots&1 != 0 {
			f.send(root, to)
		}
	}
	f.nodes.Put(k, binary.LittleEndian.AppendUint64(f.scratch, to))
}

func (f *follow) send(root, node uint64) {
	binary.LittleEndian.PutUint64(f.step[:], root)
	binary.LittleEndian.PutUint64(f.step[8:], node)
	f.out.Emit(f.step[:])
}

// Finish has nothing left to emit.
func (f *follow) Finish() error { return nil }
