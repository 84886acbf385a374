package nexmark

import (
	"encoding/binary"
	"slices"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

// plan is a query's vertices between source and sink. Vertex 0 of the edges is
// the source, vertex 1 the first of vertices; an edge from the last one to the
// sink is added to them.
type plan struct {
	vertices []dataflow.Vertex
	edges    []dataflow.Edge
}

// newPlan returns the plan of a query.
//
//	q0, q1  source -> (round robin) project
//	q5      source -> (hash by auction) count per sliding window
//	               -> (hash by window) best
//	q8      source -> (round robin) split -> (hash by person) join per tumbling window
func newPlan(query string, s Settings) (plan, bool) {
	switch query {
	case "q0":
		return projection(projectQ0), true
	case "q1":
		return projection(projectQ1), true
	case "q5":
		return planQ5(operators.Sliding(s.WindowSizeSec*1000, s.WindowPeriodSec*1000)), true
	case "q8":
		return planQ8(s.WindowSizeSec * 1000), true
	}
	return plan{}, false
}

// projection is a plan with one operator; newF is called per instance, so that
// each has an Event of its own.
func projection(newF func() func(dst, rec []byte) ([]byte, bool)) plan {
	return plan{
		[]dataflow.Vertex{{Name: "project", New: func() dataflow.Operator { return &operators.Transform{F: newF()} }}},
		[]dataflow.Edge{{From: 0, To: 1, Partitioning: dataflow.Rebalance}},
	}
}

func projectQ0() func(dst, rec []byte) ([]byte, bool) {
	e := new(Event)
	return func(dst, rec []byte) ([]byte, bool) {
		mustDecode(rec, e)
		return AppendQ0Row(dst, e), true
	}
}

func projectQ1() func(dst, rec []byte) ([]byte, bool) {
	e := new(Event)
	row := new(Q1Row)
	return func(dst, rec []byte) ([]byte, bool) {
		if Record(rec).Kind() != KindBid {
			return dst, false
		}
		mustDecode(rec, e)
		// 0.89 in hundredths, rounded down; prices are not negative.
		*row = Q1Row{Auction: e.Bid.Auction, Bidder: e.Bid.Bidder, Price: e.Bid.Price * 89 / 100, DateTime: e.TS, Extra: e.Bid.Extra}
		return AppendQ1Row(dst, row), true
	}
}

// mustDecode decodes a record that this package has made; buffers are checked
// when they come back from storage, so anything else is a bug.
func mustDecode(rec []byte, e *Event) {
	if _, err := DecodeEvent(rec, e); err != nil {
		panic(err)
	}
}

// --- q5 ---

// A count per auction and window travels as four numbers: the window's start
// and end, the auction, the count.
const (
	countStart   = 0
	countEnd     = 8
	countAuction = 16
	countNum     = 24
)

func planQ5(w operators.Windows) plan {
	count := func() dataflow.Operator {
		return &operators.WindowAggregate[uint64]{
			State: "bids", Windows: w, Acc: state.Uint64,
			Read: func(dst, rec []byte) ([]byte, int64, bool) {
				r := Record(rec)
				if r.Kind() != KindBid {
					return dst, 0, false
				}
				return appendNumber(dst, r.BidAuction()), r.TS(), true
			},
			Add: func(n uint64, _ []byte) uint64 { return n + 1 },
			Row: func(dst, auction []byte, start int64, n uint64) []byte {
				dst = appendNumber(dst, start)
				dst = appendNumber(dst, start+w.Size)
				dst = append(dst, auction...)
				return appendNumber(dst, int64(n))
			},
		}
	}
	best := func() dataflow.Operator {
		return &operators.Best{
			State: "hot",
			Read: func(dst, rec []byte) ([]byte, int64, int64) {
				return append(dst, rec[countStart:countStart+8]...), number(rec, countNum), number(rec, countEnd)
			},
			Row: appendHot,
		}
	}
	return plan{
		[]dataflow.Vertex{{Name: "count", Keyed: true, New: count}, {Name: "best", Keyed: true, New: best}},
		[]dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: auctionHash},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: windowHash},
		},
	}
}

func appendHot(dst, rec []byte) []byte {
	return AppendQ5Row(dst, &Q5Row{
		WindowStart: number(rec, countStart), WindowEnd: number(rec, countEnd),
		Auction: number(rec, countAuction), Num: number(rec, countNum),
	})
}

func number(rec []byte, at int) int64 { return int64(binary.LittleEndian.Uint64(rec[at:])) }

// auctionHash spreads bids by auction. Other events are dropped behind the
// exchange; they go anywhere.
func auctionHash(rec []byte) uint64 {
	if r := Record(rec); r.Kind() == KindBid {
		return state.HashUint64(uint64(r.BidAuction()))
	}
	return state.HashUint64(uint64(Record(rec).Seq()))
}

func windowHash(rec []byte) uint64 { return state.HashUint64(uint64(number(rec, countStart))) }

// --- q8 ---

// Output ports of q8's split and input ports of its join.
const (
	portPersons  = 0
	portAuctions = 1
)

func planQ8(size int64) plan {
	split := func() dataflow.Operator {
		return &operators.Split{Ports: 2, Port: func(rec []byte) int {
			switch Record(rec).Kind() {
			case KindPerson:
				return portPersons
			case KindAuction:
				return portAuctions
			default:
				return -1
			}
		}}
	}
	return plan{
		[]dataflow.Vertex{{Name: "split", New: split}, {Name: "join", Keyed: true, New: func() dataflow.Operator { return joinQ8(size) }}},
		[]dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Rebalance},
			{From: 1, To: 2, Port: portPersons, Input: portPersons, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 {
				return state.HashUint64(uint64(Record(rec).PersonID()))
			}},
			{From: 1, To: 2, Port: portAuctions, Input: portAuctions, Partitioning: dataflow.Hash, Key: func(rec []byte) uint64 {
				return state.HashUint64(uint64(Record(rec).AuctionSeller()))
			}},
		},
	}
}

func joinQ8(size int64) dataflow.Operator {
	e := new(Event)
	row := new(Q8Row)
	j := &operators.WindowJoin{State: "registrations", Size: size}
	j.Sides[portPersons] = operators.JoinSide{
		Key: func(dst, rec []byte) ([]byte, int64) {
			return appendNumber(dst, Record(rec).PersonID()), Record(rec).TS()
		},
		Keep: func(dst, rec []byte) []byte {
			mustDecode(rec, e)
			return append(dst, e.Person.Name...)
		},
	}
	j.Sides[portAuctions] = operators.JoinSide{
		Key: func(dst, rec []byte) ([]byte, int64) {
			return appendNumber(dst, Record(rec).AuctionSeller()), Record(rec).TS()
		},
		Keep: func(dst, rec []byte) []byte { return appendNumber(dst, Record(rec).AuctionReserve()) },
	}
	j.Row = func(dst []byte, start int64, person, name, reserve []byte) []byte {
		*row = Q8Row{WindowStart: start, ID: number(person, 0), Name: name, Reserve: number(reserve, 0)}
		return AppendQ8Row(slices.Grow(dst, len(name)+80), row)
	}
	return j
}
