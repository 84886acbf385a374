package figures

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes in points. A figure is as wide as the text of a page.
const (
	figureWidth = vg.Length(475)
	margin      = vg.Length(4)
	labelSize   = vg.Length(9)
	tickSize    = vg.Length(8)
	noteSize    = vg.Length(7)
)

// okabeIto are the eight colours of Okabe and Ito (2008), ordered so that
// neighbours differ in lightness too; yellow comes last, being faint on white.
func okabeIto(i int) color.Color {
	colours := []color.RGBA{
		{0x00, 0x00, 0x00, 0xff}, // black
		{0xe6, 0x9f, 0x00, 0xff}, // orange
		{0x00, 0x72, 0xb2, 0xff}, // blue
		{0xd5, 0x5e, 0x00, 0xff}, // vermillion
		{0x00, 0x9e, 0x73, 0xff}, // bluish green
		{0xcc, 0x79, 0xa7, 0xff}, // reddish purple
		{0x56, 0xb4, 0xe9, 0xff}, // sky blue
		{0xf0, 0xe4, 0x42, 0xff}, // yellow
	}
	return colours[i%len(colours)]
}

func grey(level uint8) color.Color { return color.RGBA{level, level, level, 0xff} }

// markerOf is the marker of a series. Ten markers and eight colours give forty
// combinations before one returns.
func markerOf(series int) draw.GlyphStyle {
	shapes := []draw.GlyphDrawer{
		draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, diamondGlyph{}, draw.RingGlyph{},
		draw.SquareGlyph{}, draw.CrossGlyph{}, draw.TriangleGlyph{}, openDiamondGlyph{}, draw.PlusGlyph{},
	}
	return draw.GlyphStyle{Color: okabeIto(series), Radius: 2.8, Shape: shapes[series%len(shapes)]}
}

// lineOf is the line of a series.
func lineOf(series int) draw.LineStyle {
	dashes := [][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {7, 2, 1.5, 2}, {3, 1.2}, {7, 2, 1.5, 2, 1.5, 2}, {9, 3}}
	return draw.LineStyle{Color: okabeIto(series), Width: 1.1, Dashes: dashes[series%len(dashes)]}
}

type diamondGlyph struct{}

func diamond(r vg.Length, at vg.Point) vg.Path {
	r *= 1.3
	var p vg.Path
	p.Move(vg.Point{X: at.X, Y: at.Y + r})
	p.Line(vg.Point{X: at.X + r, Y: at.Y})
	p.Line(vg.Point{X: at.X, Y: at.Y - r})
	p.Line(vg.Point{X: at.X - r, Y: at.Y})
	p.Close()
	return p
}

// DrawGlyph fills a diamond.
func (diamondGlyph) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.Fill(diamond(s.Radius, at))
}

type openDiamondGlyph struct{}

// DrawGlyph outlines a diamond.
func (openDiamondGlyph) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: s.Color, Width: 0.7})
	c.Stroke(diamond(s.Radius, at))
}

// fonts makes text styles with one font collection, Liberation Sans, whose
// metrics browsers replace by Arial where it is missing.
type fonts struct{ handler text.Handler }

func newFonts() fonts {
	return fonts{text.Plain{Fonts: font.NewCache(liberation.Collection())}}
}

func (f fonts) style(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: f.handler,
	}
}

// newPlot returns an empty plot in the common style: thin axes, short ticks, no
// gap between data and axis. Labels of measured axes belong to the sheet: the
// plot would reserve room for one on a log axis in the wrong place.
func (f fonts) newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.TextHandler = f.handler
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		align, tick := a.Label.TextStyle, a.Tick.Label
		a.Label.TextStyle = f.style(labelSize, color.Black)
		a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign = align.XAlign, align.YAlign
		a.Tick.Label = f.style(tickSize, color.Black)
		a.Tick.Label.XAlign, a.Tick.Label.YAlign = tick.XAlign, tick.YAlign
		a.Tick.Length, a.Tick.Width = 3, 0.5
		a.Padding, a.Label.Padding = 0, 3
	}
	return p
}
