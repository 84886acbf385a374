package figures

import (
	"fmt"
	"slices"
	"strings"

	"weir/results"
)

// dotRows is a figure with one row per algorithm, one panel per state and one
// marker per metric, all metrics in one unit.
type dotRows struct {
	figure Figure
	axis   string // what is measured, without the unit
	series []dotSeries
}

// dotSeries is a metric with its name in the legend and the index of its style.
type dotSeries struct {
	metric, label string
	style         int
}

func (c context) dotRows(d dotRows) ([]Figure, error) {
	measured := c.results.MeasuredIn(c.group, d.metrics())
	d.series = slices.DeleteFunc(d.series, func(s dotSeries) bool { return !slices.Contains(measured, s.metric) })
	if len(d.series) == 0 {
		return nil, nil
	}
	layout := c.newRows(d.metrics()...)
	f := d.figure
	f.Columns = append([]string{"state", "algorithm", "metric"}, summaryColumns("median")...)
	panels, all := c.dots(layout, d, &f)
	m, err := results.MetricNamed(d.series[0].metric)
	if err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	factor, unit := results.DisplayUnit(m.Unit, highest(all))
	for i := range all {
		all[i].Summary = scaled(all[i].Summary, factor)
	}
	log := spansDecades(bounds(all))
	label, from := d.axis+" ("+unit+")", "axis from 0."
	if log {
		label, from = d.axis+" ("+unit+", log scale)", "log axis."
	}
	if err := layout.axis(bounds(all), log); err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	layout.each(func(panel int, v results.Variant) {
		points := panels[v]
		for i := range points {
			points[i].Summary = scaled(points[i].Summary, factor)
		}
		if len(points) == 0 {
			layout.absent(panel, v.Algorithm)
			return
		}
		layout.panels[panel].Add(layout.fonts.intervalsOf(points, true, all))
	})
	f.Alt = fmt.Sprintf("Dot plot of %s in %s: %s; one row per algorithm, one panel per state, with intervals. The table below has the values.", d.axis, unit, strings.Join(d.labels(), ", "))
	return c.single(f, layout.sheet(d.legend(), label, c.note("Points: medians, "+from, all)))
}

// dots collects the points by variant, in the metric's unit, and fills the
// figure's rows.
func (c context) dots(layout rows, d dotRows, f *Figure) (byVariant map[results.Variant][]point, all []point) {
	byVariant = map[results.Variant][]point{}
	layout.each(func(_ int, v results.Variant) {
		for k, s := range d.series {
			summary, ok := c.results.SummaryFor(c.group, v, s.metric)
			if !ok {
				continue
			}
			shift := 0.36 * (0.5 - float64(k)/float64(max(len(d.series)-1, 1)))
			p := point{Summary: summary, at: layout.row(v.Algorithm) + shift, series: s.style}
			byVariant[v] = append(byVariant[v], p)
			all = append(all, p)
			f.Rows = append(f.Rows, append([]string{v.State, v.Algorithm, s.metric}, summaryCells(summary)...))
		}
	})
	return byVariant, all
}

func (d dotRows) metrics() []string {
	var metrics []string
	for _, s := range d.series {
		metrics = append(metrics, s.metric)
	}
	return metrics
}

func (d dotRows) labels() []string {
	var labels []string
	for _, s := range d.series {
		labels = append(labels, s.label)
	}
	return labels
}

func (d dotRows) legend() []entry {
	var legend []entry
	for _, s := range d.series {
		legend = append(legend, entry{s.label, markThumb(s.style)})
	}
	return legend
}
