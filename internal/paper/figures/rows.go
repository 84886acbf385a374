package figures

import (
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"weir/results"
)

// rows lays out a figure whose rows are algorithms, with one panel per state
// below each other and one measured axis for all.
type rows struct {
	fonts      fonts
	states     []string
	algorithms []string // from top to bottom
	panels     []*plot.Plot
}

// newRows returns empty panels for the variants for which the group has any of
// the metrics; no panels when there are none.
func (c context) newRows(metrics ...string) rows {
	r := rows{fonts: newFonts()}
	for _, v := range c.results.Variants(c.group) {
		if !slices.ContainsFunc(metrics, func(m string) bool { _, ok := c.results.CellFor(c.group, v, m); return ok }) {
			continue
		}
		if !slices.Contains(r.states, v.State) {
			r.states = append(r.states, v.State)
		}
		if !slices.Contains(r.algorithms, v.Algorithm) {
			r.algorithms = append(r.algorithms, v.Algorithm)
		}
	}
	labels := slices.Clone(r.algorithms)
	slices.Reverse(labels) // the axis grows upwards
	for _, state := range r.states {
		p := r.fonts.newPlot()
		p.Y.Label.Text = state
		names(&p.Y, labels)
		r.panels = append(r.panels, p)
	}
	return r
}

// row is the place of an algorithm on the axis.
func (r rows) row(algorithm string) float64 {
	return float64(len(r.algorithms) - 1 - slices.Index(r.algorithms, algorithm))
}

// each calls do for every variant, panel by panel.
func (r rows) each(do func(panel int, v results.Variant)) {
	for i, state := range r.states {
		for _, algorithm := range r.algorithms {
			do(i, results.Variant{Algorithm: algorithm, State: state})
		}
	}
}

// axis sets the measured axis of all panels: from zero, or log where asked. It
// labels the ticks of the lowest panel only.
func (r rows) axis(values []float64, log bool) error {
	for i, p := range r.panels {
		if log {
			if err := logAxis(&p.X, values); err != nil {
				return err
			}
		} else {
			linearAxis(&p.X, values)
		}
		grid(p, true, false)
		if i < len(r.panels)-1 {
			bare(&p.X)
		}
	}
	return nil
}

// absent says in a row that the variant was not measured.
func (r rows) absent(panel int, algorithm string) {
	style := r.fonts.style(noteSize, grey(0x70))
	style.YAlign = draw.YCenter
	p := r.panels[panel]
	p.Add(remark{x: p.X.Min, y: r.row(algorithm), shift: vg.Point{X: 4}, text: "not measured", style: style})
}

// sheet is the figure around the panels.
func (r rows) sheet(legend []entry, xLabel, note string) sheet {
	s := sheet{fonts: r.fonts, legend: legend, xLabel: xLabel, note: note, height: 12}
	for _, p := range r.panels {
		s.plots = append(s.plots, []*plot.Plot{p})
		s.height += max(rowHeight*vg.Length(len(r.algorithms)), 58) + 12
	}
	return s
}
