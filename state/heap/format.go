package heap

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
	"weir/state/timers"
)

// Snapshot format, version 4. Integers are unsigned varints unless a size is
// given; "bytes" is a varint length and the bytes.
//
// Handle.Inline is the manifest:
//
//	magic "weirheap", version (2 bytes)
//	number of states; each: see state.AppendDescriptor
//	if any is of timers: epoch, first key group, key group behind the last; for each: see timers.Part
//	number of runs; each: state, layout (1 byte), group, file, length, entries
//	data (bytes)
//	xxHash64 of all that (8 bytes)
//
// A run is a sequence of entries of one key group of one state: this is the
// index by which a reader finds a group's bytes. File 0 is the manifest's own
// data, file k is Handle.Files[k-1]; behind the files with runs are the segments
// of timers, by state. The runs of a file stand in it in the order
// of the index, without gaps, behind the file's header:
//
//	magic "weirheap", version (2 bytes), number of the file (4 bytes), zero (2 bytes)
//
// Runs are in order of (state, layout, group); only map states are one after
// the other by key as well. An entry by layout:
//
//	words:  key (8 bytes), value (the state's stored size)
//	cells:  length of key, length of value, key, value
//	fields: length of key, length of field, length of value, key, field, value
const (
	magic         = "weirheap"
	formatVersion = 4
	headerBytes   = len(magic) + 2 + 4 + 2
)

type layout uint8

const (
	layoutWords layout = iota + 1
	layoutCells
	layoutFields
)

// least number of bytes of an entry, by layout; that of words is the stride.
var leastBytes = [...]int{layoutCells: 2, layoutFields: 3}

type run struct {
	table  int
	layout layout
	group  uint16
	file   int
	offset int // in the file, or in the manifest's data
	length int
	count  int
}

type manifest struct {
	epoch  id.Epoch
	groups state.GroupRange
	tables []state.Descriptor
	timers []*timers.Part // of the tables that are timers, in order
	runs   []run
	data   []byte
}

// add appends a run, to the last one if that is of the same group and ends where
// x begins.
func (m *manifest) add(x run) {
	if x.count == 0 {
		return
	}
	if n := len(m.runs); n > 0 {
		last := &m.runs[n-1]
		if last.table == x.table && last.layout == x.layout && last.group == x.group && last.file == x.file && last.offset+last.length == x.offset {
			last.length += x.length
			last.count += x.count
			return
		}
	}
	m.runs = append(m.runs, x)
}

func appendHeader(dst []byte, file int) []byte {
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, formatVersion)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(file))
	return append(dst, 0, 0)
}

func (m *manifest) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = binary.LittleEndian.AppendUint16(dst, formatVersion)
	dst = binary.AppendUvarint(dst, uint64(len(m.tables)))
	for _, d := range m.tables {
		dst = state.AppendDescriptor(dst, d)
	}
	dst = m.appendTimers(dst)
	dst = binary.AppendUvarint(dst, uint64(len(m.runs)))
	for i := range m.runs {
		r := &m.runs[i]
		dst = binary.AppendUvarint(dst, uint64(r.table))
		dst = append(dst, byte(r.layout))
		dst = binary.AppendUvarint(dst, uint64(r.group))
		dst = binary.AppendUvarint(dst, uint64(r.file))
		dst = binary.AppendUvarint(dst, uint64(r.length))
		dst = binary.AppendUvarint(dst, uint64(r.count))
	}
	dst = state.AppendBytes(dst, m.data)
	return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(dst[start:]))
}

func (m *manifest) appendTimers(dst []byte) []byte {
	if len(m.timers) == 0 {
		return dst
	}
	for _, v := range []uint64{uint64(m.epoch), uint64(m.groups.Lo), uint64(m.groups.Hi)} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, p := range m.timers {
		dst = p.Append(dst)
	}
	return dst
}

