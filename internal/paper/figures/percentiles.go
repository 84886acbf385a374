package figures

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"weir/results"
	"weir/results/stat"
)

// latencyPercentiles draws latency over percentile, which -log10(1-q) spreads
// so that every further nine takes the same room: one panel per state.
func latencyPercentiles(c context) ([]Figure, error) {
	var figures []Figure
	for _, kind := range []results.LatencyKind{results.Processing, results.Visible} {
		drawn, err := c.percentiles(kind)
		if err != nil {
			return nil, err
		}
		figures = append(figures, drawn...)
	}
	return figures, nil
}

// leastBeyond is the least number of records beyond a percentile for which it is
// drawn.
const leastBeyond = 10

// quantiles are the places of the curve; marked ones get a marker.
func quantiles() []float64 {
	return []float64{0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999}
}

func marked(q float64) bool {
	return slices.Contains([]float64{0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999}, q)
}

func nines(q float64) float64 { return -math.Log10(1 - q) }

// percentText is the percentile of a quantile, as 99.9.
func percentText(q float64) string {
	return strconv.FormatFloat(math.Round(q*1e7)/1e5, 'f', -1, 64)
}

// curve is the latency of one variant.
type curve struct {
	variant results.Variant
	series  int
	points  []point // at nines(q), by rising q
	q       []float64
}

func (c context) percentiles(kind results.LatencyKind) ([]Figure, error) {
	f := Figure{
		Name: "latency-" + string(kind) + c.suffix, Question: results.Latency,
		Heading: map[results.LatencyKind]string{
			results.Processing: "Processing latency by percentile",
			results.Visible:    "Visible latency by percentile",
		}[kind],
		Caption: map[results.LatencyKind]string{
			results.Processing: "From a record's intended time to its effect leaving the last operator, so that a stall is charged to every record it delays.",
			results.Visible:    "From a record's intended time to its output being committed, which for exactly-once output waits for the next checkpoint.",
		}[kind] + fmt.Sprintf(" A percentile is drawn where every repetition has at least %d records beyond it. Lower is better.", leastBeyond),
		Columns: append([]string{"state", "algorithm", "percentile"}, summaryColumns("latency_ms")...),
	}
	curves, err := c.curves(kind)
	if err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	if len(curves) == 0 {
		return nil, nil
	}
	var all, atMarks []point
	for _, cv := range curves {
		for i, p := range cv.points {
			all = append(all, p)
			f.Rows = append(f.Rows, append([]string{cv.variant.State, cv.variant.Algorithm, percentText(cv.q[i])}, summaryCells(p.Summary)...))
			if marked(cv.q[i]) {
				atMarks = append(atMarks, p)
			}
		}
	}
	factor, unit := results.DisplayUnit(results.Milliseconds, highest(all))
	for _, points := range append([][]point{all, atMarks}, pointsOf(curves)...) {
		for i := range points {
			points[i].Summary = scaled(points[i].Summary, factor)
		}
	}
	s, err := c.percentileSheet(kind, unit, curves, all, atMarks)
	if err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	f.Alt = fmt.Sprintf("Curves of %s latency in %s over percentile, one per algorithm, one panel per state. The table below has the values.", kind, unit)
	return c.single(f, s)
}

func pointsOf(curves []curve) [][]point {
	var points [][]point
	for _, cv := range curves {
		points = append(points, cv.points)
	}
	return points
}

func (c context) percentileSheet(kind results.LatencyKind, unit string, curves []curve, all, atMarks []point) (sheet, error) {
	s := sheet{fonts: newFonts(), height: 190, strips: true, plots: [][]*plot.Plot{nil}}
	log := slices.Min(bounds(all)) > 0
	from := "axis from 0."
	if log {
		unit, from = unit+", log scale", "log axis."
	}
	s.xLabel, s.yLabel = "percentile", fmt.Sprintf("%s latency (%s)", kind, unit)
	for _, state := range c.results.States() {
		mine := slices.DeleteFunc(slices.Clone(curves), func(cv curve) bool { return cv.variant.State != state })
		if len(mine) == 0 {
			continue
		}
		p := s.fonts.newPlot()
		if err := percentileAxes(p, bounds(all), all, log); err != nil {
			return sheet{}, err
		}
		grid(p, true, true)
		if len(s.plots[0]) > 0 {
			bare(&p.Y)
		}
		for _, cv := range mine {
			cv.addTo(p, s.fonts, atMarks)
		}
		p.Add(strip{state, s.fonts.style(tickSize, color.Black)})
		s.plots[0] = append(s.plots[0], p)
	}
	algorithms := c.results.Algorithms()
	for j, algorithm := range algorithms {
		if slices.ContainsFunc(curves, func(cv curve) bool { return cv.series == j }) {
			s.legend = append(s.legend, entry{algorithm, lineThumb(j, true)})
		}
	}
	s.note = c.note("Points: medians over repetitions, "+from+" Percentiles q are placed at -log10(1 - q).", atMarks)
	return s, nil
}

