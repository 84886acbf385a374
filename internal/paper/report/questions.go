package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"weir/internal/paper/figures"
	"weir/results"
	"weir/results/stat"
)

// inquiry is a question and the metric that answers it first.
type inquiry struct {
	of          results.Question
	title, lead string
	metric      string
	noun        string // the metric in a sentence
	care        []string
}

func questions() []inquiry {
	return []inquiry{
		{
			results.Throughput, "How much can it process?",
			"Records are offered as fast as they are taken (closed loop). The number is what the machine can do, not what it should be run at.",
			"throughput", "throughput",
			[]string{"At saturation every queue is full: no latency is given here."},
		},
		{
			results.Latency, "How long does a record take?",
			"Records are offered by a schedule that does not wait (open loop), and a latency counts from the record's intended time: a stall is charged to every record it delays.",
			"processing_p99_ms", "99th percentile of processing latency",
			[]string{
				"Visible latency includes the wait for the output's commit; with exactly-once output that is about half an interval and the checkpoint.",
				"Where the load is a share of saturation, a faster variant is offered more records: compare latencies together with the offered rate.",
			},
		},
		{
			results.Checkpoints, "What does a checkpoint cost?",
			"A checkpoint lasts from its trigger until data, directory and metadata are synced and all tasks have acknowledged.",
			"checkpoint_ms", "checkpoint duration",
			[]string{"Parts are medians over tasks and checkpoints, each for itself: they need not add up to the median of the whole."},
		},
		{
			results.Recovery, "How long does recovery take?",
			"The job's process is killed with SIGKILL at a random moment and restarted from what is on disk.",
			"recovery_ms", "recovery time",
			[]string{
				"Unless the settings say that caches were dropped, restored files may still have been in the page cache.",
				"Lost work depends on where in the interval the kill fell, and spreads accordingly.",
			},
		},
		{
			results.Bytes, "How many bytes does it write?",
			"Bytes at each layer, from the keys and values that changed to what the device wrote.",
			"uploaded_bytes", "number of bytes uploaded per checkpoint",
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
		for _, columns := range split(measured) {
			t := metricTable(r, g, columns)
			if len(r.Groups()) > 1 {
				t.Caption = t.Name + "; " + t.Caption
			}
			s.Tables = append(s.Tables, t)
		}
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

// split gives visible latency a table of its own, so that each fits a page.
func split(metrics []string) [][]string {
	visible := func(m string) bool { return strings.HasPrefix(m, "visible_") }
	tables := [][]string{slices.DeleteFunc(slices.Clone(metrics), visible), slices.DeleteFunc(slices.Clone(metrics), func(m string) bool { return !visible(m) })}
	return slices.DeleteFunc(tables, func(t []string) bool { return len(t) == 0 })
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
	shown := figure{ID: "figure-" + f.Name, Heading: f.Heading, Caption: f.Caption, SVG: inline(f), Files: downloads(f)}
	if len(f.Rows) <= longestData {
		shown.Columns, shown.Data = f.Columns, f.Rows
	}
	return shown
}

// careOf adds what the data themselves call for.
func (q inquiry) careOf(r *results.Results) []string {
	var care []string
	m := r.Manifest
	if m.Plan.Quick {
		care = append(care, "Quick plan: fewer and shorter repetitions, for a first look only.")
	}
	for _, a := range m.Validity.AA {
		if metric, err := results.MetricNamed(a.Metric); err == nil && metric.Question == q.of {
			care = append(care, fmt.Sprintf("%s measured twice (A/A) gave %s %s %% apart (%s); differences up to %s %% are no finding.",
				capital(r.NameOf(a.Cell)), metric.Label(), short(100*math.Abs(a.Ratio.Median-1)), verdictText(a.Verdict), short(100*a.NoiseFloor)))
		}
	}
	if q.of == results.Latency {
		care = append(care, generatorCare(r)...)
	}
	if q.of == results.Throughput {
		care = append(care, aboveBaseline(r)...)
	}
	if m.Validity.State == results.Invalid {
		care = append(care, "The campaign is invalid: do not use these numbers.")
	}
	return care
}

func verdictText(v stat.Verdict) string {
	switch v {
	case stat.Same:
		return "no difference shown"
	case stat.Differs:
		return "it differs from itself"
	default:
		return string(v)
	}
}

// aboveBaseline names the variants that were faster than a baseline which takes
// no checkpoints: work that is added cannot make a job faster.
func aboveBaseline(r *results.Results) []string {
	const metric = "throughput"
	var names []string
	for _, g := range r.Groups() {
		for _, v := range r.Variants(g) {
			base, ok := r.CellFor(g, results.Variant{Algorithm: r.Manifest.Plan.Baseline, State: v.State}, metric)
			ratio, measured := r.RatioToBaseline(g, v, metric)
			if ok && measured && base.IntervalMS == 0 && ratio.Median > 1 && !holdsOne(ratio) {
				names = append(names, v.Algorithm+" on "+v.State)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Measured above the baseline %s, which takes no checkpoints: %s. Added work does not make a job faster: look for noise, or for something else in which the two differ (sink, memory, batches), before using these ratios.",
		r.Manifest.Plan.Baseline, enumerate(names))}
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
