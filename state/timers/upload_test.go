package timers

import (
	"encoding/binary"
	"strconv"
	"testing"

	"weir/id"
	"weir/state"
)

const (
	loadTimers  = 20_000
	loadChanged = loadTimers / 100
)

func loadKey(n int) state.Key {
	return state.KeyOf(binary.LittleEndian.AppendUint64(nil, uint64(n)*0x9e3779b97f4a7c15), 128)
}

// load sets and ends timers between two snapshots, a hundredth of all or fewer.
type load struct {
	name   string
	change func(q *Queue, step int)
	mean   float64 // bytes uploaded for each that has changed, at most
}

func fireAndSet(q *Queue, n int, at func(i int) int) {
	for i := range n {
		q.Pop(1 << 40)
		q.Set(int64(at(i)), loadKey(at(i)*1000+i))
	}
}

func loads() []load {
	windows := func(q *Queue, step int) {
		fireAndSet(q, loadChanged, func(i int) int { return loadTimers + step*loadChanged + i })
	}
	of := make([]int64, loadTimers) // the time of a key's timer
	return []load{
		{"windows", windows, 0.5},
		{"windows, and a timer that never fires", func(q *Queue, step int) {
			q.Set(1<<50, loadKey(1))
			windows(q, step)
		}, 0.6},
		{"windows, a thousandth", func(q *Queue, step int) {
			const n = loadTimers / 1000
			fireAndSet(q, n, func(i int) int { return loadTimers + step*n + i })
		}, 1.2},
		{"any time", func(q *Queue, step int) {
			fireAndSet(q, loadChanged, func(i int) int { return step*1000 + (step+i)*7919%(2*loadTimers) })
		}, 0.7},
		{"sessions", func(q *Queue, step int) {
			for i := range loadChanged {
				n := (step*7919 + i*104_729) % loadTimers
				q.Cancel(of[n], loadKey(n))
				of[n] = int64(step*1000 + n%1000)
				q.Set(of[n], loadKey(n))
			}
		}, 1.2},
	}
}

// TestUploadsWhatChanged takes 1200 snapshots, each based on the one before: on
// average, with all that is rewritten, they upload little more than what has
// changed, and what a restore reads is bounded.
func TestUploadsWhatChanged(t *testing.T) {
	for _, l := range loads() {
		t.Run(l.name, func(t *testing.T) {
			q := New(state.GroupRange{Lo: 0, Hi: 128}, Usual)
			for n := range loadTimers {
				q.Set(int64(n), loadKey(n))
			}
			var first, uploaded, changed, most float64
			files := 0
			for step := range id.Epoch(1201) {
				before := q.Changed()
				if step > 0 {
					l.change(q, int(step))
				}
				n, c := written(q, step+1, step)
				if step == 0 {
					first = n
					continue
				}
				uploaded += n
				changed += float64(q.Changed() - before)
				q.Release(step + 1)
				stored := 0.0
				for _, s := range c.part.list {
					stored += float64(s.bytes)
				}
				most = max(most, stored/float64(q.Bytes()))
				files = max(files, len(c.part.list))
			}
			t.Logf("%.2f bytes uploaded for each that changed; at most %.2f of what lives in %d segments", uploaded/changed, most, files)
			if uploaded > l.mean*changed {
				t.Errorf("%.2f bytes uploaded for each that changed, want at most %.2f", uploaded/changed, l.mean)
			}
			if most > maxStored || files > Usual.Segments+1 {
				t.Errorf("a restore reads %.2f times what lives, in %d segments", most, files)
			}
			if uploaded/1200 < first/1000 {
				t.Error("the case is blind: nothing changes")
			}
		})
	}
}

// written carries a snapshot out and returns the bytes that it uploads.
func written(q *Queue, epoch, from id.Epoch) (float64, *Capture) {
	c := q.Snapshot(epoch, from)
	uploaded := 0
	for n := 0; ; {
		put, done := c.Next(func() string { n++; return strconv.Itoa(int(epoch)) + "-" + strconv.Itoa(n) })
		if put != nil {
			uploaded += len(put.Data)
		}
		if done {
			c.Discard()
			return float64(uploaded), c
		}
	}
}
