package savepoint

import (
	"encoding/binary"
	"fmt"
	"math"

	"weir/id"
	"weir/state"
)

// Task is what a task has beside keyed state, without positions in channels.
type Task struct {
	// ID is the number of the task in the job that wrote it; the transactions of its
	// sink are named by it.
	ID                  id.TaskID
	Operator            string
	Instance, Instances int              // its place among the tasks of the operator
	Groups              state.GroupRange // the key groups that it owned
	Watermark           int64
	// Firing: the watermark is under way, timers up to it are left. Advancing: the
	// operator and its outputs are still to be told of it.
	Firing, Advancing bool
	Drained           bool    // its input had ended and was handled
	Splits            []Split // of a source
	// Pending are sink transactions sealed and not known to be committed, by epoch.
	Pending []id.Epoch
	// Finished are the key groups for which the operator was told that its input had
	// ended, before its parallelism changed.
	Finished []state.GroupRange
	// Own is the operator state of the task, in the encoding of state.Handle.Operator.
	Own []byte
}

// Lists returns the lists of operator state.
func (t *Task) Lists() ([]state.OperatorList, error) {
	return state.ListsOf(&state.Handle{Operator: t.Own})
}

// Split is how far one split of a source had come.
type Split struct {
	Split     int // index in its operator
	Offset    id.Offset
	Watermark int64
	Ended     bool
}

// Index is the share of one task: what it has, and where its keyed state stands.
type Index struct {
	Job   string
	Epoch id.Epoch
	Task
	Files  []File
	States []State // in order of name
}

// File is one data object.
type File struct {
	Size int64
	Sum  uint64 // xxHash64 of the whole
}

// State is one keyed state, or timers.
type State struct {
	state.Descriptor
	// Sections are in order of key group; those of one group hold its entries in order.
	Sections []Section
}

// Section is a run of entries of one state and key group.
type Section struct {
	Group   uint16
	File    int   // index in Index.Files
	Offset  int64 // in the file, bytes
	Length  int64 // bytes
	Entries int
	Sum     uint64 // xxHash64 of the section
}

const (
	flagFiring = 1 << iota
	flagAdvancing
	flagDrained
	allFlags = flagFiring | flagAdvancing | flagDrained
)

// The least that each takes.
const (
	splitMinBytes   = 1 + 1 + 8 + 1
	fileMinBytes    = 1 + 8
	stateMinBytes   = state.MinDescriptorBytes + 1
	sectionMinBytes = 1 + 1 + 1 + 1 + 1 + 8
)

// Entries returns the number of entries of the state and their bytes as stored.
func (s *State) Entries() (n int, size int64) {
	for i := range s.Sections {
		n += s.Sections[i].Entries
		size += s.Sections[i].Length
	}
	return n, size
}

// Encode returns the bytes of the index.
func (x *Index) Encode() []byte {
	b := appendHeader(nil, indexMagic)
	b = state.AppendString(b, x.Job)
	b = binary.LittleEndian.AppendUint64(b, uint64(x.Epoch))
	b = x.appendTask(b)
	b = binary.AppendUvarint(b, uint64(len(x.Files)))
	for _, f := range x.Files {
		b = binary.AppendUvarint(b, uint64(f.Size))
		b = binary.LittleEndian.AppendUint64(b, f.Sum)
	}
	b = binary.AppendUvarint(b, uint64(len(x.States)))
	for i := range x.States {
		s := &x.States[i]
		b = state.AppendDescriptor(b, s.Descriptor)
		b = binary.AppendUvarint(b, uint64(len(s.Sections)))
		for k := range s.Sections {
			b = s.Sections[k].append(b)
		}
	}
	return appendSum(b)
}

func (s *Section) append(b []byte) []byte {
	for _, v := range [...]uint64{uint64(s.Group), uint64(s.File), uint64(s.Offset), uint64(s.Length), uint64(s.Entries)} {
		b = binary.AppendUvarint(b, v)
	}
	return binary.LittleEndian.AppendUint64(b, s.Sum)
}

func (t *Task) appendTask(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(t.ID))
	b = state.AppendString(b, t.Operator)
	for _, v := range [...]uint64{uint64(t.Instance), uint64(t.Instances), uint64(t.Groups.Lo), uint64(t.Groups.Hi)} {
		b = binary.AppendUvarint(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(t.Watermark))
	var f byte
	for _, x := range [...]struct {
		set  bool
		flag byte
	}{{t.Firing, flagFiring}, {t.Advancing, flagAdvancing}, {t.Drained, flagDrained}} {
		if x.set {
			f |= x.flag
		}
	}
	b = append(b, f)
	b = binary.AppendUvarint(b, uint64(len(t.Splits)))
	for _, s := range t.Splits {
		b = binary.AppendUvarint(b, uint64(s.Split))
		b = binary.AppendUvarint(b, uint64(s.Offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(s.Watermark))
		ended := byte(0)
		if s.Ended {
			ended = 1
		}
		b = append(b, ended)
	}
	b = binary.AppendUvarint(b, uint64(len(t.Pending)))
	for _, e := range t.Pending {
		b = binary.LittleEndian.AppendUint64(b, uint64(e))
	}
	b = binary.AppendUvarint(b, uint64(len(t.Finished)))
	for _, g := range t.Finished {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(g.Lo)), uint64(g.Hi))
	}
	return state.AppendBytes(b, t.Own)
}

