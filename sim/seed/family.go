package seed

// Family is the streams of one purpose, told apart by one key, which is a small
// number: the one of Stream(name, key) each. While no tape is recorded or replayed it
// keeps 8 bytes for each key, so that a run may have very many. It belongs to its
// Source, and is used by one goroutine at a time like that.
type Family struct {
	src    *Source
	name   string
	states []uint64  // by key: 0 before the first draw
	taped  []*Stream // by key, with a tape
}

// Begin takes the streams of a run of src. The memory is used again.
func (f *Family) Begin(src *Source, name string) {
	f.src, f.name = src, name
	clear(f.states)
	clear(f.taped)
}

// About says what the draws to come of the stream with that key are about: on a tape those about
// one thing are a stream of their own, so that one more about another leaves them in their
// place. What a seed draws is the same. A tape that has the stream as a whole replays so.
func (f *Family) About(key int, what uint64) {
	if f.src.record == nil && f.src.replay == nil {
		return
	}
	st := f.stream(key)
	if f.src.replay.first(st.id) < 0 {
		st.about = f.src.Stream(f.name, uint64(key), what)
	}
}

// Draw is Stream.Draw of the stream with that key.
func (f *Family) Draw(key, n int) int {
	if f.src.record != nil || f.src.replay != nil {
		return f.stream(key).Draw(n)
	}
	return int(below(f.step(key), uint64(max(n, 1))))
}

// Range is Stream.Range of the stream with that key.
func (f *Family) Range(key int, lo, hi int64) int64 {
	if f.src.record != nil || f.src.replay != nil {
		return f.stream(key).Range(lo, hi)
	}
	return lo + int64(below(f.step(key), span(lo, hi)))
}

// Put is Stream.Put of the stream with that key.
func (f *Family) Put(key, n, v int) int {
	if f.src.record != nil || f.src.replay != nil {
		return f.stream(key).Put(n, v)
	}
	return v
}

// PutRange is Stream.PutRange of the stream with that key.
func (f *Family) PutRange(key int, lo, hi, v int64) int64 {
	if f.src.record != nil || f.src.replay != nil {
		return f.stream(key).PutRange(lo, hi, v)
	}
	return v
}

// step is Stream.step of the stream with that key.
func (f *Family) step(key int) uint64 {
	if key >= len(f.states) || f.states[key] == 0 {
		f.start(key)
	}
	at := &f.states[key]
	*at += gamma
	return mix(*at)
}

// start puts the stream at its beginning.
func (f *Family) start(key int) {
	for len(f.states) <= key {
		f.states = append(f.states, 0)
	}
	keys := [1]uint64{uint64(key)}
	f.states[key] = mix(f.src.mixed ^ identity(f.name, keys[:]))
}

// stream is the stream with that key as one of the source's, which can be taped.
func (f *Family) stream(key int) *Stream {
	for len(f.taped) <= key {
		f.taped = append(f.taped, nil)
	}
	if f.taped[key] == nil {
		f.taped[key] = f.src.Stream(f.name, uint64(key))
		if key < len(f.states) && f.states[key] != 0 { // a tape that begins late
			f.taped[key].state = f.states[key]
		}
	}
	return f.taped[key]
}
