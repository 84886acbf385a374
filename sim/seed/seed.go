package seed

import "math/bits"

// Drawer is what a component asks for when all it does is choose: a number
// from 0 to n-1, 0 being the quiet choice. *Stream implements it.
type Drawer interface {
	Draw(n int) int
}

var _ Drawer = (*Stream)(nil)

// Source hands out the streams of one run. It owns them: they are valid until
// the next Reset or Replay, which reuses their memory.
type Source struct {
	mixed   uint64 // the seed, mixed once
	streams map[uint64]*Stream
	pool    []*Stream // every stream ever made; those of this run are pool[:used]
	used    int
	record  *Tape
	replay  *playback
	redraw  bool // of replay: a stream whose decisions have run out is drawn from the seed
}

// Stream is one independent sequence of draws. It is obtained from
// Source.Stream and belongs to that Source.
type Stream struct {
	state    uint64
	src      *Source
	taped    bool    // the source records or replays
	recordAs int32   // position in the recorded tape's list of streams, -1 before the first draw
	next     int32   // position of the next decision on the replayed tape, -1 when there is none
	about    *Stream // whose place on tapes its decisions take now; nil: its own
	id       uint64
	name     string
	keys     []uint64
	room     [1]uint64 // of keys: most streams have one
}

// New returns a Source of streams that depend on seed and nothing else.
func New(seed uint64) *Source {
	s := &Source{streams: make(map[uint64]*Stream)}
	s.Reset(seed)
	return s
}

// NewReplay returns a Source whose draws come from t. See [Source.Replay].
func NewReplay(t *Tape) *Source {
	s := New(0)
	s.Replay(t)
	return s
}

// Reset makes the Source equal to New(seed) and keeps the memory. Streams
// handed out before must not be used any more: they will be handed out again
// under other names. Recording and replaying end; the tapes stay as they are.
func (s *Source) Reset(seed uint64) {
	s.mixed = mix(seed + gamma)
	s.used = 0
	s.record = nil
	s.replay = nil
	s.redraw = false
	clear(s.streams)
}

// Record empties t and appends to it every decision drawn from here on. To get
// a tape that replays the whole run, call it before the first draw. A nil t ends
// the recording. Recording and replaying at once is allowed: what is recorded is then
// what the run really used, which is how a tape that fell out of step is put in
// step again.
func (s *Source) Record(t *Tape) {
	if t != nil {
		t.Reset()
	}
	s.record = t
	for _, st := range s.pool[:s.used] {
		st.recordAs = -1
		st.taped = t != nil || s.replay != nil
	}
}

// Replay resets the Source and takes all further draws from t: each stream
// gets its own decisions in order, reduced modulo the bound it asks for, and 0
// when it has none left. t is read at this call only and may be changed after it.
func (s *Source) Replay(t *Tape) {
	s.Reset(0)
	s.replay = newPlayback(t)
}

// Redraw is Replay but for what comes after the tape: a stream that has used up its
// decisions goes on as New(seed) has it at that place, instead of quiet. Of a tape cut
// off by [Tape.Truncate] that is the same beginning with another end.
func (s *Source) Redraw(t *Tape, seed uint64) {
	s.Reset(seed)
	s.replay, s.redraw = newPlayback(t), true
}

// Stream returns the stream of this purpose and key, which on the first call
// stands at its beginning; a further call returns the same stream where it
// stands. Streams are told apart by a 64-bit hash of name and key.
func (s *Source) Stream(name string, key ...uint64) *Stream {
	id := identity(name, key)
	if st, ok := s.streams[id]; ok {
		return st
	}
	if s.used == len(s.pool) {
		s.grow()
	}
	st := s.pool[s.used]
	s.used++
	st.id, st.name, st.about = id, name, nil
	st.keys = append(st.keys[:0], key...)
	st.state = mix(s.mixed ^ id)
	st.taped = s.record != nil || s.replay != nil
	st.recordAs = -1
	st.next = s.replay.first(id)
	s.streams[id] = st
	return st
}

// grow adds unused streams to the pool, a block at a time.
func (s *Source) grow() {
	block := make([]Stream, 32)
	for i := range block {
		block[i].src, block[i].keys = s, block[i].room[:0]
		s.pool = append(s.pool, &block[i])
	}
}

