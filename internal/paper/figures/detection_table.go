package figures

import (
	"bytes"
	"fmt"
	"strings"

	"weir/results/searches"
	"weir/results/stat"
)

// detectionTables returns the tables of a campaign of searches in Markdown: what each
// policy does, and for each mistake the runs that each policy took.
func detectionTables(c *searches.Campaign) ([]byte, error) {
	scores, err := c.Scores()
	if err != nil {
		return nil, err
	}
	rows, err := c.Rows()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	budget := c.Manifest.Budget
	interval := func(e stat.Estimate) string {
		return fmt.Sprintf("%s (%s to %s)", searches.Runs(e.Value, budget), searches.Runs(e.Lo, budget), searches.Runs(e.Hi, budget))
	}
	fmt.Fprintf(&b, "%d mistakes, %d searches for each by each policy, at most %d runs a search. Found: in more than half of its searches.\n\n", len(c.Manifest.Mutants), c.Manifest.Searches, budget)
	b.WriteString("| policy | found | in a search | in all | median runs (95 %) | 90 % within | restricted mean (95 %) | against random walk |\n|---|---|---|---|---|---|---|---|\n")
	for i := range scores {
		s := &scores[i]
		fmt.Fprintf(&b, "| %s | %d of %d | %d | %d | %s | %s | %s | %s |\n", s.Policy, s.Found, s.Applicable, s.Once, s.Always, interval(s.Median), searches.Runs(s.P90.Value, budget), interval(s.Mean), verdict(s.Against))
	}
	fmt.Fprintf(&b, "\nMedian runs by mistake; in brackets how many of the searches found it, where not all did.\n\n| mistake | oracle | %s |\n|---|---|%s\n", strings.Join(c.Manifest.Policies, " | "), strings.Repeat("---|", len(c.Manifest.Policies)))
	for _, m := range c.Manifest.Mutants {
		oracle := m.Oracle
		if oracle == "" {
			oracle = "any"
		}
		fmt.Fprintf(&b, "| %s | %s |", m.Name, oracle)
		for _, p := range c.Manifest.Policies {
			b.WriteString(" " + cell(rows, m.Name, p, budget) + " |")
		}
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// verdict says how a policy compares with the baseline.
func verdict(a *stat.LogRankResult) string {
	switch {
	case a == nil:
		return "-"
	case a.Observed > a.Expected:
		return fmt.Sprintf("faster, p = %.2g", a.P)
	default:
		return fmt.Sprintf("slower, p = %.2g", a.P)
	}
}

func cell(rows []searches.Row, mutant, policy string, budget int) string {
	for _, r := range rows {
		if r.Mutant.Name != mutant || r.Policy != policy {
			continue
		}
		text := searches.Runs(r.Median.Value, budget)
		if r.Hits < r.Searches {
			text += fmt.Sprintf(" (%d of %d)", r.Hits, r.Searches)
		}
		return text
	}
	return ""
}
