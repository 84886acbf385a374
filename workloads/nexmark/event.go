package nexmark

// Kind says which of an Event's payloads is set. The zero Kind is no kind.
type Kind uint8

const (
	KindPerson Kind = iota + 1
	KindAuction
	KindBid
)

// String returns the name used in event lines and rows: person, auction or bid.
func (k Kind) String() string {
	switch k {
	case KindPerson:
		return "person"
	case KindAuction:
		return "auction"
	case KindBid:
		return "bid"
	default:
		return "unknown"
	}
}

// Event is one element of the stream. Exactly the payload named by Kind is set,
// the other two are zero. The payload's dateTime is TS and is not stored twice.
//
// The byte slices of a payload do not own their bytes: they alias the Event's
// scratch buffer after [Generator.Event], and the decoded bytes after
// [DecodeEvent]. They are valid until the Event is filled again (or those bytes
// change), also through a copy of the struct: whoever keeps an Event copies its
// bytes. An Event is for one goroutine at a time; the zero Event is ready to be
// filled, and filling the same one again reuses its buffer.
type Event struct {
	Kind Kind
	Seq  int64 // position in the order of emission, from 0
	ID   int64 // Beam's event id, which seeds the payload; not in a record
	TS   int64 // event time, ms
	Wall int64 // time of emission, ms; not in a record
	WM   int64 // watermark with this event, ms: no later one has a smaller TS; not in a record

	Person  Person
	Auction Auction
	Bid     Bid

	scratch []byte
}

// Person is somebody who registered to sell or to bid.
type Person struct {
	ID           int64
	Name         []byte
	EmailAddress []byte
	CreditCard   []byte
	City         []byte
	State        []byte
	Extra        []byte // padding, to reach avgPersonByteSize on average
}

// Auction is an item put up for sale. Prices are in cents.
type Auction struct {
	ID          int64
	ItemName    []byte
	Description []byte
	InitialBid  int64
	Reserve     int64
	Expires     int64 // event time, ms
	Seller      int64 // Person.ID, which may come later in the stream or never
	Category    int64
	Extra       []byte
}

// Bid is an offer for an item. The price is in cents.
type Bid struct {
	Auction int64 // Auction.ID, which may come later in the stream or never
	Bidder  int64 // Person.ID, which may come later in the stream or never
	Price   int64
	Extra   []byte
}

// reset clears everything but keeps the scratch buffer's memory.
func (e *Event) reset() { *e = Event{scratch: e.scratch[:0]} }
