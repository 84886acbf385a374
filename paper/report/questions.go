package report

import (
	"fmt"
	"slices"
	"strings"

	"weir/paper/figures"
	"weir/results"
	"weir/results/stat"
)

// inquiry is a question and the metric that answers it first.
type inquiry struct {
	of          results.Question
	title, lead string
	metric      string
	care        []string
}

func questions() []inquiry {
	return []inquiry{
		{
			results.Throughput, "How much can it process?",
			"Records are offered as fast as they are taken (closed loop). The number is what the machine can do, not what it should be run at.",
			"throughput",
			[]string{"At saturation every queue is full: no latency is given here."},
		},
		{
			results.Latency, "How long does a record take?",
			"Records are offered by a schedule that does not wait (open loop), and a latency counts from the record's intended time: a stall is charged to every record it delays.",
			"processing_p99_ms",
			[]string{
				"Visible latency includes the wait for the output's commit; with exactly-once output that is about half an interval and the checkpoint.",
				"Where the load is a share of saturation, a faster variant is offered more records: compare latencies together with the offered rate.",
			},
		},
		{
			results.Checkpoints, "What does a checkpoint cost?",
			"A checkpoint lasts from its trigger until data, directory and metadata are synced and all tasks have acknowledged.",
			"checkpoint_ms",
			[]string{"Parts are medians over tasks and checkpoints, each for itself: they need not add up to the median of the whole."},
		},
		{
			results.Recovery, "How long does recovery take?",
			"The job's process is killed with SIGKILL at a random moment and restarted from what is on disk.",
			"recovery_ms",
			[]string{
				"Unless the settings say that caches were dropped, restored files may still have been in the page cache.",
				"Lost work depends on where in the interval the kill fell, and spreads accordingly.",
			},
		},
		{
			results.Bytes, "How many bytes does it write?",
			"Bytes at each layer, from the keys and values that changed to what the device wrote.",
			"uploaded_bytes",
			[]string{"Device bytes include those of other programs on the machine."},
		},
	}
}

// fill makes the section of a question.
func (q inquiry) fill(r *results.Results, drawn []figures.Figure) question {
	s := question{ID: string(q.of), Title: q.title, Lead: q.lead}
	metrics := metricsOf(q.of)
	for _, g := range r.Groups() {
		measured := r.MeasuredIn(g, metrics)
		if len(measured) == 0 {
			continue
		}
		t := metricTable(r, g, measured)
		s.Tables = append(s.Tables, t)
		s.Findings = append(s.Findings, q.findings(r, g)...)
	}
	for _, f := range drawn {
		if f.Question == q.of {
			s.Figures = append(s.Figures, newFigure(f))
		}
	}
	s.Care = append(slices.Clone(q.care), q.careOf(r)...)
	return s
}

func metricsOf(q results.Question) []string {
	var names []string
	for _, m := range results.Metrics() {
		if m.Question == q {
			names = append(names, m.Name)
		}
	}
	if q == results.Latency {
		names = append(names, "offered_rate", "backlog_records")
	}
	return names
}

// longestData is the number of rows of a figure's data that the page shows.
const longestData = 80

func newFigure(f figures.Figure) figure {
	shown := figure{ID: "figure-" + f.Name, Heading: f.Heading, Caption: f.Caption, Alt: f.Alt, SVG: inline(f), Files: f.Name + ".csv"}
	if len(f.Rows) <= longestData {
		shown.Columns, shown.Data = f.Columns, f.Rows
	}
	return shown
}

// findings tells, per state, which variant is best and from which the best was
// not shown to differ.
func (q inquiry) findings(r *results.Results, g results.Group) []string {
	var sentences []string
	for _, state := range r.States() {
		best, ok := q.best(r, g, state)
		if !ok {
			continue
		}
		s, _ := r.SummaryFor(g, best, q.metric)
		sentence := fmt.Sprintf("%s: %s%s %s, %s", state, besideBaseline(r), best.Algorithm, q.superlative(), phrase(s))
		if len(r.Groups()) > 1 {
			sentence = g.Label() + ", " + sentence
		}
		if ties := q.ties(r, g, best); len(ties) > 0 {
			sentence += "; no difference shown to " + strings.Join(ties, ", ")
		}
		sentences = append(sentences, sentence+".")
	}
	return sentences
}

