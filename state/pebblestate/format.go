package pebblestate

import (
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

// Handle.Inline of version 4 is the manifest. Integers are unsigned varints
// unless a size is given; "bytes" is a varint length and the bytes.
//
//	magic "weirpebl", version (2 bytes)
//	epoch, first key group, key group behind the last
//	number of states; each: number, and see state.AppendDescriptor
//	number of tables; each: level, number, size, smallest and largest internal
//	  key (bytes), smallest and largest sequence number
//	for each state of timers: see timers.Part
//	xxHash64 of all that (8 bytes)
//
// Handle.Files are the table files in the same order, of the format that Pebble
// calls by its format major version 24 or less, and then the segments of timers.
const (
	magic         = "weirpebl"
	handleVersion = 4
)

// manifest is what the table files mean.
type manifest struct {
	epoch  id.Epoch
	groups state.GroupRange
	schema []schemaTable
	tables []table
	timers []*timers.Part // of the states that are timers, in order
}

// schemaTable is one state of a snapshot and its number in database keys.
type schemaTable struct {
	num uint8
	d   state.Descriptor
}

func (s *Store) schema() []schemaTable {
	list := make([]schemaTable, len(s.tables))
	for i, t := range s.tables {
		list[i] = schemaTable{t.number(), t.descriptor()}
	}
	return list
}

func (m *manifest) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, handleVersion)
	dst = binary.AppendUvarint(dst, uint64(m.epoch))
	dst = binary.AppendUvarint(dst, uint64(m.groups.Lo))
	dst = binary.AppendUvarint(dst, uint64(m.groups.Hi))
	dst = binary.AppendUvarint(dst, uint64(len(m.schema)))
	for _, t := range m.schema {
		dst = binary.AppendUvarint(dst, uint64(t.num))
		dst = state.AppendDescriptor(dst, t.d)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.tables)))
	for i := range m.tables {
		t := &m.tables[i]
		for _, v := range []uint64{uint64(t.level), t.num, t.size} {
			dst = binary.AppendUvarint(dst, v)
		}
		dst = state.AppendBytes(dst, t.smallest)
		dst = state.AppendBytes(dst, t.largest)
		dst = binary.AppendUvarint(dst, t.minSeq)
		dst = binary.AppendUvarint(dst, t.maxSeq)
	}
	for _, p := range m.timers {
		dst = p.Append(dst)
	}
	return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(dst[start:]))
}

const (
	levels          = 7
	minSchemaBytes  = 1 + state.MinDescriptorBytes
	minTableBytes   = 7
	internalTrailer = 8
)

// decodeManifest checks a handle and reads what is inline. Errors wrap
// state.ErrIncompatible or state.ErrCorrupt.
func decodeManifest(h state.Handle) (manifest, error) {
	var m manifest
	if h.Backend != NameIncremental && h.Backend != NameFull {
		return m, fmt.Errorf("%w: the snapshot was written by backend %q; run the job with that backend", state.ErrIncompatible, h.Backend)
	}
	if h.Version != handleVersion {
		return m, fmt.Errorf("%w: the snapshot has format version %d, this program reads version %d; use the program that wrote it", state.ErrIncompatible, h.Version, handleVersion)
	}
	n := len(h.Inline) - 8
	if n < 0 || xxhash.Sum64(h.Inline[:n]) != binary.LittleEndian.Uint64(h.Inline[n:]) {
		return m, fmt.Errorf("%w: checksum of the manifest in the handle", state.ErrCorrupt)
	}
	r := state.NewReader(h.Inline[:n])
	if string(r.Raw(len(magic))) != magic {
		r.Fail("not the manifest of a pebble snapshot")
	}
	if v := r.Uint16(); v != handleVersion {
		r.Fail("manifest of version %d", v)
	}
	m.epoch = id.Epoch(r.Uvarint())
	m.groups = state.GroupRange{Lo: uint16(r.Uvarint()), Hi: uint16(r.Uvarint())}
	m.readSchema(r)
	m.readTables(r)
	m.readTimers(r, h.Files)
	return m, r.Done()
}

// readTimers gives the timers the files that are no tables.
func (m *manifest) readTimers(r *state.Reader, files []state.FileRef) {
	segments := 0
	for _, t := range m.schema {
		if t.d.Kind == state.KindTimers && r.Err() == nil {
			p := timers.DecodePart(r)
			m.timers = append(m.timers, p)
			segments += p.Segments()
		}
	}
	if len(m.tables)+segments != len(files) {
		r.Fail("%d tables and %d segments of timers in the manifest, %d files in the handle", len(m.tables), segments, len(files))
	}
	if r.Err() != nil {
		return
	}
	files = files[len(m.tables):]
	for _, p := range m.timers {
		p.Place(files[:p.Segments()])
		files = files[p.Segments():]
	}
}

func (m *manifest) readSchema(r *state.Reader) {
	m.schema = make([]schemaTable, r.Count(minSchemaBytes))
	for i := range m.schema {
		num := r.Uvarint()
		if num >= maxTables {
			r.Fail("state number %d", num)
		}
		m.schema[i] = schemaTable{uint8(num), state.ReadDescriptor(r)}
	}
}

func (m *manifest) readTables(r *state.Reader) {
	m.tables = make([]table, r.Count(minTableBytes))
	for i := range m.tables {
		t := &m.tables[i]
		level := r.Uvarint()
		t.num, t.size = r.Uvarint(), uint64(r.Size())
		t.smallest, t.largest = r.Bytes(), r.Bytes()
		t.minSeq, t.maxSeq = r.Uvarint(), r.Uvarint()
		if level >= levels || len(t.smallest) < internalTrailer || len(t.largest) < internalTrailer {
			r.Fail("table %d on level %d with bounds of %d and %d bytes", t.num, level, len(t.smallest), len(t.largest))
		}
		t.level = int(level)
	}
}

func internalKey(key []byte, trailer uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(make([]byte, 0, len(key)+internalTrailer), key...), trailer)
}
