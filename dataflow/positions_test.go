package dataflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/id"
	"weir/trace"
)

// TestPositionsModel: a set of positions against a plain set of numbers.
func TestPositionsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p positions
		const most = 24
		var in [most + 1]bool
		all := func(from, to id.Seq, want bool) bool {
			for s := from + 1; s <= to; s++ {
				if in[s] != want {
					return false
				}
			}
			return true
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			from := id.Seq(rapid.IntRange(0, most-1).Draw(t, "from"))
			to := from + id.Seq(rapid.IntRange(1, most-int(from)).Draw(t, "n"))
			if got, want := p.has(from, to), all(from, to, true); got != want {
				t.Fatalf("has (%d, %d]: %v, want %v in %+v", from, to, got, want, p)
			}
			if got, want := p.hasAny(from, to), !all(from, to, false); got != want {
				t.Fatalf("has any of (%d, %d]: %v, want %v in %+v", from, to, got, want, p)
			}
			if p.hasAny(from, to) {
				continue
			}
			p.add(from, to)
			for s := from + 1; s <= to; s++ {
				in[s] = true
			}
			n, prefix := id.Seq(0), id.Seq(0)
			for s := id.Seq(1); s <= most; s++ {
				if in[s] {
					n++
				}
				if in[s] && prefix == s-1 {
					prefix = s
				}
			}
			if p.count() != n || p.upTo != prefix {
				t.Fatalf("%+v: %d positions up to %d, want %d up to %d", p, p.count(), p.upTo, n, prefix)
			}
			last := p.upTo
			for _, s := range p.beyond {
				if s.From <= last || s.To <= s.From {
					t.Fatalf("%+v is not in its normal form", p)
				}
				last = s.To
			}
		}
	})
}

// beyond draws what a header says of an input of a channel that reorders.
func beyond(t *rapid.T, upTo id.Seq) *Beyond {
	if upTo > 1<<60 || !rapid.Bool().Draw(t, "reorders") {
		return nil
	}
	b := &Beyond{EndAt: id.Seq(rapid.Uint32().Draw(t, "end"))}
	for range rapid.IntRange(1, 3).Draw(t, "spans") {
		from := upTo + id.Seq(rapid.IntRange(1, 9).Draw(t, "gap"))
		upTo = from + id.Seq(rapid.IntRange(1, 9).Draw(t, "n"))
		b.Delivered = append(b.Delivered, Span{from, upTo})
		b.Held = append(b.Held, HeldWatermark{upTo, rapid.Int64().Draw(t, "held")})
	}
	return b
}

// disorderly is middle with an input 0 whose channel reorders.
func disorderly(t *testing.T, half func(p *script) Protocol) *rig {
	t.Helper()
	r := newRig(t, "middle", &forward{}, half, func(c *Config) { c.Credits, c.QueueBuffers = 99, 99 })
	r.info.Inputs[0].Reorders, r.info.Outputs[0].Reorders = true, true
	r.renew()
	r.start(1, TaskPlan{})
	r.connect(0)
	return r
}

// TestReordered: items are delivered as they come. Ends and watermarks hold when
// nothing before them is missing.
func TestReordered(t *testing.T) {
	r := disorderly(t, nil)
	r.item(1, EndData, 1)
	r.step(Event{Kind: EvArrive, Buffer: data(4, 7, "c")})
	r.step(Event{Kind: EvArrive, Buffer: &Buffer{Item: EndStream, Seq: 8, Watermark: NoWatermark}})
	r.item(0, EndData, 7)
	r.arrive(0, 1, "a")
	r.turns()
	r.want("sent", r.wire(0), "1 c | 2 a")
	if k := r.task.kernel(); k.Ended(0, false) || k.Ended(0, true) || k.Delivered(0) != 4 {
		t.Errorf("ended %v, gone %v, delivered %d before the gaps are filled", k.Ended(0, false), k.Ended(0, true), k.Delivered(0))
	}
	r.arrive(0, 2, "b", "b")
	r.turns()
	r.want("sent", r.wire(0), "1 c | 2 a | 3 b b | 5 wm 7")
	r.arrive(0, 6, "d")
	r.turns()
	r.want("sent", r.wire(0), "1 c | 2 a | 3 b b | 5 wm 7 | 6 d | 7 end")
	if log := strings.Join(r.p.log, ", "); !strings.HasSuffix(log, "ended 0 false, drained, ended 0 true") {
		t.Errorf("the protocol was told %s", log)
	}
	if r.failure != nil {
		t.Error(r.failure)
	}
	// The end of its own stream says where it holds.
	r.p.k.Finish()
	if b := r.sent[0][len(r.sent[0])-1]; b.Item != EndStream || b.Seq != 8 {
		t.Errorf("the stream ends with %+v, want EndStream behind position 7", b)
	}
}

