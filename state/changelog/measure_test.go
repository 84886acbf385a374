package changelog_test

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/state"
	"weir/state/changelog"
	"weir/state/pebblestate"
	"weir/state/storage"
)

var (
	measured    = flag.Int64("bytes", 4<<20, "bytes of state of which TestAgainstIncremental takes snapshots")
	checkpoints = flag.Int("checkpoints", 20, "how many, of each arm")
	changed     = flag.Float64("changed", 1, "percent of the keys written between two of them")
	interval    = flag.Duration("interval", 20*time.Millisecond, "time over which these are written")
	segment     = flag.Int("segment", changelog.DefaultSegmentBytes, "checkpoint.changelog-segment")
)

const (
	valueBytes = 1000
	block      = 20 // checkpoints of one arm, then of the other
	slices_    = 50 // of the writes between two checkpoints
)

// arm is a store of which snapshots are taken, with a directory for checkpoint storage.
type arm struct {
	testing.TB
	name   string
	store  state.Store
	log    *changelog.Store // nil: incremental
	table  state.FixedTable
	to     *storage.Dir
	rng    *rand.Rand
	epoch  id.Epoch
	files  []state.FileRef // of the newest snapshot
	ended  chan *changelog.Stream
	under  int // streams
	took   []time.Duration
	tail   []int64 // bytes that a checkpoint wrote
	writes *counted
}

// counted counts what is put.
type counted struct {
	state.Storage
	mu    sync.Mutex
	bytes int64
}

func (c *counted) Do(op state.Op) state.Result {
	if op.Kind == state.OpPut {
		c.mu.Lock()
		c.bytes += int64(len(op.Data))
		c.mu.Unlock()
	}
	return c.Storage.Do(op)
}

func newArm(t testing.TB, name, root string, b state.Backend, logged bool) *arm {
	t.Helper()
	dir, err := storage.OpenDir(vfs.Default, filepath.Join(root, name, "storage"), storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	a := &arm{TB: t, name: name, to: dir, rng: rand.New(rand.NewPCG(1, 2)), ended: make(chan *changelog.Stream, 16), writes: &counted{Storage: dir}}
	a.store, err = b.Open(state.Open{Dir: filepath.Join(root, name, "task"), Groups: whole, FS: vfs.Default, Keyed: true})
	if err == nil && logged {
		a.log, err = changelog.Wrap(a.store, changelog.Config{Groups: whole, SegmentBytes: *segment})
		a.store = a.log
		a.log.Begin("files/t0/1.1048575-")
	}
	if err != nil {
		t.Fatal(err)
	}
	a.table, err = state.OpenFixedTable(a.store, state.Descriptor{Name: "wide", Kind: state.KindReducing, Codec: "wide/1", FixedSize: valueBytes})
	if err != nil {
		t.Fatal(err)
	}
	for k := range uint64(*measured / valueBytes) {
		a.write(k)
	}
	return a
}

func (a *arm) write(k uint64) {
	var key [8]byte
	v, _ := a.table.Update(state.KeyOfUint64(&key, k, state.DefaultGroups))
	for i := 0; i < len(v); i += 8 {
		binary.LittleEndian.PutUint64(v[i:], a.rng.Uint64())
	}
}

// carry carries a transfer out as a live driver does: independent operations at once.
func (a *arm) carry(tr state.Transfer) {
	var results []state.Result
	for {
		ops, done, err := tr.Next(results)
		if err != nil {
			a.Error(err)
			return
		}
		if done {
			return
		}
		results = make([]state.Result, len(ops))
		var wait sync.WaitGroup
		for i := range ops {
			wait.Go(func() { results[i] = a.writes.Do(ops[i]) })
		}
		wait.Wait()
	}
}

// change writes as many keys as change between two checkpoints, and what streams there are meanwhile.
func (a *arm) change() {
	keys := uint64(*measured / valueBytes)
	n := int(float64(keys) * *changed / 100)
	began := time.Now()
	for i := range slices_ {
		for range n / slices_ {
			a.write(a.rng.Uint64N(keys))
		}
		a.stream()
		time.Sleep(time.Until(began.Add(*interval * time.Duration(i+1) / slices_)))
	}
}

func (a *arm) stream() {
	if a.log == nil {
		return
	}
	for {
		select {
		case x := <-a.ended:
			x.Discard()
			a.under--
			continue
		default:
		}
		x := a.log.Stream()
		if x == nil {
			return
		}
		a.under++
		go func() {
			a.carry(x)
			a.ended <- x
		}()
	}
}

// wait ends all streams.
func (a *arm) wait() {
	for ; a.under > 0; a.under-- {
		(<-a.ended).Discard()
	}
}

func (a *arm) put(key string, data []byte) {
	if r := a.writes.Do(state.Op{Kind: state.OpPut, Key: key, Data: data}); r.Status != state.OK {
		a.Error(r.Err)
	}
}

// checkpoint takes one, and lets go of what it does not need.
func (a *arm) checkpoint(timed bool) {
	a.epoch++
	prefix := fmt.Sprintf("files/t0/1.%d-", a.epoch)
	a.writes.mu.Lock()
	before := a.writes.bytes
	a.writes.mu.Unlock()
	began := time.Now()
	c, err := a.store.Snapshot(state.SnapshotRequest{Epoch: a.epoch, Base: a.epoch - 1, Prefix: prefix})
	if err != nil {
		a.Fatal(err)
	}
	a.carry(c)
	h := c.Handle()
	a.put(fmt.Sprintf("snap/t0/1.%d", a.epoch), state.AppendHandle(nil, h))
	a.put(fmt.Sprintf("chk/1.%d", a.epoch), []byte("record"))
	took := time.Since(began)
	a.writes.mu.Lock()
	wrote := a.writes.bytes - before
	a.writes.mu.Unlock()
	if timed {
		a.took, a.tail = append(a.took, took), append(a.tail, wrote)
	}
	c.Discard()
	a.store.Release(a.epoch)
	needed := map[string]bool{}
	for _, f := range h.Files {
		needed[f.Name] = true
	}
	for _, f := range a.files {
		if !needed[f.Name] {
			a.to.Do(state.Op{Kind: state.OpDelete, Key: f.Name})
		}
	}
	a.to.Do(state.Op{Kind: state.OpDelete, Key: fmt.Sprintf("snap/t0/1.%d", a.epoch-1)})
	a.to.Do(state.Op{Kind: state.OpDelete, Key: fmt.Sprintf("chk/1.%d", a.epoch-1)})
	a.files = h.Files
}

// floor is the time of one put of 4 KiB, synced, which each checkpoint pays at least twice.
func (a *arm) floor(n int) time.Duration {
	began := time.Now()
	a.put(fmt.Sprintf("floor/%d", n), make([]byte, 4<<10))
	took := time.Since(began)
	a.to.Do(state.Op{Kind: state.OpDelete, Key: fmt.Sprintf("floor/%d", n)})
	return took
}

func percentile[T int64 | time.Duration](of []T, p int) T {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)-1)*p/100]
}

