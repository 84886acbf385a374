package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"weir/results"
	"weir/results/stat"
)

// finding is a sentence computed from the numbers, about one thing.
type finding struct{ About, Text string }

// findings tells, per state, how the algorithms stand to the baseline or, where
// the baseline has no such number, to the best of them; then what incremental
// snapshots change.
func (q inquiry) findings(r *results.Results, g results.Group) []finding {
	prefix := g.Short(r.Groups())
	if prefix != "" {
		prefix += ", "
	}
	var all []finding
	for _, state := range r.States() {
		if text := q.onState(r, g, state); text != "" {
			all = append(all, finding{prefix + state, text})
		}
	}
	for _, text := range q.incremental(r, g) {
		all = append(all, finding{prefix + "full against incremental", text})
	}
	return all
}

// onState compares the algorithms on one state.
func (q inquiry) onState(r *results.Results, g results.Group, state string) string {
	first, ok := best(r, g, state, q.metric)
	if !ok {
		return ""
	}
	if s, _ := r.SummaryFor(g, first, q.metric); s.N < 2 {
		return fmt.Sprintf("One repetition (%s, %s) shows nothing: the order of the algorithms may be chance.", first.Algorithm, phrase(s))
	}
	baseline := results.Variant{Algorithm: r.Manifest.Plan.Baseline, State: state}
	if base, ok := r.SummaryFor(g, baseline, q.metric); ok && baseline != first {
		text := fmt.Sprintf("The %s of %s is %s. Against it, %s.", q.noun, baseline.Algorithm, phrase(base), differences(r, g, baseline, q.metric))
		if equal := ties(r, g, first, q.metric); len(equal) > 0 {
			text += fmt.Sprintf(" Between %s, the best of them, and %s no difference is shown.", first.Algorithm, enumerate(equal))
		}
		return text
	}
	s, _ := r.SummaryFor(g, first, q.metric)
	text := fmt.Sprintf("%s has the %s %s, %s.", capital(first.Algorithm), superlative(q.metric), q.noun, phrase(s))
	if rest := differences(r, g, first, q.metric); rest != "" {
		text += " Against it, " + rest + "."
	}
	return text
}

// differences tells how every other algorithm on the state of the reference
// stands to it: the differences, then those that were not shown.
func differences(r *results.Results, g results.Group, reference results.Variant, metric string) string {
	base, _ := r.CellFor(g, reference, metric)
	type other struct {
		name  string
		ratio stat.Summary
	}
	var differ []other
	var equal, noise []string
	floor := r.NoiseFloor(metric)
	for _, v := range r.Variants(g) {
		c, ok := r.CellFor(g, v, metric)
		if !ok || v == reference || v.State != reference.State {
			continue
		}
		ratio, ok := r.Ratio(c, base, metric)
		switch {
		case !ok:
		case holdsOne(ratio):
			equal = append(equal, v.Algorithm)
		case isNoise(ratio, floor):
			noise = append(noise, v.Algorithm)
		default:
			differ = append(differ, other{v.Algorithm, ratio})
		}
	}
	slices.SortStableFunc(differ, func(a, b other) int {
		if m, err := results.MetricNamed(metric); err == nil && m.Better == results.Higher {
			return cmp.Compare(b.ratio.Median, a.ratio.Median)
		}
		return cmp.Compare(a.ratio.Median, b.ratio.Median)
	})
	var parts []string
	for i, o := range differ {
		verb := ""
		if i == 0 {
			verb = "is "
		}
		parts = append(parts, o.name+" "+verb+change(o.ratio))
	}
	var clauses []string
	if len(parts) > 0 {
		clauses = append(clauses, strings.Join(parts, ", "))
	}
	if len(equal) > 0 {
		clauses = append(clauses, "no difference is shown for "+enumerate(equal))
	}
	if len(noise) > 0 {
		clauses = append(clauses, fmt.Sprintf("within the A/A noise floor of %s %%, so no finding: %s", short(100*floor), enumerate(noise)))
	}
	return strings.Join(clauses, "; ")
}

