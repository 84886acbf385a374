package cichmnr

import (
	"testing"

	"pgregory.net/rapid"

	"weir/id"
)

// process is one of a computation on any graph, cycles included.
type process struct {
	knows    vectors
	sent     []bool
	interval int // snapshots taken
}

// message is one that was sent, with the intervals of its ends.
type message struct {
	from, to      int
	sentIn, gotIn int
	lost          bool // never delivered
	carried       vectors
}

// computation draws sends, deliveries in any order, and basic snapshots.
func computation(t *rapid.T, forcing bool) (ps []process, ms []message, forced int) {
	ps = make([]process, rapid.IntRange(2, 4).Draw(t, "processes"))
	for i := range ps {
		ps[i] = process{sent: make([]bool, len(ps)), interval: 1}
		ps[i].knows.begin(id.TaskID(i))
	}
	var under []int // messages under way
	for range rapid.IntRange(20, 80).Draw(t, "events") {
		i := rapid.IntRange(0, len(ps)-1).Draw(t, "process")
		p := &ps[i]
		switch rapid.IntRange(0, 4).Draw(t, "event") {
		case 0:
			p.snapshot(i)
		case 1, 2:
			to := rapid.IntRange(0, len(ps)-2).Draw(t, "to")
			if to >= i {
				to++
			}
			m := message{from: i, to: to, sentIn: p.interval, lost: true}
			p.sent[to] = true
			m.carried.decode(p.knows.append(nil))
			under = append(under, len(ms))
			ms = append(ms, m)
		default:
			if len(under) == 0 {
				continue
			}
			k := rapid.IntRange(0, len(under)-1).Draw(t, "message")
			m := &ms[under[k]]
			under = append(under[:k], under[k+1:]...)
			to := &ps[m.to]
			if forcing && to.knows.mustForce(id.TaskID(m.to), to.sent, &m.carried) {
				to.snapshot(m.to)
				forced++
			}
			to.knows.merge(id.TaskID(m.to), &m.carried)
			m.lost, m.gotIn = false, to.interval
		}
	}
	return ps, ms, forced
}

func (p *process) snapshot(self int) {
	clear(p.sent)
	p.knows.snapshot(id.TaskID(self))
	p.interval++
}

// useless counts the snapshots that are on a zigzag path back to themselves
// (Netzer and Xu): a message sent behind the snapshot, each next one sent by the
// receiver of the last in the interval of its receipt or later, and the last one
// received before the snapshot. Snapshot x of a process ends interval x.
func useless(ps []process, ms []message) (n int) {
	for i := range ps {
		for x := 1; x < ps[i].interval; x++ {
			seen := make([]bool, len(ms))
			var work []int
			for k := range ms {
				if ms[k].from == i && ms[k].sentIn > x {
					work = append(work, k)
				}
			}
			found := false
			for len(work) > 0 && !found {
				k := work[len(work)-1]
				work = work[:len(work)-1]
				if seen[k] || ms[k].lost {
					continue
				}
				seen[k] = true
				found = ms[k].to == i && ms[k].gotIn <= x
				for l := range ms {
					if ms[l].from == ms[k].to && ms[l].sentIn >= ms[k].gotIn {
						work = append(work, l)
					}
				}
			}
			if found {
				n++
			}
		}
	}
	return n
}

// TestNoneUseless is the theorem of the paper: with the rule, in any computation,
// no snapshot is useless. Without it some are.
func TestNoneUseless(t *testing.T) {
	without, forcedIn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		ps, ms, forced := computation(t, true)
		if n := useless(ps, ms); n > 0 {
			t.Fatalf("%d useless snapshots with %d forced", n, forced)
		}
		forcedIn += forced
	})
	rapid.Check(t, func(t *rapid.T) {
		ps, ms, _ := computation(t, false)
		without += useless(ps, ms)
	})
	if without == 0 || forcedIn == 0 {
		t.Errorf("%d useless snapshots without the rule, %d forced with it: the test shows nothing", without, forcedIn)
	}
}

// TestVectorsRoundTrip: what is saved and what is carried comes back.
func TestVectorsRoundTrip(t *testing.T) {
	v := vectors{lc: 300, of: []entry{{7, true, false}, {}, {1 << 40, false, true}, unknown}}
	var got vectors
	got.decode(v.append(nil))
	if got.lc != v.lc || len(got.of) != len(v.of) {
		t.Fatalf("%+v comes back as %+v", v, got)
	}
	for k := range v.of {
		if got.of[k] != v.of[k] {
			t.Errorf("entry %d: %+v comes back as %+v", k, v.of[k], got.of[k])
		}
	}
}
