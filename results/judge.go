package results

import (
	"fmt"
	"math"

	"weir/results/stat"
)

// mostNoise is the noise floor of throughput, as a share, above which a campaign
// is not called valid: noise makes every comparison end in "no difference".
const mostNoise = 0.10

// Judge compares the two arms of every cell measured twice and returns the
// verdict on the campaign: invalid when an arm differs or an output was wrong,
// unjudged in a quick plan, without an A/A comparison or with too few
// repetitions for one, or when it was continued with another program or machine.
// A quick plan records its A/A and is not failed by it.
func (r *Results) Judge(metrics []string) (Validity, error) {
	aa, err := r.compareTwins(metrics)
	if err != nil {
		return Validity{}, err
	}
	v := Validity{State: Valid, AA: aa}
	lower := func(to ValidityState, format string, args ...any) {
		if v.State != Invalid {
			v.State = to
		}
		v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...))
	}
	for _, s := range r.Samples {
		if s.Output == OutputWrong {
			lower(Invalid, "the output of %s, repetition %d, was wrong", r.NameOf(s.Cell), s.Repetition)
		}
	}
	for _, w := range r.Manifest.Warnings {
		if w.Mixed {
			lower(Unjudged, "%s", w.Text)
		}
	}
	if len(aa) == 0 {
		lower(Unjudged, "no cell was measured twice (A/A), so the noise of the machine is not known")
	}
	for _, a := range aa {
		apart := fmt.Sprintf("%s %% apart", FormatNumber(100*math.Abs(a.Ratio.Median-1)))
		what := metricLabel(a.Metric) + " of " + r.NameOf(a.Cell)
		switch {
		case a.Verdict == stat.Differs && r.Manifest.Plan.Quick:
			lower(Unjudged, "%s differs from itself (A/A) in a quick plan, %s", what, apart)
		case a.Verdict == stat.Differs:
			lower(Invalid, "%s differs from itself (A/A), %s: the machine was too noisy", what, apart)
		case a.Verdict == stat.Same && a.Metric == "throughput" && a.NoiseFloor > mostNoise:
			lower(Unjudged, "%s, measured twice (A/A), may differ from itself by %s %%: the machine was too noisy to tell", what, FormatNumber(100*a.NoiseFloor))
		case a.Verdict == stat.TooFew:
			lower(Unjudged, "too few repetitions to judge the noise: %s, measured twice (A/A), came out %s", what, apart)
		}
	}
	if r.Manifest.Plan.Quick {
		lower(Unjudged, "quick plan: fewer and shorter repetitions")
	}
	return v, nil
}

func (r *Results) compareTwins(metrics []string) ([]AARecord, error) {
	var records []AARecord
	var arms [][2][]float64
	for _, c := range r.Cells() {
		if !c.Twin {
			continue
		}
		for _, metric := range metrics {
			a, b := r.Values(c.First(), metric), r.Values(c, metric)
			if len(a) > 0 && len(b) > 0 {
				records = append(records, AARecord{Cell: c.First(), Metric: metric})
				arms = append(arms, [2][]float64{a, b})
			}
		}
	}
	for i := range records {
		aa, err := stat.CompareAA(arms[i][0], arms[i][1], len(records), records[i].Cell.Seed(records[i].Metric))
		if err != nil {
			return nil, fmt.Errorf("A/A of %s, %s: %w", records[i].Cell.Key(), records[i].Metric, err)
		}
		records[i].AA = aa
	}
	return records, nil
}

// NameOf names a cell for people: by Name, and by its key where the campaign has
// another cell of that name.
func (r *Results) NameOf(c Cell) string {
	name, key := c.Name(), c.First().Key()
	for _, other := range r.Cells() {
		if other.Name() == name && other.First().Key() != key {
			return c.Key()
		}
	}
	return name
}

// NoiseFloor returns the largest noise floor that the campaign's A/A comparisons
// found for a metric, as a share; 0 when none compared it. A difference below it
// is not a finding.
func (r *Results) NoiseFloor(metric string) float64 {
	floor := 0.0
	for _, a := range r.Manifest.Validity.AA {
		if a.Metric == metric {
			floor = max(floor, a.NoiseFloor)
		}
	}
	return floor
}

func metricLabel(name string) string {
	m, err := MetricNamed(name)
	if err != nil {
		return name
	}
	return m.Label()
}
