package changelog

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"weir/state"
)

// segment is a stretch of the log; without a number it is a file of an overtaken materialisation.
type segment struct {
	number uint64
	ref    state.FileRef
	first  listing
	data   []byte // nil: it is durable
	sent   bool   // a stream was begun that writes it
}

const (
	segmentMagic   = "WEIRLOG"
	segmentVersion = 1
	// overheadBytes is about what an entry takes in a segment beside key, field and value.
	overheadBytes = 8
)

// IsSegment tells the name of a segment, behind the prefix, from those of other files.
func IsSegment(name string) bool { return strings.HasPrefix(name, "c") }

// seal makes a segment of what is noted, all but the last keep entries of it. Nothing noted
// makes none.
func (s *Store) seal(prefix string, keep int) {
	if s.noted <= keep {
		return
	}
	data := append(make([]byte, 0, s.bytes+256), segmentMagic...)
	data = append(data, segmentVersion)
	data = binary.AppendUvarint(data, s.next)
	for i := len(s.notes) - 1; i >= 0; i-- {
		n := s.notes[i]
		mine := min(keep, len(n.list))
		keep -= mine
		data = n.encode(data, mine)
	}
	s.noted, s.bytes = 0, 0
	for _, n := range s.notes {
		s.noted += len(n.list)
	}
	ref := state.FileRef{
		Name: prefix + "c" + strconv.FormatUint(s.next, 10), Local: strconv.FormatUint(s.next, 10),
		Size: int64(len(data)), Sum: xxhash.Sum64(data), Shared: true,
	}
	s.segments = append(s.segments, &segment{number: s.next, ref: ref, data: data})
	s.logged += ref.Size
	s.next++
}

// encode appends a state to a segment: its descriptor, the number of entries, and each: group
// and key, field if it has one, 1 and what stands there, or 0 if nothing does.
func (n *notes) encode(dst []byte, keep int) []byte {
	taken := n.take(keep)
	if len(taken) == 0 {
		return dst
	}
	dst = state.AppendDescriptor(dst, n.d)
	dst = binary.AppendUvarint(dst, uint64(len(taken)))
	for _, name := range taken {
		e := entryOf(name)
		dst = binary.AppendUvarint(dst, uint64(e.Group))
		dst = state.AppendBytes(dst, e.Key)
		if hasField(n.d.Kind) {
			dst = state.AppendBytes(dst, e.Field)
		}
		at := len(dst)
		value, ok := n.value(name, &e)
		if dst = append(dst, 0); ok {
			dst[at] = 1
			dst = state.AppendBytes(dst, value)
		}
	}
	return dst
}

// value returns what stands under an entry.
func (n *notes) value(name string, e *state.KeyedEntry) (value []byte, ok bool) {
	if n.d.Kind != state.KindTimers {
		return n.read(e)
	}
	ok = n.set[name]
	delete(n.set, name)
	return nil, ok
}

func hasField(k state.Kind) bool { return k == state.KindMap || k == state.KindTimers }

// replay puts a segment into a store, as far as it is of the store's key groups.
func replay(s state.Replayer, ref *state.FileRef, number uint64, data []byte, groups state.GroupRange) error {
	if int64(len(data)) != ref.Size {
		return fmt.Errorf("%d bytes, the checkpoint says %d", len(data), ref.Size)
	}
	if sum := xxhash.Sum64(data); sum != ref.Sum {
		return fmt.Errorf("checksum %016x, the checkpoint says %016x", sum, ref.Sum)
	}
	r := state.NewReader(data)
	if magic := r.Raw(len(segmentMagic)); string(magic) != segmentMagic {
		return fmt.Errorf("%w: this is no segment of a changelog", state.ErrCorrupt)
	}
	if v := r.Byte(); v != segmentVersion {
		return fmt.Errorf("%w: segment of format version %d, this program reads %d", state.ErrIncompatible, v, segmentVersion)
	}
	if at := r.Uvarint(); at != number {
		return fmt.Errorf("%w: it is segment %d of the log, and stands in the place of %d", state.ErrCorrupt, at, number)
	}
	for r.Len() > 0 {
		if err := replayState(s, r, groups); err != nil {
			return err
		}
	}
	return r.Done()
}

func replayState(s state.Replayer, r *state.Reader, groups state.GroupRange) error {
	d := state.ReadDescriptor(r)
	const least = 3 // bytes that an entry takes
	n := r.Count(least)
	if r.Err() != nil {
		return r.Err()
	}
	put, remove, err := s.Replay(d)
	if err != nil {
		return err
	}
	for range n {
		var e state.KeyedEntry
		group := r.Uvarint()
		e.Group, e.Key = uint16(group), r.Bytes()
		if hasField(d.Kind) {
			e.Field = r.Bytes()
		}
		there := r.Byte()
		if there == 1 {
			e.Value = r.Bytes()
		}
		if there > 1 || group > 1<<16-1 || d.Kind == state.KindTimers && len(e.Field) != 8 {
			r.Fail("an entry of group %d, %d", group, there)
		}
		switch {
		case r.Err() != nil:
			return r.Err()
		case e.Group < groups.Lo || e.Group >= groups.Hi:
		case there == 1:
			put(e)
		default:
			remove(e)
		}
	}
	return nil
}

// put is the operation that makes a segment durable.
func (x *segment) put() state.Op { return state.Op{Kind: state.OpPut, Key: x.ref.Name, Data: x.data} }
