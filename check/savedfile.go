package check

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// A savepoint is read here as docs/snapshot-format.md says, by other code than that which
// wrote it: who reads with the writer's own sees what both get wrong as right.

// savedTask is what the share of one task holds.
type savedTask struct {
	operator  string
	instance  int
	watermark int64
	splits    []OriginSplit // numbered within the operator
	pending   []id.Epoch
	sum       uint64 // as of Store.Sum
	adds      uint64 // of it what adds up over instances, whatever their number
	timers    []savedTimer
}

// savedTimer is a timer, with the state that holds it.
type savedTimer struct {
	state string
	OriginTime
}

// file reads the fields of an object. The first thing that is wrong stays in err.
type file struct {
	b   []byte
	err error
}

func (f *file) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf(format, args...)
	}
	f.b = nil
}

func (f *file) raw(n uint64) []byte {
	if n > uint64(len(f.b)) {
		f.fail("%d bytes are said to follow, and %d do", n, len(f.b))
		return nil
	}
	x := f.b[:n:n]
	f.b = f.b[n:]
	return x
}

func (f *file) uvarint() uint64 {
	v, n := binary.Uvarint(f.b)
	if n <= 0 {
		f.fail("a number is cut off")
		return 0
	}
	f.b = f.b[n:]
	return v
}