// Draw returns a number from 0 to n-1, each equally likely; 0 is the quiet
// choice. With n below 2 there is no choice and the result is 0. Every call takes
// one position of the stream, whatever n is.
func (st *Stream) Draw(n int) int {
	if n < 1 {
		n = 1
	}
	v := below(st.step(), uint64(n))
	if st.taped {
		v = st.decide(uint64(n), v)
	}
	return int(v)
}

// Chance returns true in num of den cases: never when num <= 0, always when
// num >= den. It takes one position and is on the tape as a decision between 0,
// false, and 1, true, so that even a certain event is absent from a quiet run.
func (st *Stream) Chance(num, den int) bool {
	x := st.step()
	var v uint64
	if num > 0 && (num >= den || below(x, uint64(den)) < uint64(num)) {
		v = 1
	}
	if st.taped {
		v = st.decide(2, v)
	}
	return v != 0
}

// Uint64 returns any 64-bit number, each equally likely; quiet is 0.
func (st *Stream) Uint64() uint64 {
	v := st.step()
	if st.taped {
		v = st.decide(0, v)
	}
	return v
}

// Range returns a number from lo to hi, both included, each equally likely; lo
// is the quiet choice and the result when hi <= lo.
func (st *Stream) Range(lo, hi int64) int64 {
	n := span(lo, hi)
	v := below(st.step(), n)
	if st.taped {
		v = st.decide(n, v)
	}
	return int64(uint64(lo) + v)
}

// span is how many numbers there are from lo to hi; 0: all 64-bit numbers.
func span(lo, hi int64) uint64 {
	if hi <= lo {
		return 1
	}
	return uint64(hi) - uint64(lo) + 1
}

// Put is Draw with an answer that the caller has decided otherwise, v below n: it takes a
// place of the stream and is on the tape like any draw, and a replay answers from its
// tape instead.
func (st *Stream) Put(n, v int) int {
	st.step()
	if st.taped {
		return int(st.decide(uint64(max(n, 1)), uint64(v)))
	}
	return v
}

// PutRange is Range with an answer that the caller has decided otherwise, v from lo to hi;
// see Put.
func (st *Stream) PutRange(lo, hi, v int64) int64 {
	st.step()
	if st.taped {
		return lo + int64(st.decide(uint64(hi-lo)+1, uint64(v-lo)))
	}
	return v
}

// decide puts the tapes between a draw and its caller: v, below n, is what the
// generator gave.
func (st *Stream) decide(n, v uint64) uint64 {
	if st.about != nil {
		return st.about.decide(n, v)
	}
	if p := st.src.replay; p != nil && (st.next >= 0 || !st.src.redraw) {
		v, st.next = p.take(st.next)
		if n != 0 {
			v %= n
		}
	}
	if t := st.src.record; t != nil {
		if st.recordAs < 0 {
			st.recordAs = t.addStream(st.id, st.name, st.keys)
		}
		t.decisions = append(t.decisions, Decision{Stream: st.recordAs, N: n, Value: v})
	}
	return v
}

// The generator is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, OOPSLA 2014): a counter and a mixing function, hence one
// position per step and 8 bytes of state.
const gamma = 0x9e3779b97f4a7c15

func (st *Stream) step() uint64 {
	st.state += gamma
	return mix(st.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below maps x, uniform over 64 bits, to a number below n without bias: the
// upper half of x*n, and a fresh x, derived from the old one, in the few cases that
// would make small results likelier (Lemire, Fast random integer generation in an
// interval, 2019). n = 0 stands for 2^64.
func below(x, n uint64) uint64 {
	if n == 0 {
		return x
	}
	hi, lo := bits.Mul64(x, n)
	if lo < n {
		for biased := -n % n; lo < biased; {
			x = mix(x + gamma)
			hi, lo = bits.Mul64(x, n)
		}
	}
	return hi
}

// identity hashes a name and its keys, in order and with their number.
func identity(name string, keys []uint64) uint64 {
	h := uint64(len(name))
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 0x100000001b3
	}
	h = mix(h)
	for _, k := range keys {
		h = mix(h*gamma + k + 1)
	}
	return h
}
