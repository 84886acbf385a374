package nexmark

import (
	"bytes"
	"errors"
	"fmt"

	"weir/workloads"
)

var (
	_ workloads.Timed = (*Workload)(nil)
	_ workloads.Sized = (*Workload)(nil)
)

// Answers finds the event behind a row by its event time. q0 and q1: the event
// that the row shows. q5 and q8: the event that let the watermark pass the
// window's end, which is the first of its split to do so; since every
// split must have, it is the last of their first ones. Which event a window
// waits for does not depend on which were counted in it.
//
// Rows have their times in milliseconds, so that q0 and q1 can tell only as long
// as no two events share one; and with a group that leaves events out and
// repeats others, a row does not tell which of the equal events made it.
func (w *Workload) Answers(splits int) (workloads.Answers, error) {
	if err := w.Validate(); err != nil {
		return workloads.Answers{}, err
	}
	s, times := w.settings, newSchedule(&w.settings)
	if !w.PerRecord() {
		return workloads.Answers{Record: w.windowEnds(s, times, int64(splits))}, nil
	}
	field := map[bool]string{true: `"ts":`, false: `"dateTime":`}[w.query == "q0"]
	back, ok := inverse(multiplier, s.OutOfOrderGroupSize)
	if !ok {
		return workloads.Answers{}, fmt.Errorf("nexmark: with outOfOrderGroupSize=%d, a multiple of %d, events repeat and rows do not tell which made them: choose another size", s.OutOfOrderGroupSize, multiplier)
	}
	if times.shortestDelay() < 1000 {
		return workloads.Answers{}, errors.New("nexmark: several events have the same millisecond, and rows do not tell which made them: lower firstEventRate and nextEventRate, or raise numEventGenerators")
	}
	group := s.OutOfOrderGroupSize
	return workloads.Answers{Prompt: true, Record: func(row []byte) int64 {
		at, ok := numberAfter(row, field)
		if !ok {
			return -1
		}
		adjusted := times.first(at)
		number := adjusted/group*group + adjusted%group*back%group
		return number - s.FirstEventNumber
	}}, nil
}

// windowEnds returns the event that each row's window waits for.
func (w *Workload) windowEnds(s Settings, times *schedule, splits int64) func(row []byte) int64 {
	field, size := `"windowEnd":`, int64(0)
	if w.query == "q8" {
		field, size = `"windowStart":`, s.WindowSizeSec*1000
	}
	group := s.OutOfOrderGroupSize
	return func(row []byte) int64 {
		at, ok := numberAfter(row, field)
		if !ok {
			return -1
		}
		// An event's watermark is the time of the first event of its group.
		number := (times.first(at+size) + group - 1) / group * group
		return max(number-s.FirstEventNumber, 0) + splits - 1
	}
}

// numberAfter reads the number behind the first occurrence of a key.
func numberAfter(row []byte, key string) (n int64, ok bool) {
	_, rest, found := bytes.Cut(row, []byte(key))
	for i, c := range rest {
		if c < '0' || c > '9' {
			return n, found && i > 0
		}
		n = 10*n + int64(c-'0')
	}
	return 0, false
}

// inverse returns x with a*x = 1 modulo m, if there is one.
func inverse(a, m int64) (x int64, ok bool) {
	r, next := m, a%m
	var t, u int64 = 0, 1
	for next != 0 {
		q := r / next
		r, next = next, r-q*next
		t, u = u, t-q*u
	}
	return (t%m + m) % m, r == 1
}

// Sizes of a job, about.
const (
	windowEntry = 64        // bytes of an entry of a window's state
	rowExtra    = 150       // bytes of a row beside the payload, its frame included
	windowRow   = 8         // bytes of rows of q5 or q8 per event: most make none
	mostEvents  = 2_000_000 // events per second; their text takes that long to make
)

// Size counts what the open windows hold, or the rows of single events.
func (w *Workload) Size(records int64) workloads.Size {
	s := &w.settings
	if w.PerRecord() {
		payload := (s.AvgPersonByteSize + auctionsPerEpoch*s.AvgAuctionByteSize + (eventsPerEpoch-auctionsPerEpoch-1)*s.AvgBidByteSize) / eventsPerEpoch
		return workloads.Size{Output: records * (payload*3/2 + rowExtra), MostRecords: mostEvents}
	}
	times := newSchedule(s)
	open := times.first(s.BaseTime + 1000*(s.WindowSizeSec+s.WindowPeriodSec))
	return workloads.Size{Fill: open, State: open * windowEntry, Output: records * windowRow, MostRecords: mostEvents}
}