// TestReorderedRepeats: a position comes once; a Deduper drops what comes again.
func TestReorderedRepeats(t *testing.T) {
	for seq := range id.Seq(2) {
		r := disorderly(t, nil)
		r.arrive(0, 3, "c", "d")
		r.arrive(0, 3+seq, "c")
		r.fails(fmt.Sprintf("item %d arrived behind 0: the channel lost or repeated something", 3+seq))
	}
	r := disorderly(t, func(p *script) Protocol { return deduping{p} })
	r.arrive(0, 3, "c", "d")
	r.arrive(0, 3, "c", "d")
	r.arrive(0, 1, "a", "b")
	r.arrive(0, 1, "a", "b")
	r.turns()
	r.want("sent", r.wire(0), "1 c d | 3 a b")
	if n := r.saw(trace.Dropped); n != 2 || r.credits[0] != 4 || r.failure != nil {
		t.Errorf("%d dropped, %d credits, %v", n, r.credits[0], r.failure)
	}
	// What was queued and not delivered is gone with the connection.
	r.arrive(0, 6, "f")
	r.turns()
	r.arrive(0, 8, "h")
	r.step(Event{Kind: EvCutInput})
	r.arrive(0, 6, "f")
	r.arrive(0, 8, "h")
	r.turns()
	r.want("sent", r.wire(0), "1 c d | 3 a b | 5 f | 6 h")
}

// TestReorderedSnapshot: what was delivered out of order, a watermark and an end
// that are held back are part of the snapshot; what is captured fills the gaps.
func TestReorderedSnapshot(t *testing.T) {
	r := disorderly(t, nil)
	r.item(1, EndData, 1)
	r.step(Event{Kind: EvArrive, Buffer: data(3, 7, "c")})
	r.item(0, EndData, 6)
	r.turns()
	d := r.p.k.Begin(e1, 0)
	d.Add(0, data(2, NoWatermark, "b"))
	d.Seal()
	r.settle()
	r.renew()
	r.start(2, TaskPlan{Ref: SnapshotKey(r.info.ID, e1)})
	r.connect(0)
	if at := r.task.kernel().Delivered(0); at != 3 || len(r.ready) != 1 || r.ready[0][0] != 0 {
		t.Errorf("restored with %d positions, ready up to %v", at, r.ready)
	}
	r.turns()
	r.want("sent", r.wire(0), "2 b")
	r.arrive(0, 1, "a")
	r.turns()
	r.want("sent", r.wire(0), "2 b | 3 a | 4 wm 7")
	r.arrive(0, 5, "e")
	r.turns()
	r.want("sent", r.wire(0), "2 b | 3 a | 4 wm 7 | 5 e | 6 end")

	// A snapshot with gaps cannot go on over a channel that loses none and
	// repeats none only as long as its order holds.
	r.info.Inputs[0].Reorders = false
	r.renew()
	r.step(Event{Kind: EvStart, Attempt: 3, Plan: &TaskPlan{Ref: SnapshotKey(r.info.ID, e1)}})
	r.settle()
	r.fails("was taken while channel c0 reordered")
}

// sealing keeps what is sealed; it is told before it is started.
type sealing struct {
	*script
	kept map[int][]*Buffer
}

func (p sealing) Sealed(out int, b *Buffer) {
	b.Shared = true
	p.kept[out] = append(p.kept[out], b)
}

// TestSentIsKept: what a Sealer has kept can be made part of a snapshot when it has gone long ago, and comes
// back to it, and is sent again at its old position, before it is started. A draft knows what was
// received out of order.
func TestSentIsKept(t *testing.T) {
	var p sealing
	half := func(s *script) Protocol {
		p = sealing{s, map[int][]*Buffer{}}
		s.begun = func() { s.note("started with %d", len(p.kept[0])) }
		return p
	}
	r := disorderly(t, half)
	r.arrive(0, 3, "c")
	r.arrive(0, 1, "a")
	r.arrive(0, 5, "e")
	r.turns()
	d := r.p.k.Begin(e1, 0)
	if upTo, beyond := d.Received(0); upTo != 1 || fmt.Sprint(beyond) != "[{2 3} {4 5}]" {
		t.Errorf("received up to %d, and %v", upTo, beyond)
	}
	r.arrive(0, 2, "b")
	r.turns()
	r.want("sent", r.wire(0), "1 c | 2 a | 3 e | 4 b")
	d.AddSent(0, p.kept[0][0])
	d.AddSent(0, p.kept[0][2])
	d.Seal()
	r.settle()
	if n := r.saw(trace.CapturedOut); n != 2 {
		t.Errorf("%d captured", n)
	}
	r.renew()
	r.start(2, TaskPlan{Ref: SnapshotKey(r.info.ID, e1)})
	r.connect(0)
	if !slices.Contains(r.p.log, "started with 2") {
		t.Errorf("it was told of what is sent again too late: %q", r.p.log)
	}
	r.want("sent again", r.wire(0), "1 c | 3 e")
}

// TestReorderedSentAgain: the end of what was sent again can be the last that is missing before the
// end of the data.
func TestReorderedSentAgain(t *testing.T) {
	r := disorderly(t, nil)
	r.item(0, EndData, 2)
	r.turns()
	if r.p.k.Ended(0, false) {
		t.Error("ended with a gap")
	}
	r.item(0, SentAgain, 1)
	r.turns()
	if !r.p.k.Ended(0, false) {
		t.Error("not ended, with everything before it")
	}
}
