package nexmark

import (
	"encoding/binary"
	"errors"
)

// A record is an event encoded for a channel or a log. Numbers are eight bytes
// little-endian at fixed places, so that an operator reads one field without
// decoding the rest, and so that records are about as large as Beam counts
// them (avgBidByteSize and its kin count eight bytes per number):
//
//	offset  bytes  person   auction      bid
//	0       1      kind     kind         kind
//	1       8      seq      seq          seq
//	9       8      ts       ts           ts
//	17      8      id       id           auction
//	25      8               initialBid   bidder
//	33      8               reserve      price
//	41      8               expires
//	49      8               seller
//	57      8               category
//
// The strings follow, each as its length (a uvarint of the fewest bytes) and
// its bytes: name, emailAddress, creditCard, city, state, extra of a person;
// itemName, description, extra of an auction; extra of a bid. An event has
// exactly one encoding. Its id, wall and wm belong to the source and are not
// in the record.
const (
	kindOffset   = 0
	seqOffset    = 1
	tsOffset     = 9
	fieldsOffset = 17

	personIDOffset = fieldsOffset
	personStrings  = fieldsOffset + 8

	auctionIDOffset  = fieldsOffset
	initialBidOffset = fieldsOffset + 8
	reserveOffset    = fieldsOffset + 16
	expiresOffset    = fieldsOffset + 24
	sellerOffset     = fieldsOffset + 32
	categoryOffset   = fieldsOffset + 40
	auctionStrings   = fieldsOffset + 48

	bidAuctionOffset = fieldsOffset
	bidderOffset     = fieldsOffset + 8
	priceOffset      = fieldsOffset + 16
	bidStrings       = fieldsOffset + 24
)

// Errors of decoding, told apart with errors.Is.
var (
	// ErrTruncated says that the bytes end before the record does.
	ErrTruncated = errors.New("nexmark: truncated record")
	// ErrMalformed says that no event has this encoding.
	ErrMalformed = errors.New("nexmark: malformed record")
)

// AppendEvent appends e's record to dst and returns the extended slice. It
// panics if e has no kind.
func AppendEvent(dst []byte, e *Event) []byte {
	dst = append(dst, byte(e.Kind))
	dst = appendNumber(dst, e.Seq)
	dst = appendNumber(dst, e.TS)
	switch e.Kind {
	case KindPerson:
		p := &e.Person
		dst = appendNumber(dst, p.ID)
		dst = appendString(dst, p.Name)
		dst = appendString(dst, p.EmailAddress)
		dst = appendString(dst, p.CreditCard)
		dst = appendString(dst, p.City)
		dst = appendString(dst, p.State)
		return appendString(dst, p.Extra)
	case KindAuction:
		a := &e.Auction
		dst = appendNumber(dst, a.ID)
		dst = appendNumber(dst, a.InitialBid)
		dst = appendNumber(dst, a.Reserve)
		dst = appendNumber(dst, a.Expires)
		dst = appendNumber(dst, a.Seller)
		dst = appendNumber(dst, a.Category)
		dst = appendString(dst, a.ItemName)
		dst = appendString(dst, a.Description)
		return appendString(dst, a.Extra)
	case KindBid:
		b := &e.Bid
		dst = appendNumber(dst, b.Auction)
		dst = appendNumber(dst, b.Bidder)
		dst = appendNumber(dst, b.Price)
		return appendString(dst, b.Extra)
	default:
		panic("nexmark: encoding an event without a kind")
	}
}

