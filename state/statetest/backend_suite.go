package statetest

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// OpenFunc opens an empty store as o says, whose Dir and FS it fills in: each call
// is a new task incarnation, with a local directory of its own if the backend
// needs one. The suite closes what it has opened. t is the test that runs.
type OpenFunc func(t *testing.T, o state.Open) state.Store

// RunBackend checks that a backend does what package state promises. Every
// backend's test is one call of it.
func RunBackend(t *testing.T, open OpenFunc) {
	for _, c := range []struct {
		name string
		run  func(f *fixture)
	}{
		{"value", testValue},
		{"fixed", testFixed},
		{"list", testList},
		{"map", testMap},
		{"timers", testTimers},
		{"operator", testOperator},
		{"operator rescale", testOperatorRescale},
		{"order", testOrder},
		{"content", testContent},
		{"load", testLoad},
		{"names", testNames},
		{"model", testModel},
		{"growth", testGrowth},
		{"isolation", testIsolation},
		{"emptied", testEmptied},
		{"captures", testCaptures},
		{"discard", testDiscard},
		{"goroutine", testGoroutine},
		{"retry", testRetry},
		{"lineage", testLineage},
		{"chain", testChain},
		{"rescale", testRescale},
		{"descriptors", testDescriptors},
		{"unopened", testUnopened},
		{"damage", testDamage},
		{"missing", testMissing},
		{"expiry", testExpiry},
		{"expired go", testExpiredGo},
		{"expiry goroutine", testExpiryGoroutine},
		{"expiry loaded", testExpiryLoaded},
		{"expiry declared", testExpiryDeclared},
		{"evolving", testEvolving},
		{"evolved away", testEvolvedAway},
		{"evolving rescale", testEvolvingRescale},
		{"evolving refused", testEvolvingRefused},
		{"evolving passed on", testEvolvingPassedOn},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(&fixture{T: t, open: open, storage: NewMemory()})
		})
	}
}

var allGroups = state.GroupRange{Lo: 0, Hi: state.DefaultGroups}

// descriptors are the states that a subject has, one of every shape.
var descriptors = []state.Descriptor{
	{Name: "value", Kind: state.KindValue, Codec: "bytes/1"},
	{Name: "count", Kind: state.KindValue, Codec: "uint64/1", FixedSize: 8},
	{Name: "wide", Kind: state.KindReducing, Codec: "wide/1", FixedSize: 100},
	{Name: "list", Kind: state.KindList, Codec: "bytes/1"},
	{Name: "map", Kind: state.KindMap, Codec: "bytes/1->bytes/1"},
	{Name: "accumulator", Kind: state.KindAggregating, Codec: "bytes/1"},
}

// Positions in descriptors.
const (
	aValue = iota
	aCount
	aWide
	aList
	aMap
	anAccumulator
)

// fixture is what one case works with.
type fixture struct {
	*testing.T
	open         OpenFunc
	storage      *Memory
	incarnations int
}

// subject is a store under test, its tables in the order of descriptors, and
// the twin to which everything is done too.
type subject struct {
	state.Store
	f      *fixture
	tables []opened
	timers state.Timers
	twin   *twin
	epoch  id.Epoch
	prefix string
}

// subject opens a store and all its tables.
func (f *fixture) subject(groups state.GroupRange) *subject {
	f.Helper()
	return f.instance(state.Open{Groups: groups})
}

func (f *fixture) instance(o state.Open) *subject {
	f.Helper()
	o.Keyed = true
	f.incarnations++
	s := &subject{
		Store: f.open(f.T, o), f: f, twin: newTwin(),
		epoch: id.MakeEpoch(id.Attempt(f.incarnations), 0), prefix: fmt.Sprintf("job/t0/a%d-", f.incarnations),
	}
	for _, d := range descriptors {
		t, err := openTable(s, d)
		if err != nil {
			f.Fatalf("open state %q: %v", d.Name, err)
		}
		s.tables = append(s.tables, t)
	}
	t, err := s.Timers(timersName)
	if err != nil {
		f.Fatalf("open timers: %v", err)
	}
	s.timers = t
	return s
}

// opened is a table as what its kind is; the others are nil.
type opened struct {
	state.Table
	values interface {
		Get(k state.Key) (value []byte, ok bool)
		Put(k state.Key, value []byte)
	} // or lists
	fixed  state.FixedTable
	list   state.ListTable
	fields state.MapTable
}

// openTable opens a table by its kind.
func openTable(s state.Store, d state.Descriptor) (t opened, err error) {
	switch {
	case d.Kind == state.KindMap:
		t.fields, err = state.OpenMapTable(s, d)
		t.Table = t.fields
	case d.Kind == state.KindList:
		t.list, err = state.OpenListTable(s, d)
		t.Table, t.values = t.list, t.list
	case d.FixedSize > 0:
		t.fixed, err = state.OpenFixedTable(s, d)
		t.Table, t.values = t.fixed, t.fixed
	default:
		var values state.ValueTable
		values, err = state.OpenValueTable(s, d)
		t.Table, t.values = values, values
	}
	return t, err
}

func (s *subject) close() {
	s.f.Helper()
	if err := s.Close(); err != nil {
		s.f.Errorf("close: %v", err)
	}
}

func (s *subject) put(i int, key, value string) {
	s.tables[i].values.Put(keyOf(key), []byte(value))
	s.twin.put(descriptors[i].Name, key, value)
}

func (s *subject) remove(i int, key string) {
	s.tables[i].Delete(keyOf(key))
	s.twin.remove(descriptors[i].Name, key)
}

