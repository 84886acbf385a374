package state

// Warmer is implemented by tables for which it pays to see the keys of a whole
// buffer before they are used one by one: in a state larger than the caches an
// access waits for memory, and accesses that do not depend on each other wait
// together.
type Warmer interface {
	// Warm reads where the entries of keys stand and forgets them again. It has
	// no effect but on speed. Only Hash and Group of each key are looked at, so
	// Bytes may be nil. Best called with 16 to 256 keys.
	Warm(keys []Key)
}

// Warmable returns the table as a Warmer if it is large enough for Warm to pay;
// ask once per buffer.
func Warmable(t Table) (w Warmer, ok bool) {
	const worthwhile = 1 << 14 // keys; fewer stay in the caches by themselves
	if w, ok = t.(Warmer); ok {
		ok = t.Len() >= worthwhile
	}
	return w, ok
}
