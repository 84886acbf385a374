package nexmark

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// mustGenerator returns a generator of a golden set's settings.
func mustGenerator(t testing.TB, set string) *Generator {
	t.Helper()
	g, err := NewGenerator(setSettings(t, set))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestEventAnyOrder fills one Event backwards and compares with fresh ones: no
// call depends on the calls before, and nothing of an older event remains.
func TestEventAnyOrder(t *testing.T) {
	g := mustGenerator(t, "devooo")
	var reused Event
	for seq := g.Settings().NumEvents - 1; seq >= 0; seq-- {
		var fresh Event
		g.Event(seq, &fresh)
		g.Event(seq, &reused)
		if got, want := describe(&reused), describe(&fresh); got != want {
			t.Fatalf("event %d\n got %s\nwant %s", seq, got, want)
		}
	}
}

// describe prints everything in an event except its buffer.
func describe(e *Event) string {
	return fmt.Sprintf("%v seq %d id %d ts %d wall %d wm %d person %v auction %v bid %v", e.Kind, e.Seq, e.ID, e.TS, e.Wall, e.WM, e.Person, e.Auction, e.Bid)
}

// TestWatermark checks what wm promises: no later event has a smaller ts, and
// it does not fall.
func TestWatermark(t *testing.T) {
	for _, set := range sets() {
		g := mustGenerator(t, set)
		var e Event
		last := int64(0)
		for seq := range g.Settings().NumEvents {
			g.Event(seq, &e)
			if e.WM < last || e.TS < e.WM {
				t.Fatalf("%s event %d: ts %d and watermark %d after watermark %d", set, seq, e.TS, e.WM, last)
			}
			last = e.WM
		}
	}
}

// TestSineSchedule follows one period from the formulas: ten steps whose rates
// go from firstEventRate to nextEventRate and back.
func TestSineSchedule(t *testing.T) {
	s := Defaults()
	s.FirstEventRate, s.NextEventRate, s.NumEventGenerators, s.RatePeriodSec = 1001, 100, 1, 10
	var got []int64
	for _, step := range newSchedule(&s).steps {
		got = append(got, step.delayMicros)
	}
	// Rates 1001 915 690 411 186 100 186 411 690 915 per second.
	want := []int64{999, 1093, 1449, 2433, 5376, 10000, 5376, 2433, 1449, 1093}
	if !slices.Equal(got, want) {
		t.Errorf("delays are %v, want %v", got, want)
	}

	schedule := newSchedule(&s)
	last := schedule.at(0)
	if last != s.BaseTime {
		t.Errorf("event 0 is at %d", last)
	}
	for n := int64(1); n < 3*schedule.epochEvents; n++ {
		at := schedule.at(n)
		if step := at - last; step < 0 || step > 11 {
			t.Fatalf("event %d comes %d ms after the one before", n, step)
		}
		last = at
	}
	if got, want := schedule.at(2*schedule.epochEvents), s.BaseTime+2*schedule.epochMillis; got != want {
		t.Errorf("the third period begins at %d, want %d", got, want)
	}
}

// TestExtremeSettings generates with each setting at either end of its range,
// which must neither panic nor break a payload's encoding.
func TestExtremeSettings(t *testing.T) {
	plain := Defaults()
	for i, f := range plain.integers() {
		for _, value := range []int64{f.min, f.max} {
			s := Defaults()
			s.FirstEventID = 5000
			*s.integers()[i].value = value
			if s.AvgPersonByteSize > 1000 || s.AvgAuctionByteSize > 1000 || s.AvgBidByteSize > 1000 {
				continue // megabytes each
			}
			g, err := NewGenerator(s)
			if err != nil {
				continue
			}
			var e Event
			for n := range min(s.NumEvents, 100) {
				for _, seq := range []int64{n, s.NumEvents - 1 - n%s.NumEvents} {
					g.Event(seq, &e)
					checkRoundTrip(t, &e)
				}
			}
		}
	}
}

func TestEventOutOfRange(t *testing.T) {
	g := mustGenerator(t, "dev1k")
	for _, seq := range []int64{-1, g.Settings().NumEvents} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for event %d", seq)
				}
			}()
			g.Event(seq, new(Event))
		}()
	}
}

func TestAllocations(t *testing.T) {
	g := mustGenerator(t, "dev1k")
	var e, decoded Event
	var record []byte
	all := func() {
		for seq := range int64(200) {
			g.Event(seq, &e)
			record = AppendEvent(record[:0], &e)
			if _, err := DecodeEvent(record, &decoded); err != nil {
				t.Fatal(err)
			}
		}
	}
	all() // grows the buffers
	if allocations := testing.AllocsPerRun(5, all); allocations > 0 {
		t.Errorf("%v allocations for 200 events", allocations)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, set := range []string{"dev1k", "devmix"} { // Beam's payload sizes, and small ones
		b.Run(set, func(b *testing.B) {
			g := mustGenerator(b, set)
			var e Event
			seq := int64(0)
			b.ReportAllocs()
			for b.Loop() {
				g.Event(seq, &e)
				if seq++; seq == g.settings.NumEvents {
					seq = 0
				}
			}
		})
	}
}

// BenchmarkRecord measures the codec on events of Beam's payload sizes.
func BenchmarkRecord(b *testing.B) {
	g := mustGenerator(b, "dev1k")
	var e Event
	var records [][]byte
	for seq := range g.Settings().NumEvents {
		g.Event(seq, &e)
		records = append(records, AppendEvent(nil, &e))
	}
	size := int64(len(bytes.Join(records, nil)) / len(records))
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(size)
		for i := 0; b.Loop(); i++ {
			if _, err := DecodeEvent(records[i%len(records)], &e); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		g.Event(4, &e)
		var dst []byte
		for b.Loop() {
			dst = AppendEvent(dst[:0], &e)
		}
		b.SetBytes(int64(len(dst)))
	})
	b.Run("bidPrice", func(b *testing.B) {
		b.ReportAllocs()
		sum := int64(0)
		for i := 0; b.Loop(); i++ {
			r, err := OpenRecord(records[i%len(records)])
			if err != nil {
				b.Fatal(err)
			}
			if r.Kind() == KindBid {
				sum += r.BidPrice()
			}
		}
	})
}
