package heap

import (
	"encoding/binary"

	"weir/state"
)

// addFlat notes the pages of a table, or encodes it if it is one small segment.
func (c *capture) addFlat(i int, t *flat) {
	if w := &t.words; w.segs == nil {
		if w.n > 0 {
			c.addSmall(smallWords(i, w, agingOf(t.clocks, t.d)))
		}
	} else {
		aging := agingOf(t.clocks, t.d)
		for g := range w.segs {
			if s := &w.segs[g]; s.n > 0 {
				c.parts = append(c.parts, part{table: i, layout: layoutWords, group: w.groups.Lo + uint16(g), stride: w.stride, n: s.n, words: s.pages, aging: aging})
			}
		}
	}
	cs := &t.cells
	if cs.segs == nil && cs.bytes > smallBytes {
		cs.split()
	}
	if cs.segs == nil {
		if cs.n > 0 {
			c.addSmall(smallCells(i, cs, agingOf(t.clocks, t.d)))
		}
		return
	}
	aging := agingOf(t.clocks, t.d)
	for g := range cs.segs {
		if s := &cs.segs[g]; s.n > 0 {
			c.parts = append(c.parts, part{table: i, layout: layoutCells, group: cs.groups.Lo + uint16(g), n: s.n, cells: s.pages, aging: aging})
		}
	}
}

// aging is what has expired among the entries of a part.
type aging struct {
	state.Expiry
	lost int    // entries, since somebody asked
	gone int64  // their bytes, and those of elements of others
	kept []byte // scratch
}

// agingOf returns that of a state at this moment; nil: its entries do not expire.
func agingOf(c *state.Clocks, d state.Descriptor) *aging {
	if d.TTL.Clock == 0 {
		return nil
	}
	return &aging{Expiry: c.Expiry(d)}
}

// of returns what is to be written of a value, whose key has so many bytes; live is
// false if nothing is. It is valid until the next call.
func (a *aging) of(value []byte, key int) (kept []byte, live bool) {
	if a == nil {
		return value, true
	}
	kept, live = a.Unexpired(value, &a.kept)
	if !live {
		a.lost++
		a.gone += int64(key + len(value))
		return nil, false
	}
	a.gone += int64(len(value) - len(kept))
	return kept, true
}

// take accounts for what has expired since the last time, and says how many entries.
func (c *capture) take(a *aging) (lost int) {
	if a == nil {
		return 0
	}
	lost = a.lost
	c.dropped += a.gone
	a.lost, a.gone = 0, 0
	return lost
}

// addSmall adds a part that is encoded already.
func (c *capture) addSmall(p part) {
	c.take(p.aging)
	c.parts = append(c.parts, p)
}

func smallWords(table int, w *words, a *aging) part {
	sorted, groups := sortedByGroup(w.sorted, w.one.group)
	w.sorted = sorted
	p := part{bytes: make([]byte, 0, w.n*w.stride), runs: make([]run, 0, groups), stride: w.stride, aging: a}
	for _, x := range sorted {
		start := len(p.bytes)
		if p.bytes = p.appendWord(p.bytes, w.at(&w.one, int(x&0xffff))); len(p.bytes) > start {
			p.count(table, layoutWords, uint16(x>>16), len(p.bytes)-start)
		}
	}
	return p
}

func smallCells(table int, cs *cells, a *aging) part {
	sorted, groups := sortedByGroup(cs.sorted, cs.one.group)
	cs.sorted = sorted
	p := part{bytes: make([]byte, 0, int(cs.bytes)+cs.n*2*binary.MaxVarintLen16), runs: make([]run, 0, groups), aging: a}
	for _, x := range sorted {
		start := len(p.bytes)
		if p.bytes = p.appendCell(p.bytes, cs.one.at(int(x&0xffff))); len(p.bytes) > start {
			p.count(table, layoutCells, uint16(x>>16), len(p.bytes)-start)
		}
	}
	return p
}

// count adds one entry of so many bytes to the last run, or begins a run.
func (p *part) count(table int, l layout, group uint16, size int) {
	if n := len(p.runs); n == 0 || p.runs[n-1].group != group {
		p.runs = append(p.runs, run{table: table, layout: l, group: group})
	}
	x := &p.runs[len(p.runs)-1]
	x.length += size
	x.count++
}

// encode appends entries of one group until none are left or dst has limit
// bytes, and leaves out those that have expired. It sets p.group and lowers p.n.
func (p *part) encode(dst []byte, limit int) []byte {
	switch p.layout {
	case layoutWords:
		return p.encodeWords(dst, limit)
	case layoutCells:
		return p.encodeCells(dst, limit)
	default:
		return p.encodeFields(dst, limit)
	}
}

// encodeWords copies page by page, if nothing expires.
func (p *part) encodeWords(dst []byte, limit int) []byte {
	for p.n > 0 && len(dst) < limit {
		buf := p.words[0].buf
		m := min(p.n, len(buf)/p.stride)
		if p.aging != nil {
			for e := buf[:m*p.stride]; len(e) > 0; e = e[p.stride:] {
				dst = p.appendWord(dst, e[:p.stride])
			}
		} else {
			dst = append(dst, buf[:m*p.stride]...)
		}
		p.n -= m
		p.words = p.words[1:]
	}
	return dst
}

// appendWord appends an entry of words, unless it has expired.
func (p *part) appendWord(dst, e []byte) []byte {
	value, live := p.aging.of(e[wordBytes:], wordBytes)
	if !live {
		return dst
	}
	return append(append(dst, e[:wordBytes]...), value...)
}

func (p *part) encodeCells(dst []byte, limit int) []byte {
	for p.n > 0 && len(dst) < limit {
		dst = p.appendCell(dst, &p.cells[p.at>>cellShift].cells[p.at&cellMask])
		p.at++
		p.n--
	}
	return dst
}

// appendCell appends a cell, unless it has expired.
func (p *part) appendCell(dst []byte, e *cell) []byte {
	value, live := p.aging.of(e.buf[e.klen:], int(e.klen))
	if !live {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(e.klen))
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(append(dst, e.buf[:e.klen]...), value...)
}

func (p *part) encodeFields(dst []byte, limit int) []byte {
	if !p.began {
		iter := p.tree.Iter()
		p.began, p.iter = true, &iter
		p.iter.First()
	}
	first := p.iter.Item()
	p.group = first.group
	for p.n > 0 && len(dst) < limit {
		e := p.iter.Item()
		if e.group != p.group {
			break
		}
		dst = p.appendField(dst, &e)
		p.n--
		p.iter.Next()
	}
	return dst
}

// appendField appends a field, unless it has expired.
func (p *part) appendField(dst []byte, e *field) []byte {
	value, live := p.aging.of(e.value(), int(e.klen+e.flen))
	if !live {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(e.klen))
	dst = binary.AppendUvarint(dst, uint64(e.flen))
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(append(dst, e.buf[:e.klen+e.flen]...), value...)
}