func (f *file) byte() byte {
	if b := f.raw(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (f *file) u64() uint64 {
	if b := f.raw(8); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (f *file) bytes() []byte { return f.raw(f.uvarint()) }

// times reads a number, and calls each as often as it says.
func (f *file) times(each func()) {
	for n := f.uvarint(); n > 0 && f.err == nil; n-- {
		each()
	}
}

// opened returns what stands between the head and the checksum of an object.
func opened(data []byte, magic string) *file {
	const head, sum = 10, 8
	f := &file{}
	switch {
	case len(data) < head+sum || string(data[:8]) != magic || binary.LittleEndian.Uint16(data[8:]) != 1:
		f.fail("it does not begin with %s and version 1", magic)
	case xxhash.Sum64(data[:len(data)-sum]) != binary.LittleEndian.Uint64(data[len(data)-sum:]):
		f.fail("its checksum is wrong")
	default:
		f.b = data[head : len(data)-sum]
	}
	return f
}

// get returns a stored object.
func get(st state.Storage, key string) ([]byte, error) {
	r := st.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK {
		return nil, fmt.Errorf("%s cannot be read: %s", key, r.Status)
	}
	return r.Data, nil
}

// objectName is that of an object of the savepoint below root, which may be empty.
func objectName(root, name string) string {
	if root == "" {
		return name
	}
	return root + "/" + name
}

// readSaved reads the savepoint below root: its epoch, and what each task of the manifest has.
func readSaved(st state.Storage, root string) (id.Epoch, map[id.TaskID]*savedTask, error) {
	key := objectName(root, "manifest")
	data, err := get(st, key)
	if err != nil {
		return 0, nil, err
	}
	tasks := map[id.TaskID]*savedTask{}
	f := opened(data, "WEIRSAVE")
	job, e := f.bytes(), id.Epoch(f.u64())
	f.uvarint() // key groups
	f.times(func() {
		operator, instance := string(f.bytes()), 0
		f.times(func() {
			t, size, sum := id.TaskID(f.uvarint()), f.uvarint(), f.u64()
			if f.err != nil {
				return
			}
			x, err := readShare(st, root, string(job), e, t, size, sum)
			switch {
			case err != nil:
				f.fail("%v", err)
			case x.operator != operator || x.instance != instance:
				f.fail("the index of %s is that of %s[%d], the manifest says %s[%d]", t, x.operator, x.instance, operator, instance)
			case tasks[t] != nil:
				f.fail("it names %s twice", t)
			default:
				tasks[t] = x
				instance++
			}
		})
	})
	if f.err == nil && len(f.b) > 0 {
		f.fail("%d bytes are left over", len(f.b))
	}
	if f.err != nil {
		return 0, nil, fmt.Errorf("%s: %w", key, f.err)
	}
	return e, tasks, nil
}

// readShare reads the index of a task, and all data that it names.
func readShare(st state.Storage, root, job string, e id.Epoch, t id.TaskID, size, sum uint64) (*savedTask, error) {
	key := objectName(root, "t"+strconv.Itoa(int(t)))
	data, err := get(st, key)
	if err != nil {
		return nil, err
	}
	if uint64(len(data)) != size || xxhash.Sum64(data) != sum {
		return nil, fmt.Errorf("%s is not what the manifest says", key)
	}
	f := opened(data, "WEIRSIDX")
	if string(f.bytes()) != job || id.Epoch(f.u64()) != e || id.TaskID(f.uvarint()) != t {
		f.fail("it is of another savepoint or task")
	}
	x := readTask(f)
	files := readFiles(f, st, key)
	used := make([]int, len(files))
	f.times(func() { readState(f, x, files, used) })
	for i := range files {
		if used[i] != len(files[i])-dataHead {
			f.fail("of %d bytes of %s-%d the index names %d", len(files[i]), key, i, used[i])
		}
	}
	if f.err == nil && len(f.b) > 0 {
		f.fail("%d bytes are left over", len(f.b))
	}
	if f.err != nil {
		return nil, fmt.Errorf("%s: %w", key, f.err)
	}
	return x, nil
}

// readTask reads what the task has beside keyed state.
func readTask(f *file) *savedTask {
	x := &savedTask{operator: string(f.bytes()), instance: int(f.uvarint())}
	for range 3 { // instances, lo, hi
		f.uvarint()
	}
	x.watermark = int64(f.u64())
	f.byte()
	f.times(func() {
		x.splits = append(x.splits, OriginSplit{id.SplitID(f.uvarint()), f.uvarint(), int64(f.u64()), f.byte() != 0})
	})
	f.times(func() { x.pending = append(x.pending, id.Epoch(f.u64())) })
	f.times(func() { f.uvarint(); f.uvarint() })
	if own := f.bytes(); len(own) > 0 && f.err == nil {
		o := &file{b: own}
		x.addLists(o)
		f.err = o.err
	}
	return x
}

// splitList is the mode of a list of which every item goes to one task.
const splitList = 1

// addLists adds the operator state to the sums. Items add up over instances where each goes to one
// of them, whatever its place in the list is.
func (x *savedTask) addLists(f *file) {
	if v := f.byte(); v != 2 {
		f.fail("operator state of version %d", v)
	}
	f.uvarint() // instances
	for used := f.byte(); used != 0; used >>= 1 {
		if used&1 != 0 {
			f.raw(16)
		}
	}
	if v := f.byte(); v != 2 {
		f.fail("lists of version %d", v)
	}
	f.times(func() {
		name, i := f.bytes(), uint64(0)
		mode := f.byte()
		f.bytes()
		if mode&withVersions != 0 {
			readVersions(f)
		}
		f.times(func() {
			item := f.bytes()
			x.sum += state.SumEntry("operator state", name, binary.BigEndian.AppendUint64(nil, i), item)
			if mode&^withVersions == splitList {
				x.adds += state.SumEntry("operator state", name, nil, item)
			}
			i++
		})
	})
}

// dataHead is how long the head of a data object is.
const dataHead = 10

// readFiles reads the data objects of an index.
func readFiles(f *file, st state.Storage, key string) (files [][]byte) {
	f.times(func() {
		size, sum := f.uvarint(), f.u64()
		name := key + "-" + strconv.Itoa(len(files))
		data, err := get(st, name)
		switch {
		case f.err != nil:
		case err != nil:
			f.fail("%v", err)
		case uint64(len(data)) != size || xxhash.Sum64(data) != sum || len(data) < dataHead || !bytes.Equal(data[:dataHead], append([]byte("WEIRSDAT"), 1, 0)):
			f.fail("%s is not what the index says", name)
		}
		files = append(files, data)
	})
	return files
}

// The kinds of state whose entries are written another way than as key and value.
const (
	savedList   = 2
	savedMap    = 3
	savedTimers = 5
)

// withVersions is added to the kind of a state, and to the mode of a list, whose values begin with
// the version that they were written by.
const withVersions = 128

// readVersions returns the versions of which there are schemas.
func readVersions(f *file) (all []uint64) {
	s := &file{b: f.bytes()}
	s.times(func() {
		v := s.uvarint()
		if len(all) > 0 && v <= all[len(all)-1] || len(s.bytes()) == 0 || len(s.bytes()) == 0 {
			s.fail("a schema of version %d", v)
		}
		all = append(all, v)
	})
	if f.err == nil && (s.err != nil || len(s.b) > 0 || len(all) == 0) {
		f.fail("schemas of a state: %v", s.err)
	}
	return all
}

// savedState is what is said of a state before its entries.
type savedState struct {
	name     string
	kind     byte
	size     uint64 // of each value, 0: it varies
	expires  bool
	versions []uint64 // that values may begin with, none: they have no versions
}

// checkVersion sees that a value begins with a version that has a schema.
func (d *savedState) checkVersion(s *file, value []byte) {
	if d.versions == nil {
		return
	}
	v := &file{b: value}
	if d.expires {
		v.raw(8)
	}
	if version := v.uvarint(); v.err != nil || !slices.Contains(d.versions, version) {
		s.fail("a value of state %q begins with version %d; there are schemas of %v", d.name, version, d.versions)
	}
}

// checkVersions does so for a value, or for each element of a list.
func (d *savedState) checkVersions(s *file, value []byte) {
	if d.kind != savedList {
		d.checkVersion(s, value)
		return
	}
	for list := (&file{b: value}); len(list.b) > 0 && list.err == nil; {
		d.checkVersion(s, list.bytes())
	}
}

// readState adds up the entries of a state; used counts the bytes of the files that sections have.
func readState(f *file, x *savedTask, files [][]byte, used []int) {
	d := savedState{name: string(f.bytes()), kind: f.byte()}
	f.bytes() // codec
	d.size = f.uvarint()
	if clock := f.byte(); clock != 0 {
		f.uvarint()
		if d.expires = true; d.size > 0 {
			d.size += 8 // of the time at which it expires
		}
	}
	if d.kind&withVersions != 0 {
		d.kind, d.versions = d.kind&^withVersions, readVersions(f)
	}
	f.times(func() {
		f.uvarint() // key group
		n, offset, length, entries, sum := f.uvarint(), f.uvarint(), f.uvarint(), f.uvarint(), f.u64()
		if f.err != nil {
			return
		}
		if n >= uint64(len(files)) || offset+length > uint64(len(files[n])) || xxhash.Sum64(files[n][offset:offset+length]) != sum {
			f.fail("a section of state %q is not what the index says", d.name)
			return
		}
		used[n] += int(length)
		s := &file{b: files[n][offset : offset+length]}
		var key []byte
		before := x.sum
		for range entries {
			key = addEntry(s, x, &d, key)
		}
		x.adds += x.sum - before
		if s.err != nil || len(s.b) > 0 {
			f.fail("a section of state %q does not hold %d entries", d.name, entries)
		}
	})
}

// addEntry adds one entry to the sum, and returns its key; last is that of the entry before.
func addEntry(s *file, x *savedTask, d *savedState, last []byte) []byte {
	switch d.kind {
	case savedTimers:
		at := int64(s.u64())
		key := s.bytes()
		x.sum += state.SumTimer(d.name, at, key)
		x.timers = append(x.timers, savedTimer{d.name, OriginTime{at, key}})
		return key
	case savedMap:
		key := last
		if n := s.uvarint(); n > 0 {
			key = s.raw(n - 1)
		}
		field, value := s.bytes(), s.bytes()
		d.checkVersions(s, value)
		x.sum += state.SumEntry(d.name, key, field, value)
		return key
	default:
		key := s.bytes()
		value := []byte(nil)
		if d.size > 0 {
			value = s.raw(d.size)
		} else {
			value = s.bytes()
		}
		d.checkVersions(s, value)
		x.sum += state.SumEntry(d.name, key, nil, value)
		return key
	}
}
