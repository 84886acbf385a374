package seed

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tapes generates any tape that could have been recorded.
func tapes() *rapid.Generator[*Tape] {
	return rapid.Custom(func(t *rapid.T) *Tape {
		name := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9._-]{1,12}`), rapid.String())
		names := rapid.SliceOfN(name, 1, 4).Draw(t, "names")
		keys := rapid.SliceOfN(rapid.SliceOfN(rapid.Uint64(), 0, 3), len(names), len(names)).Draw(t, "keys")
		s, tape := New(rapid.Uint64().Draw(t, "seed")), new(Tape)
		s.Record(tape)
		for range rapid.IntRange(0, 40).Draw(t, "draws") {
			i := rapid.IntRange(0, len(names)-1).Draw(t, "stream")
			st := s.Stream(names[i], keys[i]...)
			if n := rapid.IntRange(0, 100).Draw(t, "n"); n == 0 {
				st.Uint64()
			} else {
				st.Draw(n)
			}
		}
		return tape
	})
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tape := tapes().Draw(t, "tape")
		back, err := ParseTape(tape.String())
		if err != nil {
			t.Fatal(err)
		}
		if !back.Equal(tape) || back.String() != tape.String() {
			t.Fatalf("read back as\n%s", back)
		}
	})
}

func TestBinaryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tape := tapes().Draw(t, "tape")
		data, err := tape.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back Tape
		if err := back.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if !back.Equal(tape) || back.String() != tape.String() {
			t.Fatalf("read back as\n%s", &back)
		}
	})
}

func TestTextForm(t *testing.T) {
	s, tape := New(1), new(Tape)
	s.Record(tape)
	s.Stream("link.delay", 0, 3).Draw(1)
	s.Stream("crash").Chance(1, 1)
	s.Stream("two words", 7).Range(5, 5)
	want := "weir-tape 1\nlink.delay/0/3 0/1\ncrash 1/2\n\"two words\"/7 0/1\n"
	if got := tape.String(); got != want {
		t.Errorf("text form\n%swant\n%s", got, want)
	}
	commented := "# found by the sweep\n\n" + strings.ReplaceAll(want, "crash", "# here\r\ncrash")
	if back, err := ParseTape(commented); err != nil || !back.Equal(tape) {
		t.Errorf("with comments: %v, %v", back, err)
	}
}

func TestTextErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `tape line 1, column 1: empty, want the header "weir-tape 1"`},
		{"weir-tape 2\n", `tape line 1, column 1: found "weir-tape 2", want the header "weir-tape 1"`},
		{"weir-tape 1\n\na/1/x 0/2", `tape line 3, column 5: key "" of stream a: want a number from 0 to 2^64-1`},
		{"weir-tape 1\n= 0/2", `tape line 2, column 1: '=' begins no stream name: quote it if it has other characters than letters, digits and . _ -`},
		{"weir-tape 1\n\"a 0/2", `tape line 2, column 1: quoted stream name: want a Go string with its closing quote`},
		{"weir-tape 1\nabc", `tape line 2, column 4: want a space and VALUE/N after the stream`},
		{"weir-tape 1\nabc 5", `tape line 2, column 5: decision "5": want VALUE/N, for example 2/5`},
		{"weir-tape 1\nabc 5/5", `tape line 2, column 5: value 5 is not below its bound 5`},
		{"weir-tape 1\nabc x/5", `tape line 2, column 5: value "x": want a number from 0 to 2^64-1`},
		{"weir-tape 1\nabc 3/0", `tape line 2, column 7: bound "0": want a number from 1 to 2^64-1, or * for 2^64`},
	} {
		if _, err := ParseTape(c.text); err == nil || err.Error() != c.want {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestBinaryErrors(t *testing.T) {
	tape, _ := record(1, 10)
	data, _ := tape.MarshalBinary()
	before := tape.String()
	for i := range data {
		if err := tape.UnmarshalBinary(data[:i]); err == nil {
			t.Fatalf("truncated to %d of %d bytes: no error", i, len(data))
		}
		flipped := append([]byte(nil), data...)
		flipped[i] ^= 0x10
		if err := tape.UnmarshalBinary(flipped); err == nil {
			t.Fatalf("bit flipped in byte %d: no error", i)
		}
	}
	if tape.String() != before {
		t.Error("a failed decoding changed the tape")
	}
}

// FuzzBinary feeds bodies with a right checksum, which reach the decoder.
func FuzzBinary(f *testing.F) {
	tape, _ := record(1, 3)
	data, _ := tape.MarshalBinary()
	f.Add(data[len(binaryMagic) : len(data)-4])
	f.Add([]byte{1, 1, 'a', 0, 1, 0, 5, 5})
	f.Add([]byte{2, 1, 'a', 0, 1, 'a', 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, body []byte) {
		var got Tape
		if err := got.UnmarshalBinary(sealed(body)); err != nil {
			if !strings.HasPrefix(err.Error(), "tape: ") {
				t.Errorf("error does not name the tape: %v", err)
			}
			return
		}
		NewReplay(&got).Stream("a").Draw(3)
	})
}
