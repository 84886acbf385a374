package coordinator

import (
	"bytes"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

func drawPlan(t *rapid.T) *PlanRecord {
	p := &PlanRecord{Job: rapid.String().Draw(t, "job"), Nonce: rapid.Uint64().Draw(t, "nonce"), Lineage: rapid.SliceOfN(rapid.Byte(), 1, 90).Draw(t, "lineage")}
	p.Shape = drawShape(t)
	p.Plan.Number = id.Attempt(rapid.Uint32().Draw(t, "number"))
	for range rapid.IntRange(0, 4).Draw(t, "retained") {
		p.Retained = append(p.Retained, id.Epoch(rapid.Uint64().Draw(t, "epoch")))
	}
	for range rapid.IntRange(0, 4).Draw(t, "tasks") {
		tp := dataflow.TaskPlan{
			Mode: dataflow.Mode(rapid.IntRange(0, 1).Draw(t, "mode")), Ref: dataflow.Ref(rapid.String().Draw(t, "ref")),
			Resume: rapid.Bool().Draw(t, "resume"), Left: rapid.Bool().Draw(t, "left"), Stable: id.Epoch(rapid.Uint64().Draw(t, "stable")),
			Data: rapid.SliceOfN(rapid.Byte(), 1, 90).Draw(t, "data"),
		}
		if rapid.Bool().Draw(t, "begins from a savepoint") {
			tp.Saved = &dataflow.Saved{
				Root: rapid.String().Draw(t, "root"), Operator: rapid.String().Draw(t, "operator"), Epoch: id.Epoch(rapid.Uint64().Draw(t, "saved")),
				Names: rapid.IntRange(0, 300).Draw(t, "names"), Claimed: rapid.Bool().Draw(t, "claimed"),
			}
			for range rapid.IntRange(0, 3).Draw(t, "sealed") {
				tp.Saved.Sealed = append(tp.Saved.Sealed, dataflow.Sealed{Task: id.TaskID(rapid.IntRange(0, 300).Draw(t, "sealer")), Epoch: id.Epoch(rapid.Uint64().Draw(t, "sealed epoch"))})
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "splits") {
			tp.Splits = append(tp.Splits, rapid.IntRange(0, 300).Draw(t, "split"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "vanished") {
			tp.Vanished = append(tp.Vanished, id.TaskID(rapid.IntRange(0, 300).Draw(t, "name")))
		}
		for range rapid.IntRange(0, 3).Draw(t, "ranges") {
			tp.Inject = append(tp.Inject, dataflow.LogRange{
				In: rapid.IntRange(0, 300).Draw(t, "in"), Log: rapid.String().Draw(t, "log"),
				From: id.Seq(rapid.Uint64().Draw(t, "from")), To: id.Seq(rapid.Uint64().Draw(t, "to")),
			})
		}
		for range rapid.IntRange(0, 3).Draw(t, "formers") {
			tp.Former = append(tp.Former, dataflow.Former{
				Ref: dataflow.Ref(rapid.String().Draw(t, "former's ref")), Task: id.TaskID(rapid.IntRange(0, 300).Draw(t, "former's task")),
				Name: rapid.String().Draw(t, "former's name"), Index: rapid.IntRange(0, 300).Draw(t, "index"), Parallelism: rapid.IntRange(0, 300).Draw(t, "parallelism"),
				Receiver: rapid.Bool().Draw(t, "receiver"), Left: rapid.Bool().Draw(t, "former left"),
			})
		}
		for range rapid.IntRange(0, 3).Draw(t, "vanished") {
			tp.Vanished = append(tp.Vanished, id.TaskID(rapid.IntRange(0, 300).Draw(t, "name")))
		}
		p.Plan.Tasks = append(p.Plan.Tasks, tp)
	}
	return p
}

func drawShape(t *rapid.T) (s Shape) {
	for range rapid.IntRange(0, 3).Draw(t, "operators") {
		s = append(s, Operator{rapid.String().Draw(t, "operator"), rapid.IntRange(0, 300).Draw(t, "of")})
	}
	return s
}

func TestPlanRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		enc := p.Encode()
		got, err := DecodePlan(enc)
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v comes back as %+v, %v", p, got, err)
		}
		if n := rapid.IntRange(0, len(enc)-1).Draw(t, "cut"); !isDamage(DecodePlan(enc[:n])) {
			t.Errorf("cut after %d of %d bytes, and nothing is said", n, len(enc))
		}
		if !isDamage(DecodePlan(append(enc, 0))) {
			t.Error("a byte too many, and nothing is said")
		}
	})
}

func isDamage[T any](_ T, err error) bool { return errors.Is(err, state.ErrCorrupt) }

// drawPart draws a share with everything set.
func drawPart(t *rapid.T) Part {
	p := Part{
		Ref: dataflow.Ref(rapid.String().Draw(t, "ref")), Epoch: id.Epoch(rapid.Uint64().Draw(t, "epoch")),
		Drained: rapid.Bool().Draw(t, "drained"), Left: rapid.Bool().Draw(t, "left"), Delivered: []id.Seq{}, Sealed: []id.Seq{},
	}
	for _, v := range [...]*int64{&p.Size, &p.State, &p.Changed, &p.InBytes, &p.OutBytes} {
		*v = rapid.Int64Min(0).Draw(t, "size")
	}
	for range rapid.IntRange(0, 12).Draw(t, "channels") {
		p.Delivered = append(p.Delivered, id.Seq(rapid.Uint64().Draw(t, "delivered")))
		p.Sealed = append(p.Sealed, id.Seq(rapid.Uint64().Draw(t, "sealed")))
	}
	for range rapid.IntRange(0, 3).Draw(t, "files") {
		p.Files = append(p.Files, state.FileRef{
			Name: rapid.String().Draw(t, "name"), Local: rapid.String().Draw(t, "local"), Size: rapid.Int64Min(0).Draw(t, "bytes"),
			Sum: rapid.Uint64().Draw(t, "sum"), Shared: rapid.Bool().Draw(t, "shared"),
		})
	}
	return p
}

