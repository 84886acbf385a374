package figures

import (
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// intervals draws points with their whiskers, measured along y, or along x when
// sideways.
type intervals struct {
	points   []point
	sideways bool
	// labelN writes the number of repetitions beside each point, in this style.
	labelN bool
	style  text.Style
}

// intervalsOf draws points, with their n unless all have the same of all.
func (f fonts) intervalsOf(points []point, sideways bool, all []point) intervals {
	_, same := commonN(all)
	return intervals{points: points, sideways: sideways, labelN: !same, style: f.style(noteSize, grey(0x50))}
}

// Plot draws the whiskers first, so that no marker is crossed by another's.
func (iv intervals) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	place := func(at, v float64) vg.Point {
		if iv.sideways {
			return vg.Point{X: trX(v), Y: trY(at)}
		}
		return vg.Point{X: trX(at), Y: trY(v)}
	}
	cap := vg.Point{X: 2}
	if iv.sideways {
		cap = vg.Point{Y: 2}
	}
	for _, q := range iv.points {
		line := draw.LineStyle{Color: okabeIto(q.series), Width: 0.8}
		lo, hi := place(q.at, q.Lo), place(q.at, q.Hi)
		c.StrokeLines(line, []vg.Point{lo.Sub(cap), lo.Add(cap)}, []vg.Point{hi.Sub(cap), hi.Add(cap)})
		if q.IsRange() {
			line.Dashes = []vg.Length{1, 1}
		}
		c.StrokeLines(line, []vg.Point{lo, hi})
	}
	for _, q := range iv.points {
		c.DrawGlyph(markerOf(q.series), place(q.at, q.Median))
		if iv.labelN {
			iv.drawN(c, place(q.at, q.Hi), q.N)
		}
	}
}

func (iv intervals) drawN(c draw.Canvas, at vg.Point, n int) {
	style := iv.style
	if iv.sideways {
		style.YAlign = draw.YCenter
		c.FillText(style, at.Add(vg.Point{X: 4}), strconv.Itoa(n))
		return
	}
	style.XAlign = draw.XCenter
	c.FillText(style, at.Add(vg.Point{Y: 3}), strconv.Itoa(n))
}

// markThumb is the legend's sample of a point with its interval.
func markThumb(series int) func(draw.Canvas) {
	return func(c draw.Canvas) {
		m := c.Center()
		line := draw.LineStyle{Color: okabeIto(series), Width: 0.8}
		c.StrokeLine2(line, m.X-7, m.Y, m.X+7, m.Y)
		c.DrawGlyph(markerOf(series), m)
	}
}

// lineThumb is the legend's sample of a line, with or without marker.
func lineThumb(series int, marker bool) func(draw.Canvas) {
	return func(c draw.Canvas) {
		m := c.Center()
		c.StrokeLine2(lineOf(series), c.Min.X, m.Y, c.Max.X, m.Y)
		if marker {
			c.DrawGlyph(markerOf(series), m)
		}
	}
}

// bar is one segment of a horizontal stacked bar, in the units of the axes.
type bar struct {
	row      float64
	from, to float64
	part     int // index of its fill
}

// bars draws segments with fill and hatch.
type bars struct {
	segments  []bar
	thickness float64 // in rows
}

// Plot draws every segment with a thin outline.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	for _, s := range b.segments {
		fillPart(c, s.part, vg.Rectangle{
			Min: vg.Point{X: trX(s.from), Y: trY(s.row - b.thickness/2)},
			Max: vg.Point{X: trX(s.to), Y: trY(s.row + b.thickness/2)},
		})
	}
}

// restPart is the index of the fill for what no part explains: white.
const restPart = -1

func fillPart(c draw.Canvas, part int, r vg.Rectangle) {
	fill := color.Color(color.White)
	if part != restPart {
		order := []int{6, 1, 3, 2, 4, 5, 7}
		fill = okabeIto(order[part%len(order)])
	}
	c.SetColor(fill)
	c.Fill(r.Path())
	hatch(c, part, r)
	c.SetLineStyle(draw.LineStyle{Color: color.Black, Width: 0.4})
	c.Stroke(r.Path())
}

// hatch draws the lines that tell a part from its neighbours in grey: every
// second part has none, the others lean left, right, or stand upright.
func hatch(c draw.Canvas, part int, r vg.Rectangle) {
	if part == restPart || part%2 == 0 {
		return
	}
	lean := []vg.Length{1, -1, 0}[part/2%3]
	line := draw.LineStyle{Color: color.Black, Width: 0.4}
	if part%7 == 3 { // on blue
		line.Color = color.White
	}
	h := r.Max.Y - r.Min.Y
	for x := r.Min.X - h; x < r.Max.X+h; x += 3 {
		from, to := vg.Point{X: x, Y: r.Min.Y}, vg.Point{X: x + lean*h, Y: r.Max.Y}
		if from, to, ok := clipX(from, to, r.Min.X, r.Max.X); ok {
			c.StrokeLines(line, []vg.Point{from, to})
		}
	}
}

// clipX cuts a line at two upright edges; false when nothing is left.
func clipX(a, b vg.Point, left, right vg.Length) (vg.Point, vg.Point, bool) {
	if a.X > b.X {
		a, b = b, a
	}
	if b.X <= left || a.X >= right {
		return a, b, false
	}
	at := func(x vg.Length) vg.Point {
		return vg.Point{X: x, Y: a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X)}
	}
	from, to := a, b
	if a.X < left {
		from = at(left)
	}
	if b.X > right {
		to = at(right)
	}
	return from, to, true
}

// partThumb is the legend's sample of a part.
func partThumb(part int) func(draw.Canvas) {
	return func(c draw.Canvas) {
		m := c.Center()
		fillPart(c, part, vg.Rectangle{
			Min: vg.Point{X: c.Min.X + 6, Y: m.Y - 4}, Max: vg.Point{X: c.Max.X, Y: m.Y + 4},
		})
	}
}

// strip names a panel above its upper left corner.
type strip struct {
	text  string
	style text.Style
}

// Plot writes the name.
func (s strip) Plot(c draw.Canvas, _ *plot.Plot) {
	c.FillText(s.style, vg.Point{X: c.Min.X, Y: c.Max.Y + 3}, s.text)
}

// remark writes a few words at a place given in the units of the axes.
type remark struct {
	x, y  float64
	shift vg.Point
	text  string
	style text.Style
}

// Plot writes the words.
func (r remark) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	c.FillText(r.style, vg.Point{X: trX(r.x), Y: trY(r.y)}.Add(r.shift), r.text)
}
