// Package figures draws the figures of a measurement campaign: one file per
// figure, each a function from results to SVG, PDF and the CSV with its data.
//
// The bytes depend on the results alone: the same campaign gives the same files
// in every process. Colours are those of Okabe and Ito; every series also has a
// marker, a dash or a hatch of its own, so that the figures read in grey. Axes
// carry units and start at zero or say "log". Every point carries its interval,
// and the number of repetitions stands beside the point, or in the note where
// it is the same for all.
package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"weir/results"
	"weir/results/stat"
)

// Figure is one figure with the data it was drawn from.
type Figure struct {
	Name     string // file name without extension, unique in a campaign
	Question results.Question
	Heading  string // for the text around it; the figure itself has no title
	Caption  string // how to read it
	Alt      string // what it shows, for those who do not see it
	// Columns and Rows are the data, as in the CSV.
	Columns []string
	Rows    [][]string
	SVG     []byte
	PDF     []byte
}

// File is one file of a figure.
type File struct {
	Name string
	Data []byte
}

// Files returns the figure's SVG, PDF and CSV.
func (f Figure) Files() ([]File, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{f.Columns}, f.Rows...)); err != nil {
		return nil, fmt.Errorf("figure %s: %w", f.Name, err)
	}
	return []File{{f.Name + ".csv", b.Bytes()}, {f.Name + ".pdf", f.PDF}, {f.Name + ".svg", f.SVG}}, nil
}

// Render draws every figure for which the campaign has data, in the order of a
// report. Errors name the figure.
func Render(r *results.Results) ([]Figure, error) {
	draw := []func(context) ([]Figure, error){
		throughput, latencyPercentiles, latencyTimelines, checkpointParts, recoveryTimes, bytesByState,
	}
	var figures []Figure
	groups := r.Groups()
	for _, g := range groups {
		c := context{results: r, group: g}
		if len(groups) > 1 {
			c.suffix = "-" + g.Slug(groups)
		}
		for _, d := range draw {
			drawn, err := d(c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.Manifest.ID, err)
			}
			figures = append(figures, drawn...)
		}
	}
	return figures, nil
}

// context is what every figure is drawn from.
type context struct {
	results *results.Results
	group   results.Group
	suffix  string // of the figures' names, when there are several groups
}

// caution is the note under a figure whose numbers need one.
func (c context) caution() string {
	m := c.results.Manifest
	var parts []string
	if m.Synthetic {
		parts = append(parts, "SYNTHETIC DATA, not measured.")
	}
	if m.Validity.State == results.Invalid {
		parts = append(parts, "INVALID campaign, do not use.")
	}
	if m.Plan.Quick {
		parts = append(parts, "Quick plan: fewer and shorter repetitions.")
	}
	return strings.Join(parts, " ")
}

// note is the line under a figure: what points and bars are, n where it is the
// same for all, and cautions.
func (c context) note(what string, points []point) string {
	parts := []string{what}
	ranges, intervals := false, false
	for _, p := range points {
		ranges = ranges || p.IsRange() && p.N > 1
		intervals = intervals || !p.IsRange()
	}
	if intervals {
		parts = append(parts, "Whiskers: 95 % bootstrap interval of the median.")
	}
	if ranges {
		parts = append(parts, fmt.Sprintf("Dotted whiskers: range of fewer than %d repetitions.", stat.MinInterval))
	}
	switch n, same := commonN(points); {
	case same && n == 1:
		parts = append(parts, "n = 1: one repetition each, no intervals.")
	case same:
		parts = append(parts, fmt.Sprintf("n = %d repetitions each.", n))
	case len(points) > 0:
		parts = append(parts, "Small figures: number of repetitions.")
	}
	if caution := c.caution(); caution != "" {
		parts = append(parts, caution)
	}
	return strings.Join(parts, " ")
}

// point is a summary at a place in a plot, already in the unit of the axis.
type point struct {
	stat.Summary
	at     float64 // on the other axis
	series int     // index of its style
}

// commonN returns the number of repetitions if all points have the same.
func commonN(points []point) (n int, same bool) {
	for i, p := range points {
		if i > 0 && p.N != n {
			return 0, false
		}
		n = p.N
	}
	return n, len(points) > 0
}

// summaryColumns are the columns of summaryCells.
func summaryColumns(name string) []string {
	return []string{name, name + "_lo", name + "_hi", "n", "unit"}
}

func summaryCells(s stat.Summary) []string {
	return []string{decimal(s.Median), decimal(s.Lo), decimal(s.Hi), strconv.Itoa(s.N), s.Unit}
}

// decimal keeps six significant digits: more than any measurement here has.
func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// scaled returns a summary in a unit factor times as large.
func scaled(s stat.Summary, factor float64) stat.Summary {
	s.Median, s.Lo, s.Hi = s.Median/factor, s.Lo/factor, s.Hi/factor
	return s
}