// besideBaseline says that the baseline is not in the running.
func besideBaseline(r *results.Results) string {
	if b := r.Manifest.Plan.Baseline; b != "" && len(r.Algorithms()) > 1 {
		return "beside the baseline " + b + ", "
	}
	return ""
}

// competes tells whether a variant is judged rather than judged against.
func competes(r *results.Results, v results.Variant) bool {
	return v.Algorithm != r.Manifest.Plan.Baseline || len(r.Algorithms()) == 1
}

func (q inquiry) superlative() string {
	m, err := results.MetricNamed(q.metric)
	if err == nil && m.Better == results.Higher {
		return "has the highest " + m.Label()
	}
	return "has the lowest " + m.Label()
}

func phrase(s stat.Summary) string {
	factor, unit := results.DisplayUnit(s.Unit, s.Hi)
	text := short(s.Median/factor) + " " + unit
	switch {
	case s.N == 1:
		return text + " (one repetition)"
	case s.IsRange():
		return fmt.Sprintf("%s (range %s to %s, n = %d)", text, short(s.Lo/factor), short(s.Hi/factor), s.N)
	default:
		return fmt.Sprintf("%s (%s to %s)", text, short(s.Lo/factor), short(s.Hi/factor))
	}
}

func (q inquiry) best(r *results.Results, g results.Group, state string) (results.Variant, bool) {
	m, err := results.MetricNamed(q.metric)
	var best results.Variant
	var median float64
	found := false
	for _, v := range r.Variants(g) {
		s, ok := r.SummaryFor(g, v, q.metric)
		if err != nil || !ok || v.State != state || !competes(r, v) {
			continue
		}
		if !found || (m.Better == results.Higher) == (s.Median > median) && s.Median != median {
			best, median, found = v, s.Median, true
		}
	}
	return best, found
}

// ties are the algorithms whose ratio to the best has an interval around 1.
func (q inquiry) ties(r *results.Results, g results.Group, best results.Variant) []string {
	base, _ := r.CellFor(g, best, q.metric)
	var ties []string
	for _, v := range r.Variants(g) {
		c, ok := r.CellFor(g, v, q.metric)
		if !ok || v == best || v.State != best.State || !competes(r, v) {
			continue
		}
		if s, ok := r.Ratio(c, base, q.metric); ok && s.Lo <= 1 && s.Hi >= 1 {
			ties = append(ties, v.Algorithm)
		}
	}
	return ties
}

// careOf adds what the data themselves call for.
func (q inquiry) careOf(r *results.Results) []string {
	var care []string
	m := r.Manifest
	if m.Plan.Quick {
		care = append(care, "Quick plan: fewer and shorter repetitions, for a first look only.")
	}
	if few, n := q.fewest(r); few {
		care = append(care, fmt.Sprintf("Some cells have %d repetitions: below %d the range is given in place of an interval, marked with ~.", n, stat.MinInterval))
	}
	for _, a := range m.Validity.AA {
		if metric, err := results.MetricNamed(a.Metric); err == nil && metric.Question == q.of {
			care = append(care, fmt.Sprintf("A/A of %s: %s, noise floor %s %%.", a.Metric, a.Verdict, short(100*a.NoiseFloor)))
		}
	}
	if q.of == results.Latency {
		care = append(care, generatorCare(r)...)
	}
	if m.Validity.State == results.Invalid {
		care = append(care, "The campaign is invalid: do not use these numbers.")
	}
	return care
}

func (q inquiry) fewest(r *results.Results) (few bool, n int) {
	for _, g := range r.Groups() {
		for _, v := range r.Variants(g) {
			if s, ok := r.SummaryFor(g, v, q.metric); ok && s.IsRange() && (!few || s.N < n) {
				few, n = true, s.N
			}
		}
	}
	return few, n
}

// mostGenerator is the share of CPU time above which the load generator disturbs
// what it measures.
const mostGenerator = 0.1

func generatorCare(r *results.Results) []string {
	highest := 0.0
	for _, s := range r.Samples {
		highest = max(highest, s.Metrics["generator_share"].Value)
	}
	if highest <= mostGenerator {
		return nil
	}
	return []string{fmt.Sprintf("The load generator took up to %s %% of the CPU time: latencies contain its disturbance.", short(100*highest))}
}
