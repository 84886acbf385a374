package searches

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func manifest() Manifest {
	return Manifest{
		Command: "sim mutants", Budget: 100, Searches: 4, Policies: []string{Baseline, "swarm"},
		Mutants: []Mutant{{Name: "easy", Oracle: "commit"}, {Name: "hard"}, {Name: "hidden"}},
	}
}

// took are the runs of the searches by policy and mutant; 0: not found.
func took() map[string]map[string][]int {
	return map[string]map[string][]int{
		Baseline: {"easy": {4, 6, 8, 10}, "hard": {90, 0, 0, 0}, "hidden": {0, 0, 0, 0}},
		"swarm":  {"easy": {1, 1, 2, 2}, "hard": {20, 30, 40, 0}, "hidden": {0, 0, 0, 0}},
	}
}

// search returns what a search of the example found.
func search(s Search) Search {
	if n := took()[s.Policy][s.Mutant][s.Number-1]; n > 0 {
		s.Found, s.Runs, s.Oracle = true, n, "commit"
	} else {
		s.Runs = 100
	}
	return s
}

// campaign makes the searches that are missing, at most so many.
func campaign(t *testing.T, dir string, most int) *Writer {
	t.Helper()
	w, err := Open(dir, manifest())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range w.Campaign().Missing() {
		if i == most {
			return w
		}
		if err := w.Append(search(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return w
}

func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{ManifestFile, Baseline + ".jsonl", "swarm.jsonl"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestKilledCampaignGoesOn: in the middle of a line, it loses no search that was over and
// makes none twice; the bytes are those of one that was not killed.
func TestKilledCampaignGoesOn(t *testing.T) {
	whole, killed := t.TempDir(), t.TempDir()
	campaign(t, whole, -1)
	campaign(t, killed, 7)
	f, err := os.OpenFile(fileOf(killed, "swarm"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"mutant":"hard","po`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	c, err := Read(killed)
	if err != nil || len(c.Searches) != 7 || len(c.Missing()) != 17 || c.Manifest.Finished {
		t.Fatalf("%d searches, %d missing, %v", len(c.Searches), len(c.Missing()), err)
	}
	campaign(t, killed, -1)
	if a, b := files(t, whole), files(t, killed); a != b {
		t.Errorf("the campaign that went on differs:\n%s\n%s", a, b)
	}
	c, err = Read(killed)
	if err != nil || len(c.Searches) != 24 || !c.Manifest.Finished || len(c.Missing()) != 0 {
		t.Errorf("%d searches, finished %v, %v", len(c.Searches), c.Manifest.Finished, err)
	}
}

// TestMissingIsBalanced: the first search for every mistake by every policy comes before
// any second one.
func TestMissingIsBalanced(t *testing.T) {
	c := Campaign{Manifest: manifest()}
	for i, s := range c.Missing() {
		if want := 1 + i/6; s.Number != want {
			t.Errorf("place %d: search %d, want %d", i, s.Number, want)
		}
	}
}

func TestAnotherCampaignIsRefused(t *testing.T) {
	dir := t.TempDir()
	campaign(t, dir, 3)
	for what, change := range map[string]func(*Manifest){
		"budget": func(m *Manifest) { m.Budget++ }, "mutants": func(m *Manifest) { m.Mutants = m.Mutants[:2] },
		"policies": func(m *Manifest) { m.Policies = m.Policies[1:] }, "build": func(m *Manifest) { m.Build = "x" },
	} {
		m := manifest()
		change(&m)
		if _, err := Open(dir, m); !errors.Is(err, ErrOther) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	for _, line := range []string{
		"{", `{"mutant":"easy","policy":"swarm","search":1,"found":true,"runs":101,"seed":1}`, `{"mutant":"easy","cheese":1}`,
		`{"mutant":"easy","policy":"swarm","search":1,"found":false,"runs":99,"seed":1}`,
	} {
		dir := t.TempDir()
		campaign(t, dir, 0)
		if err := os.WriteFile(fileOf(dir, "swarm"), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "swarm.jsonl:1") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("an empty directory is a campaign")
	}
}

// TestScores: worked out by hand. Searches that found nothing count: the median of random
// walk over all twelve lies beyond what it found.
func TestScores(t *testing.T) {
	c := campaign(t, "", -1).Campaign()
	scores, err := c.Scores()
	if err != nil || len(scores) != 2 {
		t.Fatalf("%d scores, %v", len(scores), err)
	}
	walk, swarm := scores[0], scores[1]
	if walk.Applicable != 3 || walk.Found != 1 || walk.Once != 2 || walk.Always != 1 || !walk.Median.Beyond() || walk.Against != nil {
		t.Errorf("random walk: %+v", walk)
	}
	if swarm.Found != 2 || swarm.Once != 2 || swarm.Always != 1 || swarm.Median.Value != 35 || !swarm.P90.Beyond() {
		t.Errorf("swarm: %+v", swarm)
	}
	const mean = (1 + 1 + 2 + 2 + 20 + 30 + 40 + 100 + 400) / 12.0
	if math.Abs(swarm.Mean.Value-mean) > 1e-9 || swarm.Mean.Lo > mean || swarm.Mean.Hi < mean {
		t.Errorf("restricted mean %+v, want %v", swarm.Mean, mean)
	}
	if a := swarm.Against; a == nil || a.Observed <= a.Expected || a.P > 0.05 {
		t.Errorf("swarm against random walk: %+v", a)
	}
	if Best(scores).Policy != "swarm" {
		t.Errorf("best is %s", Best(scores).Policy)
	}
	if left, err := c.MissedByBest(); err != nil || len(left) != 1 || left[0] != "hidden" {
		t.Errorf("left: %q, %v", left, err)
	}
	rows, err := c.Rows()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := rows[4]; r.Mutant.Name != "hard" || r.Policy != "swarm" || r.Hits != 3 || r.Median.Value != 35 || r.Mean.Value != 47.5 {
		t.Errorf("%+v", r)
	}
	if m := Missed(rows, "swarm"); len(m) != 1 || m[0].Mutant.Name != "hidden" {
		t.Errorf("missed %+v", m)
	}
}

func TestRuns(t *testing.T) {
	for v, want := range map[float64]string{1.5: "1.5", 35: "35", 1234.4: "1234", math.Inf(1): "> 100"} {
		if got := Runs(v, 100); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}