// DecodeEvent fills e from the record at the start of src and returns how many
// bytes it has; what follows is not looked at. The payload's byte slices alias
// src, which must not change while they are used. ID, Wall and WM become 0.
// The error is ErrTruncated or ErrMalformed; n is 0 then and e is in no defined
// state. It does not allocate.
func DecodeEvent(src []byte, e *Event) (n int, err error) {
	r, err := OpenRecord(src)
	if err != nil {
		return 0, err
	}
	e.reset()
	e.Kind, e.Seq, e.TS = r.Kind(), r.Seq(), r.TS()
	s := stringReader{rest: src[r.Kind().stringsOffset():]}
	switch e.Kind {
	case KindPerson:
		p := &e.Person
		p.ID = r.PersonID()
		p.Name = s.next()
		p.EmailAddress = s.next()
		p.CreditCard = s.next()
		p.City = s.next()
		p.State = s.next()
		p.Extra = s.next()
	case KindAuction:
		a := &e.Auction
		a.ID = r.AuctionID()
		a.InitialBid = r.number(initialBidOffset)
		a.Reserve = r.AuctionReserve()
		a.Expires = r.AuctionExpires()
		a.Seller = r.AuctionSeller()
		a.Category = r.AuctionCategory()
		a.ItemName = s.next()
		a.Description = s.next()
		a.Extra = s.next()
	case KindBid:
		b := &e.Bid
		b.Auction = r.BidAuction()
		b.Bidder = r.BidBidder()
		b.Price = r.BidPrice()
		b.Extra = s.next()
	}
	if s.err != nil {
		return 0, s.err
	}
	return len(src) - len(s.rest), nil
}

// Record is a view of an encoded event, for reading single fields at their
// fixed places. It aliases the bytes given to [OpenRecord]. A method named
// after a kind has a meaning for records of that kind only.
type Record []byte

// OpenRecord views the record at the start of src after checking that it has a
// kind and all of that kind's numbers; it does not look at the strings. The
// error is ErrTruncated or ErrMalformed. No method of an opened record fails.
func OpenRecord(src []byte) (Record, error) {
	if len(src) == 0 {
		return nil, ErrTruncated
	}
	numbers := Kind(src[kindOffset]).stringsOffset()
	if numbers == 0 {
		return nil, ErrMalformed
	}
	if len(src) < numbers {
		return nil, ErrTruncated
	}
	return Record(src), nil
}

// Kind tells which kind of event it is.
func (r Record) Kind() Kind { return Kind(r[kindOffset]) }

// Seq is the event's position in the order of emission.
func (r Record) Seq() int64 { return r.number(seqOffset) }

// TS is the event time in ms.
func (r Record) TS() int64 { return r.number(tsOffset) }

// PersonID is a person's id.
func (r Record) PersonID() int64 { return r.number(personIDOffset) }

// AuctionID is an auction's id.
func (r Record) AuctionID() int64 { return r.number(auctionIDOffset) }

// AuctionReserve is an auction's least price, in cents.
func (r Record) AuctionReserve() int64 { return r.number(reserveOffset) }

// AuctionExpires is the event time at which an auction ends, in ms.
func (r Record) AuctionExpires() int64 { return r.number(expiresOffset) }

// AuctionSeller is the id of the person who sells.
func (r Record) AuctionSeller() int64 { return r.number(sellerOffset) }

// AuctionCategory is an auction's category.
func (r Record) AuctionCategory() int64 { return r.number(categoryOffset) }

// BidAuction is the id of the auction that a bid is for.
func (r Record) BidAuction() int64 { return r.number(bidAuctionOffset) }

// BidBidder is the id of the person who bids.
func (r Record) BidBidder() int64 { return r.number(bidderOffset) }

// BidPrice is the price that a bid offers, in cents.
func (r Record) BidPrice() int64 { return r.number(priceOffset) }

func (r Record) number(offset int) int64 {
	return int64(binary.LittleEndian.Uint64(r[offset:]))
}

// stringsOffset is where a record's strings begin, or 0 for no kind.
func (k Kind) stringsOffset() int {
	switch k {
	case KindPerson:
		return personStrings
	case KindAuction:
		return auctionStrings
	case KindBid:
		return bidStrings
	default:
		return 0
	}
}

func appendNumber(dst []byte, n int64) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(n))
}

func appendString(dst, s []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// stringReader takes strings off a record and remembers the first error.
type stringReader struct {
	rest []byte
	err  error
}

func (s *stringReader) next() []byte {
	if s.err != nil {
		return nil
	}
	length, n := binary.Uvarint(s.rest)
	switch {
	case n == 0:
		s.err = ErrTruncated
		return nil
	case n < 0 || n > 1 && s.rest[n-1] == 0: // too large, or longer than needed
		s.err = ErrMalformed
		return nil
	case length > uint64(len(s.rest)-n):
		s.err = ErrTruncated
		return nil
	}
	end := n + int(length)
	field := s.rest[n:end:end]
	s.rest = s.rest[end:]
	return field
}
