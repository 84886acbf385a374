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

// TestWhichRecordsAreTooLateBehindAChange: of two instances one stood at 40 and the other at
// 60 when the graph changed; a record that is too late from 50 on is if its key group was
// the other's.
func TestWhichRecordsAreTooLateBehindAChange(t *testing.T) {
	const probe, taken, notLate = 16, "1 records of a buffer came too late at watermark 60 and were not given up", "a record is given up as too late at watermark 40, at which it is not"
	for _, x := range []struct {
		name  string
		group uint16
		gives bool
		way   func(w *legs) // from the change to the record
		want  string        // in the only complaint of the oracle; "": none
	}{
		{"given up", 3, true, nil, ""},
		{"taken", 3, false, nil, taken},
		{"given up, of the one that was behind", 1, true, nil, notLate},
		{"taken, of the one that was behind", 1, false, nil, ""},
		{"taken, a checkpoint and a crash later", 3, false, func(w *legs) { w.backTo(epoch(2, 1)) }, taken},
		{"given up, a checkpoint and a crash later", 3, true, func(w *legs) { w.backTo(epoch(2, 1)) }, ""},
		{"given up, of the one behind, a checkpoint and a crash later", 1, true, func(w *legs) { w.backTo(epoch(2, 1)) }, notLate},
		{"taken, a crash later", 3, false, func(w *legs) { w.crash(); w.restore(epoch(1, 1)); w.flow() }, taken},
		{"taken, in a third graph", 3, false, func(w *legs) { w.third() }, taken},
		{"given up, in a third graph", 3, true, func(w *legs) { w.third() }, ""},
		{"given up, of the one behind, in a third graph", 1, true, func(w *legs) { w.third() }, notLate},
		{"taken, of the one behind, when the task is there itself", 1, false, func(w *legs) { w.watermark(60) }, taken},
		{"given up, of the one behind, when the task is there itself", 1, true, func(w *legs) { w.watermark(60) }, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := newLegs(t, narrow, func(e *Expect) {
				e.TooLate = func(rec []byte, wm int64) bool { return binary.LittleEndian.Uint32(rec) == probe && wm > 50 }
				e.Groups, e.Group = 4, func([]byte) uint16 { return x.group }
			})
			w.watermark(40)
			w.emit(0, 4)
			w.flow()
			w.ahead(60)
			w.snapshot(epoch(1, 1))
			w.complete(epoch(1, 1))
			w.becomes(wide, epoch(1, 1))
			w.flow()
			if x.way != nil {
				x.way(w)
			}
			w.emit(0, 1)
			w.flow()
			if x.gives {
				at := w.at.wm
				w.tell(trace.Event{Kind: trace.RecordLate, Task: w.c.x.Channels[w.shape.toCount(0, w.shape.count(probe))].To, Channel: trace.NoChannel, At: at, Data: binary.LittleEndian.AppendUint32(nil, probe)})
			}
			w.snapshot(epoch(9, 1))
			r := w.verdict()
			if n := r.Counts[EventTime]; n > 1 || (n > 0) != (x.want != "") || x.want != "" && !contains(r, EventTime, x.want) {
				t.Errorf("%v, want one that says %q", r.Violations, x.want)
			}
		})
	}
}

// TestLatenessBehindAChangeIsOfKeys: if nobody has said the key groups, it is not known behind a change of the graph
// which records are too late. Before, it is.
func TestLatenessBehindAChangeIsOfKeys(t *testing.T) {
	for _, changes := range []bool{true, false} {
		w := newLegs(t, narrow, func(e *Expect) {
			e.TooLate = func(_ []byte, wm int64) bool { return wm > 50 }
		})
		w.watermark(40)
		w.emit(0, 4)
		w.flow()
		w.ahead(60)
		w.snapshot(epoch(1, 1))
		w.complete(epoch(1, 1))
		if changes {
			w.becomes(wide, epoch(1, 1))
			w.flow()
		}
		w.tell(trace.Event{Kind: trace.RecordLate, Task: w.c.x.Channels[w.shape.toCount(0, 0)].To, Channel: trace.NoChannel, At: 40, Data: binary.LittleEndian.AppendUint32(nil, 1)})
		if r := w.verdict(); (r.Counts[EventTime] == 0) != changes {
			t.Errorf("changes %v: %v", changes, r.Violations)
		}
	}
}

// ahead lets event time come to wm at the second counting task alone.
func (w *legs) ahead(wm int64) {
	was := w.at.wm
	w.at.wm = wm
	for n := range w.at.offset {
		w.tell(trace.Event{Kind: trace.WatermarkSaid, Task: id.TaskID(w.shape.source(n)), Channel: trace.NoChannel, Split: id.SplitID(n), At: wm})
	}
	for from := range w.shape.sources {
		ch := w.shape.toCount(from, 1)
		w.seal(ch, mark)
		w.deliver(ch, 1<<30)
	}
	w.at.wm = was
}

// backTo completes checkpoint e and goes back to it.
func (w *legs) backTo(e id.Epoch) {
	w.snapshot(e)
	w.complete(e)
	w.crash()
	w.restore(e)
	w.flow()
}

// third has the job become slim.
func (w *legs) third() {
	w.snapshot(epoch(2, 1))
	w.complete(epoch(2, 1))
	w.becomes(slim, epoch(2, 1))
	w.flow()
}
