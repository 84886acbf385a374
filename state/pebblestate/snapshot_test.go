package pebblestate_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"syscall"
	"testing"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/pebblestate"
	"weir/state/statetest"
	"weir/state/storage"
)

// meter counts what is uploaded.
type meter struct {
	state.Storage
	puts  int
	bytes int64
}

func (m *meter) Do(op state.Op) state.Result {
	if op.Kind == state.OpPut {
		m.puts++
		m.bytes += int64(len(op.Data))
	}
	return m.Storage.Do(op)
}

func restoreWide(t *testing.T, b *pebblestate.Backend, st state.Storage, h state.Handle) *wideStore {
	t.Helper()
	w := openWide(t, b, disk.New(disk.Config{}).Mount(), "restored")
	tr, err := w.Restore([]state.Handle{h})
	if err == nil {
		err = statetest.Drive(tr, st)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestIncrementalUploadsLittle changes 5 % of the keys between snapshots, over
// several compactions, and compares what both backends upload.
func TestIncrementalUploadsLittle(t *testing.T) {
	const keys, snapshots = 8000, 40
	var uploaded [2]int64
	for i, full := range []bool{true, false} {
		m := &meter{Storage: storage.NewMemory(0)}
		b := backend(t, pebblestate.Config{Deterministic: true, Full: full})
		w := openWide(t, b, disk.New(disk.Config{}).Mount(), "db")
		for k := range uint64(keys) {
			w.renew(k)
		}
		w.snapshot(t, 1, 0, m)
		m.bytes = 0
		for e := id.Epoch(2); e < 2+snapshots; e++ {
			for range keys / 20 {
				w.renew(w.r.Uint64N(keys))
			}
			w.snapshot(t, e, e-1, m)
			w.Release(e - 1)
		}
		uploaded[i] = m.bytes
		_ = w.Close()
	}
	share := float64(uploaded[1]) / float64(uploaded[0])
	t.Logf("full %d bytes, incremental %d bytes: %.1f %%", uploaded[0], uploaded[1], 100*share)
	if share > 0.20 {
		t.Errorf("incremental snapshots upload %.1f %% of what full ones do, want at most 20 %%", 100*share)
	}
	if least := int64(snapshots * keys / 20 * 100); uploaded[1] < least {
		t.Errorf("only %d bytes uploaded, though %d have changed", uploaded[1], least)
	}
}

// TestRetention keeps three snapshots, deletes what they do not refer to, and
// restores each. What is stored, locally and remotely, stays within bounds.
func TestRetention(t *testing.T) {
	const keys, retained = 3000, 3
	st := storage.NewMemory(0)
	b := backend(t, pebblestate.Config{Deterministic: true})
	vol := disk.New(disk.Config{})
	w := openWide(t, b, vol.Mount(), "db")
	type kept struct {
		h   state.Handle
		sum uint64
	}
	var snapshots []kept
	for e := id.Epoch(1); e <= 60; e++ {
		for range keys / 10 {
			w.renew(w.r.Uint64N(keys))
		}
		h := w.snapshot(t, e, e-1, st)
		w.Release(e)
		snapshots = append(snapshots, kept{h, w.Sum()})
		snapshots = snapshots[max(0, len(snapshots)-retained):]
		named := map[string]bool{}
		for _, s := range snapshots {
			for _, f := range s.h.Files {
				named[f.Name] = true
			}
		}
		for _, entry := range st.Do(state.Op{Kind: state.OpList}).List {
			if !named[entry.Key] {
				st.Do(state.Op{Kind: state.OpDelete, Key: entry.Key})
			}
		}
		if n, _ := st.Len(); n != len(named) {
			t.Fatalf("epoch %v: %d objects for %d references", e, n, len(named))
		}
		if e%15 == 0 {
			for i, s := range snapshots {
				r := restoreWide(t, b, st, s.h)
				if sum := r.Sum(); sum != s.sum {
					t.Fatalf("epoch %v, retained %d: sum %#x, want %#x", e, i, sum, s.sum)
				}
				_ = r.Close()
			}
		}
		if _, size := st.Len(); size > 5*keys*120 {
			t.Fatalf("epoch %v: %d bytes stored for a state of %d", e, size, keys*120)
		}
		if used := vol.Used(); used > 4*keys*120 {
			t.Fatalf("epoch %v: %d bytes on the local disk for a state of %d", e, used, keys*120)
		}
	}
	if w.Len() == 0 || w.table.Len() < keys*9/10 {
		t.Errorf("%d keys", w.table.Len())
	}
}

// Len is the number of keys.
func (w *wideStore) Len() int { return w.table.Len() }

// TestNumbersRepeat lets two incarnations give the same number to different
// tables: a snapshot of the second must not refer to the first one's file.
func TestNumbersRepeat(t *testing.T) {
	st := storage.NewMemory(0)
	b := backend(t, pebblestate.Config{Deterministic: true})
	w := openWide(t, b, disk.New(disk.Config{}).Mount(), "a")
	w.renew(1)
	base := w.snapshot(t, id.MakeEpoch(1, 1), 0, st)
	var lost []state.FileRef // of snapshots that never completed
	for k := range uint64(5) {
		w.renew(2)
		h := w.snapshot(t, id.MakeEpoch(1, 2+uint32(k)), id.MakeEpoch(1, 1), st)
		lost = append(lost, h.Files...)
	}

	x := restoreWide(t, b, st, base)
	x.renew(1)
	x.renew(3)
	c, err := x.Snapshot(state.SnapshotRequest{Epoch: id.MakeEpoch(2, 1), Base: id.MakeEpoch(1, 1), Prefix: "t0/a2-"})
	if err != nil {
		t.Fatal(err)
	}
	if err := statetest.Drive(c, st); err != nil {
		t.Fatal(err)
	}
	h := c.Handle()
	if !slices.ContainsFunc(h.Files, func(f state.FileRef) bool { return f.Name == base.Files[0].Name }) {
		t.Errorf("the restored file is not referred to: %+v", h.Files)
	}
	repeated := false
	for _, f := range h.Files {
		for _, g := range lost {
			if g.Name == base.Files[0].Name {
				continue
			}
			repeated = repeated || f.Local == g.Local
			if f.Name == g.Name {
				t.Errorf("file %q of a lost snapshot is referred to", f.Name)
			}
		}
	}
	if !repeated {
		t.Error("no number was used twice: the test shows nothing")
	}
	// And a base that this incarnation does not know means a full snapshot.
	c, err = x.Snapshot(state.SnapshotRequest{Epoch: id.MakeEpoch(2, 2), Base: id.MakeEpoch(1, 2), Prefix: "t0/a2-"})
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{Storage: st}
	if err := statetest.Drive(c, m); err != nil {
		t.Fatal(err)
	}
	if m.puts != len(c.Handle().Files) {
		t.Errorf("%d uploads for %d files on an unknown base", m.puts, len(c.Handle().Files))
	}
	if y := restoreWide(t, b, st, h); y.Sum() != x.Sum() {
		t.Error("the snapshot does not restore")
	}
}

// TestDiskErrors fails every operation on the local disk in turn: whatever
// happens, the store says so, stays dead, and no snapshot claims success.
func TestDiskErrors(t *testing.T) {
	errDisk := errors.New("the disk is on fire")
	reached := map[disk.Op]bool{}
	for k := 0; ; k++ {
		st := storage.NewMemory(0)
		b := backend(t, pebblestate.Config{Deterministic: true, WriteCacheBytes: 20_000})
		n := 0
		hit := false
		vol := disk.New(disk.Config{Fault: func(op disk.Op, _ string) error {
			if n++; n > k {
				reached[op], hit = true, true
				return errDisk
			}
			return nil
		}})
		w := openWide(t, b, vol.Mount(), "db")
		err := w.work(st)
		if hit && err == nil && w.Err() == nil && n == k+1 {
			// One operation whose failure does not matter.
		} else if hit && n > k+1 && w.Err() == nil {
			t.Fatalf("operation %d failed, and the store does not say so (%v)", k, err)
		}
		if first := w.Err(); first != nil {
			if !errors.Is(first, errDisk) || !strings.Contains(first.Error(), `"db"`) {
				t.Fatalf("operation %d: error %v", k, first)
			}
			if err == nil {
				t.Fatalf("operation %d: a snapshot succeeded although %v", k, first)
			}
			vol.SetFault(nil)
			w.renew(1)
			w.table.Put(state.KeyOfUint64(&w.key, 5, state.DefaultGroups), make([]byte, 100))
			if _, err := w.Snapshot(state.SnapshotRequest{Epoch: 9, Prefix: "late-"}); !errors.Is(err, first) {
				t.Fatalf("operation %d: the error does not stick: %v", k, err)
			}
		}
		vol.SetFault(nil)
		_ = w.Close()
		if !hit {
			break
		}
	}
	for _, op := range []disk.Op{disk.OpCreate, disk.OpWrite, disk.OpLink, disk.OpOpen, disk.OpRead} {
		if !reached[op] {
			t.Errorf("no %v was made to fail", op)
		}
	}
}

// work fills a store beyond its cache and takes two snapshots.
func (w *wideStore) work(st state.Storage) error {
	for e := id.Epoch(1); e <= 2; e++ {
		for k := range uint64(300) {
			w.renew(k * uint64(e))
		}
		c, err := w.Snapshot(state.SnapshotRequest{Epoch: e, Base: e - 1, Prefix: "p-"})
		if err == nil {
			err = statetest.Drive(c, st)
			c.Discard()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestFullDisk(t *testing.T) {
	for _, deterministic := range []bool{true, false} {
		b := backend(t, pebblestate.Config{Deterministic: deterministic, WriteCacheBytes: 50_000})
		vol := disk.New(disk.Config{Capacity: 100_000})
		w := openWide(t, b, vol.Mount(), "db")
		for k := range uint64(3000) {
			w.renew(k)
		}
		if err := w.Err(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free space") || !strings.Contains(err.Error(), `"db"`) {
			t.Errorf("error %v", err)
		}
		if _, err := w.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "p-"}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("snapshot on a full disk: %v", err)
		}
		_ = w.Close()
	}
}

// TestDeterministic does the same twice and compares every operation on the
// local disk and every object stored, bytes included.
func TestDeterministic(t *testing.T) {
	trace := func() (string, int) {
		h := fnv.New64a()
		ops := 0
		vol := disk.New(disk.Config{Fault: func(op disk.Op, path string) error {
			ops++
			_, _ = fmt.Fprintln(h, op, path)
			return nil
		}})
		st := storage.NewMemory(0)
		b := backend(t, pebblestate.Config{Deterministic: true, WriteCacheBytes: 30_000})
		w := openWide(t, b, vol.Mount(), "db")
		var handle state.Handle
		for e := id.Epoch(1); e <= 12; e++ {
			for range 200 {
				w.renew(w.r.Uint64N(1000))
			}
			handle = w.snapshot(t, e, e-1, st)
			_, _ = h.Write(state.AppendHandle(nil, handle))
		}
		_ = w.Close()
		for key, data := range st.Objects() {
			_, _ = fmt.Fprintln(h, key, len(data))
			_, _ = h.Write(data)
		}
		r := openWide(t, b, vol.Mount(), "db2")
		tr, err := r.Restore([]state.Handle{handle})
		if err == nil {
			err = statetest.Drive(tr, st)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintln(h, r.Sum())
		_ = r.Close()
		return fmt.Sprintf("%x", h.Sum64()), ops
	}
	first, ops := trace()
	if ops < 100 {
		t.Errorf("only %d operations", ops)
	}
	t.Logf("%s after %d operations", first, ops)
	for range 5 {
		if again, n := trace(); again != first || n != ops {
			t.Fatalf("%s after %d operations, and %s after %d", first, ops, again, n)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := pebblestate.New(pebblestate.Config{CacheBytes: -1}); err == nil {
		t.Error("a negative cache is accepted")
	}
	b := backend(t, pebblestate.Config{})
	fs := disk.New(disk.Config{}).Mount()
	for _, o := range []state.Open{{Dir: "db"}, {FS: fs}, {FS: fs, Dir: "db", Groups: state.GroupRange{Lo: 2, Hi: 1}}} {
		if _, err := b.Open(o); err == nil {
			t.Errorf("Open accepts %+v", o)
		}
	}
	s := openWide(t, b, fs, "db")
	_, err := s.Restore([]state.Handle{{Backend: "heap"}})
	if !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), "heap") {
		t.Errorf("restore of another backend's handle: %v", err)
	}
}

// TestRestoreOfAPartReadsAPart: of one task's snapshot in table files of some size
// each of four new tasks reads little more than its part, and together they have it all.
func TestRestoreOfAPartReadsAPart(t *testing.T) {
	b := backend(t, pebblestate.Config{Deterministic: true, TableBytes: 40_000})
	w := openWide(t, b, disk.New(disk.Config{}).Mount(), "db")
	for k := range uint64(8000) {
		w.renew(k)
	}
	st := storage.NewMemory(0)
	h := w.snapshot(t, 1, 0, st)
	var whole int64
	for _, f := range h.Files {
		whole += f.Size
	}
	const p = 4
	var sum uint64
	for i := range p {
		vol := disk.New(disk.Config{}).Mount()
		s, err := b.Open(state.Open{Dir: "part", FS: vol, Groups: state.GroupsOf(i, p, state.DefaultGroups), Instance: i, Instances: p, Keyed: true})
		if err != nil {
			t.Fatal(err)
		}
		m := &reads{Storage: st}
		tr, err := s.Restore([]state.Handle{h})
		if err == nil {
			err = statetest.Drive(tr, m)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d of %d: %d bytes of %d", i, p, m.bytes, whole)
		if m.bytes > whole/p*3/2 {
			t.Errorf("%d of %d reads %d bytes of %d", i, p, m.bytes, whole)
		}
		sum += s.Sum()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if want := w.Sum(); sum != want {
		t.Errorf("the sum over the parts is %#x, want %#x", sum, want)
	}
	_ = w.Close()
}

// reads counts what is read.
type reads struct {
	state.Storage
	bytes int64
}

func (m *reads) Do(op state.Op) state.Result {
	r := m.Storage.Do(op)
	m.bytes += int64(len(r.Data))
	return r
}
