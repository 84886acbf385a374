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

func (t *Task) advanceWatermark(wm int64) {
	if wm <= t.watermark {
		return
	}
	t.watermark = wm
	if t.onTimer != nil {
		for due, ok := t.timers.due(wm); ok; due, ok = t.timers.due(wm) {
			if err := t.onTimer.OnTimer(due.at, due.key); err != nil {
				t.fail(err)
				return
			}
		}
	}
	if t.onWM != nil {
		if err := t.onWM.OnWatermark(wm); err != nil {
			t.fail(err)
			return
		}
	}
	if wm != EndOfTime { // EndData says as much
		for i := range t.outputs {
			if !t.outputs[i].Back { // what comes round says nothing of what is still to come
				t.outputs[i].setWatermark(wm)
			}
		}
	}
}
