package scenario

import (
	"weir/sim/seed"
)

// lap is the drawing of one lap of [Cells]. Everything is counted in whole numbers, so
// that every machine draws the same.
type lap struct {
	c      *Cells
	left   []int       // combinations not taken, in drawn order
	shapes []shape     // all there are, in drawn order
	pairs  [6]pairings // of algorithm, state, sink and workload
	mixed  [4][4][]int // how often a value of a combination met one of a shape
	inner  [4][4][]int // and two values of a shape each other
}

// pairings are the pairs of two coordinates: how many combinations have each, and
// how many of them were taken.
type pairings struct {
	a, b       int // which coordinates
	width      int // values of b
	all, taken []int
}

func (p *pairings) of(at *[4]int) int { return at[p.a]*p.width + at[p.b] }

// widths are the numbers of values of the coordinates of a shape.
var widths = [4]int{len(drawnParallelism), len(drawnWorkers), len(drawnSplits), len(drawnOrder)}

func newLap(c *Cells, d *seed.Stream) *lap {
	l := &lap{c: c}
	k := 0
	for a := range 4 {
		for b := a + 1; b < 4; b++ {
			n := c.values[a] * c.values[b]
			l.pairs[k] = pairings{a, b, c.values[b], make([]int, n), make([]int, n)}
			k++
		}
		for b := range 4 {
			l.mixed[a][b] = make([]int, c.values[a]*widths[b])
			l.inner[a][b] = make([]int, widths[a]*widths[b])
		}
	}
	for i := range c.at {
		for k := range l.pairs {
			l.pairs[k].all[l.pairs[k].of(&c.at[i])]++
		}
		l.left = append(l.left, i)
	}
	shuffle(d, l.left)
	for p := range widths[0] {
		for w := range widths[1] {
			for s := range widths[2] {
				for o := range widths[3] {
					l.shapes = append(l.shapes, shape{p, w, s, o})
				}
			}
		}
	}
	shuffle(d, l.shapes)
	return l
}

// deck deals the numbers below of, each once before any comes again, in drawn order.
type deck struct {
	d    *seed.Stream
	of   int
	left []int
}

func (k *deck) deal() int {
	if len(k.left) == 0 {
		for n := range k.of {
			k.left = append(k.left, n)
		}
		shuffle(k.d, k.left)
	}
	n := k.left[0]
	k.left = k.left[1:]
	return n
}

func shuffle[T any](d *seed.Stream, all []T) {
	for i := len(all) - 1; i > 0; i-- {
		j := d.Draw(i + 1)
		all[i], all[j] = all[j], all[i]
	}
}

// share is what a pair counts whose combinations have all been taken.
const share = 1 << 20

// next takes the combination whose pairs are needed most: not seen yet, and then furthest behind.
func (l *lap) next() int {
	best, unseen, ahead := 0, -1, 0
	for i, cfg := range l.left {
		n, sum := 0, 0
		for k := range l.pairs {
			p := &l.pairs[k]
			at := p.of(&l.c.at[cfg])
			if p.taken[at] == 0 {
				n++
			}
			sum += p.taken[at] * share / p.all[at]
		}
		if n > unseen || n == unseen && sum < ahead {
			best, unseen, ahead = i, n, sum
		}
	}
	cfg := l.left[best]
	for k := range l.pairs {
		p := &l.pairs[k]
		p.taken[p.of(&l.c.at[cfg])]++
	}
	copy(l.left[best:], l.left[best+1:]) // in drawn order still
	l.left = l.left[:len(l.left)-1]
	return cfg
}

// shapeOf takes the shape of a combination whose pairs came least.
func (l *lap) shapeOf(cfg int) shape {
	best, least := 0, -1
	for i := range l.shapes {
		s := &l.shapes[i]
		if drawnOrder[s[3]] && !l.c.reorder[cfg] {
			continue
		}
		sum := 0
		l.each(cfg, s, func(n *int) { sum += *n })
		if least < 0 || sum < least {
			best, least = i, sum
		}
	}
	s := l.shapes[best]
	l.each(cfg, &s, func(n *int) { *n++ })
	return s
}

// each visits the counts of all pairs of a shape.
func (l *lap) each(cfg int, s *shape, visit func(*int)) {
	at := &l.c.at[cfg]
	for a := range s {
		for b := range at {
			visit(&l.mixed[b][a][at[b]*widths[a]+s[a]])
		}
		for b := a + 1; b < len(s); b++ {
			visit(&l.inner[a][b][s[a]*widths[b]+s[b]])
		}
	}
}
