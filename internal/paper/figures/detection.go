package figures

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"weir/results/searches"
	"weir/results/stat"
)

// Detection returns the files of a campaign of searches: the curve of each policy, and
// the tables of policies and of mutants, as data and in Markdown.
func Detection(c *searches.Campaign) ([]File, error) {
	scores, err := c.Scores()
	if err != nil {
		return nil, err
	}
	rows, err := c.Rows()
	if err != nil {
		return nil, err
	}
	f, err := detectionCurves(c, scores)
	if err != nil {
		return nil, fmt.Errorf("figure detection: %w", err)
	}
	files, err := f.Files()
	if err != nil {
		return nil, err
	}
	for _, t := range []struct {
		name  string
		lines [][]string
	}{{"policies.csv", policyTable(scores)}, {"mutants.csv", mutantTable(rows)}} {
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(t.lines); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		files = append(files, File{t.name, b.Bytes()})
	}
	tables, err := detectionTables(c)
	return append(files, File{"tables.md", tables}), err
}

// detectionCurves draws the share of searches that have found their mistake over the
// number of runs, a line per policy.
func detectionCurves(c *searches.Campaign, scores []searches.Score) (Figure, error) {
	budget := float64(c.Manifest.Budget)
	f := Figure{
		Name: "detection", Heading: "Runs until a planted mistake is found",
		Columns: []string{"policy", "runs", "found", "found_lo", "found_hi", "at_risk"},
	}
	fonts := newFonts()
	p := fonts.newPlot()
	linearAxis(&p.Y, []float64{1 / 1.05})
	if err := logAxis(&p.X, []float64{1 / 0.98, max(budget, 2) / 1.02}); err != nil {
		return f, err
	}
	grid(p, true, true)
	s := sheet{fonts: fonts, height: 200, xLabel: "runs (log scale)", yLabel: "searches that have found their mistake"}
	for i := range scores {
		x := &scores[i]
		p.Add(&plotter.Line{XYs: found(x.Curve, budget), LineStyle: lineOf(i)})
		s.legend = append(s.legend, entry{x.Policy, lineThumb(i, false)})
		for _, step := range x.Curve.Steps {
			f.Rows = append(f.Rows, []string{x.Policy, decimal(step.At), decimal(1 - step.Share), decimal(1 - step.Hi), decimal(1 - step.Lo), strconv.Itoa(step.AtRisk)})
		}
	}
	s.plots = [][]*plot.Plot{{p}}
	s.note = fmt.Sprintf("Kaplan-Meier estimate: %d mistakes, %d searches for each by each policy, censored at %d runs. Axis from 0. Intervals: in the tables.",
		len(c.Manifest.Mutants), c.Manifest.Searches, c.Manifest.Budget)
	if !c.Manifest.Finished {
		s.note += " UNFINISHED campaign."
	}
	drawn, err := context{}.single(f, s)
	if err != nil {
		return f, err
	}
	return drawn[0], nil
}

// found is the line of a curve: flat between its steps, from the first run to the budget.
func found(s *stat.Survival, budget float64) (line plotter.XYs) {
	line = plotter.XYs{{X: 1, Y: 0}}
	for _, step := range s.Steps {
		line = append(line, plotter.XY{X: step.At, Y: line[len(line)-1].Y}, plotter.XY{X: step.At, Y: 1 - step.Share})
	}
	return append(line, plotter.XY{X: budget, Y: line[len(line)-1].Y})
}

func policyTable(scores []searches.Score) [][]string {
	lines := [][]string{{"policy", "applicable", "found", "found_once", "found_always", "median_runs", "median_lo", "median_hi", "p90_runs", "p90_lo", "p90_hi", "mean_runs", "mean_lo", "mean_hi", "log_rank_chi_square", "log_rank_p", "faster_than_" + searches.Baseline}}
	for i := range scores {
		s := &scores[i]
		line := []string{s.Policy, strconv.Itoa(s.Applicable), strconv.Itoa(s.Found), strconv.Itoa(s.Once), strconv.Itoa(s.Always)}
		for _, e := range []stat.Estimate{s.Median, s.P90, s.Mean} {
			line = append(line, known(e.Value), known(e.Lo), known(e.Hi))
		}
		if a := s.Against; a != nil {
			line = append(line, decimal(a.ChiSquare), decimal(a.P), strconv.FormatBool(a.Observed > a.Expected))
		} else {
			line = append(line, "", "", "")
		}
		lines = append(lines, line)
	}
	return lines
}

func mutantTable(rows []searches.Row) [][]string {
	lines := [][]string{{"mutant", "policy", "algorithm", "state", "sink", "workload", "oracle", "searches", "found", "median_runs", "median_lo", "median_hi", "mean_runs", "mean_lo", "mean_hi", "panics", "others"}}
	for _, r := range rows {
		m := r.Mutant
		lines = append(lines, []string{
			m.Name, r.Policy, m.Algorithm, m.State, m.Sink, m.Workload, m.Oracle, strconv.Itoa(r.Searches), strconv.Itoa(r.Hits),
			known(r.Median.Value), known(r.Median.Lo), known(r.Median.Hi), known(r.Mean.Value), known(r.Mean.Lo), known(r.Mean.Hi), strconv.Itoa(r.Panics), strconv.Itoa(r.Others),
		})
	}
	return lines
}

// known is a number of runs, "" if it lies beyond the budget.
func known(v float64) string {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return ""
	}
	return decimal(v)
}
