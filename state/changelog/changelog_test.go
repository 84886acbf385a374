package changelog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/changelog"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/state/statetest"
)

var whole = state.GroupRange{Lo: 0, Hi: state.DefaultGroups}

// backends are those that a log is kept of.
func backends(t testing.TB) []state.Backend {
	t.Helper()
	pebble, err := pebblestate.New(pebblestate.Config{Deterministic: true, TableBytes: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pebble.Close)
	return []state.Backend{heap.Backend{Simulated: true}, pebble}
}

// wrapped opens a store with a log. An incarnation has a directory of its own.
func wrapped(t testing.TB, b state.Backend, o state.Open, c changelog.Config, n int) *changelog.Store {
	t.Helper()
	o.FS, o.Dir = disk.New(disk.Config{}).Mount(), fmt.Sprintf("t%d", n)
	within, err := b.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	c.Groups = o.Groups
	s, err := changelog.Wrap(within, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestConforms: a store with a log is a store.
func TestConforms(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Name(), func(t *testing.T) {
			n := 0
			statetest.RunBackend(t, func(t *testing.T, o state.Open) state.Store {
				n++
				// What has expired goes from files with a materialisation. Elsewhere the suite deletes
				// what no handle names, and what is streamed is named by the next one only.
				streams := strings.HasSuffix(t.Name(), "/expired_go")
				return &streaming{Store: wrapped(t, b, o, changelog.Config{SegmentBytes: 1000}, n), streams: streams}
			})
		})
	}
}

// streaming is a store each of whose snapshots, if streams is set, carries out first what was to be
// written by then.
type streaming struct {
	*changelog.Store
	streams bool
	prefix  string
}

func (s *streaming) Snapshot(r state.SnapshotRequest) (state.Capture, error) {
	var streams []*changelog.Stream
	if s.prefix == "" && s.streams {
		s.prefix = r.Prefix + "s-"
		s.Begin(s.prefix)
	}
	for x := s.Stream(); x != nil && s.streams; x = s.Stream() {
		streams = append(streams, x)
	}
	c, err := s.Store.Snapshot(r)
	return &behind{c, streams}, err
}

// behind is a capture behind streams.
type behind struct {
	state.Capture
	streams []*changelog.Stream
}

func (c *behind) Next(results []state.Result) ([]state.Op, bool, error) {
	if len(c.streams) == 0 {
		ops, done, err := c.Capture.Next(results)
		if done {
			c.Capture.Discard() // as a task does; else it is no base
		}
		return ops, done, err
	}
	ops, done, err := c.streams[0].Next(results)
	if done {
		c.streams[0].Discard()
		c.streams = c.streams[1:]
	}
	return ops, false, err
}

func (c *behind) Discard() {
	for _, x := range c.streams {
		x.Discard()
	}
	c.Capture.Discard()
}

// world is a task over its incarnations, with a twin that has no log, and a coordinator: it keeps the newest
// complete snapshot, and deletes what of those before nothing refers to any more.
type world struct {
	testing.TB
	backend      state.Backend
	cfg          changelog.Config
	storage      *statetest.Memory
	incarnations int

	store, twin *copyOf
	epoch       id.Epoch
	under       []state.Transfer   // begun, not carried out
	records     []record           // the newest complete one; none: there is none
	doomed      []record           // complete before, and bases of what is under way
	pinned      map[*flight]record // the bases
}

type record struct {
	epoch  id.Epoch
	handle state.Handle
	sum    uint64
}

// copyOf is a store with its states.
type copyOf struct {
	state.Store
	log    *changelog.Store // nil: none
	values state.ValueTable
	counts state.FixedTable
	list   state.ListTable
	fields state.MapTable
	timers state.Timers
}

func (w *world) open(s state.Store) *copyOf {
	w.Helper()
	c := &copyOf{Store: s}
	c.log, _ = s.(*changelog.Store)
	var errs [5]error
	c.values, errs[0] = state.OpenValueTable(s, state.Descriptor{Name: "values", Codec: "bytes/1"})
	c.counts, errs[1] = state.OpenFixedTable(s, state.Descriptor{Name: "counts", Codec: "uint64/1", FixedSize: 8})
	c.list, errs[2] = state.OpenListTable(s, state.Descriptor{Name: "list", Codec: "bytes/1"})
	c.fields, errs[3] = state.OpenMapTable(s, state.Descriptor{Name: "fields", Codec: "bytes/1"})
	c.timers, errs[4] = s.Timers("timers")
	for _, err := range errs {
		if err != nil {
			w.Fatal(err)
		}
	}
	return c
}

// begin begins an incarnation, and its twin, from the newest complete snapshot.
func (w *world) begin() {
	w.Helper()
	if w.store != nil {
		_ = w.store.Close()
	}
	w.incarnations++
	w.pinned, w.doomed = map[*flight]record{}, nil
	w.under, w.epoch = nil, id.MakeEpoch(id.Attempt(w.incarnations), 0)
	w.store = w.open(wrapped(w, w.backend, state.Open{Groups: whole, Keyed: true}, w.cfg, w.incarnations))
	w.store.log.Begin(fmt.Sprintf("files/t0/%d.%d-", w.incarnations, id.MaxIndex))
	twin, err := heap.Backend{}.Open(state.Open{Groups: whole})
	if err != nil {
		w.Fatal(err)
	}
	w.twin = w.open(twin)
	if n := len(w.records); n > 0 {
		w.restore(w.store, w.records[n-1])
		w.store.Entries("values", func(e state.KeyedEntry) bool { w.twin.values.Put(e.KeyOf(), e.Value); return true })
		w.store.Entries("counts", func(e state.KeyedEntry) bool { w.twin.counts.Put(e.KeyOf(), e.Value); return true })
		w.store.Entries("list", func(e state.KeyedEntry) bool { w.twin.list.Put(e.KeyOf(), e.Value); return true })
		w.store.Entries("fields", func(e state.KeyedEntry) bool { w.twin.fields.MapPut(e.KeyOf(), e.Field, e.Value); return true })
		w.store.timers.Range(func(at int64, k state.Key) bool { w.twin.timers.Set(at, k); return true })
	}
	for _, e := range w.stored() { // as the coordinator sweeps behind an attempt
		if n := len(w.records); n == 0 || !w.lists(w.records[n-1], e) {
			w.storage.Do(state.Op{Kind: state.OpDelete, Key: e})
		}
	}
}

func (w *world) stored() (names []string) {
	for _, e := range w.storage.Do(state.Op{Kind: state.OpList, Key: "files/"}).List {
		names = append(names, e.Key)
	}
	return names
}

func (w *world) lists(r record, name string) bool {
	return slices.ContainsFunc(r.handle.Files, func(f state.FileRef) bool { return f.Name == name })
}

func (w *world) restore(to *copyOf, r record) {
	w.Helper()
	tr, err := to.Restore([]state.Handle{r.handle})
	if err == nil {
		err = statetest.Drive(tr, w.storage)
	}
	if err != nil {
		w.Fatal(err)
	}
	if sum := to.Sum(); sum != r.sum {
		w.Fatalf("snapshot %v: sum %#x after the restore, %#x at the instant", r.epoch, sum, r.sum)
	}
}

// change does one thing to both stores.
func (w *world) change(what, n, m int) {
	k := state.KeyOf([]byte(fmt.Sprint("key ", n)), state.DefaultGroups)
	for _, s := range []*copyOf{w.store, w.twin} {
		switch what {
		case 0:
			s.values.Put(k, []byte(fmt.Sprint("value ", m)))
		case 1:
			v, _ := s.counts.Update(k)
			v[m%8]++
		case 2:
			s.list.Append(k, []byte(fmt.Sprint(m)))
		case 3:
			s.fields.MapPut(k, []byte{byte(m % 5)}, []byte(fmt.Sprint(m)))
		case 4:
			s.fields.MapDelete(k, []byte{byte(m % 5)})
		case 5:
			for _, t := range []state.Table{s.values, s.counts, s.list, s.fields} {
				t.Delete(k)
			}
		case 6:
			s.timers.Set(int64(m), k)
		case 7:
			s.timers.Cancel(int64(m), k)
		case 8:
			s.timers.Pop(int64(m))
		}
	}
}

// snapshot begins one, on the newest complete one.
func (w *world) snapshot(based bool) *flight {
	w.Helper()
	w.epoch++
	r := state.SnapshotRequest{Epoch: w.epoch, Prefix: fmt.Sprintf("files/t0/%v-", w.epoch)}
	var base *record
	if n := len(w.records); n > 0 && based {
		base = &w.records[n-1]
		r.Base = base.epoch
	}
	c, err := w.store.Snapshot(r)
	if err != nil {
		w.Fatal(err)
	}
	f := &flight{c, record{epoch: w.epoch, sum: w.twin.Sum()}}
	if base != nil {
		w.pinned[f] = *base
	}
	return f
}

// giveUp gives a snapshot up. What it has stored under names of its own is swept.
func (w *world) giveUp(f *flight) {
	f.Discard()
	delete(w.pinned, f)
	w.letGo()
	for _, name := range w.stored() {
		if strings.HasPrefix(name, fmt.Sprintf("files/t0/%v-", f.epoch)) {
			w.storage.Do(state.Op{Kind: state.OpDelete, Key: name})
		}
	}
}

// flight is a snapshot under way, and what will be known of it.
type flight struct {
	state.Capture
	record
}

// complete carries a snapshot out, releases it, and deletes what nothing needs.
func (w *world) complete(f *flight) {
	w.Helper()
	w.carry(f)
	f.handle = f.Handle()
	w.store.Release(f.epoch)
	w.doomed = append(w.doomed, w.records...)
	w.records = []record{f.record}
	delete(w.pinned, f)
	w.letGo()
	fresh := w.open(wrapped(w, w.backend, state.Open{Groups: whole, Keyed: true}, w.cfg, 1000+int(f.epoch)))
	w.restore(fresh, f.record)
	_ = fresh.Close()
}

// letGo deletes the files of snapshots that are neither the newest nor the base of one under way.
func (w *world) letGo() {
	var left []record
	for _, old := range w.doomed {
		if w.isPinned(old) {
			left = append(left, old)
		}
	}
	for _, old := range w.doomed {
		for _, ref := range old.handle.Files {
			if !w.lists(w.records[0], ref.Name) && !slices.ContainsFunc(left, func(r record) bool { return w.lists(r, ref.Name) }) {
				w.storage.Do(state.Op{Kind: state.OpDelete, Key: ref.Name})
			}
		}
	}
	w.doomed = left
}

func (w *world) isPinned(r record) bool {
	for _, p := range w.pinned { //det:unordered one is enough
		if p.epoch == r.epoch {
			return true
		}
	}
	return false
}

func (w *world) carry(c state.Transfer) {
	w.Helper()
	if err := statetest.Drive(c, w.storage); err != nil {
		w.Fatal(err)
	}
	c.(interface{ Discard() }).Discard()
}

// stream begins what there is to be written between snapshots.
func (w *world) stream() {
	for x := w.store.log.Stream(); x != nil; x = w.store.log.Stream() {
		w.under = append(w.under, x)
	}
}

func newWorld(t testing.TB, b state.Backend, c changelog.Config) *world {
	w := &world{TB: t, backend: b, cfg: c, storage: statetest.NewMemory()}
	w.begin()
	return w
}
