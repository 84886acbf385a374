package changelog

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// prefix begins the name of the backend in a handle; that of the store within follows.
const prefix = "changelog-"

const formatVersion = 1

// Within returns the name of the backend that wrote the materialisations of a handle, and
// whether the handle is of a changelog at all; else it is that of the handle.
func Within(backend string) (name string, logged bool) { return strings.CutPrefix(backend, prefix) }

// manifest is what a handle says inline.
type manifest struct {
	epoch    id.Epoch
	groups   state.GroupRange
	number   id.Epoch // of the materialisation
	cut      uint64   // number of the first segment
	segments int
	within   state.Handle // of the materialisation, without operator state
}

// append appends the encoding: epoch, number of the materialisation (8 bytes each), key groups (2
// bytes each), number of the first segment, of segments, of files of the materialisation, its backend,
// version, what it says inline (bytes), its logical size; and the xxHash64 of all that. The files
// of the handle are those of the materialisation, the segments in order, and those that no
// restore reads.
func (m *manifest) append(dst []byte) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.epoch))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.number))
	dst = binary.LittleEndian.AppendUint16(dst, m.groups.Lo)
	dst = binary.LittleEndian.AppendUint16(dst, m.groups.Hi)
	dst = binary.AppendUvarint(dst, m.cut)
	dst = binary.AppendUvarint(dst, uint64(m.segments))
	dst = binary.AppendUvarint(dst, uint64(len(m.within.Files)))
	dst = state.AppendString(dst, m.within.Backend)
	dst = binary.LittleEndian.AppendUint16(dst, m.within.Version)
	dst = state.AppendBytes(dst, m.within.Inline)
	dst = binary.AppendUvarint(dst, uint64(m.within.Bytes))
	return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(dst[at:]))
}

// decode reads a handle of a changelog: its manifest, with the files of the materialisation, and its segments.
func decode(h *state.Handle) (m manifest, log []state.FileRef, err error) {
	if h.Version != formatVersion {
		return m, nil, fmt.Errorf("%w: handle of a changelog of format version %d, this program reads %d", state.ErrIncompatible, h.Version, formatVersion)
	}
	const sumBytes = 8
	body := h.Inline[:max(0, len(h.Inline)-sumBytes)]
	if len(h.Inline) < sumBytes || binary.LittleEndian.Uint64(h.Inline[len(body):]) != xxhash.Sum64(body) {
		return m, nil, fmt.Errorf("%w: the checksum of a changelog's handle is wrong", state.ErrCorrupt)
	}
	r := state.NewReader(body)
	m.epoch, m.number = id.Epoch(r.Uint64()), id.Epoch(r.Uint64())
	m.groups = state.GroupRange{Lo: r.Uint16(), Hi: r.Uint16()}
	m.cut, m.segments = r.Uvarint(), int(r.Size())
	files := int(r.Size())
	m.within = state.Handle{Backend: string(r.Bytes()), Version: r.Uint16(), Inline: r.Bytes(), Bytes: r.Size()}
	if files < 0 || m.segments < 0 || len(h.Files)-files < m.segments {
		r.Fail("%d files of a materialisation and %d segments, of %d files", files, m.segments, len(h.Files))
	}
	if err := r.Done(); err != nil {
		return m, nil, fmt.Errorf("handle of a changelog: %w", err)
	}
	m.within.Operator, m.within.Files = h.Operator, h.Files[:files:files]
	log = h.Files[files : files+m.segments]
	for i := range log {
		if want := fmt.Sprint(m.cut + uint64(i)); log[i].Local != want {
			return m, nil, fmt.Errorf("%w: segment %s of the log stands in the place of %s: there is a gap", state.ErrCorrupt, log[i].Local, want)
		}
	}
	return m, log, nil
}
