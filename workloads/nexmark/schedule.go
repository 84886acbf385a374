package nexmark

import (
	"fmt"
	"math"
)

// schedule maps an event's number to its time. A constant rate is one step
// without an end; a changing one is an epoch of steps that repeats.
type schedule struct {
	baseTime int64 // ms
	steps    []rateStep

	epochEvents int64 // sum over the steps
	epochMillis int64 // sum over the steps
}

// rateStep is a stretch of time with one delay between events. Its length is
// that of the whole events in it, so that an epoch is a little shorter than
// ratePeriodSec.
type rateStep struct {
	delayMicros int64
	events      int64
	millis      int64
}

// newSchedule needs settings that passed the checks of single values.
func newSchedule(s *Settings) *schedule {
	delays := delaysMicros(s)
	count := int64(len(delays))
	stepSec := (s.RatePeriodSec + count - 1) / count
	t := &schedule{baseTime: s.BaseTime}
	for _, delay := range delays {
		step := rateStep{delayMicros: delay, events: stepSec * 1_000_000 / delay}
		step.millis = step.events * delay / 1000
		t.steps = append(t.steps, step)
		t.epochEvents += step.events
		t.epochMillis += step.millis
	}
	return t
}

// delaysMicros returns the delay between events of each step of an epoch; one
// for a constant rate.
func delaysMicros(s *Settings) []int64 {
	first, next := s.FirstEventRate, s.NextEventRate
	if first == next {
		return []int64{delayMicros(s, first)}
	}
	if s.RateShape == Square {
		return []int64{delayMicros(s, first), delayMicros(s, next)}
	}
	const sineSteps = 10
	middle := float64(first+next) / 2
	amplitude := float64(first-next) / 2 // below zero when the rate begins low
	delays := make([]int64, sineSteps)
	for i := range delays {
		swing := float64(amplitude * math.Cos(2*math.Pi*float64(i)/sineSteps))
		delays[i] = delayMicros(s, int64(math.Floor(middle+swing+0.5)))
	}
	return delays
}

// delayMicros is the time from one event to the next at a rate per second,
// positive for rates up to maxRate.
func delayMicros(s *Settings, rate int64) int64 {
	return (1_000_000 + rate/2) / rate * s.NumEventGenerators
}

// at returns the time of event number n in ms. n is at most lastNumber's.
func (t *schedule) at(n int64) int64 {
	if len(t.steps) == 1 {
		return t.baseTime + n*t.steps[0].delayMicros/1000
	}
	at := t.baseTime + n/t.epochEvents*t.epochMillis
	n %= t.epochEvents
	for _, step := range t.steps {
		if n < step.events {
			return at + n*step.delayMicros/1000
		}
		n -= step.events
		at += step.millis
	}
	panic("nexmark: the steps hold fewer events than their epoch")
}

// first returns the number of the first event that is not before a time in ms.
func (t *schedule) first(at int64) int64 {
	at -= t.baseTime
	n := int64(0)
	if len(t.steps) > 1 && at > 0 {
		n, at = at/t.epochMillis*t.epochEvents, at%t.epochMillis
	}
	for _, step := range t.steps {
		within := (max(at, 0)*1000 + step.delayMicros - 1) / step.delayMicros
		if len(t.steps) == 1 || within < step.events {
			return n + within
		}
		n, at = n+step.events, at-step.millis
	}
	return n // the first of the next epoch
}

// shortestDelay is the least time between two events, microseconds.
func (t *schedule) shortestDelay() int64 {
	shortest := t.steps[0].delayMicros
	for _, step := range t.steps {
		shortest = min(shortest, step.delayMicros)
	}
	return shortest
}

// lastNumber bounds the event numbers whose time is asked for: the last one's
// group filled up, and the furthest that an auction looks ahead to expire.
func lastNumber(s *Settings) int64 {
	return s.FirstEventNumber + s.NumEvents + s.OutOfOrderGroupSize + expiryDistance(s)
}

func (t *schedule) validate(s *Settings) error {
	if len(t.steps) > 1 && t.epochEvents == 0 {
		return fmt.Errorf("nexmark: ratePeriodSec=%d is too short for a single event at %d to %d events per second from one of %d generators",
			s.RatePeriodSec, s.FirstEventRate, s.NextEventRate, s.NumEventGenerators)
	}
	longest := int64(0)
	for _, step := range t.steps {
		longest = max(longest, step.delayMicros)
	}
	if lastNumber(s) > maxTimeMillis/longest*1000 {
		return fmt.Errorf("nexmark: event number %d at up to %d microseconds per event lies more than %d ms ahead: fewer events, a smaller firstEventNumber or a higher rate are needed",
			lastNumber(s), longest, int64(maxTimeMillis))
	}
	return nil
}
