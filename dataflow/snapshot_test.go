package dataflow

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/id"
	"weir/state"
)

// drawBuffer draws a sealed data buffer or an end of data.
func drawBuffer(t *rapid.T) *Buffer {
	b := &Buffer{Seq: id.Seq(rapid.Uint64Range(1, 1<<40).Draw(t, "seq")), Watermark: NoWatermark, Sum: rapid.Uint64().Draw(t, "sum")}
	b.Stamp = rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "stamp")
	if rapid.IntRange(0, 9).Draw(t, "item") == 0 {
		b.Item, b.N = EndData, 1
		return b
	}
	recs, data := drawRecords(t)
	b.Data, b.Records, b.N = data, int32(len(recs)), int32(len(recs))
	if b.N == 0 || rapid.Bool().Draw(t, "has watermark") {
		b.Watermark = rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "watermark")
		b.N++
	}
	return b
}

// same compares what is captured and logged of a buffer.
func same(a, b *Buffer) bool {
	return a.Item == b.Item && a.Op == b.Op && a.Epoch == b.Epoch && a.Seq == b.Seq && a.N == b.N && a.Records == b.Records &&
		a.Watermark == b.Watermark && a.Sum == b.Sum && bytes.Equal(a.Stamp, b.Stamp) && bytes.Equal(a.Data, b.Data)
}

func TestBufferRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBuffer(t)
		enc := EncodeBuffer(nil, b)
		got, err := DecodeBuffer(b.Seq, uint32(b.N), enc)
		if err != nil || !same(got, b) {
			t.Fatalf("%+v comes back as %+v, %v", b, got, err)
		}
		if !got.Shared || got.Injected {
			t.Error("a buffer from storage is shared, and injected only once it is put back")
		}
		if n := rapid.IntRange(0, len(enc)-1).Draw(t, "cut"); b.Item == Data {
			if _, err := DecodeBuffer(b.Seq, uint32(b.N), enc[:n]); !errors.Is(err, state.ErrCorrupt) {
				t.Errorf("cut after %d of %d bytes: %v", n, len(enc), err)
			}
		}
		wrong := rapid.Uint32().Draw(t, "positions")
		if wrong == uint32(b.N) {
			wrong++
		}
		if _, err := DecodeBuffer(b.Seq, wrong, enc); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("%d positions where there are %d: %v", wrong, b.N, err)
		}
	})
}

func TestBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBuffer(t)
		before := *b
		known := b.Seq - 1 + id.Seq(rapid.Int32Range(0, b.N-1).Draw(t, "known"))
		got := b.behind(known)
		if !reflect.DeepEqual(*b, before) {
			t.Fatal("the buffer itself has changed, and others may hold it")
		}
		if got.Seq != known+1 || got.Last() != b.Last() || got.Watermark != b.Watermark {
			t.Fatalf("behind %d there are %d..%d with watermark %d", known, got.Seq, got.Last(), got.Watermark)
		}
		n := 0
		for rec, rest := NextRecord(got.Data); rec != nil; rec, rest = NextRecord(rest) {
			n++
		}
		if n != int(got.Records) || !bytes.HasSuffix(b.Data, got.Data) {
			t.Fatalf("%d records in %d bytes, want %d", n, len(got.Data), got.Records)
		}
	})
}

// finished is a capture that is done.
type finished struct{ handle state.Handle }

func (finished) Next([]state.Result) ([]state.Op, bool, error) { return nil, true, nil }
func (f finished) Handle() state.Handle                        { return f.handle }
func (finished) Discard()                                      {}

