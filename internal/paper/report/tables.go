package report

import (
	"fmt"
	"slices"

	"weir/results"
	"weir/results/stat"
)

// glanced are the metrics of the comparison at a glance; the sections have all.
func glanced() []string {
	return slices.DeleteFunc(results.Headline(), func(m string) bool { return m == "processing_p50_ms" || m == "sync_ms" })
}

// glance is the comparison at a glance: one table per group.
func glance(r *results.Results) []table {
	var tables []table
	for _, g := range r.Groups() {
		t := metricTable(r, g, r.MeasuredIn(g, glanced()))
		if t.Caption = t.Name + "; " + t.Caption; len(t.Columns) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

// metricTable has a row per variant and a column per metric.
func metricTable(r *results.Results, g results.Group, metrics []string) table {
	n, same := commonN(r, g, metrics)
	t := table{Name: g.Label(), Caption: "n beside each number"}
	switch {
	case same && n == 1:
		t.Caption = "one repetition each"
	case same:
		t.Caption = fmt.Sprintf("n = %d repetitions each", n)
	}
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
			if !same {
				c.Count = fmt.Sprintf("n = %d", s.N)
			}
			if from, ok := r.CellFor(g, v, name); ok && warned(r, from) {
				c.Warned, t.Warned = true, true
			}
			line.Cells = append(line.Cells, c)
		}
		if slices.ContainsFunc(line.Cells, func(c cell) bool { return c.N > 0 }) {
			t.Rows = append(t.Rows, line)
		}
	}
	return t
}

// commonN returns the number of repetitions behind the numbers of a table, if it
// is the same for all.
func commonN(r *results.Results, g results.Group, metrics []string) (n int, same bool) {
	for _, v := range r.Variants(g) {
		for _, m := range metrics {
			s, ok := r.SummaryFor(g, v, m)
			if ok && n != 0 && s.N != n {
				return 0, false
			}
			if ok {
				n = s.N
			}
		}
	}
	return n, n > 0
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
	text := func(v float64) string {
		if s.Unit == results.Count {
			return plain(v)
		}
		return short(v / factor)
	}
	c := cell{Text: text(s.Median), N: s.N, Range: s.IsRange() && s.N > 1}
	if lo, hi := text(s.Lo), text(s.Hi); lo != hi {
		c.Interval = lo + "\u2013" + hi
	}
	return c
}

// ratioText is the ratio to the baseline with its interval, or that none was
// shown. Conditions are not compared.
func ratioText(r *results.Results, g results.Group, v results.Variant, metric string) string {
	s, ok := r.RatioToBaseline(g, v, metric)
	m, err := results.MetricNamed(metric)
	switch {
	case !ok || err != nil || m.Question == results.Conditions:
		return ""
	case holdsOne(s):
		return "no difference shown"
	case s.N == 1:
		return short(s.Median) + "\u00d7"
	case s.IsRange():
		return fmt.Sprintf("~%s\u00d7 (%s\u2013%s)", short(s.Median), short(s.Lo), short(s.Hi))
	default:
		return fmt.Sprintf("%s\u00d7 (%s\u2013%s)", short(s.Median), short(s.Lo), short(s.Hi))
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
