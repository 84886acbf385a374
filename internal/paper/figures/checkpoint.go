package figures

import (
	"fmt"

	"weir/results"
	"weir/results/stat"
	"weir/trace/cost"
)

// checkpointParts draws the duration of a checkpoint, stacked from its parts,
// with the interval of the whole.
func checkpointParts(c context) ([]Figure, error) {
	const metric = "checkpoint_ms"
	parts := c.results.MeasuredIn(c.group, results.CheckpointParts())
	f := Figure{
		Name: "checkpoint" + c.suffix, Question: results.Checkpoints,
		Heading: "Checkpoint duration and its parts",
		Caption: "Trigger to durable and complete. Segments are the medians of the parts; white is what no part explains. The point is the median of the whole. Lower is better.",
		Columns: append(append([]string{"state", "algorithm"}, summaryColumns(metric)...), parts...),
	}
	layout := c.newRows(metric)
	if len(layout.panels) == 0 {
		return nil, nil
	}
	data := c.stacks(layout, metric, parts)
	factor, unit := results.DisplayUnit(results.Milliseconds, data.top())
	for i := range data.rows {
		data.rows[i].scale(factor)
	}
	if err := layout.axis([]float64{data.top()}, false); err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	points := data.points(layout)
	layout.each(func(panel int, v results.Variant) {
		s, ok := data.of(v)
		if !ok {
			layout.absent(panel, v.Algorithm)
			return
		}
		layout.panels[panel].Add(bars{s.segments(layout.row(v.Algorithm)), 0.62},
			layout.fonts.intervalsOf([]point{s.point(layout)}, true, points))
	})
	f.Rows = data.csv(factor)
	f.Alt = fmt.Sprintf("Stacked bars of checkpoint duration in %s, one per algorithm, one panel per state, split into %d parts. The table below has the values.", unit, len(parts))
	note := c.note("Segments: medians of the parts, point: median of the whole, axis from 0.", points)
	return c.single(f, layout.sheet(partLegend(parts, data.hasRest()), "checkpoint duration ("+unit+")", note))
}

func partLegend(parts []string, rest bool) []entry {
	var legend []entry
	for i, p := range parts {
		part, _ := cost.OfMetric(p)
		legend = append(legend, entry{part.Definition().Legend, partThumb(i)})
	}
	if rest {
		legend = append(legend, entry{"not attributed", partThumb(restPart)})
	}
	return legend
}

// stack is the checkpoint of one variant.
type stack struct {
	variant results.Variant
	whole   stat.Summary
	parts   []float64 // medians, 0 where not measured
}

type stacks struct{ rows []stack }

func (c context) stacks(layout rows, metric string, parts []string) stacks {
	var data stacks
	layout.each(func(_ int, v results.Variant) {
		cell, ok := c.results.CellFor(c.group, v, metric)
		if !ok {
			return
		}
		whole, ok := c.results.Summary(cell, metric)
		if !ok {
			return
		}
		s := stack{variant: v, whole: whole}
		for _, p := range parts {
			part, _ := c.results.Summary(cell, p) // zero where not measured
			s.parts = append(s.parts, part.Median)
		}
		data.rows = append(data.rows, s)
	})
	return data
}

func (s stack) sum() float64 {
	sum := 0.0
	for _, p := range s.parts {
		sum += p
	}
	return sum
}

// rest is the part of the whole that no part explains.
func (s stack) rest() float64 { return max(0, s.whole.Median-s.sum()) }

func (s *stack) scale(factor float64) {
	s.whole = scaled(s.whole, factor)
	for i := range s.parts {
		s.parts[i] /= factor
	}
}

func (s stack) segments(row float64) []bar {
	var segments []bar
	from := 0.0
	for i, p := range s.parts {
		if p > 0 {
			segments = append(segments, bar{row, from, from + p, i})
			from += p
		}
	}
	if rest := s.rest(); rest > 0 {
		segments = append(segments, bar{row, from, from + rest, restPart})
	}
	return segments
}

func (s stack) point(layout rows) point {
	return point{Summary: s.whole, at: layout.row(s.variant.Algorithm)}
}

func (d stacks) points(layout rows) []point {
	var points []point
	for _, s := range d.rows {
		points = append(points, s.point(layout))
	}
	return points
}

func (d stacks) top() float64 {
	top := 0.0
	for _, s := range d.rows {
		top = max(top, s.whole.Hi, s.sum())
	}
	return top
}

// hasRest tells whether a rest is wide enough to be seen.
func (d stacks) hasRest() bool {
	for _, s := range d.rows {
		if s.rest() > 0 {
			return true
		}
	}
	return false
}

func (d stacks) of(v results.Variant) (stack, bool) {
	for _, s := range d.rows {
		if s.variant == v {
			return s, true
		}
	}
	return stack{}, false
}

// csv returns the rows in the metrics' own unit.
func (d stacks) csv(factor float64) [][]string {
	var lines [][]string
	for _, s := range d.rows {
		line := append([]string{s.variant.State, s.variant.Algorithm}, summaryCells(scaled(s.whole, 1/factor))...)
		for _, p := range s.parts {
			line = append(line, decimal(p*factor))
		}
		lines = append(lines, line)
	}
	return lines
}
