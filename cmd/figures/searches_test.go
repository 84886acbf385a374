package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/results/searches"
)

// stageSearches makes a campaign of searches in which swarm is the faster policy.
func stageSearches(t *testing.T, dir string) {
	t.Helper()
	w, err := searches.Open(dir, searches.Manifest{
		Command: "x", Budget: 1000, Searches: 3, Policies: []string{searches.Baseline, "swarm"},
		Mutants: []searches.Mutant{{Name: "easy", Oracle: "commit"}, {Name: "hard"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range w.Campaign().Missing() {
		s.Found, s.Runs = true, 5+20*i
		if s.Policy == "swarm" {
			s.Runs = 1 + i
		}
		if s.Mutant == "hard" && s.Policy != "swarm" {
			s.Found, s.Runs = false, 1000
		}
		if err := w.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
}

// TestSearches: a campaign of searches gives a figure and tables, which --check watches;
// one that is local gives none.
func TestSearches(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	stageSearches(t, filepath.Join(dir, "detection"))
	stageSearches(t, filepath.Join(dir, "local-detection"))
	flags := []string{"--results", dir, "--out", out}
	if status, _, e := run(flags...); status != exitFine {
		t.Fatalf("render: %d, %s", status, e)
	}
	if _, err := os.Stat(filepath.Join(out, "local-detection")); err == nil {
		t.Error("a local campaign was rendered")
	}
	at := func(name string) string { return filepath.Join(out, "detection", name) }
	for _, name := range []string{"detection.svg", "detection.pdf", "detection.csv", "policies.csv", "mutants.csv", "tables.md"} {
		if info, err := os.Stat(at(name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if status, _, e := run(append(flags, "--check")...); status != exitFine || !strings.Contains(e, "6 files are up to date") {
		t.Errorf("check: %d, %s", status, e)
	}
	f, err := os.Open(at("policies.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(f).ReadAll()
	_ = f.Close()
	if err != nil || len(lines) != 3 || lines[1][2] != "1" || lines[2][2] != "2" || lines[1][5] != "" || lines[2][len(lines[2])-1] != "true" {
		t.Errorf("policies: %v, %q", err, lines)
	}
	text, err := os.ReadFile(at("tables.md"))
	if err != nil || !strings.Contains(string(text), "> 1000 (0 of 3)") || !strings.Contains(string(text), "| easy | commit |") {
		t.Errorf("%v:\n%s", err, text)
	}
	if err := os.WriteFile(at("tables.md"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, e := run(append(flags, "--check")...); status != exitError || !strings.Contains(e, "tables.md would change") {
		t.Errorf("check: %d, %s", status, e)
	}
}

// TestDetectionDocument: the tables of docs/detection.md are those of the committed results.
func TestDetectionDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := os.ReadFile("../../paper/out/detection/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), string(tables)) {
		t.Error("docs/detection.md does not have paper/out/detection/tables.md as it is: put it in place of the tables there")
	}
}
