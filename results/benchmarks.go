package results

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// WriteBenchmarks writes every sample in Go benchmark format, one line per
// repetition, cells in the order of Cells. Milliseconds are written as
// nanoseconds and bytes as B, under units like processing_p99-ns, so that
// benchstat scales them; each unit is declared with its better direction.
// Repetitions without metrics are left out.
func (r *Results) WriteBenchmarks(w io.Writer) error {
	out := benchfmt.NewWriter(w)
	cells := r.Cells()
	if err := writeUnits(out, r); err != nil {
		return err
	}
	for _, c := range cells {
		for _, s := range r.SamplesOf(c) {
			if len(s.Metrics) == 0 {
				continue
			}
			if err := out.Write(r.benchmarkLine(c, s)); err != nil {
				return fmt.Errorf("write summary: %w", err)
			}
		}
	}
	return nil
}

func writeUnits(out *benchfmt.Writer, r *Results) error {
	used := map[string]bool{}
	for _, s := range r.Samples {
		for name := range s.Metrics { // a set: its order is not seen
			used[name] = true
		}
	}
	for _, m := range Metrics() {
		if !used[m.Name] || m.Better == Neither {
			continue
		}
		unit, _ := benchmarkUnit(m)
		meta := &benchfmt.UnitMetadata{OrigUnit: unit, Value: string(m.Better)}
		meta.Unit, meta.Key = unit, "better"
		if err := out.Write(meta); err != nil {
			return fmt.Errorf("write summary: %w", err)
		}
	}
	return nil
}

func (r *Results) benchmarkLine(c Cell, s Sample) *benchfmt.Result {
	env := r.Manifest.Environment
	res := &benchfmt.Result{
		Name:  benchfmt.Name(fmt.Sprintf("Weir/%s-%d", c.Key(), max(env.GOMAXPROCS, 1))),
		Iters: 1,
	}
	for _, kv := range [][2]string{
		{"goos", env.GOOS}, {"goarch", env.GOARCH}, {"cpu", env.CPU}, {"commit", env.Commit},
		{"campaign", r.Manifest.ID}, {"validity", string(r.Manifest.Validity.State)},
	} {
		if kv[1] != "" {
			res.Config = append(res.Config, benchfmt.Config{Key: kv[0], Value: []byte(kv[1]), File: true})
		}
	}
	for _, m := range Metrics() {
		if v, ok := s.Metrics[m.Name]; ok {
			unit, factor := benchmarkUnit(m)
			res.Values = append(res.Values, benchfmt.Value{Value: v.Value * factor, Unit: unit})
		}
	}
	return res
}

// benchmarkUnit returns the unit under which a metric stands in the benchmark
// format, and the factor from the metric's own unit to it.
func benchmarkUnit(m Metric) (unit string, factor float64) {
	switch m.Unit {
	case Milliseconds:
		return strings.TrimSuffix(m.Name, "_ms") + "-ns", 1e6
	case Seconds:
		return strings.TrimSuffix(m.Name, "_s") + "-ns", 1e9
	case ByteCount:
		return strings.TrimSuffix(m.Name, "_bytes") + "-B", 1
	default:
		return m.Name, 1
	}
}
