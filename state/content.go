package state

// KeyedEntry is one entry of a keyed state or of timers as SumEntry counts them:
// what every backend holds, whatever it looks like there.
type KeyedEntry struct {
	Group uint16
	Key   []byte
	// Field is the field of KindMap, and the time of KindTimers as AppendTime writes
	// it; nil for the other kinds.
	Field []byte
	// Value is the value, all framed elements of a KindList, or the value of the
	// field, as stored: with a TTL the value, and each element, has the time at which it
	// expires in front. Nil for timers.
	Value []byte
}

// KeyOf returns the entry's key as tables take it.
func (e *KeyedEntry) KeyOf() Key { return Key{Hash: HashBytes(e.Key), Group: e.Group, Bytes: e.Key} }

// Content is what can be read of a state by whoever did not declare it: to bring
// it into another form, to compare it, to show it.
type Content interface {
	// States returns the descriptors of all keyed states and timers there are, in
	// order of name: also of those that a restore has brought and nobody has opened.
	States() []Descriptor
	// Entries calls f for every entry that has not expired of the state called name, as
	// it is stored, with the time at which it expires if it does, in order of (group,
	// key, field), for timers of (group, time, key), until f returns false. Slices
	// are valid during the call, and f must not write. What has expired is left out,
	// so that equal contents give equal entries. A name that States does not have has
	// no entries. It is slow, as Table.Range is.
	Entries(name string, f func(e KeyedEntry) bool)
	// Err returns the first error met, for which Entries has ended early.
	Err() error
}

// Entries returns f for the entries of a backend, of which f is to see those that
// live, without what of them has expired.
func (e Expiry) Entries(f func(e KeyedEntry) bool) func(e KeyedEntry) bool {
	if !e.Applies() {
		return f
	}
	var scratch []byte
	return func(x KeyedEntry) bool {
		left, live := e.Unexpired(x.Value, &scratch)
		x.Value = left
		return !live || f(x)
	}
}
