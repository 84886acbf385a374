package check

import (
	"encoding/binary"
	"testing"

	"weir/id"
	"weir/trace"
)

// brought tells that task 2 takes a record, which brings a watermark.
func (w *world) brought(ch id.ChannelID, r uint32, wm int64) {
	w.taken[ch]++
	w.tell(trace.Event{Kind: trace.Delivered, Task: 2, Channel: ch, From: w.taken[ch] - 1, To: w.taken[ch], Data: frame(r), At: wm})
}

// TestWhichRecordsAreTooLate: from watermark 100 on those beyond number 10 are.
func TestWhichRecordsAreTooLate(t *testing.T) {
	late := func(w *world, r uint32) {
		w.tell(trace.Event{Kind: trace.RecordLate, Task: 2, Channel: trace.NoChannel, At: 100, Data: binary.LittleEndian.AppendUint32(nil, r)})
	}
	begin := func() *world {
		w := newWorld(t, func(x *Expect) {
			x.TooLate = func(rec []byte, wm int64) bool { return wm >= 100 && binary.LittleEndian.Uint32(rec) > 10 }
		})
		w.brought(0, 0, 100)
		w.brought(2, 12, 100) // it is the first that brings the watermark
		w.brought(0, 4, trace.NoTime)
		w.brought(0, 20, trace.NoTime)
		return w
	}
	w := begin()
	late(w, 20)
	w.brought(0, 8, trace.NoTime)
	if r := w.verdict(); r.Counts[EventTime] > 0 {
		t.Error(r.Violations)
	}
	late(w, 8)
	mustFire(t, w.verdict(), "a record is given up as too late at watermark 100, at which it is not", EventTime, Progress)
	w = begin()
	w.brought(0, 8, trace.NoTime)
	mustFire(t, w.verdict(), "1 records of a buffer came too late at watermark 100 and were not given up", EventTime, Progress)
}
