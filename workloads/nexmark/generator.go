package nexmark

import (
	"fmt"
	"math"
)

// Proportions of a run of eventsPerEpoch ids: a person, then auctions, then
// bids.
const (
	eventsPerEpoch   = 50
	auctionsPerEpoch = 3
)

// Ids count from zero in the formulas and are emitted from these.
const (
	firstPersonID   = 1000
	firstAuctionID  = 1000
	firstCategoryID = 10
)

// Every hotStride-th person and auction is a hot one in its turn.
const hotStride = 100

// multiplier shuffles the events of a group among themselves.
const multiplier = 953

// lookAhead is how many people or auctions that do not exist yet an event may
// refer to.
const lookAhead = 10

// The payloads' sizes without their strings, as Beam counts them: eight bytes
// for each number.
const (
	personBaseSize  = 8
	auctionBaseSize = 48
	bidBaseSize     = 32
)

// Tables of the words in people's names and addresses; nothing writes to them.
var (
	firstNames = [...]string{
		"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter",
	}
	lastNames = [...]string{
		"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris",
	}
	cities = [...]string{
		"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
		"Bend", "Redmond", "Seattle", "Kent", "Cheyenne",
	}
	states = [...]string{"AZ", "CA", "ID", "OR", "WA", "WY"}
)

// Generator makes the events of one stream. It has no state between calls and
// is safe for concurrent use, with an Event for each caller.
type Generator struct {
	settings Settings
	schedule *schedule
}

// NewGenerator returns the generator of valid settings, and otherwise the error
// of [Settings.Validate].
func NewGenerator(s Settings) (*Generator, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Generator{settings: s, schedule: newSchedule(&s)}, nil
}

// Settings returns the settings the generator was made with.
func (g *Generator) Settings() Settings { return g.settings }

// Event fills e with the event of that position in the order of emission,
// 0 <= seq < numEvents; any other seq panics. Calls may come in any order and
// give the same event each time. The payload's bytes are e's own until e is
// filled again, and filling it again does not allocate once its buffer has
// grown to the size of the stream's events.
func (g *Generator) Event(seq int64, e *Event) {
	if seq < 0 || seq >= g.settings.NumEvents {
		panic(fmt.Sprintf("nexmark: no event %d among %d", seq, g.settings.NumEvents))
	}
	group := g.settings.OutOfOrderGroupSize
	number := g.settings.FirstEventNumber + seq
	adjusted := number/group*group + number*multiplier%group

	e.reset()
	e.Seq = seq
	e.ID = g.settings.FirstEventID + adjusted
	e.TS = g.schedule.at(adjusted)
	e.Wall = g.schedule.at(number)
	e.WM = g.schedule.at(number / group * group)

	r := newRandom(e.ID)
	switch offset := e.ID % eventsPerEpoch; {
	case offset == 0:
		e.Kind = KindPerson
		g.person(&r, e)
	case offset <= auctionsPerEpoch:
		e.Kind = KindAuction
		g.auction(&r, e, adjusted)
	default:
		e.Kind = KindBid
		g.bid(&r, e)
	}
}

// The fields below are filled in the order of the draws, which is the order
// that makes the events Beam's.

func (g *Generator) person(r *random, e *Event) {
	p := &e.Person
	p.ID = firstPersonID + lastPerson(e.ID)

	start := len(e.scratch)
	e.word(firstNames[r.Intn(int32(len(firstNames)))])
	e.word(" ")
	e.word(lastNames[r.Intn(int32(len(lastNames)))])
	p.Name = e.since(start)

	start = len(e.scratch)
	e.text(r, 7)
	e.word("@")
	e.text(r, 5)
	e.word(".com")
	p.EmailAddress = e.since(start)

	p.CreditCard = e.creditCard(r)
	p.City = e.word(cities[r.Intn(int32(len(cities)))])
	p.State = e.word(states[r.Intn(int32(len(states)))])

	size := personBaseSize + len(p.Name) + len(p.EmailAddress) + len(p.CreditCard) + len(p.City) + len(p.State)
	p.Extra = e.extra(r, int64(size), g.settings.AvgPersonByteSize)
}

func (g *Generator) auction(r *random, e *Event, adjusted int64) {
	a := &e.Auction
	a.ID = firstAuctionID + lastAuction(e.ID)
	if r.Intn(int32(g.settings.HotSellersRatio)) > 0 {
		a.Seller = firstPersonID + lastPerson(e.ID)/hotStride*hotStride
	} else {
		a.Seller = firstPersonID + g.somePerson(r, e.ID)
	}
	a.Category = firstCategoryID + int64(r.Intn(5))
	a.InitialBid = r.Price()
	horizon := g.schedule.at(adjusted+expiryDistance(&g.settings)) - e.TS
	a.Expires = e.TS + 1 + r.Pick(max(2*horizon, 1))
	a.ItemName = e.text(r, 20)
	a.Description = e.text(r, 100)
	a.Reserve = a.InitialBid + r.Price()

	size := auctionBaseSize + len(a.ItemName) + len(a.Description)
	a.Extra = e.extra(r, int64(size), g.settings.AvgAuctionByteSize)
}

