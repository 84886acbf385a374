package dataflow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"weir/state"
)

// TestQueueAgainstSlice: the ring does what a slice does.
func TestQueueAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var twin []*Buffer
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				b := &Buffer{}
				q.push(b)
				twin = append(twin, b)
			},
			"insert": func(t *rapid.T) {
				i, b := rapid.IntRange(0, len(twin)).Draw(t, "at"), &Buffer{}
				q.insert(i, b)
				twin = slices.Insert(twin, i, b)
			},
			"pop": func(t *rapid.T) {
				if len(twin) == 0 {
					t.Skip()
				}
				if q.pop() != twin[0] {
					t.Fatal("another buffer comes out")
				}
				twin = twin[1:]
			},
			"clear": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "rarely") > 0 {
					t.Skip()
				}
				q.clear()
				twin = nil
			},
			"": func(t *rapid.T) {
				if q.len() != len(twin) {
					t.Fatalf("%d buffers, want %d", q.len(), len(twin))
				}
				held := 0
				for _, b := range q.ring {
					if b != nil {
						held++
					}
				}
				if held != len(twin) {
					t.Fatalf("the ring holds %d buffers on to, want %d", held, len(twin))
				}
				for i, b := range twin {
					if q.at(i) != b {
						t.Fatalf("another buffer at %d", i)
					}
				}
			},
		})
	})
}

func drawRecords(t *rapid.T) (recs [][]byte, data []byte) {
	recs = rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 0, 5).Draw(t, "records")
	for _, r := range recs {
		data = AppendRecord(data, r)
	}
	return recs, data
}

func TestRecordFraming(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		recs, data := drawRecords(t)
		rest := data
		for i, want := range recs {
			var rec []byte
			if rec, rest = NextRecord(rest); rec == nil || !bytes.Equal(rec, want) {
				t.Fatalf("record %d comes back as %x, want %x", i, rec, want)
			}
			if cap(rec) != len(rec) {
				t.Fatalf("appending to record %d would overwrite the next", i)
			}
		}
		if rec, _ := NextRecord(rest); rec != nil {
			t.Fatalf("%x behind the last record", rec)
		}
		// Cut short anywhere, the framing gives whole records or nothing.
		cut := data[:rapid.IntRange(0, len(data)).Draw(t, "cut")]
		n := 0
		for rec, rest := NextRecord(cut); rec != nil; rec, rest = NextRecord(rest) {
			if !bytes.Equal(rec, recs[n]) {
				t.Fatalf("record %d of a cut buffer is %x, want %x", n, rec, recs[n])
			}
			n++
		}
	})
}

func TestTimersAgainstSlice(t *testing.T) {
	type entry struct {
		at  int64
		key string
	}
	order := func(a, b entry) int {
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return bytes.Compare([]byte(a.key), []byte(b.key))
	}
	rapid.Check(t, func(t *rapid.T) {
		var s timers
		var twin []entry
		draw := func() entry {
			return entry{rapid.Int64Range(-3, 3).Draw(t, "at"), string(rapid.SliceOfN(rapid.ByteRange('a', 'c'), 0, 2).Draw(t, "key"))}
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			e := draw()
			i, found := slices.BinarySearchFunc(twin, e, order)
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				key := []byte(e.key)
				s.set(e.at, key)
				clear(key) // it is borrowed
				if !found {
					twin = slices.Insert(twin, i, e)
				}
			case 2:
				s.cancel(e.at, []byte(e.key))
				if found {
					twin = slices.Delete(twin, i, i+1)
				}
			case 3:
				due, ok := s.due(e.at)
				if want := len(twin) > 0 && twin[0].at <= e.at; ok != want {
					t.Fatalf("a timer due at %d: %v, want %v", e.at, ok, want)
				}
				if ok {
					if due.at != twin[0].at || string(due.key) != twin[0].key {
						t.Fatalf("timer (%d, %q) fires, want %v", due.at, due.key, twin[0])
					}
					twin = twin[1:]
				}
			}
		}
		var back timers
		if err := back.decode(s.encode(nil)); err != nil {
			t.Fatal(err)
		}
		if err := new(timers).decode(append(s.encode(nil), 42)); !errors.Is(err, state.ErrCorrupt) {
			t.Fatalf("a byte too many: %v", err)
		}
		if back.len() != len(twin) || s.len() != len(twin) {
			t.Fatalf("%d timers, %d come back, want %d", s.len(), back.len(), len(twin))
		}
		for _, want := range twin {
			if due, ok := back.due(want.at); !ok || due.at != want.at || string(due.key) != want.key {
				t.Fatalf("timer (%d, %q) comes back, want %v", due.at, due.key, want)
			}
		}
	})
}

func FuzzTimers(f *testing.F) {
	var s timers
	s.set(7, []byte("a"))
	s.set(9, bytes.Repeat([]byte("b"), 200))
	f.Add(s.encode(nil))
	f.Add(binary.AppendUvarint(nil, 1<<60))
	f.Fuzz(func(t *testing.T, src []byte) {
		var s timers
		if err := s.decode(src); err == nil && s.len() > len(src) {
			t.Errorf("%d timers in %d bytes", s.len(), len(src))
		}
	})
}
