package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

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
