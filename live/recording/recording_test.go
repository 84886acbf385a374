package recording_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/dataflow"
	"weir/id"
	"weir/live/recording"
	"weir/state"
)

func blob(t *rapid.T, name string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, name)
}

func anyEvent(t *rapid.T) *dataflow.Event {
	ev := &dataflow.Event{
		Kind: dataflow.EventKind(rapid.IntRange(1, 14).Draw(t, "kind")), Ext: dataflow.ExtStatus(rapid.IntRange(0, 4).Draw(t, "ext")),
		Port: rapid.IntRange(0, 300).Draw(t, "port"), N: rapid.IntRange(0, 1e6).Draw(t, "n"), Seq: id.Seq(rapid.Uint64().Draw(t, "seq")),
		Ticket: id.Ticket(rapid.Uint64().Draw(t, "ticket")), Attempt: id.Attempt(rapid.Uint32().Draw(t, "attempt"))}
	for range rapid.IntRange(0, 2).Draw(t, "offsets") {
		ev.Offsets = append(ev.Offsets, id.Offset(rapid.Uint64().Draw(t, "offset")))
	}
	if rapid.Bool().Draw(t, "has buffer") {
		ev.Buffer = &dataflow.Buffer{
			Item: dataflow.Item(rapid.IntRange(0, 3).Draw(t, "item")), Op: rapid.Byte().Draw(t, "op"), Over: rapid.Bool().Draw(t, "over"),
			Shared: rapid.Bool().Draw(t, "shared"), Epoch: id.Epoch(rapid.Uint64().Draw(t, "epoch")), Seq: id.Seq(rapid.Uint64().Draw(t, "first")),
			N: rapid.Int32Range(0, 5000).Draw(t, "numbered"), Records: rapid.Int32Range(0, 5000).Draw(t, "records"),
			Watermark: rapid.Int64().Draw(t, "watermark"), Sum: rapid.Uint64().Draw(t, "sum"), Data: blob(t, "records"),
		}
		if rapid.Bool().Draw(t, "has stamp") {
			ev.Buffer.Stamp = blob(t, "stamp")
		}
	}
	if rapid.Bool().Draw(t, "has plan") {
		ev.Plan = &dataflow.TaskPlan{
			Mode: dataflow.Mode(rapid.IntRange(0, 1).Draw(t, "mode")), Ref: dataflow.Ref(rapid.String().Draw(t, "ref")), Resume: rapid.Bool().Draw(t, "resume"),
			Left: rapid.Bool().Draw(t, "left"), Stable: id.Epoch(rapid.Uint64().Draw(t, "stable")), Data: blob(t, "plan data"),
			Splits: []int{rapid.IntRange(0, 300).Draw(t, "split")}, Vanished: []id.TaskID{id.TaskID(rapid.IntRange(0, 300).Draw(t, "vanished"))},
			Former: []dataflow.Former{{Ref: "snap/t9/1.2", Name: "count", Task: 9, Index: 2, Parallelism: 3, Receiver: rapid.Bool().Draw(t, "receiver"), Left: rapid.Bool().Draw(t, "had left")}},
			Saved:  &dataflow.Saved{Root: "saved/1", Operator: "count", Epoch: 7, Names: 3, Claimed: rapid.Bool().Draw(t, "claimed")}, Inject: []dataflow.LogRange{{In: 3, Log: "log/c7", From: 5, To: id.Seq(rapid.Uint64().Draw(t, "to"))}},
		}
	}
	if rapid.Bool().Draw(t, "has data") {
		ev.Data = blob(t, "data")
	}
	if rapid.Bool().Draw(t, "has result") {
		ev.Result = state.Result{Status: state.OK, Data: blob(t, "result"), List: []state.Entry{{Key: "snap/t1", Size: rapid.Int64Range(0, 1<<40).Draw(t, "size")}}}
	}
	return ev
}

func write(f func(w *recording.Writer)) []byte {
	var file bytes.Buffer
	w := recording.NewWriter(&file)
	f(w)
	if err := w.Close(); err != nil {
		panic(err)
	}
	return file.Bytes()
}

func TestEventsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := make([]*dataflow.Event, rapid.IntRange(0, 5).Draw(t, "events"))
		for i := range events {
			events[i] = anyEvent(t)
		}
		file := write(func(w *recording.Writer) {
			k := w.Incarnation(4, 7)
			for i, ev := range events {
				k.Event(ev, uint64(i))
				k.Chain(uint64(i) << 50)
			}
		})
		rec, err := recording.Read(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		x := rec.Incarnations[0]
		if x.Task != 4 || x.Attempt != 7 || len(x.Steps) != len(events) {
			t.Fatalf("task %s, attempt %s, %d events", x.Task, x.Attempt, len(x.Steps))
		}
		for i := range x.Steps {
			s := &x.Steps[i]
			if d := cmp.Diff(events[i], s.Event); d != "" || s.Connection != uint64(i) || !s.Ended || s.Chain != uint64(i)<<50 {
				t.Fatalf("event %d: connection %d, ended %v, chain %x: %s", i, s.Connection, s.Ended, s.Chain, d)
			}
		}
	})
}

func TestDamagedRecordingIsRefused(t *testing.T) {
	file := write(func(w *recording.Writer) {
		k := w.Incarnation(0, 1)
		k.Event(&dataflow.Event{Kind: dataflow.EvMessage, Data: []byte("a message from the coordinator")}, 0)
		k.Draw(dataflow.PickInput, 2, 1)
		k.Fail(fmt.Errorf("no way"))
		k.Chain(1)
	})
	for i := range file {
		damaged := bytes.Clone(file)
		damaged[i] ^= 0x20
		if _, err := recording.Read(bytes.NewReader(damaged)); err == nil {
			t.Errorf("byte %d was flipped and nobody noticed", i)
		}
		rec, err := recording.Read(bytes.NewReader(file[:i]))
		if i < 10 {
			if err == nil {
				t.Errorf("a recording of %d bytes was read", i)
			}
			continue
		}
		if err != nil && !errors.Is(err, recording.ErrTruncated) || rec == nil {
			t.Errorf("cut at byte %d: %v", i, err)
		}
	}
	newer := bytes.Clone(file)
	newer[8] = recording.Version + 1
	if _, err := recording.Read(bytes.NewReader(newer)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("version %d", recording.Version+1)) {
		t.Errorf("error %v", err)
	}
}

// failing is a writer that takes some bytes.
type failing struct{ left int }

var errFull = errors.New("no space")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteErrorsComeOutOfClose(t *testing.T) {
	w := recording.NewWriter(&failing{left: 100})
	k := w.Incarnation(0, 1)
	for range 10_000 {
		k.Now(1)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}
