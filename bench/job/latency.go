package job

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/results"
	"weir/workloads"
	"weir/workloads/keyedcount"
)

// IntendedTime returns how to read the intended time of the record that caused
// a sink row, nanoseconds from the schedule's own zero; negative: nobody
// caused it. ok is false for workloads whose rows do not say.
func IntendedTime(w workloads.Workload) (of func(row []byte) int64, ok bool) {
	if _, ok := w.(*keyedcount.Workload); !ok {
		return nil, false
	}
	return func(row []byte) int64 {
		// The last records of a stream are emitted by its end, with time 0.
		if n := keyedcount.RowNanos(row); n != 0 {
			return n
		}
		return -1
	}, true
}

// scheduled is the time of record seq in a schedule of rate records per second
// that begins at 0, as the workload writes it into the record.
func scheduled(seq, rate int64) int64 {
	hi, lo := bits.Mul64(uint64(seq), 1_000_000_000<<32/uint64(rate))
	return int64(hi<<32 | lo>>32)
}

// Histograms hold nanoseconds from one microsecond to ten minutes.
const (
	lowestLatency  = int64(time.Microsecond)
	highestLatency = int64(10 * time.Minute)
	latencyDigits  = 3
	windowDigits   = 2
)

// window is the width of a point of the timeline.
const window = 50 * time.Millisecond

// latencies collects the latencies of one goroutine: all of them, and by window
// of intended time. Only records intended within the measured time count.
type latencies struct {
	measured     int64 // length of the measured time
	began, until int64 // since the epoch
	all          *hdrhistogram.Histogram
	windows      []*hdrhistogram.Histogram // nil: no timeline
	timeline     bool
	outside      int64 // too long for the histogram
}

func newLatencies(measured time.Duration, timeline bool) *latencies {
	return &latencies{measured: int64(measured), all: hdrhistogram.New(lowestLatency, highestLatency, latencyDigits), timeline: timeline}
}

// span says when the measured time began.
func (l *latencies) span(began int64) { l.began, l.until = began, began+l.measured }

// record notes the latency of a record that was intended at a time.
func (l *latencies) record(intended, now int64) {
	if intended < l.began || intended >= l.until {
		return
	}
	v := max(now-intended, 0)
	if l.all.RecordValue(v) != nil {
		l.outside++
		return
	}
	if !l.timeline {
		return
	}
	i := int((intended - l.began) / int64(window))
	for i >= len(l.windows) {
		l.windows = append(l.windows, nil)
	}
	if l.windows[i] == nil {
		l.windows[i] = hdrhistogram.New(lowestLatency, highestLatency, windowDigits)
	}
	_ = l.windows[i].RecordValue(v) // the range is the same
}

// merge adds up what several goroutines have collected.
func merge(all []*latencies) *latencies {
	sum := newLatencies(0, true)
	for _, l := range all {
		sum.outside += l.outside + sum.all.Merge(l.all)
		for i, h := range l.windows {
			for i >= len(sum.windows) {
				sum.windows = append(sum.windows, nil)
			}
			switch {
			case h == nil:
			case sum.windows[i] == nil:
				sum.windows[i] = h
			default:
				sum.windows[i].Merge(h)
			}
		}
	}
	return sum
}

// points returns the timeline in milliseconds.
func (l *latencies) points() []results.TimelinePoint {
	var points []results.TimelinePoint
	ms := func(ns int64) float64 { return float64(ns) / 1e6 }
	for i, h := range l.windows {
		if h == nil {
			continue
		}
		points = append(points, results.TimelinePoint{
			TMS: ms(int64(i) * int64(window)), P50: ms(h.ValueAtQuantile(50)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max()), Count: h.TotalCount(),
		})
	}
	return points
}

// eachRow calls f for every row of rows in the framing of dataflow.AppendRecord.
func eachRow(rows []byte, f func(row []byte)) {
	for len(rows) > 0 {
		n, k := binary.Uvarint(rows)
		if k <= 0 || uint64(len(rows)-k) < n {
			return // checked when it entered the store
		}
		f(rows[k : k+int(n)])
		rows = rows[k+int(n):]
	}
}
