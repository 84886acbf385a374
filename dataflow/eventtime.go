package dataflow

// inputWatermark takes the watermark of an input; the task's is the lowest of
// all. They are looked at again only when the last input that held it back moves.
func (t *Task) inputWatermark(i int, wm int64) {
	in := &t.inputs[i]
	if wm <= in.wm {
		return
	}
	old := in.wm
	in.wm = wm
	switch {
	case t.atLow > 0 && old > t.low:
		return
	case t.atLow > 1:
		t.atLow--
		return
	}
	t.low, t.atLow = EndOfTime, 0
	for k := range t.inputs {
		switch w := t.inputs[k].wm; {
		case w < t.low:
			t.low, t.atLow = w, 1
		case w == t.low:
			t.atLow++
		}
	}
	t.advanceWatermark(t.low)
}

// advanceWatermark puts a watermark under way: timers that it makes due fire, this
// turn as many as Config allows and the others in turns of their own, and then
// the operator and the outputs are told. Until that is over no data is served.
func (t *Task) advanceWatermark(wm int64) {
	if wm <= t.watermark {
		return
	}
	t.watermark = wm
	if t.ahead != nil {
		t.passAhead()
	}
	t.firing, t.advancing = true, true
	t.fire(t.cfg.TimersPerTurn)
}