// TestAgainstIncremental measures checkpoints of Pebble with a log of changes against incremental ones
// of Pebble alone, in one process, alternating in blocks, from the snapshot's beginning to a durable
// record. Changes are spread over the interval before each. Beside them stands the floor: a put of
// 4 KiB to the same directory. It asserts no time.
func TestAgainstIncremental(t *testing.T) {
	root := t.TempDir()
	var arms []*arm
	for _, name := range []string{"incremental", "changelog"} {
		b, err := pebblestate.New(pebblestate.Config{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		a := newArm(t, name, root, b, name == "changelog")
		t.Cleanup(func() { a.wait(); _ = a.store.Close() })
		a.checkpoint(false) // the first one is of everything
		arms = append(arms, a)
	}
	var floors []time.Duration
	for done := 0; done < *checkpoints; done += block {
		for _, a := range arms {
			a.change()
			a.checkpoint(false) // the first of a block has the other arm's writes in front of it
			for range min(block, *checkpoints-done) {
				a.change()
				floors = append(floors, a.floor(len(floors)))
				a.checkpoint(true)
			}
			a.wait()
		}
	}
	t.Logf("%d bytes, %g %% of the keys written in %s before each of %d checkpoints; segments of %d bytes", *measured, *changed, *interval, *checkpoints, *segment)
	for _, a := range arms {
		t.Logf("%-12s p50 %s, p90 %s, p99 %s, longest %s; bytes written by a checkpoint p50 %d, p90 %d; by all of the run %d", a.name,
			percentile(a.took, 50), percentile(a.took, 90), percentile(a.took, 99), percentile(a.took, 100), percentile(a.tail, 50), percentile(a.tail, 90), a.writes.bytes)
	}
	t.Logf("%-12s p50 %s, p90 %s", "floor", percentile(floors, 50), percentile(floors, 90))
	t.Logf("p90 of the changelog is %.3f of the incremental one", float64(percentile(arms[1].took, 90))/float64(percentile(arms[0].took, 90)))
}
