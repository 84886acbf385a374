package job

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/internal/bench/machine"
	"weir/live"
)

// schedule is the load generator's plan: as fast as possible up to the records
// that fill the state, from there at a rate, or without one.
type schedule struct {
	counters *Counters
	splits   int
	rate     int64 // 0: closed loop
	fill     int64 // records of each split before the schedule begins
	hold     int64 // 0: none
	quantum  int64
}

// lead is the time between the last source being ready for the schedule and its
// first record.
const lead = int64(20 * time.Millisecond)

// Allow implements live.Pacer.
func (p *schedule) Allow(s *dataflow.TaskInfo, split int, o id.Offset, now int64) (n int, next int64) {
	if limit, ok := p.counters.Limit(); ok && int64(o) >= limit {
		return 1, 0 // the turn in which the source says that the split is done
	}
	if p.hold > 0 && int64(o) >= p.hold {
		return 0, now + int64(time.Millisecond)
	}
	if n, next = p.due(s, split, o, now); p.hold > 0 {
		n = int(min(int64(n), p.hold-int64(o)))
	}
	return n, next
}

const plenty = 1 << 30

func (p *schedule) due(s *dataflow.TaskInfo, split int, o id.Offset, now int64) (n int, next int64) {
	switch {
	case p.rate == 0:
		return plenty, 0
	case int64(o) < p.fill:
		return int(p.fill - int64(o)), 0
	}
	opened := p.opened(now)
	if opened == 0 {
		return 0, now + int64(200*time.Microsecond)
	}
	r := live.Rate{Start: opened, PerSecond: p.rate, Quantum: dataflow.Nanos(p.quantum)}
	return r.Allow(s, split, o-id.Offset(p.fill), now)
}

// opened returns the time of the schedule's first record, fixing it when the
// last split has filled its part of the state.
func (p *schedule) opened(now int64) int64 {
	if t := p.counters.Get(CounterOpened); t != 0 {
		return t
	}
	for i := range p.splits {
		if p.counters.Offset(i) < p.fill {
			return 0
		}
	}
	p.counters.SetOnce(CounterOpened, now+lead)
	return p.counters.Get(CounterOpened)
}

// backlog returns how many records are due at a time and not handed out.
func (p *schedule) backlog(now int64) int64 {
	opened := p.counters.Get(CounterOpened)
	if p.rate == 0 || opened == 0 || now < opened {
		return 0
	}
	emitted, _ := p.counters.Emitted(p.splits)
	due := p.dueTotal(now)
	if limit, ok := p.counters.Limit(); ok {
		due = min(due, limit*int64(p.splits))
	}
	return max(due-emitted, 0)
}

// dueTotal returns how many records are due at a time, over all splits.
func (p *schedule) dueTotal(now int64) int64 {
	elapsed := now - p.counters.Get(CounterOpened)
	return p.fill*int64(p.splits) + elapsed/1e9*p.rate + elapsed%1e9*p.rate/1e9
}

// dueAt returns when a record was due, since the epoch, in a schedule that was
// opened at a time; negative: it is none of the schedule's, but filled the state.
func (p *schedule) dueAt(seq, opened int64) int64 {
	if seq -= p.fill * int64(p.splits); seq < 0 {
		return -1
	}
	r := live.Rate{Start: opened, PerSecond: p.rate}
	return r.Intended(id.Offset(seq), 0, 1)
}

// measuredSource is a source that publishes how far its splits are handed out,
// measures the time it takes, and ends where the shared limit says.
type measuredSource struct {
	dataflow.Source
	counters *Counters
	spent    *atomic.Int64 // ns of CPU time in Emit, over all sources
	batches  uint64
	clock    func() int64
	next     [MaxSplits]int64
	// restarted: it looks for the first record of a split that was not handed out at the kill.
	restarted bool
}

// Seek implements dataflow.Source.
func (s *measuredSource) Seek(split int, o id.Offset) error {
	if split >= MaxSplits {
		return fmt.Errorf("split %d: at most %d splits can be measured", split, MaxSplits)
	}
	s.next[split] = int64(o)
	s.counters.setSplit(split, splitRestored, int64(o)+1)
	return s.Source.Seek(split, o)
}

// Emit implements dataflow.Source.
func (s *measuredSource) Emit(split, most int) (b dataflow.Batch, err error) {
	from := s.next[split]
	limit, ends := s.counters.Limit()
	if ends {
		if from > limit {
			return b, fmt.Errorf("%d records of split %d are handed out, the input ends after %d: the end was set too late", from, split, limit)
		}
		most = int(min(int64(most), limit-from))
	}
	b.Watermark = dataflow.NoWatermark
	if most > 0 {
		b, err = s.emit(split, most)
	}
	o := from + int64(b.Records)
	s.next[split] = o
	s.counters.setSplit(split, splitOffset, o)
	if s.restarted && o > s.counters.getSplit(split, splitKilled) && s.counters.Get(CounterNew) == 0 {
		s.counters.SetOnce(CounterNew, s.clock())
	}
	if b.Done = b.Done || ends && o >= limit; b.Done {
		s.counters.Set(CounterLast, s.clock())
	}
	return b, err
}

// timedEvery is how many batches of a source there are to one whose CPU time is
// taken: asking for it costs as much as a few records.
const timedEvery = 16

func (s *measuredSource) emit(split, most int) (b dataflow.Batch, err error) {
	if s.batches++; s.batches%timedEvery != 0 {
		return s.Source.Emit(split, most)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := machine.ThreadTime()
	b, err = s.Source.Emit(split, most)
	s.spent.Add(timedEvery * (machine.ThreadTime() - began))
	return b, err
}

// measuredSink is a sink that measures how long after its record was due a row
// arrives, and finds the first row of a new record after a kill.
type measuredSink struct {
	dataflow.Sink
	ctx      *dataflow.Context
	record   func(row []byte) (seq int64) // as workloads.Answers has it
	late     *latencies                   // nil: nothing is measured
	newFrom  int64                        // a row that answers this record or a later one is new; 0: nobody asks
	counters *Counters
}

func (s *measuredSink) Open(c *dataflow.Context) error {
	s.ctx = c
	return s.Sink.Open(c)
}

// Process implements dataflow.Sink.
func (s *measuredSink) Process(port int, b *dataflow.Buffer) error {
	switch {
	case s.newFrom > 0:
		s.lookForNew(b)
	case s.late != nil:
		s.late.rows(b.Data, s.ctx.Now())
	}
	return s.Sink.Process(port, b)
}

func (s *measuredSink) lookForNew(b *dataflow.Buffer) {
	for row, rest := dataflow.NextRecord(b.Data); row != nil; row, rest = dataflow.NextRecord(rest) {
		if s.record(row) >= s.newFrom {
			s.counters.SetOnce(CounterNew, s.ctx.Now())
			s.newFrom = 0
			return
		}
	}
}
