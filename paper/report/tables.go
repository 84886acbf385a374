package report

import (
	"slices"

	"weir/results"
	"weir/results/stat"
)

// glance is the comparison at a glance: one table per group.
func glance(r *results.Results) []table {
	var tables []table
	for _, g := range r.Groups() {
		t := metricTable(r, g, r.MeasuredIn(g, results.Headline()))
		if len(t.Columns) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

// metricTable has a row per variant and a column per metric.
func metricTable(r *results.Results, g results.Group, metrics []string) table {
	t := table{Caption: g.Label()}
	factors := make([]float64, len(metrics))
	for i, name := range metrics {
		var unit string
		factors[i], unit = columnUnit(r, g, name)
		t.Columns = append(t.Columns, column{label(name), unit})
	}
	for _, v := range r.Variants(g) {
		line := row{Heads: []string{v.State, v.Algorithm}}
		for i, name := range metrics {
			s, ok := r.SummaryFor(g, v, name)
			if !ok {
				line.Cells = append(line.Cells, cell{Text: "-"})
				continue
			}
			c := summaryCell(s, factors[i])
			c.Ratio = ratioText(r, g, v, name)
			line.Cells = append(line.Cells, c)
		}
		if slices.ContainsFunc(line.Cells, func(c cell) bool { return c.N > 0 }) {
			t.Rows = append(t.Rows, line)
		}
	}
	return t
}

func label(metric string) string {
	m, err := results.MetricNamed(metric)
	if err != nil {
		return metric
	}
	return m.Label()
}

func columnUnit(r *results.Results, g results.Group, metric string) (float64, string) {
	unit, top := "", 0.0
	for _, v := range r.Variants(g) {
		if s, ok := r.SummaryFor(g, v, metric); ok {
			unit, top = s.Unit, max(top, s.Hi)
		}
	}
	return results.DisplayUnit(unit, top)
}

func summaryCell(s stat.Summary, factor float64) cell {
	c := cell{Text: short(s.Median / factor), N: s.N, Range: s.IsRange()}
	if s.N > 1 {
		c.Interval = short(s.Lo/factor) + "\u2013" + short(s.Hi/factor)
	}
	return c
}

// ratioText is the ratio to the baseline, or that none was shown.
func ratioText(r *results.Results, g results.Group, v results.Variant, metric string) string {
	s, ok := r.RatioToBaseline(g, v, metric)
	switch {
	case !ok:
		return ""
	case s.IsRange():
		return "~" + short(s.Median) + "\u00d7"
	case s.Lo <= 1 && s.Hi >= 1:
		return "no difference shown"
	default:
		return short(s.Median) + "\u00d7"
	}
}

// block is the rows of one state.
type block struct {
	State string
	Width int // in columns
	Rows  []row
}

// Blocks returns the rows by state, in their order.
func (t table) Blocks() []block {
	var blocks []block
	for _, r := range t.Rows {
		if n := len(blocks); n == 0 || blocks[n-1].State != r.Heads[0] {
			blocks = append(blocks, block{State: r.Heads[0], Width: len(t.Columns) + 1})
		}
		last := &blocks[len(blocks)-1]
		last.Rows = append(last.Rows, r)
	}
	return blocks
}