// holdsOne tells whether the interval of a ratio, or the range of several
// quotients, holds 1: no difference shown. One quotient shows none.
func holdsOne(ratio stat.Summary) bool {
	return ratio.N < 2 || ratio.Lo <= 1 && ratio.Hi >= 1
}

// change writes a ratio whose interval is on one side of 1: in percent near 1,
// as a factor far from it.
func change(ratio stat.Summary) string {
	if ratio.Median < 0.5 || ratio.Median > 2 {
		return short(ratio.Median) + " times as high" + between(ratio, ratio.Lo, ratio.Hi)
	}
	if ratio.Median < 1 {
		return short(100*(1-ratio.Median)) + " % lower" + between(ratio, 100*(1-ratio.Hi), 100*(1-ratio.Lo))
	}
	return short(100*(ratio.Median-1)) + " % higher" + between(ratio, 100*(ratio.Lo-1), 100*(ratio.Hi-1))
}

// between writes an interval in brackets, in the unit of what stands before it,
// or says what else it is.
func between(s stat.Summary, lo, hi float64) string {
	switch {
	case s.N == 1:
		return ""
	case s.IsRange():
		return fmt.Sprintf(" (range of n = %d: %s to %s)", s.N, short(lo), short(hi))
	default:
		return fmt.Sprintf(" [%s, %s]", short(lo), short(hi))
	}
}

// phrase writes a summary with its unit and interval.
func phrase(s stat.Summary) string {
	factor, unit := results.DisplayUnit(s.Unit, s.Hi)
	return short(s.Median/factor) + " " + unit + between(s, s.Lo/factor, s.Hi/factor)
}

// incremental compares a state with its full variant, which is named so:
// "pebble" with "pebble-full".
func (q inquiry) incremental(r *results.Results, g results.Group) []string {
	var texts []string
	for _, full := range r.States() {
		state, ok := strings.CutSuffix(full, "-full")
		if !ok || q.of != results.Bytes && q.of != results.Checkpoints {
			continue
		}
		var parts []string
		for _, algorithm := range r.Algorithms() {
			a, okA := r.CellFor(g, results.Variant{Algorithm: algorithm, State: state}, q.metric)
			b, okB := r.CellFor(g, results.Variant{Algorithm: algorithm, State: full}, q.metric)
			if !okA || !okB {
				continue
			}
			if ratio, ok := r.Ratio(a, b, q.metric); ok && holdsOne(ratio) {
				parts = append(parts, algorithm+" no difference shown")
			} else if ok {
				parts = append(parts, algorithm+" "+change(ratio))
			}
		}
		if len(parts) > 0 {
			texts = append(texts, fmt.Sprintf("The %s on %s, against %s: %s.", q.noun, state, full, strings.Join(parts, ", ")))
		}
	}
	return texts
}

// best returns the algorithm with the best median on a state, the baseline
// aside.
func best(r *results.Results, g results.Group, state, metric string) (results.Variant, bool) {
	var best results.Variant
	var median float64
	found := false
	for _, v := range r.Variants(g) {
		s, ok := r.SummaryFor(g, v, metric)
		if !ok || v.State != state || !competes(r, v) {
			continue
		}
		if !found || s.Median != median && (superlative(metric) == "highest") == (s.Median > median) {
			best, median, found = v, s.Median, true
		}
	}
	return best, found
}

// competes tells whether a variant is judged rather than judged against.
func competes(r *results.Results, v results.Variant) bool {
	return v.Algorithm != r.Manifest.Plan.Baseline || len(r.Algorithms()) == 1
}

// superlative is the best end of a metric.
func superlative(metric string) string {
	if m, err := results.MetricNamed(metric); err == nil && m.Better == results.Higher {
		return "highest"
	}
	return "lowest"
}

// enumerate joins names as in a sentence: "a, b and c".
func enumerate(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
