package localcopy_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/heap"
	"weir/state/localcopy"
	"weir/state/pebblestate"
	"weir/state/statetest"
)

var (
	whole = state.GroupRange{Lo: 0, Hi: state.DefaultGroups}
	wide  = state.Descriptor{Name: "wide", Kind: state.KindReducing, Codec: "wide/1", FixedSize: 1000}
)

// backends are those that have files: one that has none on the local disk, one that has, and one
// that uploads all of its own each time.
func backends(t testing.TB) map[string]state.Backend {
	t.Helper()
	all := map[string]state.Backend{"heap": heap.Backend{Simulated: true}}
	for _, c := range []pebblestate.Config{{Deterministic: true, TableBytes: 100_000}, {Deterministic: true, TableBytes: 100_000, Full: true}} {
		b, err := pebblestate.New(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		all[b.Name()] = b
	}
	return all
}

// task is a task over all its incarnations.
type task struct {
	testing.TB
	backend      state.Backend
	fs           vfs.FS
	storage      *statetest.Memory
	stale        bool
	incarnations int

	store  *localcopy.Store
	table  state.FixedTable
	timers state.Timers
}

// begin begins an incarnation, from a snapshot if there is one.
func (x *task) begin(from ...state.Handle) (asked int) {
	x.Helper()
	if x.incarnations++; x.store == nil {
		x.Cleanup(func() { _ = x.store.Close() })
	} else {
		_ = x.store.Close()
	}
	inner, err := x.backend.Open(state.Open{Dir: fmt.Sprintf("tasks/%d", x.incarnations), Groups: whole, FS: x.fs, Keyed: true})
	if err != nil {
		x.Fatal(err)
	}
	if x.store, err = localcopy.Wrap(inner, localcopy.Config{FS: x.fs, Dir: "copies/t0", Stale: x.stale}); err != nil {
		x.Fatal(err)
	}
	if x.table, err = state.OpenFixedTable(x.store, wide); err != nil {
		x.Fatal(err)
	}
	if x.timers, err = x.store.Timers("timers"); err != nil {
		x.Fatal(err)
	}
	if len(from) == 0 {
		return 0
	}
	tr, err := x.store.Restore(from)
	counted := &reads{Storage: x.storage}
	if err == nil {
		err = statetest.Drive(tr, counted)
	}
	if err != nil {
		x.Fatal(err)
	}
	return counted.n
}

// reads counts what is read from storage.
type reads struct {
	state.Storage
	n int
}

func (r *reads) Do(op state.Op) state.Result {
	if op.Kind == state.OpGet {
		r.n++
	}
	return r.Storage.Do(op)
}

// set writes keys and timers.
func (x *task) set(from, to, value uint64) {
	fill(x.table, from, to, value)
	var key [8]byte
	for k := from; k < to; k++ {
		x.timers.Set(int64(k*value), state.KeyOfUint64(&key, k, state.DefaultGroups))
	}
}

// fill writes keys with values of their own.
func fill(table state.FixedTable, from, to, value uint64) {
	var key [8]byte
	for k := from; k < to; k++ {
		v, _ := table.Update(state.KeyOfUint64(&key, k, state.DefaultGroups))
		for i := 0; i < len(v); i += 8 {
			binary.LittleEndian.PutUint64(v[i:], k*value+uint64(i))
		}
	}
}

// snapshot takes one and waits for it.
func (x *task) snapshot(e, base id.Epoch) state.Handle {
	x.Helper()
	c, err := x.store.Snapshot(state.SnapshotRequest{Epoch: e, Base: base, Prefix: fmt.Sprintf("files/t0/%v-", e)})
	if err == nil {
		err = statetest.Drive(c, x.storage)
	}
	if err != nil {
		x.Fatal(err)
	}
	c.Discard()
	return c.Handle()
}

// copies returns the names of the copies.
func (x *task) copies() []string {
	names, _ := x.fs.List("copies/t0")
	return names
}

func (x *task) counted(taken, missing, damaged, asked int) {
	x.Helper()
	if c := x.store.Counts(); c != (state.CopyCounts{Taken: taken, Missing: missing, Damaged: damaged}) || asked != missing+damaged {
		x.Errorf("%+v, and %d read from storage; want %d taken, %d missing, %d damaged", c, asked, taken, missing, damaged)
	}
}

func begin(t *testing.T, b state.Backend) *task {
	x := &task{TB: t, backend: b, fs: disk.New(disk.Config{}).Mount(), storage: statetest.NewMemory()}
	x.begin()
	return x
}

// TestConforms: a store with copies is a store.
func TestConforms(t *testing.T) {
	for name, b := range backends(t) {
		if name == pebblestate.NameFull {
			continue // it differs in what it uploads alone
		}
		t.Run(name, func(t *testing.T) {
			n := 0
			statetest.RunBackend(t, func(t *testing.T, o state.Open) state.Store {
				n++
				o.FS, o.Dir = disk.New(disk.Config{}).Mount(), fmt.Sprintf("t%d", n)
				inner, err := b.Open(o)
				if err != nil {
					t.Fatal(err)
				}
				s, err := localcopy.Wrap(inner, localcopy.Config{FS: o.FS, Dir: "copies"})
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

// TestRestoresFromCopies: nothing is read from storage where the newest snapshot was taken, its
// increments included, and by the incarnation behind that neither.
func TestRestoresFromCopies(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			x := begin(t, b)
			x.set(0, 2000, 1)
			x.snapshot(1, 0)
			x.store.Release(1)
			x.set(100, 150, 2)
			h := x.snapshot(2, 1)
			want := x.store.Sum()
			for range 2 {
				asked := x.begin(h)
				x.counted(len(h.Files), 0, 0, asked)
				if sum := x.store.Sum(); sum != want || len(h.Files) < 2 {
					t.Errorf("sum %#x of %d files, want %#x", sum, len(h.Files), want)
				}
			}
			x.set(150, 160, 3)
			h, want = x.snapshot(3, 2), x.store.Sum()
			asked := x.begin(h)
			x.counted(len(h.Files), 0, 0, asked)
			if sum := x.store.Sum(); sum != want {
				t.Errorf("sum %#x of the third snapshot, want %#x", sum, want)
			}
		})
	}
}

// TestFallsBack: of what is missing, torn or of another snapshot nothing is taken; everything else is.
func TestFallsBack(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			x := begin(t, b)
			x.set(0, 6000, 1)
			h := x.snapshot(1, 0)
			want, names := x.store.Sum(), x.copies()
			if len(names) < 3 || len(names) != len(h.Files) {
				t.Fatalf("%d copies of %d files", len(names), len(h.Files))
			}
			x.overwrite(names[0], func(b []byte) []byte { return b[:len(b)/2] })
			if err := x.fs.Remove("copies/t0/" + names[1]); err != nil {
				t.Fatal(err)
			}
			other := x.content(names[2])
			other[len(other)/2] ^= 4
			x.overwrite(names[2], func([]byte) []byte { return other })
			asked := x.begin(h)
			x.counted(len(h.Files)-3, 1, 2, asked)
			if sum := x.store.Sum(); sum != want {
				t.Errorf("sum %#x, want %#x", sum, want)
			}
			x.set(0, 1, 2)
			h = x.snapshot(2, 1)
			asked = x.begin(h)
			x.counted(len(h.Files), 0, 0, asked)
		})
	}
}

func (x *task) content(name string) []byte {
	x.Helper()
	f, err := x.fs.Open("copies/t0/" + name)
	if err != nil {
		x.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		x.Fatal(err)
	}
	data := make([]byte, info.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		x.Fatal(err)
	}
	return data
}

// overwrite replaces a copy, not what it is linked to.
func (x *task) overwrite(name string, change func([]byte) []byte) {
	x.Helper()
	data := change(x.content(name))
	f, err := x.fs.Create("copies/t0/"+name, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		x.Fatal(err)
	}
}

// TestOldCopiesGo: those of the newest complete snapshot stay, and those since; what another
// incarnation has left goes.
func TestOldCopiesGo(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			x := begin(t, b)
			x.set(0, 2000, 1)
			var last []state.Handle
			for e := id.Epoch(1); e < 12; e++ {
				x.set(uint64(e)*100, uint64(e)*100+50, 7)
				h := x.snapshot(e, e-1)
				last = append(last, h)
				last = last[max(0, len(last)-2):]
				x.are(last...)
				x.store.Release(e)
				if e == 6 {
					x.begin(h)
					last = []state.Handle{h}
				}
			}
			c, err := x.store.Snapshot(state.SnapshotRequest{Epoch: 20, Base: 11, Prefix: "files/t0/20-"})
			if err != nil {
				t.Fatal(err)
			}
			for {
				ops, done, err := c.Next(nil)
				if err != nil {
					t.Fatal(err)
				}
				if len(ops) > 0 || done {
					break
				}
			}
			c.Discard()
			x.are(last[1])
		})
	}
}

