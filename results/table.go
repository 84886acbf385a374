package results

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"weir/results/stat"
)

// tableWidth is the width of a terminal that nobody has widened.
const tableWidth = 80

// WriteTable writes the comparison at a glance for a terminal of 80 columns: per
// group a block of rows per state, one row per algorithm and one column per
// metric of Headline that was measured, with the throughput's ratio to the
// baseline. A value is the median with the farther end of its interval in
// percent, marked ~ where that is a range. It ends with how to read it and the
// verdict.
func (r *Results) WriteTable(w io.Writer) error {
	var b strings.Builder
	var seen marks
	for _, g := range r.Groups() {
		b.WriteString(wrapped(g.Label(), ""))
		b.WriteByte('\n')
		r.writeGroup(&b, g, &seen)
	}
	b.WriteString(wrapped(seen.legend(), ""))
	r.writeVerdict(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Results) writeVerdict(b *strings.Builder) {
	v := r.Manifest.Validity
	b.WriteString(wrapped("results "+string(cmp.Or(v.State, Unjudged))+map[ValidityState]string{
		Invalid: ": do not use these numbers", "": ": not judged yet",
		Unjudged: ": what was measured is not enough to rely on",
	}[v.State], ""))
	for _, reason := range v.Reasons {
		b.WriteString(wrapped("- "+reason, "  "))
	}
}

// marks are the marks that a table used.
type marks struct{ interval, few, single, several, equal bool }

func (m *marks) note(s stat.Summary) {
	m.interval = m.interval || s.N >= stat.MinInterval
	m.few = m.few || s.IsRange() && s.N > 1
	m.single = m.single || s.N == 1
	m.several = m.several || s.N > 1
}

// legend tells what the marks mean, those that were used.
func (m *marks) legend() string {
	var parts []string
	if m.several {
		parts = append(parts, "Medians over repetitions.")
	}
	if m.interval {
		parts = append(parts, "±: the farther end of the 95 % interval.")
	}
	if m.few {
		parts = append(parts, fmt.Sprintf("~: fewer than %d repetitions, ± is then the farthest of them.", stat.MinInterval))
	}
	if m.single {
		parts = append(parts, "A number without ± is one repetition: an impression, from which no difference can be shown.")
	}
	if m.equal {
		parts = append(parts, "no diff: the interval of the ratio holds 1.")
	}
	return strings.Join(parts, " ")
}

// tableColumn is one column: its header from top to bottom and a text per variant.
type tableColumn struct {
	header []string
	texts  []string
}

func (c tableColumn) width() int {
	width := 0
	for _, text := range slices.Concat(c.header, c.texts) {
		width = max(width, utf8.RuneCountInString(text))
	}
	return width
}

func (r *Results) writeGroup(b *strings.Builder, g Group, seen *marks) {
	variants := r.Variants(g)
	names := tableColumn{}
	for _, v := range variants {
		names.texts = append(names.texts, "  "+v.Algorithm)
	}
	for columns := r.tableColumns(g, variants, seen); len(columns) > 0; {
		n, width := 0, names.width()
		for n < len(columns) && (n == 0 || width+2+columns[n].width() <= tableWidth) {
			width += 2 + columns[n].width()
			n++
		}
		writeBlock(b, variants, names, columns[:n])
		columns = columns[n:]
	}
}

func (r *Results) tableColumns(g Group, variants []Variant, seen *marks) []tableColumn {
	var columns []tableColumn
	for _, metric := range r.MeasuredIn(g, Headline()) {
		columns = append(columns, r.valueColumn(g, variants, metric, seen))
		if metric != "throughput" {
			continue
		}
		if ratios, ok := r.ratioColumn(g, variants, metric, seen); ok {
			columns = append(columns, ratios)
		}
	}
	return columns
}

// valueColumn has a metric's text for every variant, under its unit.
func (r *Results) valueColumn(g Group, variants []Variant, metric string, seen *marks) tableColumn {
	var summaries []stat.Summary
	unit, top := "", 0.0
	for _, v := range variants {
		s, _ := r.SummaryFor(g, v, metric) // N is 0 where not measured
		summaries, top, unit = append(summaries, s), max(top, s.Hi), cmp.Or(unit, s.Unit)
	}
	factor, unit := DisplayUnit(unit, top)
	c := tableColumn{header: strings.Fields(metricLabel(metric) + " " + unit)}
	for _, s := range summaries {
		seen.note(s)
		c.texts = append(c.texts, relative(s, factor))
	}
	return c
}

// ratioColumn has a metric's ratio to the baseline; false without one.
func (r *Results) ratioColumn(g Group, variants []Variant, metric string, seen *marks) (tableColumn, bool) {
	c := tableColumn{header: []string{"ratio to", r.Manifest.Plan.Baseline}}
	found := false
	for _, v := range variants {
		s, ok := r.RatioToBaseline(g, v, metric)
		text := relative(s, 1)
		if ok && s.N > 1 && s.Lo <= 1 && s.Hi >= 1 {
			text, seen.equal = "no diff", true
		}
		c.texts, found = append(c.texts, text), found || ok
	}
	return c, found
}

// writeBlock writes columns beside the names: headers upwards from the last
// line, numbers to the right, a line with its name above the rows of a state.
func writeBlock(b *strings.Builder, variants []Variant, names tableColumn, columns []tableColumn) {
	height := 0
	for _, c := range columns {
		height = max(height, len(c.header))
	}
	line := func(name string, text func(tableColumn) string) {
		row := fmt.Sprintf("%-*s", names.width(), name)
		for _, c := range columns {
			row += fmt.Sprintf("  %*s", c.width(), text(c))
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	for i := range height {
		line("", func(c tableColumn) string {
			if k := i - (height - len(c.header)); k >= 0 {
				return c.header[k]
			}
			return ""
		})
	}
	for i, v := range variants {
		if i == 0 || variants[i-1].State != v.State {
			b.WriteString(v.State + "\n")
		}
		line(names.texts[i], func(c tableColumn) string { return c.texts[i] })
	}
	b.WriteByte('\n')
}

// relative writes a summary in a unit factor times as large as "9.01 ±0.7%".
func relative(s stat.Summary, factor float64) string {
	if s.N == 0 {
		return "-"
	}
	text := FormatNumber(s.Median / factor)
	if s.N == 1 {
		return text
	}
	if s.Median > 0 {
		percent := 100 * max(s.Hi-s.Median, s.Median-s.Lo) / s.Median
		digits := 0
		if percent < 9.95 {
			digits = 1
		}
		text += " ±" + strconv.FormatFloat(percent, 'f', digits, 64) + "%"
	}
	if s.IsRange() {
		text = "~" + text
	}
	return text
}

// wrapped breaks a text into lines of at most tableWidth, the second and further
// ones indented by two more than the first.
func wrapped(text, indent string) string {
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if strings.TrimSpace(line) != "" && utf8.RuneCountInString(line+" "+word) > tableWidth {
			b.WriteString(line + "\n")
			line = indent + " "
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
