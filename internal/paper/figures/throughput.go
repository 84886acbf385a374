package figures

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"weir/results"
)

// throughput draws records per second by state, one marker per algorithm side
// by side.
func throughput(c context) ([]Figure, error) {
	const metric = "throughput"
	f := Figure{
		Name: "throughput" + c.suffix, Question: results.Throughput,
		Heading: "Throughput by state and algorithm",
		Caption: "Records leaving the sources per second of wall time when offered as fast as they are taken (closed loop). Higher is better.",
		Columns: append([]string{"state", "algorithm"}, summaryColumns(metric)...),
	}
	algorithms, states := c.results.Algorithms(), c.states(metric)
	var points []point
	var series []int
	for i, state := range states {
		for j, algorithm := range algorithms {
			s, ok := c.results.SummaryFor(c.group, results.Variant{Algorithm: algorithm, State: state}, metric)
			if !ok {
				continue
			}
			f.Rows = append(f.Rows, append([]string{state, algorithm}, summaryCells(s)...))
			points = append(points, point{Summary: s, at: float64(i) + dodge(j, len(algorithms)), series: j})
			if !slices.Contains(series, j) {
				series = append(series, j)
			}
		}
	}
	if len(points) == 0 {
		return nil, nil
	}
	factor, unit := results.DisplayUnit(results.RecordsPerSecond, highest(points))
	for i := range points {
		points[i].Summary = scaled(points[i].Summary, factor)
	}
	fonts := newFonts()
	p := fonts.newPlot()
	names(&p.X, states)
	linearAxis(&p.Y, bounds(points))
	grid(p, false, true)
	p.Add(fonts.intervalsOf(points, false, points))
	var legend []entry
	for _, j := range slices.Sorted(slices.Values(series)) {
		legend = append(legend, entry{algorithms[j], markThumb(j)})
	}
	f.Alt = fmt.Sprintf("Dot plot of throughput in %s for %d states and %d algorithms, with intervals. The table below has the values.", unit, len(states), len(series))
	return c.single(f, sheet{
		fonts: fonts, legend: legend, plots: [][]*plot.Plot{{p}}, height: 180,
		xLabel: "state", yLabel: "throughput (" + unit + ")", note: c.note("Points: medians, axis from 0.", points),
	})
}

// dodge spreads k of n series around the place of their category.
func dodge(k, n int) float64 {
	if n == 1 {
		return 0
	}
	return 0.62 * (float64(k)/float64(n-1) - 0.5)
}

// states returns the states for which the group has the metric.
func (c context) states(metric string) []string {
	var states []string
	for _, v := range c.results.Variants(c.group) {
		if _, ok := c.results.CellFor(c.group, v, metric); ok && !slices.Contains(states, v.State) {
			states = append(states, v.State)
		}
	}
	return states
}

// single renders a figure from its sheet.
func (c context) single(f Figure, s sheet) ([]Figure, error) {
	var err error
	if f.SVG, f.PDF, err = s.render(); err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	return []Figure{f}, nil
}

func highest(points []point) float64 { return slices.Max(bounds(points)) }

// bounds returns every value that an axis must hold to show the points whole.
func bounds(points []point) []float64 {
	var values []float64
	for _, p := range points {
		values = append(values, p.Lo, p.Median, p.Hi)
	}
	return values
}

// rowHeight is the height of a row of a figure whose rows are algorithms.
const rowHeight = vg.Length(14)
