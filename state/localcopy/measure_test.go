package localcopy_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
	"weir/state/heap"
	"weir/state/localcopy"
	"weir/state/pebblestate"
	"weir/state/storage"
)

var (
	measured = flag.Int64("bytes", 4<<20, "bytes of state that TestLocalAgainstRemote restores")
	rounds   = flag.Int("repetitions", 1, "how often it does")
	latency  = flag.Duration("link-latency", time.Millisecond, "of an operation over the link of its third arm")
	mbit     = flag.Int64("link-mbit", 10_000, "bandwidth of that link, in million bits per second")
)

// link is storage behind a network: every operation takes its latency, and what is read shares its
// bandwidth.
type link struct {
	state.Storage
	mu   sync.Mutex
	free time.Time // when the link has carried what was asked of it
}

func (l *link) Do(op state.Op) state.Result {
	r := l.Storage.Do(op)
	l.mu.Lock()
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(int64(len(r.Data)) * 8 * 1000 / *mbit))
	until := l.free.Add(*latency)
	l.mu.Unlock()
	time.Sleep(time.Until(until))
	return r
}

// carry carries a transfer out as a live driver does: independent operations at once.
func carry(tr state.Transfer, st state.Storage) error {
	var results []state.Result
	for {
		ops, done, err := tr.Next(results)
		if done || err != nil {
			return err
		}
		results = make([]state.Result, len(ops))
		var wait sync.WaitGroup
		for i := range ops {
			wait.Go(func() { results[i] = st.Do(ops[i]) })
		}
		wait.Wait()
	}
}

// TestLocalAgainstRemote measures a restore from local copies against one from checkpoint storage,
// which is a directory on the same disk: once as it is, and once behind a link with a latency and
// a bandwidth that are flags. All that is read was just written, so that it comes from the page
// cache in every arm; so does what is real of a remote disk. It asserts no time.
func TestLocalAgainstRemote(t *testing.T) {
	pebble, err := pebblestate.New(pebblestate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pebble.Close)
	t.Logf("%d bytes of state, %d repetitions; the link has %s and %d Mbit/s", *measured, *rounds, *latency, *mbit)
	for _, b := range []state.Backend{pebble, heap.Backend{}} {
		measureRestores(t, b)
	}
}

func measureRestores(t *testing.T, b state.Backend) {
	root := t.TempDir()
	dir, err := storage.OpenDir(vfs.Default, filepath.Join(root, "remote"), storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	h, want := written(t, b, root, dir)
	size := int64(0)
	for _, f := range h.Files {
		size += f.Size
	}
	arms := []struct {
		name   string
		copies bool
		from   state.Storage
		took   []time.Duration
	}{{name: "remote, directory", from: dir}, {name: "remote, behind the link", from: &link{Storage: dir}}, {name: "local copies", copies: true, from: dir}}
	for n := range *rounds {
		for i := range arms {
			a := &arms[i]
			took := restoredIn(t, b, root, fmt.Sprintf("%d-%d", i, n), a.copies, a.from, h, want)
			a.took = append(a.took, took)
		}
	}
	median := func(i int) time.Duration {
		slices.Sort(arms[i].took)
		return arms[i].took[len(arms[i].took)/2]
	}
	for i := range arms {
		t.Logf("%-7s %-24s %d files, %d bytes: median %s of %v", b.Name(), arms[i].name, len(h.Files), size, median(i), arms[i].took)
	}
	t.Logf("%-7s local is %.2f of the directory, %.2f of what is behind the link", b.Name(),
		float64(median(2))/float64(median(0)), float64(median(2))/float64(median(1)))
}

// written fills a store and takes its snapshot, of which copies are kept.
func written(t *testing.T, b state.Backend, root string, st state.Storage) (h state.Handle, sum uint64) {
	s, table := openWide(t, b, filepath.Join(root, "tasks", "first"), filepath.Join(root, "copies"))
	fill(table, 0, uint64(*measured/int64(wide.FixedSize)), 1)
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "files/t0/1-"})
	if err == nil {
		err = carry(c, st)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Discard()
	h, sum = c.Handle(), s.Sum()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return h, sum
}

func openWide(t *testing.T, b state.Backend, dir, copies string) (*localcopy.Store, state.FixedTable) {
	t.Helper()
	inner, err := b.Open(state.Open{Dir: dir, Groups: whole, FS: vfs.Default, Keyed: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := localcopy.Wrap(inner, localcopy.Config{FS: vfs.Default, Dir: copies})
	if err != nil {
		t.Fatal(err)
	}
	table, err := state.OpenFixedTable(s, wide)
	if err != nil {
		t.Fatal(err)
	}
	return s, table
}

// restoredIn restores h and returns how long that took.
func restoredIn(t *testing.T, b state.Backend, root, name string, local bool, st state.Storage, h state.Handle, want uint64) time.Duration {
	copies := filepath.Join(root, "no-copies-"+name)
	if local {
		copies = filepath.Join(root, "copies")
	}
	dir := filepath.Join(root, "tasks", name)
	s, _ := openWide(t, b, dir, copies)
	began := time.Now()
	tr, err := inside(s, local).Restore([]state.Handle{h})
	if err == nil {
		err = carry(tr, st)
	}
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	if sum := s.Sum(); sum != want {
		t.Fatalf("%s: sum %#x, want %#x", name, sum, want)
	}
	if c := s.Counts(); local && (c.Taken != len(h.Files) || c.Missing+c.Damaged > 0) {
		t.Fatalf("%+v of %d files", c, len(h.Files))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, copies} {
		if !local || d == dir {
			if err := vfs.Default.RemoveAll(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	return took
}

// inside is the store without copies, where none are wanted: it does not write any either.
func inside(s *localcopy.Store, local bool) state.Store {
	if local {
		return s
	}
	return s.Store
}
