package seed

import "slices"

// Tape is a list of decisions in the order they were drawn. The zero value is
// an empty tape, which replays as the quiet run. A tape belongs to one goroutine.
type Tape struct {
	streams   []ident
	decisions []Decision
}

// Decision is one draw.
type Decision struct {
	Stream int32  // position in the tape's list of streams, see Tape.StreamName
	N      uint64 // the value is below N; 0 stands for 2^64
	Value  uint64 // 0 is the quiet choice
}

type ident struct {
	id   uint64
	name string
	keys []uint64
}

// Len returns the number of decisions.
func (t *Tape) Len() int { return len(t.decisions) }

// At returns the decision at position i, from 0 to Len()-1.
func (t *Tape) At(i int) Decision { return t.decisions[i] }

// StreamName returns the name and key of a stream as the text form has them,
// for example "link.delay/0/3".
func (t *Tape) StreamName(stream int32) string {
	s := &t.streams[stream]
	return string(appendStream(nil, s.name, s.keys))
}

// Loud returns the number of decisions that are not quiet, which is what
// shrinking makes smaller.
func (t *Tape) Loud() int {
	n := 0
	for _, d := range t.decisions {
		if d.Value != 0 {
			n++
		}
	}
	return n
}

// Set replaces the value at position i by v, reduced modulo the bound there.
func (t *Tape) Set(i int, v uint64) {
	d := &t.decisions[i]
	if d.N != 0 {
		v %= d.N
	}
	d.Value = v
}

// Quiet sets the values at positions i to j-1 to 0.
func (t *Tape) Quiet(i, j int) {
	for k := i; k < j; k++ {
		t.decisions[k].Value = 0
	}
}

// Truncate keeps the first n decisions: every stream is quiet once it has used
// up its part of them.
func (t *Tape) Truncate(n int) { t.decisions = t.decisions[:min(n, len(t.decisions))] }

// Delete removes the decisions at positions i to j-1. Later decisions of the
// same streams move forward; other streams are not touched.
func (t *Tape) Delete(i, j int) { t.decisions = slices.Delete(t.decisions, i, j) }

// Trim removes what replay supplies anyway: the quiet decisions at the end of
// each stream, and streams without decisions. It does not change what the tape replays.
func (t *Tape) Trim() {
	loud := make([]bool, len(t.streams)) // a loud decision of this stream was met, from the end
	kept := make([]bool, len(t.decisions))
	for i, d := range slices.Backward(t.decisions) {
		loud[d.Stream] = loud[d.Stream] || d.Value != 0
		kept[i] = loud[d.Stream]
	}
	renamed := make([]int32, len(t.streams))
	streams := t.streams[:0]
	for i, s := range t.streams {
		renamed[i] = int32(len(streams))
		if loud[i] {
			streams = append(streams, s)
		}
	}
	decisions := t.decisions[:0]
	for i, d := range t.decisions {
		if kept[i] {
			d.Stream = renamed[d.Stream]
			decisions = append(decisions, d)
		}
	}
	clear(t.streams[len(streams):])
	t.streams, t.decisions = streams, decisions
}

// Clone returns a tape that shares nothing that either of them changes.
func (t *Tape) Clone() *Tape {
	return &Tape{streams: slices.Clone(t.streams), decisions: slices.Clone(t.decisions)}
}

// Equal reports whether both tapes hold the same decisions of the same streams
// in the same order.
func (t *Tape) Equal(o *Tape) bool {
	return slices.EqualFunc(t.decisions, o.decisions, func(a, b Decision) bool {
		return a.N == b.N && a.Value == b.Value && t.streams[a.Stream].id == o.streams[b.Stream].id
	})
}

// Reset empties the tape and keeps its memory.
func (t *Tape) Reset() {
	clear(t.streams)
	t.streams, t.decisions = t.streams[:0], t.decisions[:0]
}

// addStream appends a stream that is not on the tape yet; keys are copied.
func (t *Tape) addStream(id uint64, name string, keys []uint64) int32 {
	t.streams = append(t.streams, ident{id: id, name: name, keys: slices.Clone(keys)})
	return int32(len(t.streams) - 1)
}

// playback is a tape arranged for replay: one list of decisions per stream,
// threaded through the draw order.
type playback struct {
	firsts map[uint64]int32 // stream identity to its first position
	values []uint64
	nexts  []int32 // the next position of the same stream, -1 at its end
}

func newPlayback(t *Tape) *playback {
	p := &playback{
		firsts: make(map[uint64]int32, len(t.streams)),
		values: make([]uint64, len(t.decisions)),
		nexts:  make([]int32, len(t.decisions)),
	}
	later := make([]int32, len(t.streams))
	for i := range later {
		later[i] = -1
	}
	for i, d := range slices.Backward(t.decisions) {
		p.values[i], p.nexts[i] = d.Value, later[d.Stream]
		later[d.Stream] = int32(i)
	}
	for i, s := range t.streams {
		p.firsts[s.id] = later[i]
	}
	return p
}

// first returns where the stream begins, or -1. A nil playback has no streams.
func (p *playback) first(id uint64) int32 {
	if p == nil {
		return -1
	}
	if at, ok := p.firsts[id]; ok {
		return at
	}
	return -1
}

// take returns the value at a position and the position after it in the same stream.
func (p *playback) take(at int32) (value uint64, next int32) {
	if at < 0 {
		return 0, -1
	}
	return p.values[at], p.nexts[at]
}