// are fails unless the copies are those of some snapshots.
func (x *task) are(of ...state.Handle) {
	x.Helper()
	want := map[string]bool{}
	for _, h := range of {
		for _, f := range h.Files {
			want[strings.ReplaceAll(f.Name, "/", "_")+".copy"] = true
		}
	}
	names := x.copies()
	for _, n := range names {
		if !want[n] {
			x.Errorf("%s is a copy of nothing that is needed", n)
		}
	}
	if len(names) != len(want) {
		x.Errorf("%d copies, want %d", len(names), len(want))
	}
}

// TestAnotherDisk: on an empty disk everything comes from storage, and is copied for the next one.
func TestAnotherDisk(t *testing.T) {
	for name, b := range backends(t) {
		t.Run(name, func(t *testing.T) {
			x := begin(t, b)
			x.set(0, 2000, 1)
			h := x.snapshot(1, 0)
			x.fs = disk.New(disk.Config{}).Mount()
			asked := x.begin(h)
			x.counted(0, len(h.Files), 0, asked)
			h = x.snapshot(2, 1)
			asked = x.begin(h)
			x.counted(len(h.Files), 0, 0, asked)
		})
	}
}

// TestFullDisk: a copy that cannot be written is none.
func TestFullDisk(t *testing.T) {
	x := &task{TB: t, backend: heap.Backend{}, fs: disk.New(disk.Config{Capacity: 5 << 20}).Mount(), storage: statetest.NewMemory()}
	x.begin()
	x.set(0, 8000, 1)
	h := x.snapshot(1, 0)
	want := x.store.Sum()
	asked := x.begin(h)
	if c := x.store.Counts(); x.store.Sum() != want || c.Taken == 0 || c.Missing == 0 || asked != c.Missing {
		t.Errorf("%+v, sum %#x, want %#x and some of both", c, x.store.Sum(), want)
	}
}

