package figures

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"weir/results"
	"weir/trace/cost"
)

// latencyTimelines draws latency over the time of one repetition with the
// checkpoints behind it: one figure per state, one panel per algorithm.
func latencyTimelines(c context) ([]Figure, error) {
	var figures []Figure
	for _, state := range c.results.States() {
		drawn, err := c.timeline(state)
		if err != nil {
			return nil, fmt.Errorf("figure timeline-%s: %w", state, err)
		}
		figures = append(figures, drawn...)
	}
	return figures, nil
}

// mostWindows is the number of windows a panel shows; more are merged.
const mostWindows = 250

// story is the repetition shown for one algorithm.
type story struct {
	algorithm string
	sample    results.Sample
	windows   []results.TimelinePoint
	of        int // number of repetitions it was chosen from
}

func (c context) timeline(state string) ([]Figure, error) {
	stories := c.stories(state)
	if len(stories) == 0 {
		return nil, nil
	}
	f := Figure{
		Name: "timeline-" + state + c.suffix, Question: results.Latency,
		Heading: "Processing latency over time, " + state,
		Caption: "One repetition per algorithm: the one whose 99th percentile is the median of all. Grey bands reach from the trigger of a checkpoint to its being durable and complete. A window shows the records due in it.",
		Columns: []string{"algorithm", "repetition", "kind", "t_ms", "until_ms", "p50_ms", "p99_ms", "max_ms"},
	}
	s, err := c.timelineSheet(stories)
	if err != nil {
		return nil, err
	}
	for _, st := range stories {
		f.Rows = append(f.Rows, st.csv()...)
	}
	f.Alt = fmt.Sprintf("Latency over time in %s for %d algorithms, one panel each, with the 50th and 99th percentile and the maximum per window and the checkpoints as bands. The data file has the values.", state, len(stories))
	return c.single(f, s)
}

// stories picks, per algorithm, the repetition that stands in the middle.
func (c context) stories(state string) []story {
	var stories []story
	has := func(s results.Sample) bool { return len(s.Timeline) > 0 }
	for _, algorithm := range c.results.Algorithms() {
		cell, ok := c.results.CellWith(c.group, results.Variant{Algorithm: algorithm, State: state}, results.Latency, has)
		if !ok {
			continue
		}
		samples := slices.DeleteFunc(c.results.SamplesOf(cell), func(s results.Sample) bool { return !has(s) })
		slices.SortStableFunc(samples, func(a, b results.Sample) int {
			return cmp.Compare(a.Metrics["processing_p99_ms"].Value, b.Metrics["processing_p99_ms"].Value)
		})
		middle := samples[(len(samples)-1)/2]
		stories = append(stories, story{algorithm, middle, merge(middle.Timeline), len(samples)})
	}
	return stories
}

// merge joins neighbouring windows until at most mostWindows are left. The
// largest value of each percentile stays, so that no spike is lost.
func merge(windows []results.TimelinePoint) []results.TimelinePoint {
	factor := (len(windows) + mostWindows - 1) / mostWindows
	var merged []results.TimelinePoint
	for chunk := range slices.Chunk(windows, max(factor, 1)) {
		w := chunk[0]
		for _, other := range chunk[1:] {
			w.P50, w.P99, w.Max = max(w.P50, other.P50), max(w.P99, other.P99), max(w.Max, other.Max)
			w.Count += other.Count
		}
		merged = append(merged, w)
	}
	return merged
}

func (st story) csv() [][]string {
	repetition := strconv.Itoa(st.sample.Repetition)
	var lines [][]string
	for _, k := range st.sample.Checkpoints {
		lines = append(lines, []string{st.algorithm, repetition, "checkpoint", decimal(k.TriggerMS), decimal(k.TriggerMS + k.Cost.Get(cost.Total)), "", "", ""})
	}
	for _, w := range st.windows {
		lines = append(lines, []string{st.algorithm, repetition, "latency", decimal(w.TMS), "", decimal(w.P50), decimal(w.P99), decimal(w.Max)})
	}
	return lines
}

// timelineSeries are the lines of a panel, by the index of their style.
func timelineSeries() []struct {
	label string
	style int
	of    func(results.TimelinePoint) float64
} {
	return []struct {
		label string
		style int
		of    func(results.TimelinePoint) float64
	}{
		{"maximum", 3, func(w results.TimelinePoint) float64 { return w.Max }},
		{"99th percentile", 2, func(w results.TimelinePoint) float64 { return w.P99 }},
		{"50th percentile", 0, func(w results.TimelinePoint) float64 { return w.P50 }},
	}
}

