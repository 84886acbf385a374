package heap

import (
	"encoding/binary"
)

// addFlat notes the pages of a table, or encodes it if it is one small segment.
func (c *capture) addFlat(i int, t *flat) {
	if w := &t.words; w.segs == nil {
		if w.n > 0 {
			c.parts = append(c.parts, smallWords(i, w))
		}
	} else {
		for g := range w.segs {
			if s := &w.segs[g]; s.n > 0 {
				c.parts = append(c.parts, part{table: i, layout: layoutWords, group: w.groups.Lo + uint16(g), stride: w.stride, n: s.n, words: s.pages})
			}
		}
	}
	cs := &t.cells
	if cs.segs == nil && cs.bytes > smallBytes {
		cs.split()
	}
	if cs.segs == nil {
		if cs.n > 0 {
			c.parts = append(c.parts, smallCells(i, cs))
		}
		return
	}
	for g := range cs.segs {
		if s := &cs.segs[g]; s.n > 0 {
			c.parts = append(c.parts, part{table: i, layout: layoutCells, group: cs.groups.Lo + uint16(g), n: s.n, cells: s.pages})
		}
	}
}

func smallWords(table int, w *words) part {
	sorted, groups := sortedByGroup(w.sorted, w.one.group)
	w.sorted = sorted
	p := part{bytes: make([]byte, 0, w.n*w.stride), runs: make([]run, 0, groups)}
	for _, x := range sorted {
		start := len(p.bytes)
		p.bytes = append(p.bytes, w.at(&w.one, int(x&0xffff))...)
		p.count(table, layoutWords, uint16(x>>16), len(p.bytes)-start)
	}
	return p
}

func smallCells(table int, cs *cells) part {
	sorted, groups := sortedByGroup(cs.sorted, cs.one.group)
	cs.sorted = sorted
	p := part{bytes: make([]byte, 0, int(cs.bytes)+cs.n*2*binary.MaxVarintLen16), runs: make([]run, 0, groups)}
	for _, x := range sorted {
		start := len(p.bytes)
		p.bytes = appendCell(p.bytes, cs.one.at(int(x&0xffff)))
		p.count(table, layoutCells, uint16(x>>16), len(p.bytes)-start)
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
// bytes. It sets p.group and lowers p.n.
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

// encodeWords copies page by page.
func (p *part) encodeWords(dst []byte, limit int) []byte {
	for p.n > 0 && len(dst) < limit {
		buf := p.words[0].buf
		m := min(p.n, len(buf)/p.stride)
		dst = append(dst, buf[:m*p.stride]...)
		p.n -= m
		p.words = p.words[1:]
	}
	return dst
}

func (p *part) encodeCells(dst []byte, limit int) []byte {
	for p.n > 0 && len(dst) < limit {
		dst = appendCell(dst, &p.cells[p.at>>cellShift].cells[p.at&cellMask])
		p.at++
		p.n--
	}
	return dst
}

func appendCell(dst []byte, e *cell) []byte {
	dst = binary.AppendUvarint(dst, uint64(e.klen))
	dst = binary.AppendUvarint(dst, uint64(len(e.buf)-int(e.klen)))
	return append(dst, e.buf...)
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
		dst = binary.AppendUvarint(dst, uint64(e.klen))
		dst = binary.AppendUvarint(dst, uint64(e.flen))
		dst = binary.AppendUvarint(dst, uint64(len(e.value())))
		dst = append(dst, e.buf...)
		p.n--
		p.iter.Next()
	}
	return dst
}
