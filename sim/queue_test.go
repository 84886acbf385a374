package sim

import (
	"cmp"
	"slices"
	"testing"

	"weir/sim/seed"
)

// TestQueueOrder compares the queue with a slice over random pushes and pops.
func TestQueueOrder(t *testing.T) {
	draw := seed.New(1).Stream("queue")
	var q queue
	var naive []event
	for i := range 20000 {
		if draw.Chance(11, 20) || len(naive) == 0 {
			e := event{time: int64(draw.Draw(50)), order: uint64(draw.Draw(4))<<classShift | uint64(i)<<kindBits, ref: int32(i)}
			q.push(e)
			naive = append(naive, e)
			continue
		}
		first := slices.MinFunc(naive, func(a, b event) int {
			return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.order, b.order))
		})
		naive = slices.DeleteFunc(naive, func(e event) bool { return e == first })
		if draw.Chance(1, 2) {
			if got := q.min(); *got != first {
				t.Fatalf("step %d: min is %+v, want %+v", i, *got, first)
			}
		}
		if got := q.pop(); got != first {
			t.Fatalf("step %d: popped %+v, want %+v", i, got, first)
		}
		if q.len() != len(naive) {
			t.Fatalf("step %d: length %d, want %d", i, q.len(), len(naive))
		}
	}
}

// TestQueueCrowded compares the queue with a sorted slice as it grows to thousands
// of events and shrinks again, so that calendars begin and end: times near and far,
// bursts at one time, pushes at the present with a class that goes first, resets.
func TestQueueCrowded(t *testing.T) {
	var q queue
	crowds := 0
	for run := range 12 {
		draw := seed.New(uint64(run)).Stream("queue")
		crowds += crowded(t, &q, draw, 250+draw.Draw(6000))
		if run%3 != 0 {
			drain(t, &q)
		}
		q.reset()
		if q.len() != 0 || q.min() != nil {
			t.Fatalf("run %d: a queue that is reset has %d events", run, q.len())
		}
	}
	if crowds < 10 {
		t.Fatalf("%d calendars began, want at least 10", crowds)
	}
}

// crowded lets the queue swing between few and most events and returns how often it got a calendar.
func crowded(t *testing.T, q *queue, draw *seed.Stream, most int) (crowds int) {
	var naive []event // sorted, the first at the end
	now, grow := int64(0), true
	for i := range 30000 {
		if grow = grow && len(naive) < most || len(naive) == 0; draw.Chance(1, 3) != grow || len(naive) == 0 {
			e := event{time: now + later(draw), order: uint64(draw.Draw(5))<<classShift | uint64(i)<<kindBits, ref: int32(i)}
			was := q.many
			q.push(e)
			if q.many && !was {
				crowds++
			}
			at, _ := slices.BinarySearchFunc(naive, e, func(a, b event) int {
				return cmp.Or(cmp.Compare(b.time, a.time), cmp.Compare(b.order, a.order))
			})
			naive = slices.Insert(naive, at, e)
			continue
		}
		first := naive[len(naive)-1]
		naive = naive[:len(naive)-1]
		if draw.Chance(1, 2) {
			if got := q.min(); *got != first {
				t.Fatalf("step %d: min is %+v, want %+v", i, *got, first)
			}
		}
		if got := q.pop(); got != first || q.len() != len(naive) {
			t.Fatalf("step %d: popped %+v of %d, want %+v of %d", i, got, q.len()+1, first, len(naive)+1)
		}
		now = first.time
	}
	return crowds
}

// later draws how far off an event is.
func later(draw *seed.Stream) int64 {
	switch draw.Draw(8) {
	case 0:
		return 0
	case 1:
		return 5000 // a burst
	case 2:
		return int64(draw.Draw(20)) * 1e6
	case 3:
		if draw.Chance(1, 50) {
			return int64(draw.Draw(5000)) * 1e9
		}
	}
	return int64(draw.Draw(100_000))
}

// drain pops what is left, in order.
func drain(t *testing.T, q *queue) {
	last := event{time: -1}
	for n := q.len(); n > 0; n-- {
		e := q.pop()
		if e.before(&last) || q.len() != n-1 {
			t.Fatalf("%d left: %+v after %+v", q.len(), e, last)
		}
		last = e
	}
}

func BenchmarkQueue(b *testing.B) {
	draw := seed.New(1).Stream("queue")
	var q queue
	var delays [1024]int64
	for i := range delays {
		delays[i] = int64(draw.Draw(1000))
	}
	for i := range 64 {
		q.push(event{time: delays[i], order: uint64(i)})
	}
	b.ReportAllocs()
	i := uint64(64)
	for b.Loop() {
		e := q.pop()
		e.time += delays[i%1024]
		e.order = i
		i++
		q.push(e)
	}
}