func (c context) timelineSheet(stories []story) (sheet, error) {
	s := sheet{fonts: newFonts(), height: 12 + 70*vg.Length(len(stories)), strips: true}
	var values []float64
	last := 0.0
	for _, st := range stories {
		for _, w := range st.windows {
			values = append(values, w.P50, w.P99, w.Max)
			last = max(last, w.TMS/1e3)
		}
	}
	log := slices.Min(values) > 0
	unit, from := "ms", "axes from 0."
	if log {
		unit, from = "ms, log scale", "log axis."
	}
	s.xLabel, s.yLabel = "time since the start of the measurement (s)", "processing latency ("+unit+")"
	for i, st := range stories {
		p := s.fonts.newPlot()
		linearAxis(&p.X, []float64{last})
		p.X.Max = last
		if i < len(stories)-1 {
			bare(&p.X)
		}
		if err := timelineAxis(p, values, log); err != nil {
			return sheet{}, fmt.Errorf("%s: %w", st.sample.Cell.Key(), err)
		}
		st.addTo(p, s.fonts)
		s.plots = append(s.plots, []*plot.Plot{p})
	}
	for _, l := range timelineSeries() {
		s.legend = append(s.legend, entry{l.label, lineThumb(l.style, false)})
	}
	s.legend = append(s.legend, entry{"checkpoint, trigger to durable", bandThumb})
	which := ", the only one"
	if n := counts(stories); n != "1" {
		which = ", the middle one of n = " + n + " by its 99th percentile"
	}
	s.note = fmt.Sprintf("Processing latency of one repetition per algorithm%s; no intervals, %s", which, from)
	if caution := c.caution(); caution != "" {
		s.note += " " + caution
	}
	return s, nil
}

// counts is the number of repetitions, or all of them when they differ.
func counts(stories []story) string {
	text := ""
	for i, st := range stories {
		if i > 0 && st.of == stories[0].of {
			continue
		}
		if text != "" {
			text += "/"
		}
		text += strconv.Itoa(st.of)
	}
	return text
}

func timelineAxis(p *plot.Plot, values []float64, log bool) error {
	if !log {
		linearAxis(&p.Y, values)
		return nil
	}
	if err := logAxis(&p.Y, values); err != nil {
		return err
	}
	ticks := slices.Clone([]plot.Tick(p.Y.Tick.Marker.(plot.ConstantTicks)))
	for i, t := range ticks { // low panels have room for powers of ten only
		if strings.Trim(t.Label, "0.") != "1" {
			ticks[i].Label = ""
		}
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	return nil
}

// addTo draws the bands, the lines and the algorithm's name.
func (st story) addTo(p *plot.Plot, fonts fonts) {
	p.Add(bands{st.sample.Checkpoints})
	grid(p, false, true)
	for _, l := range timelineSeries() {
		var path plotter.XYs
		for _, w := range st.windows {
			path = append(path, plotter.XY{X: w.TMS / 1e3, Y: l.of(w)})
		}
		style := lineOf(l.style)
		style.Width = 0.9
		p.Add(&plotter.Line{XYs: path, LineStyle: style})
	}
	p.Add(strip{st.algorithm, fonts.style(tickSize, color.Black)})
}

// bands shades the time of every checkpoint.
type bands struct{ checkpoints []results.Checkpoint }

var _ plot.Plotter = bands{}

// Plot draws the bands over the whole height, cut at the edges of the plot.
func (b bands) Plot(c draw.Canvas, p *plot.Plot) {
	trX, _ := p.Transforms(&c)
	for _, k := range b.checkpoints {
		from, to := max(k.TriggerMS/1e3, p.X.Min), min((k.TriggerMS+k.Cost.Get(cost.Total))/1e3, p.X.Max)
		if from >= to {
			continue
		}
		r := vg.Rectangle{Min: vg.Point{X: trX(from), Y: c.Min.Y}, Max: vg.Point{X: max(trX(to), trX(from)+0.5), Y: c.Max.Y}}
		fillBand(c, r)
	}
}

func fillBand(c draw.Canvas, r vg.Rectangle) {
	c.SetColor(grey(0xd8))
	c.Fill(r.Path())
	c.StrokeLine2(draw.LineStyle{Color: grey(0x80), Width: 0.4}, r.Min.X, r.Min.Y, r.Min.X, r.Max.Y)
}

func bandThumb(c draw.Canvas) {
	m := c.Center()
	fillBand(c, vg.Rectangle{Min: vg.Point{X: c.Min.X + 6, Y: m.Y - 4}, Max: vg.Point{X: c.Max.X, Y: m.Y + 4}})
}
