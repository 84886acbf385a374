package dataflow

import (
	"errors"
	"math"

	"weir/id"
)

// The end of a loop. A task with a back-edge among its inputs is a head of its
// loop. When everything that comes to a loop from outside has ended, its heads
// send a Wave on the edges within it; other tasks pass a wave on when it has come
// on all their inputs. When it has come round, a head sends the next one, with the
// number of waves in a row during which no record came on a back-edge: to this head, or,
// as far as the waves have told, to any other. News needs one wave from head to
// head, so when that number reaches the number of heads there was a wave during which
// none of them got a record. Then nothing is in flight, and nothing can come of
// nothing: the head ends. RFC 0003 has the argument.
//
// Waves are numbered, captured and logged like records, and how far they are is part
// of the snapshot: to algorithms they are one more item of a channel.

// LoopHeader is how far a task of a loop is in finding its end.
type LoopHeader struct {
	Sent  uint32 // waves sent
	Quiet uint32 // what the last one said
	Moved bool   // head: a record came on a back-edge since the last one
	Ended bool   // head: the loop has ended, and what its end sends round is on its way
}

// InputWaves is how far the waves of a loop are on one input.
type InputWaves struct {
	Seen  uint32 // waves delivered
	Quiet uint32 // what the last one said
}

// errCameRound: what is sent after the end of a loop has nobody to go round to.
var errCameRound = errors.New("a record came round after the loop had ended: an operator within a loop must not emit in Finish what goes round")

func (t *Task) loopHeader() LoopHeader {
	l := t.loop
	l.Ended = t.info.Heads > 0 && t.ended
	return l
}

// head reports that the task has an input that is a back-edge.
func (t *Task) head() bool {
	for i := range t.inputs {
		if t.inputs[i].Back {
			return true
		}
	}
	return false
}

// cameRound notes a record that is delivered on a back-edge; false: there is no loop any more.
func (t *Task) cameRound() bool {
	if t.ended {
		t.fail(errCameRound)
		return false
	}
	t.loop.Moved = t.cfg.Mutant != MutantForgetMoved
	return true
}

// deliverWave takes a wave. Behind the first one there are only records that
// went round: event time has come to its end.
func (t *Task) deliverWave(i int, b *Buffer) {
	in := t.received(i, b)
	in.waves = InputWaves{Seen: in.waves.Seen + 1, Quiet: uint32(b.Epoch)}
	t.inputWatermark(i, EndOfTime)
	if t.phase == failed {
		return
	}
	t.endTurn()
	t.endOfInput()
}

// looped sends the waves that are due and reports that the loop has ended.
func (t *Task) looped() bool {
	if t.info.Heads == 0 {
		return false
	}
	head := t.head()
	for {
		quiet, due := t.nextWave(head)
		if !due {
			return false
		}
		if head && int(quiet) >= t.info.Heads {
			return true
		}
		t.loop = LoopHeader{Sent: t.loop.Sent + 1, Quiet: quiet}
		t.flush() // records stand before the wave
		for i := range t.outputs {
			if t.outputs[i].Loop {
				t.outputs[i].wave(quiet)
			}
		}
	}
}

// nextWave reports whether the next wave is due, and what it is to say. An input
// that has ended counts as having had every wave, and knows of no record.
func (t *Task) nextWave(head bool) (quiet uint32, due bool) {
	quiet = math.MaxUint32
	for i := range t.inputs {
		in := &t.inputs[i]
		if in.ended {
			continue
		}
		if !in.Loop {
			return 0, false
		}
		want, since := t.loop.Sent+1, uint32(0)
		if in.Back {
			want, since = t.loop.Sent, 1 // round the loop it is the wave before
		}
		if in.waves.Seen < want {
			return 0, false
		}
		ahead := in.waves.Seen - want // what was said then, of a later wave, holds for fewer before this one
		quiet = min(quiet, in.waves.Quiet-min(in.waves.Quiet, ahead)+since)
	}
	switch {
	case !head:
	case t.loop.Moved || t.loop.Sent == 0:
		quiet = 0
	default:
		quiet = min(quiet, t.loop.Quiet+1)
	}
	return quiet, true
}

// wave queues a wave. Like an end it needs no credit; there is one for each time round.
func (o *output) wave(quiet uint32) {
	b := &Buffer{Item: Wave, Watermark: NoWatermark, Shared: true, N: 1, Epoch: id.Epoch(quiet)}
	o.number(b)
	o.enqueue(b)
}

// loops finds the loops of a graph: which edges lie within one, and how many
// heads the loop of each vertex has, in instances.
func (g *Graph) loops() (within []bool, heads []int) {
	n := len(g.Vertices)
	reaches := make([][]bool, n)
	for v := range n {
		reaches[v] = make([]bool, n)
		g.reach(v, reaches[v])
	}
	within, heads = make([]bool, len(g.Edges)), make([]int, n)
	isHead := make([]bool, n)
	for i := range g.Edges {
		e := &g.Edges[i]
		within[i] = reaches[e.To][e.From]
		isHead[e.To] = isHead[e.To] || e.Back
	}
	for v := range n {
		for u := range n {
			if isHead[u] && reaches[v][u] && reaches[u][v] {
				heads[v] += g.Vertices[u].Parallelism
			}
		}
	}
	return within, heads
}

// reach marks v and what can be reached from it.
func (g *Graph) reach(v int, seen []bool) {
	seen[v] = true
	for i := range g.Edges {
		if e := &g.Edges[i]; e.From == v && !seen[e.To] {
			g.reach(e.To, seen)
		}
	}
}
