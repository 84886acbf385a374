package figures

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// sheet is a figure before it is rendered: a legend above a grid of plots
// above a note.
type sheet struct {
	fonts  fonts
	legend []entry
	plots  [][]*plot.Plot
	// xLabel stands below all plots, yLabel upright to their left.
	xLabel, yLabel string
	// strips: every plot has its name above it.
	strips bool
	note   string
	// height of the grid of plots, in points.
	height vg.Length
}

// render draws the sheet twice, as SVG and as PDF. The plots must not panic:
// log axes are guarded by logAxis.
func (s sheet) render() (svg, pdf []byte, err error) {
	height := s.height + s.legendHeight() + s.noteHeight() + s.labelHeight() + 2*margin
	var b bytes.Buffer
	canvas := vgsvg.New(figureWidth, height)
	s.draw(draw.New(canvas))
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, nil, fmt.Errorf("write SVG: %w", err)
	}
	pdf, err = stablePDF(figureWidth, height, s.draw)
	return b.Bytes(), pdf, err
}

// pdfDefaults guards the defaults of the PDF library, which belong to the
// process and are read when a document is made.
var pdfDefaults sync.Mutex

// stablePDF renders a PDF whose bytes depend on the drawing alone. The canvas
// hides its document, so the dates and the order of the catalogue are fixed
// through the library's defaults, which are put back afterwards.
func stablePDF(width, height vg.Length, drawOn func(draw.Canvas)) ([]byte, error) {
	pdfDefaults.Lock()
	defer pdfDefaults.Unlock()
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	fpdf.SetDefaultCatalogSort(true)
	fpdf.SetDefaultCreationDate(epoch)
	fpdf.SetDefaultModificationDate(epoch)
	defer func() {
		fpdf.SetDefaultCatalogSort(false)
		fpdf.SetDefaultCreationDate(time.Time{})
		fpdf.SetDefaultModificationDate(time.Time{})
	}()
	canvas := vgpdf.New(width, height)
	drawOn(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}

func (s sheet) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	s.drawLegend(c)
	s.drawNote(c)
	c = s.drawLabels(draw.Crop(c, 0, 0, s.noteHeight(), -s.legendHeight()))
	tiles := draw.Tiles{Rows: len(s.plots), Cols: len(s.plots[0]), PadX: 8, PadY: 6}
	if s.strips {
		tiles.PadY, tiles.PadTop = stripHeight, stripHeight
	}
	for i, row := range plot.Align(s.plots, tiles, c) {
		for j, area := range row {
			s.plots[i][j].Draw(area)
		}
	}
}

const stripHeight = vg.Length(13)

func (s sheet) labelHeight() vg.Length {
	if s.xLabel == "" {
		return 0
	}
	return labelSize + 5
}

// drawLabels writes the labels of the axes and returns what is left.
func (s sheet) drawLabels(c draw.Canvas) draw.Canvas {
	style := s.fonts.style(labelSize, color.Black)
	style.XAlign = draw.XCenter
	if s.xLabel != "" {
		c.FillText(style, vg.Point{X: c.Center().X, Y: c.Min.Y + 2}, s.xLabel)
		c = draw.Crop(c, 0, 0, s.labelHeight(), 0)
	}
	if s.yLabel != "" {
		style.Rotation, style.YAlign = math.Pi/2, draw.YTop
		c.FillText(style, vg.Point{X: c.Min.X, Y: c.Center().Y}, s.yLabel)
		c = draw.Crop(c, labelSize+5, 0, 0, 0)
	}
	return c
}

// entry is one entry of a legend.
type entry struct {
	label string
	// thumb draws the sample of the series into a canvas as wide as thumbWidth
	// and as high as the text.
	thumb func(c draw.Canvas)
}

const (
	thumbWidth = vg.Length(22)
	legendGap  = vg.Length(12) // between entries
	legendLine = vg.Length(13)
)

// place returns the lower left corner of every entry relative to the top left
// of the legend, flowing over as many lines as needed, and their number.
func (s sheet) place() (places []vg.Point, lines int) {
	style := s.fonts.style(tickSize, color.Black)
	x, lines := vg.Length(0), 1
	for _, e := range s.legend {
		w := thumbWidth + 3 + style.Width(e.label)
		if x > 0 && x+w > figureWidth-2*margin {
			x, lines = 0, lines+1
		}
		places = append(places, vg.Point{X: x, Y: -legendLine * vg.Length(lines)})
		x += w + legendGap
	}
	return places, lines
}

func (s sheet) legendHeight() vg.Length {
	if len(s.legend) == 0 {
		return 0
	}
	_, lines := s.place()
	return legendLine*vg.Length(lines) + 5
}

func (s sheet) drawLegend(c draw.Canvas) {
	style := s.fonts.style(tickSize, color.Black)
	style.YAlign = draw.YCenter
	places, _ := s.place()
	for i, e := range s.legend {
		at := places[i].Add(vg.Point{X: c.Min.X, Y: c.Max.Y})
		e.thumb(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: at, Max: at.Add(vg.Point{X: thumbWidth, Y: legendLine}),
		}})
		c.FillText(style, at.Add(vg.Point{X: thumbWidth + 3, Y: legendLine / 2}), e.label)
	}
}

const noteLine = noteSize + 2

// noteLines wraps the note at the width of the figure.
func (s sheet) noteLines() []string {
	style := s.fonts.style(noteSize, color.Black)
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s.note) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && style.Width(longer) > figureWidth-2*margin {
			lines, longer = append(lines, line), word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func (s sheet) noteHeight() vg.Length {
	if s.note == "" {
		return 0
	}
	return noteLine*vg.Length(len(s.noteLines())) + 5
}

func (s sheet) drawNote(c draw.Canvas) {
	style := s.fonts.style(noteSize, grey(0x50))
	lines := s.noteLines()
	for i, line := range lines {
		y := c.Min.Y + noteLine*vg.Length(len(lines)-1-i) + 2
		c.FillText(style, vg.Point{X: c.Min.X, Y: y}, line)
	}
}
