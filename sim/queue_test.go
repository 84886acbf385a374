package sim

import (
	"cmp"
	"slices"
	"testing"

	"weir/sim/seed"
)

// TestQueueOrder compares the heap with a sorted slice over random pushes and pops.
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
