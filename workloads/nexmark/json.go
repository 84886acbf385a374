package nexmark

import "strconv"

// Lines and rows are compact JSON objects with their keys in a fixed order and
// no newline at the end. The only byte of a generated string that JSON needs
// escaped is the backslash, so nothing else is.

// Q1Row is a bid with its price in another currency.
type Q1Row struct {
	Auction  int64
	Bidder   int64
	Price    int64 // hundredths
	DateTime int64 // event time, ms
	Extra    []byte
}

// Q5Row is an auction that had the most bids of a sliding window, and how many.
type Q5Row struct {
	WindowStart int64 // ms, inclusive
	WindowEnd   int64 // ms, exclusive
	Auction     int64
	Num         int64
}

// Q8Row is an auction opened by a person who registered in the same tumbling
// window.
type Q8Row struct {
	WindowStart int64 // ms
	ID          int64 // of the person
	Name        []byte
	Reserve     int64 // of the auction, cents
}

// AppendEventLine appends e as a line of an event file, without the newline:
// its place in the stream and its payload. It panics if e has no kind. An
// event decoded from a record lacks id, wall and wm.
func AppendEventLine(dst []byte, e *Event) []byte {
	dst = appendInt(dst, `{"seq":`, e.Seq)
	dst = appendInt(dst, `,"id":`, e.ID)
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, e.Kind.String()...)
	dst = appendInt(dst, `","ts":`, e.TS)
	dst = appendInt(dst, `,"wall":`, e.Wall)
	dst = appendInt(dst, `,"wm":`, e.WM)
	dst = append(dst, `,"event":`...)
	dst = appendPayload(dst, e)
	return append(dst, '}')
}

// AppendQ0Row appends q0's row for e: the event unchanged. It panics if e has
// no kind.
func AppendQ0Row(dst []byte, e *Event) []byte {
	dst = append(dst, `{"kind":"`...)
	dst = append(dst, e.Kind.String()...)
	dst = appendInt(dst, `","ts":`, e.TS)
	dst = append(dst, `,"event":`...)
	dst = appendPayload(dst, e)
	return append(dst, '}')
}

// AppendQ1Row appends a row of q1.
func AppendQ1Row(dst []byte, r *Q1Row) []byte {
	dst = appendInt(dst, `{"auction":`, r.Auction)
	dst = appendInt(dst, `,"bidder":`, r.Bidder)
	dst = appendInt(dst, `,"price":`, r.Price)
	dst = appendInt(dst, `,"dateTime":`, r.DateTime)
	dst = appendQuoted(dst, `,"extra":`, r.Extra)
	return append(dst, '}')
}

// AppendQ5Row appends a row of q5.
func AppendQ5Row(dst []byte, r *Q5Row) []byte {
	dst = appendInt(dst, `{"windowStart":`, r.WindowStart)
	dst = appendInt(dst, `,"windowEnd":`, r.WindowEnd)
	dst = appendInt(dst, `,"auction":`, r.Auction)
	dst = appendInt(dst, `,"num":`, r.Num)
	return append(dst, '}')
}

// AppendQ8Row appends a row of q8.
func AppendQ8Row(dst []byte, r *Q8Row) []byte {
	dst = appendInt(dst, `{"windowStart":`, r.WindowStart)
	dst = appendInt(dst, `,"id":`, r.ID)
	dst = appendQuoted(dst, `,"name":`, r.Name)
	dst = appendInt(dst, `,"reserve":`, r.Reserve)
	return append(dst, '}')
}

func appendPayload(dst []byte, e *Event) []byte {
	switch e.Kind {
	case KindPerson:
		return appendPerson(dst, &e.Person, e.TS)
	case KindAuction:
		return appendAuction(dst, &e.Auction, e.TS)
	case KindBid:
		return appendBid(dst, &e.Bid, e.TS)
	default:
		panic("nexmark: writing an event without a kind")
	}
}

func appendPerson(dst []byte, p *Person, ts int64) []byte {
	dst = appendInt(dst, `{"id":`, p.ID)
	dst = appendQuoted(dst, `,"name":`, p.Name)
	dst = appendQuoted(dst, `,"emailAddress":`, p.EmailAddress)
	dst = appendQuoted(dst, `,"creditCard":`, p.CreditCard)
	dst = appendQuoted(dst, `,"city":`, p.City)
	dst = appendQuoted(dst, `,"state":`, p.State)
	dst = appendInt(dst, `,"dateTime":`, ts)
	dst = appendQuoted(dst, `,"extra":`, p.Extra)
	return append(dst, '}')
}

func appendAuction(dst []byte, a *Auction, ts int64) []byte {
	dst = appendInt(dst, `{"id":`, a.ID)
	dst = appendQuoted(dst, `,"itemName":`, a.ItemName)
	dst = appendQuoted(dst, `,"description":`, a.Description)
	dst = appendInt(dst, `,"initialBid":`, a.InitialBid)
	dst = appendInt(dst, `,"reserve":`, a.Reserve)
	dst = appendInt(dst, `,"dateTime":`, ts)
	dst = appendInt(dst, `,"expires":`, a.Expires)
	dst = appendInt(dst, `,"seller":`, a.Seller)
	dst = appendInt(dst, `,"category":`, a.Category)
	dst = appendQuoted(dst, `,"extra":`, a.Extra)
	return append(dst, '}')
}

func appendBid(dst []byte, b *Bid, ts int64) []byte {
	dst = appendInt(dst, `{"auction":`, b.Auction)
	dst = appendInt(dst, `,"bidder":`, b.Bidder)
	dst = appendInt(dst, `,"price":`, b.Price)
	dst = appendInt(dst, `,"dateTime":`, ts)
	dst = appendQuoted(dst, `,"extra":`, b.Extra)
	return append(dst, '}')
}

// appendInt appends key, which brings its punctuation, and n.
func appendInt(dst []byte, key string, n int64) []byte {
	dst = append(dst, key...)
	return strconv.AppendInt(dst, n, 10)
}

// appendQuoted appends key, which brings its punctuation, and s as a string.
func appendQuoted(dst []byte, key string, s []byte) []byte {
	dst = append(dst, key...)
	dst = append(dst, '"')
	for _, c := range s {
		if c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