// decodeManifest reads the inline part of a handle. What it returns is sound in
// itself; whether the files hold what it says is seen when they are read.
func decodeManifest(h state.Handle) (*manifest, error) {
	if h.Backend != Name || h.Version != formatVersion {
		return nil, fmt.Errorf("%w: snapshot of backend %q, format %d; this is %q, format %d: restore with the backend and version that wrote it",
			state.ErrIncompatible, h.Backend, h.Version, Name, formatVersion)
	}
	body := len(h.Inline) - 8
	if body < 0 || binary.LittleEndian.Uint64(h.Inline[body:]) != xxhash.Sum64(h.Inline[:body]) {
		return nil, fmt.Errorf("%w: checksum of the manifest (%d bytes) does not match", state.ErrCorrupt, len(h.Inline))
	}
	r := state.NewReader(h.Inline[:body])
	if string(r.Raw(len(magic))) != magic || r.Uint16() != formatVersion {
		r.Fail("not a manifest of format %d", formatVersion)
	}
	m := &manifest{tables: make([]state.Descriptor, r.Count(state.MinDescriptorBytes))}
	for i := range m.tables {
		m.tables[i] = state.ReadDescriptor(r)
	}
	files := m.readTimers(r, h.Files)
	m.readRuns(r, files)
	m.data = r.Bytes()
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return m, m.checkSizes(files)
}

// readTimers gives the timers the last of the files and returns the others.
func (m *manifest) readTimers(r *state.Reader, files []state.FileRef) []state.FileRef {
	if !slices.ContainsFunc(m.tables, func(d state.Descriptor) bool { return d.Kind == state.KindTimers }) {
		return files
	}
	m.epoch = id.Epoch(r.Uvarint())
	m.groups = state.GroupRange{Lo: uint16(r.Uvarint()), Hi: uint16(r.Uvarint())}
	segments := 0
	for _, d := range m.tables {
		if d.Kind == state.KindTimers && r.Err() == nil {
			p := timers.DecodePart(r)
			m.timers = append(m.timers, p)
			segments += p.Segments()
		}
	}
	if segments > len(files) {
		r.Fail("%d segments of timers, %d files", segments, len(files))
	}
	if r.Err() != nil {
		return nil
	}
	others := len(files) - segments
	rest := files[others:]
	for _, p := range m.timers {
		p.Place(rest[:p.Segments()])
		rest = rest[p.Segments():]
	}
	return files[:others:others]
}

func (m *manifest) readRuns(r *state.Reader, files []state.FileRef) {
	m.runs = make([]run, r.Count(6))
	for i := range m.runs {
		x := &m.runs[i]
		x.table, x.layout = int(min(r.Uvarint(), uint64(len(m.tables)))), layout(r.Byte())
		group := r.Uvarint()
		x.file = int(min(r.Uvarint(), uint64(len(files))+1))
		x.length, x.count = int(r.Size()), int(r.Size())
		x.group = uint16(group)
		if r.Err() == nil && (x.table >= len(m.tables) || x.file > len(files) || group > 1<<16-1 || !x.sound(m.tables[x.table])) {
			r.Fail("bad run %d", i)
		}
		if r.Err() != nil {
			return
		}
	}
}

// sound says whether a run can be one of a state so declared.
func (x *run) sound(d state.Descriptor) bool {
	if x.count <= 0 {
		return false
	}
	switch x.layout {
	case layoutWords:
		stride := wordBytes + d.StoredSize()
		return d.FixedSize > 0 && stride > 0 && x.length%stride == 0 && x.length/stride == x.count
	case layoutCells, layoutFields:
		return d.Kind != state.KindTimers && (x.layout == layoutFields) == (d.Kind == state.KindMap) && x.count <= x.length/leastBytes[x.layout]
	}
	return false
}

// checkSizes places the runs in their files and checks that they fill them.
func (m *manifest) checkSizes(files []state.FileRef) error {
	ends := make([]int64, len(files)+1)
	for i := range files {
		ends[i+1] = int64(headerBytes)
	}
	for i := range m.runs {
		x := &m.runs[i]
		x.offset = int(ends[x.file])
		if ends[x.file] += int64(x.length); ends[x.file] < 0 {
			return fmt.Errorf("%w: manifest: runs longer than any file", state.ErrCorrupt)
		}
	}
	if ends[0] != int64(len(m.data)) {
		return fmt.Errorf("%w: manifest: %d bytes of data, its runs have %d", state.ErrCorrupt, len(m.data), ends[0])
	}
	for i, f := range files {
		if ends[i+1] != f.Size {
			return fmt.Errorf("%w: manifest: file %q has %d bytes, its runs need %d", state.ErrCorrupt, f.Name, f.Size, ends[i+1])
		}
	}
	return nil
}
