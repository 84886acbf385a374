package dataflow

func (t *Task) inputWatermark(i int, wm int64) {
	in := &t.inputs[i]
	if wm <= in.wm {
		return
	}
	in.wm = wm
	low := int64(EndOfTime)
	for k := range t.inputs {
		low = min(low, t.inputs[k].wm)
	}
	t.advanceWatermark(low)
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
			t.outputs[i].setWatermark(wm)
		}
	}
}
