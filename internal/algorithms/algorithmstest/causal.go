package algorithmstest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"weir/algorithms"
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Causal is causal logging with determinants on every buffer: Silvestre et al.,
// "Clonos", SIGMOD 2021; Elnozahy et al., ACM CSUR 34(3), 2002, section 5.3.
// Every choice of a task is a determinant. A buffer carries those that its
// receiver has not been sent yet, of all tasks (full depth), so that whoever
// depends on a choice knows it. A failed task alone restarts, makes the choices
// that survivors and heads know again, and is then where others depend on it.
// Its snapshots are its own (Clonos: rounds), determinants are kept for ever.
func Causal() *algorithms.Spec {
	return &algorithms.Spec{
		Name: "causal", Short: "choices travel with the data; a failed task alone makes them again",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, NonDeterminism: dataflow.Recorded,
			Snapshots: dataflow.LocalSnapshots, Rollback: dataflow.ScopeTask, MaxConcurrent: 1,
		},
		Protocol: func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &causal{} },
		Coordinator: func(*dataflow.Config) dataflow.Coordinator {
			return &pieces{merge: func(parts [][]byte) []byte { return bytes.Join(parts, nil) }}
		},
	}
}

// CausalInputs is causal that records and repeats only what depends on the world
// around an operator: which input is served, how much a source emits. A draw of
// an operator itself would be drawn anew, so that it refuses those that draw.
func CausalInputs() *algorithms.Spec {
	s := Causal()
	s.Name, s.Short = "causal-inputs", "as causal, but operators must be deterministic: what they draw is not recorded"
	s.Declared.NonDeterminism = dataflow.Refused
	s.Protocol = func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &causal{inputs: true} }
	return s
}

// determinant is one choice.
type determinant struct {
	c dataflow.Choice
	v uint64
}

// determinants are what is known of the choices of each task, from its first on.
type determinants [][]determinant

// encode appends what is known beyond from, nil: everything.
func (d determinants) encode(b []byte, from []int) []byte {
	b = binary.AppendUvarint(b, uint64(len(d)))
	for t, list := range d {
		first := 0
		if t < len(from) {
			first = from[t]
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(first)), uint64(len(list)-first))
		for _, x := range list[first:] {
			b = binary.AppendUvarint(append(b, byte(x.c)), x.v)
		}
	}
	return b
}

// merge learns what encode wrote.
func (d *determinants) merge(r *state.Reader) {
	for t := range r.Count(2) {
		d.grow(id.TaskID(t))
		at := int(r.Uvarint())
		for range r.Count(2) {
			x := determinant{dataflow.Choice(r.Byte()), r.Uvarint()}
			switch have := len((*d)[t]); {
			case at == have:
				(*d)[t] = append((*d)[t], x)
			case (*d)[t][at] != x: // beyond what is known there is none, and this panics too
				panic(fmt.Sprintf("choice %d of task %d is %v and %v: it was made twice", at, t, (*d)[t][at], x))
			}
			at++
		}
	}
	if r.Err() != nil {
		panic(r.Err())
	}
}

func (d *determinants) grow(t id.TaskID) {
	for int(t) >= len(*d) {
		*d = append(*d, nil)
	}
}

// causal is the half of one task.
type causal struct {
	piece
	inputs bool // what an operator draws by itself is not recorded
	known  determinants
	made   int     // choices of this task that were made
	said   [][]int // by output: how many of each task's were sent there
	seen   []id.Seq
}

func (p *causal) Start(k dataflow.Kernel, s dataflow.Start) {
	for r := state.NewReader(s.Plan.Data); r.Len() > 0; p.known.merge(r) {
		r.Uvarint() // how many choices the one who says it has made
	}
	p.known.grow(k.Info().ID)
	for range k.Info().Outputs {
		p.said, p.seen = append(p.said, nil), append(p.seen, ^id.Seq(0)) // what the receiver has is not known yet
	}
	n, _ := binary.Uvarint(p.join(k, s, p.section))
	p.made = int(n)
}

func (p *causal) section() []byte {
	return p.known.encode(binary.AppendUvarint(nil, uint64(p.made)), nil)
}

func (p *causal) mine() []determinant { return p.known[p.k.Info().ID] }

func (p *causal) omits(c dataflow.Choice) bool {
	return p.inputs && (c == dataflow.RandomDraw || c == dataflow.ClockRead)
}

func (p *causal) Recall(c dataflow.Choice) (uint64, bool) {
	if p.omits(c) || p.made == len(p.mine()) {
		return 0, false
	}
	x := p.mine()[p.made]
	if x.c != c {
		panic(fmt.Sprintf("choice %d is of kind %d, it was of kind %d: the replay has gone astray", p.made, c, x.c))
	}
	return x.v, true
}

func (p *causal) Record(c dataflow.Choice, v uint64) {
	if p.omits(c) {
		return
	}
	if me := p.k.Info().ID; p.made == len(p.known[me]) {
		p.known[me] = append(p.known[me], determinant{c, v})
	}
	p.made++
}

func (p *causal) Stamp(out int) []byte {
	b := p.known.encode(nil, p.said[out])
	if p.k.SealedUpTo(out) <= p.seen[out] {
		return b // done again: the receiver drops it, and what it says
	}
	p.said[out] = p.said[out][:0]
	for _, list := range p.known {
		p.said[out] = append(p.said[out], len(list))
	}
	return b
}

func (p *causal) Deliver(_ int, b *dataflow.Buffer) { p.known.merge(state.NewReader(b.Stamp)) }

func (p *causal) Connected(out int, seen id.Seq) {
	p.said[out], p.seen[out] = nil, seen
	p.piece.Connected(out, seen)
}

// Message: a survivor says what it knows.
func (p *causal) Message(data []byte) {
	if m, _, err := coordinator.DecodeMessage(data); err == nil && m.Kind == report {
		p.k.Tell((&coordinator.Message{Kind: report, Epoch: m.Epoch, Text: string(p.section())}).Encode())
		return
	}
	p.piece.Message(data)
}

func (p *causal) Timer(t id.Ticket) {
	p.piece.Timer(t)
	if !p.k.IsDrained() {
		p.snapshot()
	}
}
