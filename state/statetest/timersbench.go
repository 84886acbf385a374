package statetest

import (
	"slices"
	"testing"
	"time"

	"weir/id"
	"weir/state"
)

// BenchmarkTimers measures snapshots of a store with a million timers of
// eight-byte keys. An iteration is one: first 5,000 timers fire and 5,000 are
// set, as in windows that close and open; then the instant is taken
// (sync-µs/snapshot, the median, and max-µs), and, with the clock of the
// benchmark running on, the asynchronous part is carried out. Uploaded bytes are
// given as a ratio to the bytes of keys and times that changed: the median over
// snapshots, the mean, in which counts what is rewritten now and then, and the mean
// of the handle, which is stored with every snapshot.
func BenchmarkTimers(b *testing.B, s state.Store) {
	const timers, changed = 1_000_000, 5_000
	set, err := s.Timers(timersName)
	if err != nil {
		b.Fatal(err)
	}
	var key [8]byte
	next := uint64(0)
	add := func(n int) {
		for range n {
			set.Set(int64(next/64), state.KeyOfUint64(&key, next*0x9e3779b97f4a7c15, state.DefaultGroups))
			next++
		}
	}
	add(timers)
	storage := NewMemory()
	handles := 0
	base, epoch := id.Epoch(0), id.MakeEpoch(1, 1)
	var sync []time.Duration
	var ratios []float64
	take := func() {
		start := time.Now()
		c, err := s.Snapshot(state.SnapshotRequest{Epoch: epoch, Base: base, Prefix: "t0/a1-"})
		sync = append(sync, time.Since(start))
		if err != nil {
			b.Fatal(err)
		}
		put := &counting{Storage: storage}
		if err := Drive(c, put); err != nil {
			b.Fatal(err)
		}
		handles += len(state.AppendHandle(nil, c.Handle()))
		c.Discard()
		ratios = append(ratios, float64(put.bytes)/float64(2*changed*(8+len(key))))
		for _, e := range storage.list("") {
			storage.Do(state.Op{Kind: state.OpDelete, Key: e.Key})
		}
		base = epoch
		s.Release(base)
		epoch++
	}
	take()
	sync, ratios, handles = sync[:0], ratios[:0], 0
	b.ResetTimer()
	for b.Loop() {
		for range changed {
			if _, _, _, ok := set.Pop(1 << 62); !ok {
				b.Fatal("no timer is left")
			}
		}
		add(changed)
		take()
	}
	b.StopTimer()
	sum := 0.0
	for _, r := range ratios {
		sum += r
	}
	mean := sum / float64(len(ratios))
	slices.Sort(sync)
	slices.Sort(ratios)
	b.ReportMetric(float64(sync[len(sync)/2].Microseconds()), "sync-µs/snapshot")
	b.ReportMetric(float64(sync[len(sync)-1].Microseconds()), "max-µs")
	b.ReportMetric(ratios[len(ratios)/2], "uploaded/changed")
	b.ReportMetric(mean, "mean-uploaded/changed")
	b.ReportMetric(float64(handles)/float64(len(sync)*2*changed*(8+len(key))), "handle/changed")
	if err := s.Err(); err != nil {
		b.Fatal(err)
	}
}

// counting counts the bytes put.
type counting struct {
	state.Storage
	bytes int
}

func (c *counting) Do(op state.Op) state.Result {
	if op.Kind == state.OpPut {
		c.bytes += len(op.Data)
	}
	return c.Storage.Do(op)
}
