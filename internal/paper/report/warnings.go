package report

import (
	"fmt"
	"slices"
	"strings"

	"weir/results"
)

// warning is one text with the cells and repetitions that have it.
type warning struct {
	Text   string
	Places []string
}

// warnings returns every warning once, with where it applies.
func warnings(r *results.Results) []warning {
	var all []warning
	add := func(text, place string) {
		i := slices.IndexFunc(all, func(w warning) bool { return w.Text == capital(text) })
		if i < 0 {
			i, all = len(all), append(all, warning{Text: capital(text)})
		}
		if place != "" && !slices.Contains(all[i].Places, place) {
			all[i].Places = append(all[i].Places, place)
		}
	}
	for _, s := range r.Samples {
		for _, w := range s.Warnings {
			place := r.NameOf(s.Cell)
			if r.Manifest.Plan.Repetitions > 1 {
				place += fmt.Sprintf(", repetition %d", s.Repetition)
			}
			add(w, place)
		}
	}
	for _, w := range r.Manifest.Warnings {
		add(w.Text, cellNamed(r, w.Cell))
	}
	return all
}

// warned tells whether any repetition behind the numbers of a cell carries a
// warning.
func warned(r *results.Results, c results.Cell) bool {
	return slices.ContainsFunc(r.SamplesOf(c), func(s results.Sample) bool { return len(s.Warnings) > 0 }) ||
		slices.ContainsFunc(r.Manifest.Warnings, func(w results.Warning) bool { return w.Cell == c.Key() })
}

func capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

func cellNamed(r *results.Results, key string) string {
	for _, c := range r.Manifest.Plan.Cells {
		if c.Key() == key {
			return r.NameOf(c)
		}
	}
	return key
}
