package searches

import (
	"cmp"
	"slices"
)

// SchemaVersion is the version that this package writes and reads.
const SchemaVersion = 1

// Manifest says what was measured, by which command and of which commit.
type Manifest struct {
	Schema   int      `json:"schema"`
	Command  string   `json:"command"`
	Commit   string   `json:"commit"` // "": unknown
	Dirty    bool     `json:"dirty"`  // the tree had changes that are in no commit
	Build    string   `json:"build"`  // SHA-256 of the program
	Go       string   `json:"go"`
	Budget   int      `json:"budget"`   // runs after which a search is given up
	Searches int      `json:"searches"` // of each mutant by each policy
	Policies []string `json:"policies"`
	Mutants  []Mutant `json:"mutants"`
	Finished bool     `json:"finished"`
}

// Mutant is a mistake with the combination in which it is looked for.
type Mutant struct {
	Name      string `json:"mutant"`
	Algorithm string `json:"algorithm"`
	State     string `json:"state"`
	Sink      string `json:"sink"`
	Workload  string `json:"workload"`
	Oracle    string `json:"oracle"` // that must see it; "": any
}

// Search is one search for one mistake by one policy.
type Search struct {
	Mutant string `json:"mutant"`
	Policy string `json:"policy"`
	Number int    `json:"search"` // from 1: it is what the search is drawn from
	Found  bool   `json:"found"`  // by the oracle that must see it
	Runs   int    `json:"runs"`   // made; the last one found it
	Seed   uint64 `json:"seed"`   // of the last run
	Oracle string `json:"oracle,omitempty"`
	Panics int    `json:"panics,omitempty"` // runs before that panicked, which counts as nothing
	Others int    `json:"others,omitempty"` // runs before that failed, but not as the mistake must
}

// Campaign is a manifest with its searches, ordered by policy, mutant (both as in the
// manifest) and number.
type Campaign struct {
	Manifest Manifest
	Searches []Search
}

// Missing returns the searches that are not there yet, all but Found and Runs set: first
// the first of every mutant by every policy, then the second, so that what a campaign has
// is balanced at any time.
func (c *Campaign) Missing() (all []Search) {
	type key struct {
		mutant, policy string
		number         int
	}
	have := map[key]bool{}
	for _, s := range c.Searches {
		have[key{s.Mutant, s.Policy, s.Number}] = true
	}
	for n := 1; n <= c.Manifest.Searches; n++ {
		for _, m := range c.Manifest.Mutants {
			for _, p := range c.Manifest.Policies {
				if !have[key{m.Name, p, n}] {
					all = append(all, Search{Mutant: m.Name, Policy: p, Number: n})
				}
			}
		}
	}
	return all
}

// sort puts searches in order and drops those that the manifest does not have.
func (c *Campaign) sort() {
	place := map[string]int{}
	for i, m := range c.Manifest.Mutants {
		place["m "+m.Name] = i + 1
	}
	for i, p := range c.Manifest.Policies {
		place["p "+p] = i + 1
	}
	c.Searches = slices.DeleteFunc(c.Searches, func(s Search) bool {
		return place["m "+s.Mutant] == 0 || place["p "+s.Policy] == 0 || s.Number > c.Manifest.Searches
	})
	slices.SortStableFunc(c.Searches, func(a, b Search) int {
		return cmp.Or(cmp.Compare(place["p "+a.Policy], place["p "+b.Policy]), cmp.Compare(place["m "+a.Mutant], place["m "+b.Mutant]), cmp.Compare(a.Number, b.Number))
	})
}