// DecodeIndex reads an index. Its errors wrap state.ErrCorrupt or
// state.ErrIncompatible.
func DecodeIndex(src []byte) (*Index, error) {
	r, err := open(src, indexMagic, "index")
	if err != nil {
		return nil, err
	}
	x := &Index{Job: string(r.Bytes()), Epoch: id.Epoch(r.Uint64())}
	x.readTask(r)
	x.Files = make([]File, r.Count(fileMinBytes))
	for i := range x.Files {
		x.Files[i] = File{Size: r.Size(), Sum: r.Uint64()}
	}
	x.States = make([]State, r.Count(stateMinBytes))
	for i := range x.States {
		s := &x.States[i]
		s.Descriptor = state.ReadDescriptor(r)
		s.Sections = make([]Section, r.Count(sectionMinBytes))
		for k := range s.Sections {
			s.Sections[k].read(r)
		}
	}
	if r.Err() == nil {
		x.check(r)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("index of a savepoint: %w", err)
	}
	return x, nil
}

func (s *Section) read(r *state.Reader) {
	group := r.Uvarint()
	if group >= maxGroups {
		r.Fail("key group %d", group)
	}
	s.Group = uint16(group)
	s.File, s.Offset, s.Length, s.Entries, s.Sum = int(min(r.Uvarint(), math.MaxInt32)), r.Size(), r.Size(), int(min(r.Uvarint(), math.MaxInt32)), r.Uint64()
}

func (x *Index) readTask(r *state.Reader) {
	x.ID, x.Operator = readTaskID(r), string(r.Bytes())
	var n [4]uint64
	for i := range n {
		n[i] = r.Uvarint()
	}
	if n[0] >= n[1] || n[1] > maxGroups || n[2] > n[3] || n[3] > maxGroups {
		r.Fail("instance %d of %d with key groups [%d, %d)", n[0], n[1], n[2], n[3])
	}
	x.Instance, x.Instances, x.Groups = int(n[0]), int(n[1]), state.GroupRange{Lo: uint16(n[2]), Hi: uint16(n[3])}
	x.Watermark = int64(r.Uint64())
	f := r.Byte()
	if f&^allFlags != 0 {
		r.Fail("flags %#x", f)
	}
	x.Firing, x.Advancing, x.Drained = f&flagFiring != 0, f&flagAdvancing != 0, f&flagDrained != 0
	for range r.Count(splitMinBytes) {
		s := Split{Split: int(min(r.Uvarint(), math.MaxInt32)), Offset: id.Offset(r.Uvarint()), Watermark: int64(r.Uint64())}
		ended := r.Byte()
		if ended > 1 {
			r.Fail("flag %d of split %d", ended, s.Split)
		}
		s.Ended = ended == 1
		x.Splits = append(x.Splits, s)
	}
	for range r.Count(8) {
		x.Pending = append(x.Pending, id.Epoch(r.Uint64()))
	}
	for range r.Count(2) {
		lo, hi := r.Uvarint(), r.Uvarint()
		if lo > hi || hi > maxGroups {
			r.Fail("key groups [%d, %d)", lo, hi)
		}
		x.Finished = append(x.Finished, state.GroupRange{Lo: uint16(lo), Hi: uint16(hi)})
	}
	x.Own = r.Bytes()
	if _, err := x.Lists(); err != nil {
		r.Fail("%v", err)
	}
}

// check reports what cannot be: sections fill the files one behind the other, and
// are in order.
func (x *Index) check(r *state.Reader) {
	at, end := 0, int64(headerBytes)
	last := ""
	for i := range x.States {
		s := &x.States[i]
		if s.Name <= last && i > 0 {
			r.Fail("state %q behind state %q", s.Name, last)
		}
		last = s.Name
		group := x.Groups.Lo
		for k := range s.Sections {
			c := &s.Sections[k]
			if c.File == at+1 && at < len(x.Files) && end == x.Files[at].Size {
				at, end = c.File, int64(headerBytes)
			}
			if c.File != at || c.Offset != end || c.Group < group || c.Group >= x.Groups.Hi || c.Entries < 1 || c.Length < 1 || int64(c.Entries) > c.Length || c.Length > math.MaxInt64-end {
				r.Fail("section %d of state %q is out of order: key group %d, file %d, offset %d", k, s.Name, c.Group, c.File, c.Offset)
				return
			}
			end, group = end+c.Length, c.Group
		}
	}
	if n := len(x.Files); n > 0 && (at != n-1 || end != x.Files[at].Size) || n == 0 && end != int64(headerBytes) {
		r.Fail("sections end in file %d of %d at byte %d", at, n, end)
	}
}