func drawDraft(t *rapid.T, r *rig) *Draft {
	d := &Draft{t: r.task}
	h := &d.head
	h.Epoch, h.Base = id.Epoch(rapid.Uint64().Draw(t, "epoch")), id.Epoch(rapid.Uint64().Draw(t, "base"))
	h.Attempt = id.Attempt(rapid.Uint32().Draw(t, "attempt"))
	for range rapid.IntRange(0, 3).Draw(t, "splits") {
		h.Splits = append(h.Splits, SplitHeader{
			rapid.IntRange(0, 300).Draw(t, "split"), id.Offset(rapid.Uint64().Draw(t, "offset")), rapid.Int64().Draw(t, "split's wm"), rapid.Bool().Draw(t, "split ended"),
		})
	}
	h.Watermark, h.Drained, h.Sum = rapid.Int64().Draw(t, "watermark"), rapid.Bool().Draw(t, "drained"), rapid.Uint64().Draw(t, "sum")
	h.Firing, h.Advancing = rapid.Bool().Draw(t, "firing"), rapid.Bool().Draw(t, "advancing")
	h.Save = rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "save")
	for range rapid.IntRange(1, 4).Draw(t, "inputs") {
		h.Delivered = append(h.Delivered, id.Seq(rapid.Uint64().Draw(t, "delivered")))
		h.Loop = LoopHeader{rapid.Uint32().Draw(t, "sent"), rapid.Uint32().Draw(t, "quiet"), rapid.Bool().Draw(t, "moved"), rapid.Bool().Draw(t, "loop ended")}
		waves := InputWaves{1 + rapid.Uint32Max(9).Draw(t, "seen"), rapid.Uint32().Draw(t, "quiet")}
		h.Inputs = append(h.Inputs, InputHeader{rapid.Int64().Draw(t, "wm"), rapid.Bool().Draw(t, "ended"), rapid.Bool().Draw(t, "gone"), rapid.Bool().Draw(t, "awaits"), rapid.Bool().Draw(t, "waits"), waves, beyond(t, h.Delivered[len(h.Delivered)-1])})
		d.in = append(d.in, captured{len(h.Inputs) - 1, drawBuffer(t)})
	}
	for range rapid.IntRange(1, 4).Draw(t, "outputs") {
		h.Sealed = append(h.Sealed, id.Seq(rapid.Uint64().Draw(t, "sealed")))
		h.Pending = append(h.Pending, id.Epoch(rapid.Uint64().Draw(t, "pending")))
		d.out = append(d.out, captured{len(h.Sealed) - 1, drawBuffer(t)})
	}
	for range rapid.IntRange(0, 2).Draw(t, "finished") {
		h.Finished = append(h.Finished, state.GroupRange{Lo: rapid.Uint16().Draw(t, "lo"), Hi: rapid.Uint16().Draw(t, "hi")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "ahead") {
		h.Ahead = append(h.Ahead, GroupsAhead{state.GroupRange{Lo: rapid.Uint16().Draw(t, "lo"), Hi: rapid.Uint16().Draw(t, "hi")}, rapid.Int64().Draw(t, "reached")})
	}
	h.Rotation = rapid.SliceOfN(rapid.Uint32(), 1, 3).Draw(t, "rotation")
	d.capture = finished{state.Handle{
		Backend: "heap", Version: 3, Inline: rapid.SliceOfN(rapid.Byte(), 1, 90).Draw(t, "inline"), Operator: rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "operator"), Bytes: 12, Changed: 7,
		Files: []state.FileRef{{Name: "files/t1/1.2-0", Local: "0", Size: 8, Sum: 9, Shared: true}},
	}}
	return d
}

