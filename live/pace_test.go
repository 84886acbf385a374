package live_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"weir/dataflow"
	"weir/id"
	"weir/live"
	"weir/trace"
)

func TestRateAllowsExactlyWhatIsDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &live.Rate{Start: rapid.Int64Range(0, 1e9).Draw(t, "start"), PerSecond: rapid.Int64Range(1, 5e6).Draw(t, "rate")}
		parts := rapid.IntRange(1, 8).Draw(t, "splits")
		s, split := &dataflow.TaskInfo{Splits: parts}, rapid.IntRange(0, parts-1).Draw(t, "split")
		o := id.Offset(rapid.Uint64Range(0, 1000).Draw(t, "offset"))
		now := r.Intended(o, split, parts) + rapid.Int64Range(-1e6, 1e6).Draw(t, "ahead")
		n, next := r.Allow(s, split, o, now)
		if n <= 0 {
			if due := r.Intended(o, split, parts); due <= now || next != due {
				t.Fatalf("none allowed at %d, again at %d; record %d is due at %d", now, next, o, due)
			}
			return
		}
		if last := r.Intended(o+id.Offset(n)-1, split, parts); last > now {
			t.Fatalf("%d allowed at %d; the last is due at %d only", n, now, last)
		}
		if first := r.Intended(o+id.Offset(n), split, parts); first <= now {
			t.Fatalf("%d allowed at %d; one more is due at %d", n, now, first)
		}
	})
}

// early is an observer that finds records emitted before their time.
type early struct {
	mu     sync.Mutex
	rate   *live.Rate
	splits int
	seen   int
	early  int
}

func (e *early) Wants() trace.Mask { return trace.Mask(0).With(trace.Emitted) }

func (e *early) Observe(ev *trace.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen += int(ev.To - ev.From)
	if e.rate.Intended(id.Offset(ev.To)-1, int(ev.Split), e.splits) > ev.Time {
		e.early++
	}
}

func TestPacedSourceEmitsNothingEarlyAndEverything(t *testing.T) {
	for _, splits := range []int{2, 1, 5} {
		t.Run(fmt.Sprintf("%d splits", splits), func(t *testing.T) { paced(t, splits) })
	}
}

func paced(t *testing.T, splits int) {
	const records = 1000
	w := newWorld(t)
	rate := &live.Rate{Start: 5e6, PerSecond: 100_000, Quantum: 200_000}
	seen := &early{rate: rate, splits: splits}
	job := countJob(t, "aligned", records, testKeys)
	job.Graph.SetSplits(splits)
	cfg := w.config(job, nil)
	cfg.Pacer, cfg.Observer = rate, seen
	r, err := live.Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if seen.early > 0 || seen.seen != records {
		t.Errorf("%d batches early, %d of %d records seen", seen.early, seen.seen, records)
	}
	if r.Elapsed.Nanoseconds() < rate.Intended(records-1, 0, 1) {
		t.Errorf("the run took %s, less than its schedule", r.Elapsed)
	}
	if err := w.check(records, testKeys); err != nil {
		t.Error(err)
	}
}
