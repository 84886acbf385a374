package operators_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/state"
)

// windowed counts records per key in one window that ends with the input, so that
// all of its timers are due at once.
func windowed() dataflow.Operator {
	return &operators.WindowAggregate[uint64]{
		State: "windows", Windows: operators.Tumbling(1 << 40), Acc: state.Uint64,
		Read: func(dst, rec []byte) ([]byte, int64, bool) {
			return append(dst, rec...), int64(binary.LittleEndian.Uint64(rec)), true
		},
		Add: func(acc uint64, _ []byte) uint64 { return acc + 1 },
		Row: func(dst, key []byte, _ int64, acc uint64) []byte {
			return binary.LittleEndian.AppendUint64(append(dst, key...), acc)
		},
	}
}

// BenchmarkSlices has 150,000 windows close at once. While they do, barriers
// arrive, one after every tenth slice, and are seen by the algorithm after
// barrier-slices turns that fired timers at most. slice-µs is the median time of
// such a turn, p99-µs what one in a hundred takes longer.
func BenchmarkSlices(b *testing.B) {
	const windows = 150_000
	var slice []time.Duration
	waited := 0
	for b.Loop() {
		b.StopTimer()
		d := newDriver(b, keyedByWord(windows))
		d.job.Config = dataflow.DefaultConfig()
		d.job.Config.BatchTimeout = 0
		d.start(0, false)
		d.runTo(windows - 1)
		b.StartTimer()
		more, w := d.closeWindows(windows)
		slice, waited = append(slice, more...), max(waited, w)
	}
	slices.Sort(slice)
	b.ReportMetric(float64(slice[len(slice)/2].Nanoseconds())/1e3, "slice-µs")
	b.ReportMetric(float64(slice[len(slice)*99/100].Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64(waited), "barrier-slices")
	if waited > 2 {
		b.Errorf("a barrier has waited for %d slices", waited)
	}
}

// keyedByWord is source -> windows -> sink, a key per record.
func keyedByWord(n uint64) *dataflow.Graph {
	g := chain(1, n, discardSink, true, windowed)
	g.Edges[0].Key = func(rec []byte) uint64 { return state.HashBytes(rec) }
	return g
}

// closeWindows lets the source end, and returns how long each turn of the window
// task took while it fired timers, and the largest number of such turns between
// the arrival of a barrier and its delivery.
func (d *driver) closeWindows(n id.Offset) (took []time.Duration, waited int) {
	const window = 1
	d.protos[0].kernel.Limit(n + 1)
	t, p := d.tasks[window], d.protos[window]
	since, seen := 0, 0
	for worked := true; worked; {
		worked = false
		for at := 0; at < len(d.queue); at++ {
			d.tasks[d.queue[at].task].Step(&d.queue[at].ev)
		}
		d.queue = d.queue[:0]
		for i, task := range d.tasks {
			if !task.Runnable() {
				continue
			}
			worked = true
			start := time.Now()
			task.Step(&dataflow.Event{Kind: dataflow.EvTurn})
			if i != window || !p.kernel.Firing() {
				continue
			}
			if p.controls > seen {
				seen, since = p.controls, 0
				continue
			}
			took = append(took, time.Since(start))
			if since++; seen < p.sent {
				waited = max(waited, since)
			} else if since >= 10 {
				p.sent, since = p.sent+1, 0
				t.Step(&dataflow.Event{Kind: dataflow.EvArrive, Buffer: &dataflow.Buffer{
					Item: dataflow.Control, Over: true, Watermark: dataflow.NoWatermark, Shared: true, Epoch: id.MakeEpoch(1, uint32(p.sent)),
				}})
			}
		}
	}
	if p.sent == 0 || seen != p.sent {
		d.t.Fatalf("%d barriers of %d were delivered", seen, p.sent)
	}
	return took, waited
}
