package report

import (
	"fmt"
	"slices"
	"strings"

	"weir/results"
)

// warnings returns every warning once, with the cells and repetitions that have it.
func warnings(r *results.Results) []string {
	var texts []string
	where := map[string][]string{}
	add := func(text, place string) {
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
		if place != "" && !slices.Contains(where[text], place) {
			where[text] = append(where[text], place)
		}
	}
	for _, s := range r.Samples {
		for _, w := range s.Warnings {
			add(w, fmt.Sprintf("%s (repetition %d)", nameIn(r, s.Cell), s.Repetition))
		}
	}
	for _, w := range r.Manifest.Warnings {
		add(w.Text, cellNamed(r, w.Cell))
	}
	for i, text := range texts {
		if places := where[text]; len(places) > 0 {
			texts[i] = capital(text) + ": " + strings.Join(places, "; ") + "."
		}
	}
	return texts
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// nameIn is a cell in a few words; all of them where the campaign has several
// groups, which the few do not tell apart.
func nameIn(r *results.Results, c results.Cell) string {
	if len(r.Groups()) > 1 {
		return c.Key()
	}
	words := []string{c.Algorithm, c.State, c.LoadText()}
	if c.Kill {
		words = append(words, "killed")
	}
	if c.Twin {
		words = append(words, "second arm of A/A")
	}
	return strings.Join(words, " ")
}

func cellNamed(r *results.Results, key string) string {
	for _, c := range r.Manifest.Plan.Cells {
		if c.Key() == key {
			return nameIn(r, c)
		}
	}
	return key
}
