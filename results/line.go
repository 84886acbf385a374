package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"weir/results/stat"
)

// Line is a cell with its metrics summarised. It marshals as one flat JSON
// object: the cell's coordinates, output_digest, repetitions, then each metric
// as {"median":,"lo":,"hi":,"n":,"unit":}, in the order of the table.
type Line struct {
	Cell         Cell
	OutputDigest string // of the first repetition whose output was not wrong
	OutputWrong  bool   // some repetition's output was wrong
	Repetitions  int
	Metrics      []NamedSummary
}

// NamedSummary is one metric of a line.
type NamedSummary struct {
	Name string
	stat.Summary
}

// Lines returns a line per cell in the order of Cells.
func (r *Results) Lines() []Line {
	var lines []Line
	for _, c := range r.Cells() {
		samples := r.SamplesOf(c)
		l := Line{Cell: c, Repetitions: len(samples)}
		for _, s := range samples {
			l.OutputWrong = l.OutputWrong || s.Output == OutputWrong
			if l.OutputDigest == "" && s.Output != OutputWrong {
				l.OutputDigest = s.OutputDigest
			}
		}
		for _, m := range Metrics() {
			if s, ok := r.Summary(c, m.Name); ok {
				l.Metrics = append(l.Metrics, NamedSummary{m.Name, s})
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// MarshalJSON writes the flat object.
func (l Line) MarshalJSON() ([]byte, error) {
	cell, err := json.Marshal(l.Cell)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(bytes.TrimSuffix(cell, []byte("}")))
	fmt.Fprintf(b, `,"output_digest":%s,"output_wrong":%t,"repetitions":%d`, strconv.Quote(l.OutputDigest), l.OutputWrong, l.Repetitions)
	for _, m := range l.Metrics {
		s, err := json.Marshal(m.Summary)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		fmt.Fprintf(b, `,%s:%s`, strconv.Quote(m.Name), s)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Headline returns the metrics of the comparison at a glance.
func Headline() []string {
	return []string{
		"throughput", "processing_p50_ms", "processing_p99_ms", "processing_p999_ms", "visible_p99_ms",
		"checkpoint_ms", "sync_ms", "uploaded_bytes", "recovery_ms", "lost_work_records",
	}
}

// metricsPerBlock keeps a table of WriteTable within the width of a terminal.
const metricsPerBlock = 5

// WriteTable writes the comparison at a glance for a terminal: per group one row
// per variant and one column per metric of Headline that was measured, in blocks
// of a few columns. A value is the median with the farther end of its interval
// in percent, marked ~ where that is a range. It ends with the verdict.
func (r *Results) WriteTable(w io.Writer) error {
	for _, g := range r.Groups() {
		if _, err := fmt.Fprintf(w, "%s\n", g.Label()); err != nil {
			return err
		}
		for block := range slices.Chunk(r.MeasuredIn(g, Headline()), metricsPerBlock) {
			if err := r.writeBlock(w, g, block); err != nil {
				return err
			}
		}
	}
	v := r.Manifest.Validity
	if v.State == "" {
		v.State = Unjudged
	}
	_, err := fmt.Fprintf(w, "median ± the farther end of its 95 %% interval; ~ of the range below %d repetitions; results %s\n", stat.MinInterval, v.State)
	for _, reason := range v.Reasons {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %s\n", reason)
		}
	}
	return err
}

func (r *Results) writeBlock(w io.Writer, g Group, metrics []string) error {
	columns := make([][]string, len(metrics))
	header, units := []string{"algorithm", "state"}, []string{"", ""}
	for i, m := range metrics {
		var unit string
		columns[i], unit = r.column(g, m)
		header, units = append(header, strings.TrimSuffix(strings.TrimSuffix(m, "_ms"), "_bytes")), append(units, unit)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) // Flush returns the errors of writing
	_, _ = fmt.Fprintf(t, "  %s\t\n  %s\t\n", strings.Join(header, "\t"), strings.Join(units, "\t"))
	for i, v := range r.Variants(g) {
		row := []string{v.Algorithm, v.State}
		for _, c := range columns {
			row = append(row, c[i])
		}
		_, _ = fmt.Fprintf(t, "  %s\t\n", strings.Join(row, "\t"))
	}
	return t.Flush()
}

// column returns a metric's text for every variant, and the unit of all.
func (r *Results) column(g Group, metric string) (texts []string, unit string) {
	var summaries []stat.Summary
	top := 0.0
	for _, v := range r.Variants(g) {
		s, _ := r.SummaryFor(g, v, metric) // N is 0 where not measured
		summaries, top, unit = append(summaries, s), max(top, s.Hi), cmp.Or(unit, s.Unit)
	}
	factor, unit := DisplayUnit(unit, top)
	for _, s := range summaries {
		texts = append(texts, relative(s, factor))
	}
	return texts, unit
}

// relative writes a summary in a unit factor times as large as "9.01 ±0.7%".
func relative(s stat.Summary, factor float64) string {
	if s.N == 0 {
		return "-"
	}
	text := FormatNumber(s.Median / factor)
	if s.N > 1 && s.Median > 0 {
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

// DisplayUnit returns the factor from a metric's unit to the one in which values
// up to top are easy to read, and that unit's name.
func DisplayUnit(unit string, top float64) (factor float64, name string) {
	switch {
	case unit == RecordsPerSecond && top >= 1e6, unit == RecordsPerCPUSecond && top >= 1e6:
		return 1e6, "million " + unit
	case unit == RecordsPerSecond && top >= 1e4, unit == RecordsPerCPUSecond && top >= 1e4:
		return 1e3, "thousand " + unit
	case unit == Milliseconds && top >= 2e4:
		return 1e3, "s"
	case unit == ByteCount && top >= 2e9:
		return 1e9, "GB"
	case unit == ByteCount && top >= 1e6:
		return 1e6, "MB"
	case unit == ByteCount && top >= 1e3:
		return 1e3, "kB"
	default:
		return 1, unit
	}
}

// MeasuredIn returns those of metrics that some variant of the group has.
func (r *Results) MeasuredIn(g Group, metrics []string) []string {
	variants := r.Variants(g)
	return slices.DeleteFunc(slices.Clone(metrics), func(m string) bool {
		return !slices.ContainsFunc(variants, func(v Variant) bool { _, ok := r.CellFor(g, v, m); return ok })
	})
}

// FormatNumber writes a number with three significant digits and, from 10,000
// on, a decimal prefix: 0.0123, 4.56, 789, 1234, 12.3k, 4.50M, 1.20G.
func FormatNumber(v float64) string {
	abs := max(v, -v)
	for _, p := range []struct {
		from, unit float64
		prefix     string
	}{{1e9, 1e9, "G"}, {1e6, 1e6, "M"}, {1e4, 1e3, "k"}} {
		if abs >= p.from*0.9995 {
			return threeDigits(v/p.unit) + p.prefix
		}
	}
	return threeDigits(v)
}

func threeDigits(v float64) string {
	abs := max(v, -v)
	switch {
	case v == 0:
		return "0"
	case abs >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case abs >= 1e-4:
		return strconv.FormatFloat(v, 'f', 2-int(math.Floor(math.Log10(abs*1.0005))), 64)
	default:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
}
