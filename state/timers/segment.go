package timers

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"weir/state"
)

// A segment is one object. Integers are varints unless a size is given, signed
// ones in zigzag:
//
//	magic "weirtime", version (2 bytes)
//	entries to the end; each: 2g for a timer that is there or 2g+1 for one that is
//	  cancelled, g the zigzag of its key group less that of the entry before;
//	  its time less that of the entry before (signed, wrapping around); key (bytes)
//
// Entries hold one after the other: a timer may be cancelled and set again. The
// entries of a small set in a manifest have no magic and version before them.
const (
	segmentMagic   = "weirtime"
	segmentVersion = 1
	headerBytes    = len(segmentMagic) + 2
	// entryOverhead bounds what an entry has beyond its logical bytes.
	entryOverhead = binary.MaxVarintLen32 + binary.MaxVarintLen64 - TimeBytes + binary.MaxVarintLen32
)

// segment is one of the list that a snapshot holds, oldest first.
type segment struct {
	ref     state.FileRef
	until   uint32 // its timers were set in this delta or before
	entries int
	bytes   int64 // of keys and times
	fired   bound // of its timers, those up to here are gone
}

func appendSegmentHeader(dst []byte) []byte {
	return binary.LittleEndian.AppendUint16(append(dst, segmentMagic...), segmentVersion)
}

// coder encodes or decodes the entries of one segment.
type coder struct {
	group uint16
	at    int64
}

func (c *coder) append(dst []byte, e entry, cancelled bool) []byte {
	step := int64(e.group) - int64(c.group)
	head := uint64(step<<1^step>>63) << 1
	if cancelled {
		head |= 1
	}
	dst = binary.AppendUvarint(dst, head)
	dst = binary.AppendVarint(dst, e.At-c.at)
	c.group, c.at = e.group, e.At
	return state.AppendBytes(dst, e.Key)
}

// next reads an entry. Its key aliases what r reads.
func (c *coder) next(r *state.Reader) (e entry, cancelled bool) {
	head := r.Uvarint()
	zigzag := head >> 1
	step := int64(zigzag>>1) ^ -int64(zigzag&1)
	if group := int64(c.group) + step; group >= 0 && group < 1<<16 {
		c.group = uint16(group)
	} else {
		r.Fail("key group %d", group)
	}
	zigzag = r.Uvarint()
	c.at += int64(zigzag>>1) ^ -int64(zigzag&1)
	return entry{c.group, Timer{At: c.at, Key: r.Bytes()}}, head&1 != 0
}

// check says what is wrong with the object of a segment.
func (s *segment) check(data []byte) error {
	if int64(len(data)) != s.ref.Size {
		return fmt.Errorf("%d bytes, the checkpoint says %d", len(data), s.ref.Size)
	}
	if sum := xxhash.Sum64(data); sum != s.ref.Sum {
		return fmt.Errorf("checksum %016x, the checkpoint says %016x", sum, s.ref.Sum)
	}
	if want := string(appendSegmentHeader(nil)); len(data) < len(want) || string(data[:len(want)]) != want {
		return fmt.Errorf("it does not begin as a segment of timers of version %d does", segmentVersion)
	}
	return nil
}
