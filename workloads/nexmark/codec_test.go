package nexmark

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// checkRoundTrip encodes e, decodes it with other bytes behind it, and compares
// everything that a record carries; single fields are read as well.
func checkRoundTrip(t *testing.T, e *Event) {
	t.Helper()
	record := AppendEvent(nil, e)
	var got Event
	n, err := DecodeEvent(append(record[:len(record):len(record)], 0xFF, 0x00), &got)
	if err != nil || n != len(record) {
		t.Fatalf("event %d: decoded %d of %d bytes: %v", e.Seq, n, len(record), err)
	}
	want := *e
	want.ID, want.Wall, want.WM = 0, 0, 0
	if describe(&got) != describe(&want) {
		t.Fatalf("event %d\n got %s\nwant %s", e.Seq, describe(&got), describe(&want))
	}
	checkRecord(t, record, &want)
}

func checkRecord(t *testing.T, record []byte, want *Event) {
	t.Helper()
	r, err := OpenRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	got := Event{Kind: r.Kind(), Seq: r.Seq(), TS: r.TS()}
	switch r.Kind() {
	case KindPerson:
		got.Person = want.Person
		got.Person.ID = r.PersonID()
	case KindAuction:
		got.Auction = want.Auction
		got.Auction.ID = r.AuctionID()
		got.Auction.Reserve = r.AuctionReserve()
		got.Auction.Expires = r.AuctionExpires()
		got.Auction.Seller = r.AuctionSeller()
		got.Auction.Category = r.AuctionCategory()
	case KindBid:
		got.Bid = want.Bid
		got.Bid.Auction, got.Bid.Bidder, got.Bid.Price = r.BidAuction(), r.BidBidder(), r.BidPrice()
	}
	if describe(&got) != describe(want) {
		t.Fatalf("single fields\n got %s\nwant %s", describe(&got), describe(want))
	}
}

func TestRoundTrip(t *testing.T) {
	for _, set := range sets() {
		g := mustGenerator(t, set)
		var e Event
		for seq := range g.Settings().NumEvents {
			g.Event(seq, &e)
			checkRoundTrip(t, &e)
		}
	}
}

func TestRoundTripExtremes(t *testing.T) {
	long := bytes.Repeat([]byte{'\\', 0, 0xFF}, 100)
	for _, n := range []int64{0, 1, -1, math.MinInt64, math.MaxInt64} {
		for _, s := range [][]byte{nil, {}, []byte("x"), long} {
			checkRoundTrip(t, &Event{Kind: KindPerson, Seq: n, TS: n, Person: Person{n, s, s, s, s, s, s}})
			checkRoundTrip(t, &Event{Kind: KindAuction, Seq: n, TS: n, Auction: Auction{n, s, s, n, n, n, n, n, s}})
			checkRoundTrip(t, &Event{Kind: KindBid, Seq: n, TS: n, Bid: Bid{n, n, n, s}})
		}
	}
}

// TestTruncated cuts the record of one event of each kind at every byte.
func TestTruncated(t *testing.T) {
	g := mustGenerator(t, "dev1k")
	for _, seq := range []int64{0, 1, 4} {
		var e Event
		g.Event(seq, &e)
		record := AppendEvent(nil, &e)
		for n := range record {
			if got, err := DecodeEvent(record[:n], &e); !errors.Is(err, ErrTruncated) || got != 0 {
				t.Errorf("%d of %d bytes: n = %d, error %v", n, len(record), got, err)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	bid := AppendEvent(nil, &Event{Kind: KindBid})
	numbers := bid[:bidStrings]
	with := func(tail ...byte) []byte { return append(bytes.Clone(numbers), tail...) }
	for _, c := range []struct {
		name string
		src  []byte
	}{
		{"no kind", []byte{0}},
		{"unknown kind", append([]byte{9}, numbers[1:]...)},
		{"length in more bytes than needed", with(0x80, 0x00)},
		{"length over 64 bits", with(bytes.Repeat([]byte{0xFF}, 11)...)},
	} {
		if n, err := DecodeEvent(c.src, new(Event)); !errors.Is(err, ErrMalformed) || n != 0 {
			t.Errorf("%s: n = %d, error %v", c.name, n, err)
		}
	}
	if _, err := DecodeEvent(with(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01), new(Event)); !errors.Is(err, ErrTruncated) {
		t.Errorf("length of 2^64-1: error %v", err)
	}
}

// FuzzDecodeEvent checks that whatever decodes is the one encoding of what it
// decodes to, and that nothing panics.
func FuzzDecodeEvent(f *testing.F) {
	g := mustGenerator(f, "dev1k")
	for _, seq := range []int64{0, 1, 4} {
		var e Event
		g.Event(seq, &e)
		f.Add(AppendEvent(nil, &e))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, src []byte) {
		var e Event
		n, err := DecodeEvent(src, &e)
		if err != nil {
			if n != 0 || !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrMalformed) {
				t.Fatalf("n = %d, error %v", n, err)
			}
			return
		}
		if again := AppendEvent(nil, &e); !bytes.Equal(again, src[:n]) {
			t.Fatalf("%x decodes, and encodes to %x", src[:n], again)
		}
	})
}
