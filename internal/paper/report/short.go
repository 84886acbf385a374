package report

import (
	"fmt"
	"strings"

	"weir/results"
	"weir/results/stat"
)

// abstract is the answer in thirty seconds: per question and state the best
// algorithm, and from which others it was not shown to differ.
type abstract struct {
	Group  string // empty where there is one group
	States []string
	Rows   []abstractRow
}

type abstractRow struct {
	Question string
	Load     string // how the records were offered, where it differs between algorithms
	Answers  []answer
}

// answer is the best algorithm for one question on one state; empty when there
// is none.
type answer struct{ Algorithm, Value, Ratio, Ties string }

// abstracts returns an abstract per group in which algorithms compete.
func abstracts(r *results.Results) []abstract {
	var all []abstract
	for _, g := range r.Groups() {
		a := abstract{States: r.States()}
		if len(r.Groups()) > 1 {
			a.Group = g.Label()
		}
		for _, q := range []struct{ text, metric string }{
			{"Highest throughput", "throughput"},
			{"Lowest processing latency, p99", "processing_p99_ms"},
			{"Lowest visible latency, p99", "visible_p99_ms"},
			{"Shortest checkpoint", "checkpoint_ms"},
			{"Fewest bytes uploaded", "uploaded_bytes"},
			{"Fastest recovery", "recovery_ms"},
		} {
			row := abstractRow{Question: q.text}
			if m, err := results.MetricNamed(q.metric); err == nil && m.Question == results.Latency && g.RateShare > 0 {
				row.Load = fmt.Sprintf("each at %s %% of its own saturation", plain(100*g.RateShare))
			}
			found := false
			for _, state := range a.States {
				answer, ok := answerTo(r, g, state, q.metric)
				row.Answers, found = append(row.Answers, answer), found || ok
			}
			if found {
				a.Rows = append(a.Rows, row)
			}
		}
		if len(a.Rows) > 0 {
			all = append(all, a)
		}
	}
	return all
}

func answerTo(r *results.Results, g results.Group, state, metric string) (answer, bool) {
	v, ok := best(r, g, state, metric)
	if !ok {
		return answer{}, false
	}
	if contenders(r, g, state, metric) < 2 {
		return answer{}, false // nobody to be better than
	}
	s, _ := r.SummaryFor(g, v, metric)
	if s.N < 2 {
		return answer{}, false // one repetition shows nothing
	}
	a := answer{Algorithm: v.Algorithm, Value: phrase(s)}
	if ratio, ok := r.RatioToBaseline(g, v, metric); ok {
		a.Ratio = "no difference shown to " + r.Manifest.Plan.Baseline
		if !holdsOne(ratio) {
			a.Ratio = short(ratio.Median) + "\u00d7 " + r.Manifest.Plan.Baseline + between(ratio, ratio.Lo, ratio.Hi)
		}
	}
	a.Ties = strings.Join(ties(r, g, v, metric), ", ")
	return a, true
}

// contenders is how many algorithms have a value for a metric on a state.
func contenders(r *results.Results, g results.Group, state, metric string) (n int) {
	for _, v := range r.Variants(g) {
		if _, ok := r.SummaryFor(g, v, metric); ok && v.State == state && competes(r, v) {
			n++
		}
	}
	return n
}

// ties are the algorithms that were not shown to differ from the best: the
// interval of their ratio holds 1, or the difference is below the noise floor.
func ties(r *results.Results, g results.Group, best results.Variant, metric string) []string {
	base, _ := r.CellFor(g, best, metric)
	var names []string
	for _, v := range r.Variants(g) {
		c, ok := r.CellFor(g, v, metric)
		if !ok || v == best || v.State != best.State || !competes(r, v) {
			continue
		}
		ratio, ok := r.Ratio(c, base, metric)
		if ok && (holdsOne(ratio) || isNoise(ratio, r.NoiseFloor(metric))) {
			names = append(names, v.Algorithm)
		}
	}
	return names
}

// isNoise tells whether a ratio is as near to 1 as that of a cell to itself, which
// side of it the cell may be.
func isNoise(ratio stat.Summary, floor float64) bool {
	return max(ratio.Median, 1/ratio.Median) <= 1+floor
}

// worth says how much the numbers of a campaign can carry.
func worth(r *results.Results) string {
	least, most := repetitions(r)
	switch {
	case most == 0:
		return ""
	case most == 1:
		return "Every number is one repetition: an impression, not a finding. It has no interval, and an order among the algorithms may be chance."
	case most < stat.MinInterval:
		return fmt.Sprintf("At most %d repetitions: values carry their range, marked ~, and no interval; below %d the range is all there is to give.", most, stat.MinInterval)
	case least < stat.MinInterval:
		return fmt.Sprintf("Square brackets and small figures hold 95 %% bootstrap intervals of the median. Some cells have %d repetitions: below %d the range is given in place of an interval, marked with ~.", least, stat.MinInterval)
	default:
		return "Square brackets and small figures hold 95 % bootstrap intervals of the median."
	}
}

// caveat stands above the findings of a campaign that cannot carry any.
func caveat(r *results.Results) string {
	switch _, most := repetitions(r); {
	case most == 1:
		return "One repetition each: impressions, not findings."
	case most < stat.MinInterval:
		return fmt.Sprintf("At most %d repetitions: ranges, not intervals; nothing here is shown.", most)
	default:
		return ""
	}
}

// repetitions returns the smallest and largest number of repetitions of a cell.
func repetitions(r *results.Results) (least, most int) {
	for i, c := range r.Cells() {
		n := len(r.SamplesOf(c))
		if i == 0 || n < least {
			least = n
		}
		most = max(most, n)
	}
	return least, most
}
