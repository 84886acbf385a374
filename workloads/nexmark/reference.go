package nexmark

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Queries returns the names of the queries that [Reference] answers, in order.
func Queries() []string { return []string{"q0", "q1", "q5", "q8"} }

// Reference returns the answer of a query over the whole stream of s: the
// canonical rows that stand after all input was taken and every window closed,
// sorted bytewise, equal rows as often as they occur. It does not share code
// with the operators, takes the events one after the other, and keeps what it
// needs in memory: for q0 and q1 all rows. An unknown query is an error that
// lists the known ones, and settings must be valid.
//
//	q0  every event, unchanged
//	q1  every bid with its price times 89/100, rounded down
//	q5  per sliding window (windowSizeSec every windowPeriodSec), the auctions
//	    with the most bids, all of them on a tie
//	q8  per tumbling window (windowSizeSec), each auction whose seller
//	    registered in the same window, with its reserve
//
// Windows are aligned to the Unix epoch; q5 has every window that contains a
// bid, those that begin before the first event included.
func Reference(query string, s Settings) ([][]byte, error) {
	g, err := NewGenerator(s)
	if err != nil {
		return nil, err
	}
	var rows [][]byte
	switch query {
	case "q0":
		rows = referenceQ0(g)
	case "q1":
		rows = referenceQ1(g)
	case "q5":
		rows = referenceQ5(g)
	case "q8":
		rows = referenceQ8(g)
	default:
		return nil, fmt.Errorf("nexmark: no reference answer for query %q; known are %s",
			query, strings.Join(Queries(), ", "))
	}
	SortRows(rows)
	return rows, nil
}

// SortRows puts rows in their canonical order, bytewise, in place.
func SortRows(rows [][]byte) { slices.SortFunc(rows, bytes.Compare) }

// Digest returns the SHA-256, in lower-case hex, of the rows in the order given,
// each ended with a newline. A result's digest is that of its sorted rows.
func Digest(rows [][]byte) string {
	h := sha256.New()
	for _, row := range rows {
		h.Write(row)
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func referenceQ0(g *Generator) [][]byte {
	var rows [][]byte
	var e Event
	for seq := range g.settings.NumEvents {
		g.Event(seq, &e)
		rows = append(rows, AppendQ0Row(nil, &e))
	}
	return rows
}

func referenceQ1(g *Generator) [][]byte {
	var rows [][]byte
	var e Event
	for seq := range g.settings.NumEvents {
		g.Event(seq, &e)
		if e.Kind != KindBid {
			continue
		}
		rows = append(rows, AppendQ1Row(nil, &Q1Row{
			Auction:  e.Bid.Auction,
			Bidder:   e.Bid.Bidder,
			Price:    e.Bid.Price * 89 / 100,
			DateTime: e.TS,
			Extra:    e.Bid.Extra,
		}))
	}
	return rows
}

// referenceQ5 writes down every (window, auction) that a bid counts for, sorts,
// and counts the runs.
func referenceQ5(g *Generator) [][]byte {
	size, period := g.settings.WindowSizeSec*1000, g.settings.WindowPeriodSec*1000
	var counted []Q5Row // each with Num 1
	var e Event
	for seq := range g.settings.NumEvents {
		g.Event(seq, &e)
		if e.Kind != KindBid {
			continue
		}
		latest := e.TS - e.TS%period
		for start := latest; start > e.TS-size; start -= period {
			counted = append(counted, Q5Row{WindowStart: start, WindowEnd: start + size, Auction: e.Bid.Auction, Num: 1})
		}
	}
	slices.SortFunc(counted, func(a, b Q5Row) int {
		return cmp.Or(cmp.Compare(a.WindowStart, b.WindowStart), cmp.Compare(a.Auction, b.Auction))
	})

	var perAuction []Q5Row
	for _, c := range counted {
		last := len(perAuction) - 1
		if last >= 0 && perAuction[last].WindowStart == c.WindowStart && perAuction[last].Auction == c.Auction {
			perAuction[last].Num++
		} else {
			perAuction = append(perAuction, c)
		}
	}

	most := make(map[int64]int64) // by window start
	for _, r := range perAuction {
		most[r.WindowStart] = max(most[r.WindowStart], r.Num)
	}
	var rows [][]byte
	for _, r := range perAuction {
		if r.Num == most[r.WindowStart] {
			rows = append(rows, AppendQ5Row(nil, &r))
		}
	}
	return rows
}

// referenceQ8 writes down all people first, since an auction may come before
// its seller, and joins the auctions to them in a second pass.
func referenceQ8(g *Generator) [][]byte {
	size := g.settings.WindowSizeSec * 1000
	type registration struct{ windowStart, id int64 }
	names := make(map[registration][]string) // one, unless events repeat

	var e Event
	for seq := range g.settings.NumEvents {
		g.Event(seq, &e)
		if e.Kind == KindPerson {
			key := registration{e.TS - e.TS%size, e.Person.ID}
			names[key] = append(names[key], string(e.Person.Name))
		}
	}

	var rows [][]byte
	for seq := range g.settings.NumEvents {
		g.Event(seq, &e)
		if e.Kind != KindAuction {
			continue
		}
		key := registration{e.TS - e.TS%size, e.Auction.Seller}
		for _, name := range names[key] {
			rows = append(rows, AppendQ8Row(nil, &Q8Row{
				WindowStart: key.windowStart,
				ID:          key.id,
				Name:        []byte(name),
				Reserve:     e.Auction.Reserve,
			}))
		}
	}
	return rows
}