func (g *Generator) bid(r *random, e *Event) {
	b := &e.Bid
	if r.Intn(int32(g.settings.HotAuctionRatio)) > 0 {
		b.Auction = firstAuctionID + lastAuction(e.ID)/hotStride*hotStride
	} else {
		b.Auction = firstAuctionID + g.someAuction(r, e.ID)
	}
	if r.Intn(int32(g.settings.HotBiddersRatio)) > 0 {
		b.Bidder = firstPersonID + lastPerson(e.ID)/hotStride*hotStride + 1
	} else {
		b.Bidder = firstPersonID + g.somePerson(r, e.ID)
	}
	b.Price = r.Price()
	b.Extra = e.extra(r, bidBaseSize, g.settings.AvgBidByteSize)
}

// lastPerson is the person of event id, or the last one before it.
func lastPerson(id int64) int64 { return id / eventsPerEpoch }

// lastAuction is the auction of event id, or the last one before it.
func lastAuction(id int64) int64 {
	epoch, offset := id/eventsPerEpoch, id%eventsPerEpoch
	return auctionsPerEpoch*epoch + min(offset, auctionsPerEpoch) - 1
}

// somePerson is one of the active people, or of the few that come next.
func (g *Generator) somePerson(r *random, id int64) int64 {
	people := lastPerson(id) + 1
	active := min(people, g.settings.NumActivePeople)
	return people - active + r.Pick(active+lookAhead)
}

// someAuction is one of the auctions in flight, or of the few that come next.
func (g *Generator) someAuction(r *random, id int64) int64 {
	last := lastAuction(id)
	first := max(last-g.settings.NumInFlightAuctions, 0)
	return first + r.Pick(last-first+1+lookAhead)
}

// expiryDistance is how many events pass while numInFlightAuctions new auctions
// open; an auction is open for that long on average.
func expiryDistance(s *Settings) int64 {
	return s.NumInFlightAuctions * eventsPerEpoch / auctionsPerEpoch
}

// since returns what was appended to the scratch buffer after start. The
// capacity ends there too. If the buffer moves later, the slice keeps the old
// memory, to which nothing is written any more.
func (e *Event) since(start int) []byte {
	return e.scratch[start:len(e.scratch):len(e.scratch)]
}

// word appends a fixed string.
func (e *Event) word(s string) []byte {
	start := len(e.scratch)
	e.scratch = append(e.scratch, s...)
	return e.since(start)
}

// text appends a random string of 3 to limit-1 letters and spaces without the
// spaces at its ends, so it may be shorter, even empty.
func (e *Event) text(r *random, limit int32) []byte {
	start := len(e.scratch)
	for n := 3 + r.Intn(limit-3); n > 0; n-- {
		if r.Intn(13) > 0 {
			e.scratch = append(e.scratch, 'a'+byte(r.Intn(26)))
		} else if len(e.scratch) > start { // a space, but not at the left end
			e.scratch = append(e.scratch, ' ')
		}
	}
	for len(e.scratch) > start && e.scratch[len(e.scratch)-1] == ' ' {
		e.scratch = e.scratch[:len(e.scratch)-1]
	}
	return e.since(start)
}

// creditCard appends four groups of four digits.
func (e *Event) creditCard(r *random) []byte {
	start := len(e.scratch)
	for group := range 4 {
		if group > 0 {
			e.scratch = append(e.scratch, ' ')
		}
		n := r.Intn(10000)
		e.scratch = append(e.scratch,
			'0'+byte(n/1000), '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10))
	}
	return e.since(start)
}

// extra appends padding that brings a payload of size have to want bytes on
// average, within 20 %. A payload that is larger already gets none, and takes
// no draw. Java's remainder keeps the sign of a negative draw, so the bytes are
// 'H' to 'z', the punctuation between the cases included.
func (e *Event) extra(r *random, have, average int64) []byte {
	if have > average {
		return nil
	}
	want := average - have
	delta := int64(math.Floor(float64(float64(want)*0.2) + 0.5))
	length := want - delta
	if delta > 0 {
		length += int64(r.Intn(int32(2 * delta)))
	}
	start := len(e.scratch)
	for length > 0 {
		draw := r.Int()
		for range min(length, 6) {
			e.scratch = append(e.scratch, byte('a'+draw%26))
			draw /= 26
		}
		length -= 6
	}
	return e.since(start)
}
