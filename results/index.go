package results

import (
	"slices"
	"sync"

	"weir/results/stat"
)

// index is what questions about a campaign are answered from. It is made at the
// first one and never changed but for summaries, which lock guards.
type index struct {
	once    sync.Once
	cells   []Cell
	samples map[string][]Sample // by key of the cell, in order of repetition

	lock      sync.Mutex
	summaries map[summaryKey]stat.Summary
}

type summaryKey struct{ cell, metric string }

// indexed returns the index, making it if there is none.
func (r *Results) indexed() *index {
	r.index.once.Do(func() {
		r.index.samples, r.index.summaries = map[string][]Sample{}, map[summaryKey]stat.Summary{}
		var appeared []Cell
		for _, s := range r.Samples {
			key := s.Cell.Key()
			if _, ok := r.index.samples[key]; !ok {
				appeared = append(appeared, s.Cell)
			}
			r.index.samples[key] = append(r.index.samples[key], s)
		}
		r.index.cells = inPlanOrder(r.Manifest.Plan.Cells, appeared)
		for _, c := range r.index.cells {
			slices.SortFunc(r.index.samples[c.Key()], func(a, b Sample) int { return a.Repetition - b.Repetition })
		}
	})
	return &r.index
}

// inPlanOrder returns the cells that appeared: those of the plan in its order,
// then the others in theirs.
func inPlanOrder(plan, appeared []Cell) []Cell {
	waiting := map[string]bool{}
	for _, c := range appeared {
		waiting[c.Key()] = true
	}
	var cells []Cell
	for _, c := range slices.Concat(plan, appeared) {
		if k := c.Key(); waiting[k] {
			delete(waiting, k)
			cells = append(cells, c)
		}
	}
	return cells
}

// Cells returns every cell that has a sample, in the order of the plan; those
// the plan does not have follow in order of appearance.
func (r *Results) Cells() []Cell { return slices.Clone(r.indexed().cells) }

// SamplesOf returns the repetitions of a cell in order of their number.
func (r *Results) SamplesOf(c Cell) []Sample { return slices.Clone(r.indexed().samples[c.Key()]) }

// Values returns the values of a metric in the repetitions of a cell that have
// it, in order of repetition.
func (r *Results) Values(c Cell, metric string) []float64 {
	var values []float64
	for _, s := range r.indexed().samples[c.Key()] {
		if v, ok := s.Metrics[metric]; ok {
			values = append(values, v.Value)
		}
	}
	return values
}

// Summary returns the median of a metric over the repetitions of a cell with
// its interval; false when none has it.
func (r *Results) Summary(c Cell, metric string) (stat.Summary, bool) {
	ix, key := r.indexed(), summaryKey{c.Key(), metric}
	ix.lock.Lock()
	defer ix.lock.Unlock()
	if s, ok := ix.summaries[key]; ok {
		return s, true
	}
	values := r.Values(c, metric)
	m, err := MetricNamed(metric)
	if err != nil || len(values) == 0 {
		return stat.Summary{}, false
	}
	s, err := stat.Summarize(values, m.Unit, c.Seed(metric))
	if err != nil {
		return stat.Summary{}, false
	}
	ix.summaries[key] = s
	return s, true
}
