package dataflow

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
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
				for _, b := range slices.Concat(q.ring, q.few[:]) {
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
