package dataflow

import (
	"bytes"
	"fmt"

	"weir/state"
	"weir/trace"
)

// Names of the timers of a task among its keyed states.
const (
	EventTimers      = "timers.event"
	processingTimers = "timers.processing"
)

// openTimers opens the timers that the operator can be told of. They are keyed
// state: a task whose input is not partitioned by key has none.
func (t *Task) openTimers(keyed bool) (err error) {
	if t.onTimer != nil && keyed {
		if t.timers, err = t.store.Timers(EventTimers); err != nil {
			return err
		}
	}
	if t.onClock != nil && keyed && t.decider == nil {
		t.clock, err = t.store.Timers(processingTimers)
	}
	return err
}

// setTimer adds an event-time timer. One that is due already fires at the end of
// the turn, or, if timers are firing, among them.
func (t *Task) setTimer(at int64, key []byte) {
	if t.timers == nil {
		t.noTimers("OnTimer")
		return
	}
	if at <= t.watermark {
		if t.cfg.Mutant == MutantSilentPastTimer {
			return
		}
		t.past = true
	}
	t.timers.Set(at, t.ctx.Key(key))
}

func (t *Task) noTimers(method string) {
	t.fail(fmt.Errorf("a timer is set by %T, which needs a method %s and a vertex that is Keyed", t.op, method))
}

// pastTimers begins to fire timers that were set at or behind the watermark.
func (t *Task) pastTimers() {
	if t.past && !t.firing && t.phase == running {
		t.firing = true
		t.fire(t.cfg.TimersPerTurn)
	}
}

// fire tells the operator of at most most timers up to the watermark under way,
// then, when none is left, the outputs of the watermark itself.
func (t *Task) fire(most int) {
	if done := t.fireTimers(most); !done || t.phase == failed {
		return
	}
	t.firing, t.past = false, false
	if t.cfg.Mutant != MutantForgetExpiry || !t.restored {
		t.times.Advance(state.EventTime, t.watermark)
	}
	if !t.advancing {
		return
	}
	t.advancing = false
	if t.watermark == EndOfTime {
		return // EndData says as much
	}
	for i := range t.outputs {
		if !t.outputs[i].Back || t.cfg.Mutant == MutantBackEdgeTells { // what comes round says nothing of what is still to come
			t.outputs[i].setWatermark(t.watermark)
		}
	}
}

// fireTimers fires at most most timers that are due, -1 for all; done: none is left.
func (t *Task) fireTimers(most int) (done bool) {
	if t.timers == nil {
		return true
	}
	if t.again.key != nil { // MutantFireTwice
		t.timers.Cancel(t.again.at, t.ctx.Key(t.again.key))
		t.again = dueTimer{}
	}
	for {
		if most == 0 {
			return !t.dueBy(t.watermark)
		}
		at, _, key, ok := t.timers.Pop(t.watermark)
		if !ok {
			return true
		}
		most--
		t.observeTime(trace.TimerFired, at, key)
		if t.cfg.Mutant != MutantExpiryBehind {
			t.tellTime(at)
		}
		if err := t.onTimer.OnTimer(at, key); err != nil {
			t.fail(err)
			return false
		}
		if most == 0 && t.cfg.Mutant == MutantFireTwice && !t.dueBy(at) {
			t.timers.Set(at, t.ctx.Key(key))
			t.again = dueTimer{at, bytes.Clone(key)}
			return false
		}
	}
}

// tellTime tells the store the time before the operator works with it: event time
// has come to at. Processing time is read only if something expires by it.
func (t *Task) tellTime(at int64) {
	if t.cfg.Mutant == MutantForgetExpiry && t.restored {
		return
	}
	t.times.Advance(state.EventTime, at)
	if t.times.Uses(state.ProcessingTime) {
		t.times.Advance(state.ProcessingTime, t.now())
	}
}

// dueBy reports that a timer of at or before is set.
func (t *Task) dueBy(at int64) bool {
	first, ok := t.timers.First()
	return ok && first <= at
}

// dueTimer is a timer that MutantFireTwice has fired and not yet removed.
type dueTimer struct {
	at  int64
	key []byte
}

// slice is a turn while timers are due. A control item that has reached the head
// of an input goes first: a barrier does not wait for all of them. Where choices
// are recorded it does wait, so that a repetition puts it at the same place.
func (t *Task) slice() {
	if t.decider == nil {
		if i := t.control(); i >= 0 {
			t.take(i)
			return
		}
	}
	if t.firing {
		t.fire(t.cfg.TimersPerTurn)
	} else {
		t.fireClock(t.cfg.TimersPerTurn)
		t.pastTimers()
	}
	if t.phase == failed {
		return
	}
	t.endTurn()
	if t.source == nil {
		t.endOfInput()
	}
	if t.afterer != nil && t.phase == running {
		t.afterer.After(-1)
	}
}

// control returns an input that may be served and has a control item first, or -1.
func (t *Task) control() int {
	for i := range t.inputs {
		if in := &t.inputs[i]; in.blocked == 0 && in.q.len() > 0 && in.q.at(0).Item == Control {
			return i
		}
	}
	return -1
}

// setClockTimer adds a processing-time timer.
func (t *Task) setClockTimer(at int64, key []byte) {
	switch {
	case t.decider != nil:
		t.fail(fmt.Errorf("%T sets a processing-time timer, and the algorithm repeats recorded choices: between which buffers it fires is none of them", t.op))
		return
	case t.clock == nil:
		t.noTimers("OnProcessingTimer")
		return
	}
	t.observeClock(trace.TimerSet, at, key)
	t.clock.Set(at, t.ctx.Key(key))
	t.wake()
}

// wake asks the driver for the time of the first processing-time timer, unless
// it is asked for that time or an earlier one already.
func (t *Task) wake() {
	if t.clock == nil || t.ended || t.clockDue {
		return
	}
	at, ok := t.clock.First()
	if !ok || t.alarm != 0 && t.alarmAt <= at {
		return
	}
	t.alarm, t.alarmAt = t.ticket(&effect{kind: effectAlarm}), at
	t.observeClock(trace.TimerAwaited, at, nil)
	t.host.Timer(t.alarm, Nanos(max(0, at-t.now())))
}

// clockFires reports that processing-time timers are due and may fire.
func (t *Task) clockFires() bool { return t.clockDue && !t.clockHeld && !t.saving.held() && !t.ended }

// fireClock fires at most most timers that the clock has reached.
func (t *Task) fireClock(most int) {
	for ; most > 0; most-- {
		at, _, key, ok := t.clock.Pop(t.clockAt)
		if !ok {
			break
		}
		t.observeClock(trace.TimerFired, at, key)
		t.tellTime(t.watermark)
		if err := t.onClock.OnProcessingTimer(at, key); err != nil {
			t.fail(err)
			return
		}
	}
	if first, ok := t.clock.First(); ok && first <= t.clockAt {
		return
	}
	t.clockDue = false
	t.wake()
}

// dueClock is the answer to wake: the timers that are due fire from the next turn on.
func (t *Task) dueClock() {
	t.alarm = 0
	if t.phase != running || t.ended || t.clockDue {
		return
	}
	if t.clockAt = t.now(); t.clockAt >= t.alarmAt {
		t.clockDue = true
		return
	}
	t.wake()
}
