package state_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"weir/state"
)

type counter struct {
	Count, Sum uint64
	Label      string
}

var counterCodec = &state.StructCodec[counter]{
	ID: "counter/1",
	Write: func(dst []byte, v counter) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, v.Count)
		dst = binary.LittleEndian.AppendUint64(dst, v.Sum)
		return state.AppendString(dst, v.Label)
	},
	Read: func(r *state.Reader) counter {
		return counter{Count: r.Uint64(), Sum: r.Uint64(), Label: string(r.Bytes())}
	},
}

func roundTrip[T any](t *testing.T, c state.Codec[T], values ...T) {
	t.Helper()
	for _, v := range values {
		b := c.Append([]byte("before"), v)
		if !bytes.HasPrefix(b, []byte("before")) {
			t.Fatalf("%s: Append overwrote dst", c.Name())
		}
		b = b[len("before"):]
		if c.FixedSize() > 0 && len(b) != c.FixedSize() {
			t.Errorf("%s: %d bytes, fixed size %d", c.Name(), len(b), c.FixedSize())
		}
		got, err := c.Decode(b)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: got %v, %v, want %v", c.Name(), got, err, v)
		}
	}
}

func TestCodecsRoundTrip(t *testing.T) {
	roundTrip(t, state.Uint64, 0, 1, 1<<63)
	roundTrip(t, state.Int64, 0, -1, -1<<63, 1<<62)
	roundTrip(t, state.Bytes, []byte{}, []byte("a\x00b"))
	roundTrip(t, state.String, "", "héllo")
	roundTrip[counter](t, counterCodec, counter{}, counter{Count: 3, Sum: 9, Label: "x"})
}

func TestCodecsRefuseDamage(t *testing.T) {
	if _, err := state.Uint64.Decode(make([]byte, 7)); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("seven bytes as uint64: %v", err)
	}
	if _, err := state.Int64.Decode(make([]byte, 9)); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("nine bytes as int64: %v", err)
	}
	whole := counterCodec.Append(nil, counter{Label: "label"})
	for n := range whole {
		if _, err := counterCodec.Decode(whole[:n]); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("first %d bytes of a struct: %v", n, err)
		}
	}
	if _, err := counterCodec.Decode(append(whole, 0)); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("one byte too many: %v", err)
	}
}

func TestCodecsAllocateNothing(t *testing.T) {
	buf, key := make([]byte, 0, 64), new([8]byte)
	var sink uint64
	if n := testing.AllocsPerRun(100, func() {
		buf = state.Uint64.Append(buf[:0], 7)
		v, _ := state.Uint64.Decode(buf)
		k := state.KeyOfUint64(key, v, state.DefaultGroups)
		sink += k.Hash + state.SumEntry("name", k.Bytes, nil, buf)
	}); n != 0 {
		t.Errorf("%v allocations per value", n)
	}
}

func TestKeyOf(t *testing.T) {
	var b [8]byte
	k := state.KeyOfUint64(&b, 0x0102030405060708, 128)
	if want := state.KeyOf(binary.LittleEndian.AppendUint64(nil, 0x0102030405060708), 128); !reflect.DeepEqual(k, want) {
		t.Errorf("KeyOfUint64 %v, KeyOf %v", k, want)
	}
	if k.Group != state.GroupOf(k.Hash, 128) || k.Group >= 128 {
		t.Errorf("group %d", k.Group)
	}
}

func TestSumEntrySeesEveryPart(t *testing.T) {
	seen := map[uint64]string{}
	for _, e := range []struct{ name, key, field, value string }{
		{"a", "b", "c", "d"}, {"ab", "", "c", "d"}, {"a", "bc", "", "d"}, {"a", "b", "", "cd"},
		{"a", "b", "cd", ""}, {"", "ab", "c", "d"}, {"a", "b", "c", "e"}, {"a", "b", "c", strings.Repeat("d", 1000)},
	} {
		s := state.SumEntry(e.name, []byte(e.key), []byte(e.field), []byte(e.value))
		if other, dup := seen[s]; dup {
			t.Errorf("%v and %s have one sum", e, other)
		}
		seen[s] = e.name + "/" + e.key + "/" + e.field + "/" + e.value
	}
	// Pinned: sums are compared across backends and stored in traces.
	if got := state.SumEntry("counts", []byte("k"), nil, []byte("v")); got != 0x8a42dd20451cf313 {
		t.Errorf("SumEntry changed: %#x", got)
	}
}

