package job

import (
	"encoding/binary"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/results"
)

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
	schedule     *schedule
	of           func(row []byte) (seq int64) // as workloads.Answers has it
	measured     int64                        // length of the measured time
	began, until int64                        // since the epoch
	all          *hdrhistogram.Histogram
	windows      []*hdrhistogram.Histogram // nil: no timeline
	timeline     bool
	outside      int64 // too long for the histogram
}

func newLatencies(s *schedule, of func(row []byte) int64, measured time.Duration, timeline bool) *latencies {
	return &latencies{schedule: s, of: of, measured: int64(measured), all: newHistogram(), timeline: timeline}
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(lowestLatency, highestLatency, latencyDigits)
}

// rows notes the latencies of rows, in the framing of dataflow.AppendRecord, that
// have arrived at a time.
func (l *latencies) rows(rows []byte, now int64) {
	began := l.schedule.counters.Get(CounterBegan)
	if began == 0 {
		return
	}
	l.began, l.until = began, began+l.measured
	opened := l.schedule.counters.Get(CounterOpened)
	eachRow(rows, func(row []byte) {
		if seq := l.of(row); seq >= 0 {
			l.record(l.schedule.dueAt(seq, opened), now)
		}
	})
}

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
	sum := &latencies{all: newHistogram()}
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