// bump writes in place: the first eight bytes of a value count updates. It says
// what is wrong with the bytes handed out.
func (s *subject) bump(i int, key string) error {
	d := descriptors[i]
	v, fresh := s.tables[i].fixed.Update(keyOf(key))
	old, there := s.twin.flat[d.Name][key]
	if !there {
		old = string(make([]byte, d.FixedSize))
	}
	if fresh == there || string(v) != old {
		return fmt.Errorf("an Update of %q in state %q: %q, fresh %v, want %q, fresh %v", key, d.Name, v, fresh, old, !there)
	}
	binary.LittleEndian.PutUint64(v, binary.LittleEndian.Uint64(v)+1)
	s.twin.put(d.Name, key, string(v))
	return nil
}

func (s *subject) append(key, element string) {
	s.tables[aList].list.Append(keyOf(key), []byte(element))
	s.twin.put("list", key, string(state.AppendElement([]byte(s.twin.flat["list"][key]), []byte(element))))
}

func (s *subject) mapPut(key, field, value string) {
	s.tables[aMap].fields.MapPut(keyOf(key), []byte(field), []byte(value))
	s.twin.mapPut("map", key, field, value)
}

func (s *subject) mapDelete(key, field string) {
	s.tables[aMap].fields.MapDelete(keyOf(key), []byte(field))
	s.twin.mapDelete("map", key, field)
}

const timersName = "due"

func (s *subject) setTimer(at int64, key string) {
	s.timers.Set(at, keyOf(key))
	s.twin.timers[dueAt{at, key}] = true
}

func (s *subject) cancelTimer(at int64, key string) {
	s.timers.Cancel(at, keyOf(key))
	delete(s.twin.timers, dueAt{at, key})
}

// fire pops everything up to a time and says what is wrong with it.
func (s *subject) fire(until int64) error {
	var want []dueAt
	for x := range s.twin.timers { //det:unordered sorted below
		if x.at <= until {
			want = append(want, x)
		}
	}
	slices.SortFunc(want, func(a, b dueAt) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.key, b.key)) })
	for {
		at, group, key, ok := s.timers.Pop(until)
		if ok != (len(want) > 0) {
			return fmt.Errorf("a Pop up to %d gives (%d, %q), %v, with %d timers due", until, at, key, ok, len(want))
		}
		if !ok {
			return nil
		}
		if got := (dueAt{at, string(key)}); got != want[0] {
			return fmt.Errorf("a Pop up to %d gives %v, want %v: not in order of (time, key)", until, got, want[0])
		}
		if k := keyOf(string(key)); group != k.Group {
			return fmt.Errorf("a Pop up to %d gives a timer of %q in key group %d, want %d", until, key, group, k.Group)
		}
		delete(s.twin.timers, want[0])
		want = want[1:]
	}
}

// check compares the store with its twin.
func (s *subject) check() {
	s.f.Helper()
	if err := s.twin.compare(s); err != nil {
		s.f.Fatal(err)
	}
}

// taken is a snapshot on its way and what it must hold.
type taken struct {
	state.Capture
	epoch id.Epoch
	want  *twin
}

// snapshot takes the next snapshot; base as in SnapshotRequest.
func (s *subject) snapshot(base id.Epoch) *taken {
	s.f.Helper()
	s.epoch++
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: s.epoch, Base: base, Prefix: s.prefix})
	if err != nil {
		s.f.Fatalf("snapshot %v: %v", s.epoch, err)
	}
	return &taken{Capture: c, epoch: s.epoch, want: s.twin.clone()}
}

// finish drives a capture to its end and returns its handle, after one round
// through the encoding.
func (f *fixture) finish(c *taken) state.Handle {
	f.Helper()
	if err := Drive(c, f.storage); err != nil {
		f.Fatalf("capture %v: %v", c.epoch, err)
	}
	h, rest, err := state.DecodeHandle(state.AppendHandle(nil, c.Handle()))
	if err != nil || len(rest) > 0 {
		f.Fatalf("handle of %v does not survive its encoding: %v", c.epoch, err)
	}
	f.checkHandle(h)
	return h
}

// checkHandle checks that the files of a handle are in storage as it says.
func (f *fixture) checkHandle(h state.Handle) {
	f.Helper()
	for _, ref := range h.Files {
		r := f.storage.Do(state.Op{Kind: state.OpGet, Key: ref.Name})
		if r.Status != state.OK || int64(len(r.Data)) != ref.Size || xxhash.Sum64(r.Data) != ref.Sum {
			f.Fatalf("file %q of a finished handle: %v, %d bytes; the handle says %d bytes, sum %#x", ref.Name, r.Status, len(r.Data), ref.Size, ref.Sum)
		}
	}
}

// restore opens a store on handles.
func (f *fixture) restore(groups state.GroupRange, handles ...state.Handle) *subject {
	f.Helper()
	return f.restoreInstance(state.Open{Groups: groups}, handles...)
}

func (f *fixture) restoreInstance(o state.Open, handles ...state.Handle) *subject {
	f.Helper()
	s := f.instance(o)
	tr, err := s.Restore(handles)
	if err == nil {
		err = Drive(tr, f.storage)
	}
	if err != nil {
		f.Fatalf("restore: %v", err)
	}
	return s
}

// expect restores a handle and compares the store with a twin.
func (f *fixture) expect(h state.Handle, want *twin) {
	f.Helper()
	s := f.restore(allGroups, h)
	defer s.close()
	s.twin = want
	s.check()
}

// finishAndExpect carries out a capture and checks what it restores to.
func (f *fixture) finishAndExpect(c *taken) state.Handle {
	f.Helper()
	h := f.finish(c)
	c.Discard()
	f.expect(h, c.want)
	return h
}