func TestListFraming(t *testing.T) {
	var b []byte
	want := []string{"one", "", strings.Repeat("x", 300)}
	for _, e := range want {
		b = state.AppendElement(b, []byte(e))
	}
	whole := b
	for _, e := range want {
		elem, rest, err := state.NextElement(b)
		if err != nil || string(elem) != e {
			t.Fatalf("got %q, %v, want %q", elem, err, e)
		}
		b = rest
	}
	if len(b) != 0 {
		t.Errorf("%d bytes left", len(b))
	}
	if _, _, err := state.NextElement(whole[:2]); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("cut off: %v", err)
	}
}

func TestLogFraming(t *testing.T) {
	b := state.AppendEntry(nil, 7, 3, []byte("abc"))
	b = state.AppendEntry(b, 10, 1, nil)
	seq, n, payload, rest, err := state.NextEntry(b)
	if err != nil || seq != 7 || n != 3 || string(payload) != "abc" {
		t.Fatalf("%d %d %q %v", seq, n, payload, err)
	}
	seq, n, payload, rest, err = state.NextEntry(rest)
	if err != nil || seq != 10 || n != 1 || len(payload) != 0 || len(rest) != 0 {
		t.Fatalf("%d %d %q %q %v", seq, n, payload, rest, err)
	}
	huge := binary.AppendUvarint(binary.AppendUvarint(nil, 1), 1<<40)
	if _, _, _, _, err := state.NextEntry(huge); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("2^40 items: %v", err)
	}
}

func sampleHandle() state.Handle {
	return state.Handle{
		Backend: "heap", Version: 1, Inline: []byte("inline"), Bytes: 1 << 40, Changed: 7,
		Files: []state.FileRef{
			{Name: "j/t1/a2-1", Local: "000001.sst", Size: 5 << 20, Sum: 0xdeadbeefcafe, Shared: true},
			{Name: "j/t1/a2-2", Size: 1},
		},
	}
}

func TestHandleRoundTrip(t *testing.T) {
	for _, h := range []state.Handle{{}, sampleHandle()} {
		b := append(state.AppendHandle(nil, h), "rest"...)
		got, rest, err := state.DecodeHandle(b)
		if err != nil || string(rest) != "rest" || !reflect.DeepEqual(got, h) {
			t.Errorf("got %+v, %q, %v\nwant %+v", got, rest, err, h)
		}
		for n := range len(b) - len("rest") {
			if _, _, err := state.DecodeHandle(b[:n]); !errors.Is(err, state.ErrCorrupt) {
				t.Errorf("first %d bytes: %v", n, err)
			}
		}
	}
}

func sampleLists() []state.OperatorList {
	return []state.OperatorList{
		{Name: "offsets", Mode: state.Split, Items: [][]byte{[]byte("p0"), []byte("p1"), []byte("p2")}},
		{Name: "rules", Mode: state.Union, Items: [][]byte{{}, []byte("r")}},
	}
}