func drawRecord(t *rapid.T) *Record {
	return &Record{
		Job: rapid.String().Draw(t, "job"), Epoch: id.Epoch(rapid.Uint64().Draw(t, "epoch")), Nonce: rapid.Uint64().Draw(t, "nonce"),
		Shape: drawShape(t), Parts: rapid.SliceOfN(rapid.Custom(drawPart), 1, 4).Draw(t, "parts"),
	}
}

func TestRandomRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		enc := r.Encode()
		got, err := DecodeRecord(enc)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("%+v comes back as %+v, %v", r, got, err)
		}
		if left, err := LeftIn(enc); err != nil || !slices.EqualFunc(left, r.Parts, func(l bool, p Part) bool { return l == p.Left }) {
			t.Fatalf("LeftIn returned %v, %v for %+v", left, err, r.Parts)
		}
		if keys, err := ReferencesOf(enc); err != nil || strings.Join(keys, "|") != strings.Join(r.References(), "|") {
			t.Errorf("references %q, %v, want %q", keys, err, r.References())
		}
	})
}

func TestRecordsOfAnotherVersion(t *testing.T) {
	plan, record := (&PlanRecord{}).Encode(), (&Record{}).Encode()
	if _, err := DecodeRecord(plan); !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "this is no checkpoint record of weir") {
		t.Errorf("a plan for a record: %v", err)
	}
	if _, err := DecodePlan(record); !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "this is no recovery plan of weir") {
		t.Errorf("a record for a plan: %v", err)
	}
	record[8], plan[9] = 7, 1
	for _, err := range []error{errorOf(DecodeRecord(record)), errorOf(DecodePlan(plan))} {
		if !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), "use the program that wrote it") {
			t.Errorf("another version: %v", err)
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

// bounded decodes and reports an allocation out of proportion and an error of
// no known kind.
func bounded(t *testing.T, src []byte, decode func() error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := decode()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(64*len(src)+1<<16) {
		t.Errorf("%d bytes allocated for %d", n, len(src))
	}
	if err != nil && !errors.Is(err, state.ErrCorrupt) && !errors.Is(err, state.ErrIncompatible) {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
}

func TestFlippedBits(t *testing.T) {
	record := rapid.Custom(drawRecord).Example(3).Encode()
	plan := rapid.Custom(drawPlan).Example(3).Encode()
	for i := range 8 * max(len(record), len(plan)) {
		for _, src := range [][]byte{record, plan} {
			if i/8 >= len(src) {
				continue
			}
			bad := bytes.Clone(src)
			bad[i/8] ^= 1 << (i % 8)
			bounded(t, bad, func() error { return errorOf(DecodeRecord(bad)) })
			bounded(t, bad, func() error { return errorOf(DecodePlan(bad)) })
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(sampleRecord().Encode())
	f.Add(append((&Record{}).Encode()[:27], 0xff, 0xff, 0xff, 0xff, 0x0f))
	f.Fuzz(func(t *testing.T, src []byte) {
		bounded(t, src, func() error { return errorOf(DecodeRecord(src)) })
		bounded(t, src, func() error { return errorOf(ReferencesOf(src)) })
		bounded(t, src, func() error { return errorOf(LeftIn(src)) })
	})
}

func FuzzPlan(f *testing.F) {
	f.Add(rapid.Custom(drawPlan).Example(1).Encode())
	f.Fuzz(func(t *testing.T, src []byte) {
		bounded(t, src, func() error { return errorOf(DecodePlan(src)) })
	})
}

func FuzzMessage(f *testing.F) {
	f.Add((&Message{Kind: Decline, Epoch: 3, Text: "no"}).Encode())
	f.Add((&Message{Kind: Ack, Epoch: 3, Stored: &dataflow.Stored{Ref: "snap/t0/1.1", Header: dataflow.Header{Delivered: []id.Seq{1, 2}}}}).Encode())
	f.Fuzz(func(t *testing.T, src []byte) {
		bounded(t, src, func() error {
			_, _, err := DecodeMessage(src)
			return err
		})
	})
}

func TestKeys(t *testing.T) {
	e := id.MakeEpoch(2, 7)
	for _, key := range []string{(&Record{Epoch: e}).Key(), string(dataflow.SnapshotKey(3, e)), "files/t3/2.7-12"} {
		if got, ok := EpochOfKey(key); !ok || got != e {
			t.Errorf("%s: epoch %s, %v", key, got, ok)
		}
	}
	for _, key := range []string{"plan/2", "log/c3", "files/t3/12", "snap/t0/", ""} {
		if e, ok := EpochOfKey(key); ok {
			t.Errorf("%s has epoch %s", key, e)
		}
	}
	if n, ok := AttemptOfPlan(PlanKey(12)); !ok || n != 12 {
		t.Errorf("plan 12 reads as %d, %v", n, ok)
	}
	if _, ok := AttemptOfPlan("plan/x"); ok {
		t.Error("plan/x has a number")
	}
}