// TestStaleCopies: the mistake takes files of another incarnation.
func TestStaleCopies(t *testing.T) {
	x := begin(t, heap.Backend{})
	x.stale = true
	x.begin()
	x.set(0, 3000, 1)
	x.snapshot(1, 0)
	x.begin() // it begins anew, and its first file has the number of that one
	x.set(0, 3000, 2)
	h := x.snapshot(2, 0)
	inner, err := x.backend.Open(state.Open{Groups: whole})
	if err != nil {
		t.Fatal(err)
	}
	s, err := localcopy.Wrap(inner, localcopy.Config{FS: x.fs, Dir: "copies/t0", Stale: true})
	if err != nil {
		t.Fatal(err)
	}
	tr, err := s.Restore([]state.Handle{h})
	if err == nil {
		err = statetest.Drive(tr, x.storage)
	}
	if s.Counts().Taken == 0 {
		t.Errorf("no copy was taken: %+v, %v", s.Counts(), err)
	}
	if err == nil && s.Sum() == x.store.Sum() {
		t.Error("what was restored is right")
	}
}

// TestNoDisk: a worker without a file system is refused.
func TestNoDisk(t *testing.T) {
	if _, err := localcopy.Wrap(nil, localcopy.Config{}); err == nil || !strings.Contains(err.Error(), "vfs.FS") {
		t.Error(err)
	}
}