func TestOperatorLists(t *testing.T) {
	b := state.AppendOperatorLists(nil, sampleLists())
	got, err := state.DecodeOperatorLists(b)
	if err != nil || !reflect.DeepEqual(got, sampleLists()) {
		t.Fatalf("%+v, %v", got, err)
	}
	for n := range b {
		if _, err := state.DecodeOperatorLists(b[:n]); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
	b[0]++
	if _, err := state.DecodeOperatorLists(b); !errors.Is(err, state.ErrIncompatible) {
		t.Errorf("another version: %v", err)
	}
}

func TestRedistributeLosesNothing(t *testing.T) {
	old := [][]state.OperatorList{sampleLists(), sampleLists()[:1], sampleLists()}
	for p := 1; p <= 4; p++ {
		split := 0
		for i := range p {
			lists, err := state.Redistribute(old, i, p)
			if err != nil {
				t.Fatal(err)
			}
			split += len(lists[0].Items)
			if len(lists[1].Items) != 4 {
				t.Errorf("union list of %d/%d has %d items, want 4", i, p, len(lists[1].Items))
			}
		}
		if split != 9 {
			t.Errorf("%d tasks got %d split items, want 9", p, split)
		}
	}
	clash := [][]state.OperatorList{{{Name: "x", Mode: state.Split}}, {{Name: "x", Mode: state.Union}}}
	if _, err := state.Redistribute(clash, 0, 1); !errors.Is(err, state.ErrIncompatible) {
		t.Errorf("two modes: %v", err)
	}
}

func TestOutstanding(t *testing.T) {
	var o state.Outstanding
	o.Issue([]state.Op{{Kind: state.OpPut, Key: "a"}, {Kind: state.OpPut, Key: "b"}})
	var done []string
	settled := func(op state.Op, _ state.Result) error { done = append(done, op.Key); return nil }
	again, err := o.Settle([]state.Result{{Status: state.Failed}, {Status: state.OK}}, settled)
	if err != nil || len(again) != 1 || again[0].Key != "a" || len(done) != 1 || done[0] != "b" {
		t.Fatalf("%v %v %v", again, done, err)
	}
	if _, err := o.Settle(nil, settled); err == nil {
		t.Error("results may be left out")
	}
	_, err = o.Settle([]state.Result{{Status: state.Corrupt, Err: errors.New("bad sum")}}, settled)
	if !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), `put "a"`) {
		t.Errorf("corrupt: %v", err)
	}
	if _, err = o.Settle([]state.Result{{}}, settled); err == nil {
		t.Error("a result without status passes")
	}
}

// FuzzDecode feeds arbitrary bytes to every decoder: none may panic or ask for
// more memory than the input can describe, and what decodes must encode to
// something that decodes to the same.
func FuzzDecode(f *testing.F) {
	f.Add(state.AppendHandle(nil, sampleHandle()))
	f.Add(state.AppendOperatorLists(nil, sampleLists()))
	f.Add(state.AppendEntry(nil, 7, 3, []byte("abc")))
	f.Add(state.AppendElement(nil, []byte("abc")))
	f.Add(binary.AppendUvarint(nil, 1<<62))
	f.Fuzz(func(t *testing.T, src []byte) {
		if h, rest, err := state.DecodeHandle(src); err == nil {
			again, _, err := state.DecodeHandle(state.AppendHandle(nil, h))
			if err != nil || !reflect.DeepEqual(h, again) || len(rest) > len(src) {
				t.Errorf("handle %+v became %+v, %v", h, again, err)
			}
		}
		if l, err := state.DecodeOperatorLists(src); err == nil {
			again, err := state.DecodeOperatorLists(state.AppendOperatorLists(nil, l))
			if err != nil || !reflect.DeepEqual(l, again) {
				t.Errorf("lists %+v became %+v, %v", l, again, err)
			}
		}
		if seq, n, payload, rest, err := state.NextEntry(src); err == nil {
			s2, n2, p2, _, err := state.NextEntry(state.AppendEntry(nil, seq, n, payload))
			if err != nil || s2 != seq || n2 != n || !bytes.Equal(p2, payload) || len(rest) >= len(src) {
				t.Errorf("entry %d changed", seq)
			}
		}
		if elem, rest, err := state.NextElement(src); err == nil && len(elem)+len(rest) >= len(src) {
			t.Error("element longer than the list")
		}
		_, _ = counterCodec.Decode(src)
	})
}