func TestSnapshotRoundTrip(t *testing.T) {
	r := middle(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		d := drawDraft(t, r)
		enc := d.encode()
		s, err := DecodeSnapshot(enc)
		if err != nil {
			t.Fatal(err)
		}
		if s.Job != "job" || s.Task != "middle" || s.Index != 0 {
			t.Errorf("it says that it is of %s, %s[%d]", s.Job, s.Task, s.Index)
		}
		if !reflect.DeepEqual(s.Header, d.head) {
			t.Errorf("the header comes back as %+v, want %+v", s.Header, d.head)
		}
		want := []EdgeHeader{{Peer: "source", Channels: 2}}
		if !reflect.DeepEqual(s.InEdges, want) || !reflect.DeepEqual(s.OutEdges, []EdgeHeader{{Peer: "sink", Channels: 1}}) {
			t.Errorf("its edges come back as %+v and %+v", s.InEdges, s.OutEdges)
		}
		if !reflect.DeepEqual(s.Handle, d.capture.Handle()) {
			t.Error("the handle comes back different")
		}
		for _, c := range []struct {
			got  []CapturedBuffer
			want []captured
		}{{s.In, d.in}, {s.Out, d.out}} {
			if len(c.got) != len(c.want) {
				t.Fatalf("%d captured buffers come back, want %d", len(c.got), len(c.want))
			}
			for i := range c.got {
				if c.got[i].Channel != c.want[i].channel || !same(c.got[i].Buffer, c.want[i].b) {
					t.Errorf("captured buffer %d comes back as %+v", i, c.got[i].Buffer)
				}
			}
		}
		n := rapid.IntRange(0, len(enc)-1).Draw(t, "cut")
		if _, err := DecodeSnapshot(enc[:n]); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("cut after %d of %d bytes: %v", n, len(enc), err)
		}
		if _, err := DecodeSnapshot(append(enc, 0)); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("a byte too many: %v", err)
		}
	})
}

// example is a snapshot object with something in every section.
func example(t testing.TB) []byte {
	r := newRig(t, "middle", &forward{}, nil)
	return drawDraftOnce(r).encode()
}

func drawDraftOnce(r *rig) *Draft {
	return rapid.Custom(func(t *rapid.T) *Draft { return drawDraft(t, r) }).Example(1)
}

// decodeBounded decodes and reports a panic, an allocation out of proportion,
// and an error of no known kind.
func decodeBounded(t *testing.T, src []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := DecodeSnapshot(src)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(64*len(src)+1<<16) {
		t.Errorf("%d bytes allocated for an object of %d", n, len(src))
	}
	if err != nil && !errors.Is(err, state.ErrCorrupt) && !errors.Is(err, state.ErrIncompatible) {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
}

func TestSnapshotWithFlippedBits(t *testing.T) {
	enc := example(t)
	for i := range 8 * len(enc) {
		enc[i/8] ^= 1 << (i % 8)
		decodeBounded(t, enc)
		enc[i/8] ^= 1 << (i % 8)
	}
}

func TestSnapshotOfAnotherVersion(t *testing.T) {
	enc := example(t)
	for _, v := range []byte{1, 2, 3, 4, 5, 9} { // 2 held timers and lists outside the state, 3 knew no loops
		enc[8] = v
		if _, err := DecodeSnapshot(enc); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), fmt.Sprintf("format version %d, this program reads 6 and 7: restore with the program that wrote it", v)) {
			t.Errorf("version %d: %v", v, err)
		}
	}
	if _, err := DecodeSnapshot([]byte("something else altogether")); !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "no snapshot object of weir") {
		t.Errorf("no snapshot: %v", err)
	}
}

func FuzzSnapshot(f *testing.F) {
	f.Add(example(f))
	f.Add([]byte(snapshotMagic + "\x01\x00\xff\xff\xff\xff\x0f"))
	f.Fuzz(decodeBounded)
}

func FuzzBuffer(f *testing.F) {
	f.Add(uint64(1), uint32(2), EncodeBuffer(nil, data(1, 5, "a")))
	f.Add(uint64(1), uint32(1<<31), EncodeBuffer(nil, data(1, NoWatermark, "a", "b")))
	f.Fuzz(func(t *testing.T, seq uint64, n uint32, src []byte) {
		b, err := DecodeBuffer(id.Seq(seq), n, src)
		if err != nil {
			return
		}
		again, err := DecodeBuffer(id.Seq(seq), n, EncodeBuffer(nil, b))
		if err != nil || !same(again, b) {
			t.Errorf("%+v decodes, and comes back as %+v, %v", b, again, err)
		}
	})
}
