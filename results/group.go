package results

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"weir/results/stat"
)

// Group is what cells have in common that may be compared: everything but the
// algorithm and the state. A cell without checkpoints belongs to the groups of
// every interval, a closed loop to those of every rate.
type Group struct {
	Workload    string
	Settings    map[string]string
	IntervalMS  float64
	Rate        float64
	RateShare   float64
	Parallelism int
	Splits      int // 0: as many as instances of the source
}

// Holds tells whether a cell belongs to the group. The second arm of an A/A
// comparison belongs to none.
func (g Group) Holds(c Cell) bool {
	return !c.Twin && c.Workload == g.Workload && maps.Equal(c.Settings, g.Settings) &&
		c.Parallelism == g.Parallelism && c.Splits == g.Splits &&
		(c.IntervalMS == 0 || c.IntervalMS == g.IntervalMS) &&
		(c.Load == ClosedLoop || c.Rate == g.Rate && c.RateShare == g.RateShare)
}

func (g Group) equal(h Group) bool {
	return g.Workload == h.Workload && maps.Equal(g.Settings, h.Settings) &&
		g.IntervalMS == h.IntervalMS && g.Rate == h.Rate && g.RateShare == h.RateShare &&
		g.Parallelism == h.Parallelism && g.Splits == h.Splits
}

func groupOf(c Cell) Group {
	return Group{Workload: c.Workload, Settings: c.Settings, IntervalMS: c.IntervalMS, Rate: c.Rate, RateShare: c.RateShare, Parallelism: c.Parallelism, Splits: c.Splits}
}

// Groups returns the groups of the cells measured, in order of their cells.
func (r *Results) Groups() []Group {
	var candidates, groups []Group
	for _, c := range r.Cells() {
		if c.Twin {
			continue
		}
		g := groupOf(c)
		if !slices.ContainsFunc(candidates, g.equal) {
			candidates = append(candidates, g)
		}
	}
	for _, g := range candidates {
		if !slices.ContainsFunc(candidates, g.narrowedBy) {
			groups = append(groups, g)
		}
	}
	return groups
}

// narrowedBy tells whether all that g holds is in h too, because g lacks an
// interval or a rate that h has.
func (g Group) narrowedBy(h Group) bool {
	if g.equal(h) {
		return false
	}
	wide := h
	if g.IntervalMS == 0 {
		wide.IntervalMS = 0
	}
	if g.Rate == 0 && g.RateShare == 0 {
		wide.Rate, wide.RateShare = 0, 0
	}
	return g.equal(wide)
}

// Label names a group in a few words, for headings.
func (g Group) Label() string {
	words := []string{g.Workload}
	for _, name := range slices.Sorted(maps.Keys(g.Settings)) {
		words = append(words, name+"="+g.Settings[name])
	}
	if g.IntervalMS > 0 {
		words = append(words, "checkpoint every "+number(g.IntervalMS)+" ms")
	}
	if load := g.load(); load != "" {
		words = append(words, load)
	}
	words = append(words, "parallelism "+strconv.Itoa(g.Parallelism))
	if g.Splits > 0 {
		words = append(words, g.splits())
	}
	return strings.Join(words, ", ")
}

// Short tells the group from the others of a campaign in as few words as that
// takes: settings that differ, and interval and rate if those do not tell. It is
// empty for the only one.
func (g Group) Short(all []Group) string {
	coordinates := []func(Group) string{func(h Group) string { return h.Workload }}
	for _, name := range settingNames(all) {
		coordinates = append(coordinates, func(h Group) string { return name + "=" + h.Settings[name] })
	}
	told := len(coordinates)
	coordinates = append(coordinates,
		func(h Group) string { return "checkpoint every " + number(h.IntervalMS) + " ms" }, Group.load,
		func(h Group) string { return fmt.Sprintf("parallelism %d", h.Parallelism) }, Group.splits)
	var words []string
	left := all
	for i, text := range coordinates {
		same := func(h Group) bool { return text(h) == text(g) }
		if i >= told && len(left) <= 1 || !slices.ContainsFunc(all, func(h Group) bool { return !same(h) }) {
			continue
		}
		words = append(words, text(g))
		left = slices.DeleteFunc(slices.Clone(left), func(h Group) bool { return !same(h) })
	}
	return strings.Join(words, ", ")
}

