package changelog

import (
	"encoding/binary"

	"weir/state"
)

// notes are the entries of one state that were written since the last segment, in the order in
// which they were first written.
type notes struct {
	d state.Descriptor
	// read returns what stands in the store under an entry, until the next call on any table of
	// it; nil for timers.
	read  func(e *state.KeyedEntry) (value []byte, ok bool)
	known map[string]struct{} // of list; of timers see set
	list  []string
	// set is, of timers, what was done to each last: they have nothing to be read.
	set map[string]bool

	probe []byte // scratch
}

// name is how an entry is noted: its group, the length of its key, its key, its field.
func (n *notes) name(group uint16, key, field []byte) []byte {
	n.probe = binary.LittleEndian.AppendUint16(n.probe[:0], group)
	n.probe = state.AppendBytes(n.probe, key)
	n.probe = append(n.probe, field...)
	return n.probe
}

// entryOf is the inverse of name.
func entryOf(name string) (e state.KeyedEntry) {
	b := []byte(name)
	e.Group = binary.LittleEndian.Uint16(b)
	size, width := binary.Uvarint(b[2:])
	key := b[2+width:]
	e.Key, e.Field = key[:size:size], key[size:]
	return e
}

// add notes an entry, and says whether that is new.
func (n *notes) add(group uint16, key, field []byte) bool {
	name := n.name(group, key, field)
	if _, there := n.known[string(name)]; there {
		return false
	}
	if n.known == nil {
		n.known = map[string]struct{}{}
	}
	noted := string(name)
	n.known[noted] = struct{}{}
	n.list = append(n.list, noted)
	return true
}

// timer notes a timer that was set, or is gone.
func (n *notes) timer(at int64, group uint16, key []byte, set bool) (added bool) {
	var field [8]byte
	added = n.add(group, key, state.AppendTime(field[:0], at))
	if n.set == nil {
		n.set = map[string]bool{}
	}
	n.set[string(n.probe)] = set
	return added
}

// take returns what is noted, all but the last keep of it, and forgets that.
func (n *notes) take(keep int) []string {
	taken := n.list[:len(n.list)-keep]
	kept := append([]string(nil), n.list[len(taken):]...)
	n.known, n.list = nil, nil
	for _, name := range kept {
		if n.known == nil {
			n.known = map[string]struct{}{}
		}
		n.known[name] = struct{}{}
		n.list = append(n.list, name)
	}
	return taken
}