func percentileAxes(p *plot.Plot, values []float64, all []point, log bool) error {
	last := 0.0
	for _, q := range all {
		last = max(last, q.at)
	}
	var ticks []plot.Tick
	for _, q := range quantiles() {
		if marked(q) && nines(q) <= last+1e-9 {
			ticks = append(ticks, plot.Tick{Value: nines(q), Label: percentText(q)})
		}
	}
	p.X.Min, p.X.Max = 0.15, last+0.15
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	if log {
		return logAxis(&p.Y, values)
	}
	linearAxis(&p.Y, values)
	return nil
}

// addTo draws the curve, then markers and whiskers at the marked percentiles,
// set aside a little so that the algorithms' whiskers do not cover each other.
func (cv curve) addTo(p *plot.Plot, fonts fonts, atMarks []point) {
	var path plotter.XYs
	var points []point
	for i, q := range cv.points {
		q.at += 0.02 * float64(cv.series%5-2)
		path = append(path, plotter.XY{X: q.at, Y: q.Median})
		if marked(cv.q[i]) {
			points = append(points, q)
		}
	}
	p.Add(&plotter.Line{XYs: path, LineStyle: lineOf(cv.series)}, fonts.intervalsOf(points, false, atMarks))
}

// curves returns the curves of the group: from the histograms where there are
// any, otherwise from the percentiles among the metrics.
func (c context) curves(kind results.LatencyKind) ([]curve, error) {
	var curves []curve
	for _, v := range c.results.Variants(c.group) {
		metric := string(kind) + "_p50_ms"
		cell, ok := c.results.CellFor(c.group, v, metric)
		if !ok {
			continue
		}
		cv := curve{variant: v, series: slices.Index(c.results.Algorithms(), v.Algorithm)}
		histograms, err := c.results.Histograms(cell, kind)
		if err != nil {
			return nil, err
		}
		if len(histograms) > 0 {
			err = cv.fromHistograms(histograms, cell.Seed(metric))
		} else {
			cv.fromMetrics(c.results, cell, kind)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", cell.Key(), err)
		}
		if len(cv.points) > 0 {
			curves = append(curves, cv)
		}
	}
	return curves, nil
}

func (cv *curve) fromHistograms(byRepetition map[int]*hdrhistogram.Histogram, seed uint64) error {
	fewest := int64(math.MaxInt64)
	for _, h := range byRepetition { // a minimum: order is not seen
		fewest = min(fewest, h.TotalCount())
	}
	for _, q := range quantiles() {
		if float64(fewest)*(1-q) < leastBeyond-1e-6 {
			break
		}
		var values []float64
		for _, repetition := range sortedKeys(byRepetition) {
			values = append(values, float64(byRepetition[repetition].ValueAtQuantile(100*q))/1e6)
		}
		s, err := stat.Summarize(values, results.Milliseconds, seed)
		if err != nil {
			return err
		}
		cv.add(q, s)
	}
	return nil
}

func (cv *curve) fromMetrics(r *results.Results, cell results.Cell, kind results.LatencyKind) {
	for _, m := range []struct {
		q    float64
		name string
	}{{0.5, "p50"}, {0.99, "p99"}, {0.999, "p999"}} {
		if s, ok := r.Summary(cell, fmt.Sprintf("%s_%s_ms", kind, m.name)); ok {
			cv.add(m.q, s)
		}
	}
}

func (cv *curve) add(q float64, s stat.Summary) {
	cv.q = append(cv.q, q)
	cv.points = append(cv.points, point{Summary: s, at: nines(q), series: cv.series})
}

func sortedKeys(m map[int]*hdrhistogram.Histogram) []int {
	keys := make([]int, 0, len(m))
	for k := range m { // sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