func settingNames(all []Group) []string {
	names := map[string]bool{}
	for _, h := range all {
		for name := range h.Settings { // a set: its order is not seen
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// splits says how many splits the source has.
func (g Group) splits() string {
	if g.Splits == 0 {
		return "a split for each source"
	}
	return fmt.Sprintf("%d splits", g.Splits)
}

// load says how an open loop is offered; empty if there is none.
func (g Group) load() string {
	switch {
	case g.RateShare > 0:
		return "open loop at " + number(100*g.RateShare) + " % of saturation"
	case g.Rate > 0:
		return "open loop at " + number(g.Rate) + " records/s"
	}
	return ""
}

// Slug is a file-name part that tells the group from the others of a campaign:
// the workload and every coordinate in which any two of them differ.
func (g Group) Slug(all []Group) string {
	parts := []string{g.Workload}
	differ := func(text func(Group) string) {
		if slices.ContainsFunc(all, func(h Group) bool { return text(h) != text(g) }) {
			parts = append(parts, text(g))
		}
	}
	for _, name := range settingNames(all) {
		differ(func(h Group) string { return name + h.Settings[name] })
	}
	differ(func(h Group) string { return number(h.IntervalMS) + "ms" })
	differ(func(h Group) string {
		if h.RateShare > 0 {
			return number(100*h.RateShare) + "pct"
		}
		return number(h.Rate) + "ps"
	})
	differ(func(h Group) string { return fmt.Sprintf("p%d", h.Parallelism) })
	differ(func(h Group) string { return fmt.Sprintf("s%d", h.Splits) })
	return strings.Join(parts, "-")
}

// Variant is one algorithm on one state: what a group compares.
type Variant struct {
	Algorithm string
	State     string
}

// String returns the name in tables and legends.
func (v Variant) String() string { return v.Algorithm + ", " + v.State }

// Variants returns the variants measured in a group in the order of the cells,
// algorithms of one state together.
func (r *Results) Variants(g Group) []Variant {
	var variants []Variant
	for _, state := range r.States() {
		for _, algorithm := range r.Algorithms() {
			v := Variant{algorithm, state}
			if slices.ContainsFunc(r.Cells(), func(c Cell) bool { return g.Holds(c) && v.of(c) }) {
				variants = append(variants, v)
			}
		}
	}
	return variants
}

func (v Variant) of(c Cell) bool { return c.Algorithm == v.Algorithm && c.State == v.State }

// Algorithms returns the algorithms measured, in the order of the cells.
func (r *Results) Algorithms() []string {
	return r.distinct(func(c Cell) string { return c.Algorithm })
}

// States returns the states measured, in the order of the cells.
func (r *Results) States() []string { return r.distinct(func(c Cell) string { return c.State }) }

func (r *Results) distinct(of func(Cell) string) []string {
	var values []string
	for _, c := range r.Cells() {
		if v := of(c); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// CellFor returns the cell of a variant in a group from which a metric is read:
// throughput from the closed loop, recovery from runs with a kill, everything
// else from the open loop without one, and from the next best where that was
// not measured. False when no cell has the metric.
func (r *Results) CellFor(g Group, v Variant, metric string) (Cell, bool) {
	m, err := MetricNamed(metric)
	if err != nil {
		return Cell{}, false
	}
	return r.best(g, v, m.Question, func(s Sample) bool { _, ok := s.Metrics[metric]; return ok })
}

// CellWith is CellFor by what a sample must have, for the parts of a sample
// that are not metrics.
func (r *Results) CellWith(g Group, v Variant, q Question, has func(Sample) bool) (Cell, bool) {
	return r.best(g, v, q, has)
}

func (r *Results) best(g Group, v Variant, q Question, has func(Sample) bool) (Cell, bool) {
	var best Cell
	found := false
	ix := r.indexed()
	for _, c := range ix.cells {
		if !g.Holds(c) || !v.of(c) || found && preference(q, c) >= preference(q, best) {
			continue
		}
		if slices.ContainsFunc(ix.samples[c.Key()], has) {
			best, found = c, true
		}
	}
	return best, found
}

// preference orders cells by how well they answer a question; less is better.
func preference(q Question, c Cell) int {
	penalty := 0
	if (c.Load == ClosedLoop) != (q == Throughput) {
		penalty++
	}
	if c.Kill != (q == Recovery) {
		penalty += 2
	}
	return penalty
}

// SummaryFor is Summary of the cell that CellFor finds.
func (r *Results) SummaryFor(g Group, v Variant, metric string) (stat.Summary, bool) {
	c, ok := r.CellFor(g, v, metric)
	if !ok {
		return stat.Summary{}, false
	}
	return r.Summary(c, metric)
}

// RatioToBaseline returns the metric of a variant over that of the plan's
// baseline on the same state; false without a baseline, for the baseline
// itself, and where either was not measured.
func (r *Results) RatioToBaseline(g Group, v Variant, metric string) (stat.Summary, bool) {
	base := Variant{r.Manifest.Plan.Baseline, v.State}
	if base.Algorithm == "" || base == v {
		return stat.Summary{}, false
	}
	c, ok := r.CellFor(g, v, metric)
	b, okBase := r.CellFor(g, base, metric)
	if !ok || !okBase {
		return stat.Summary{}, false
	}
	return r.Ratio(c, b, metric)
}
