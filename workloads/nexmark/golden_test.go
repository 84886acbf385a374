package nexmark

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sets are the golden data sets in testdata.
func sets() []string { return []string{"dev1k", "devmix", "devooo"} }

// goldenResults are the results to compare, each with its query and windows.
func goldenResults() []goldenResult {
	return []goldenResult{
		{"q0", "q0", 10, 5},
		{"q1", "q1", 10, 5},
		{"q5.w10p5", "q5", 10, 5},
		{"q5.w10p2", "q5", 10, 2},
		{"q5.w2p1", "q5", 2, 1},
		{"q8.w10", "q8", 10, 5},
		{"q8.w2", "q8", 2, 1},
	}
}

type goldenResult struct {
	name, query             string
	windowSec, everySeconds int64
}

// manifest is what the tests need of a set's manifest.
type manifest struct {
	Settings map[string]json.RawMessage
	Events   struct {
		Count  int
		SHA256 string
	}
	EffectiveConfig map[string]string
	Results         map[string]struct {
		Rows   int
		SHA256 string
	}
}

func readManifest(t testing.TB, set string) manifest {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", set+".manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// setSettings are the settings of a golden set, made the way a user makes them.
func setSettings(t testing.TB, set string) Settings {
	t.Helper()
	s := Defaults()
	settings := readManifest(t, set).Settings
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if err := s.Set(name, strings.Trim(string(settings[name]), `"`)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func readLines(t testing.TB, name string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(b, []byte("\n"))
	return lines[:len(lines)-1] // each line ends with a newline
}

// compareLines reports the first line that differs.
func compareLines(t *testing.T, got, want [][]byte) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("line %d differs\n got %s\nwant %s", i+1, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
}

func TestGoldenEvents(t *testing.T) {
	for _, set := range sets() {
		t.Run(set, func(t *testing.T) {
			g, err := NewGenerator(setSettings(t, set))
			if err != nil {
				t.Fatal(err)
			}
			var lines [][]byte
			var e Event
			for seq := range g.Settings().NumEvents {
				g.Event(seq, &e)
				lines = append(lines, AppendEventLine(nil, &e))
			}
			compareLines(t, lines, readLines(t, set+".events.jsonl"))
			m := readManifest(t, set)
			if len(lines) != m.Events.Count || Digest(lines) != m.Events.SHA256 {
				t.Errorf("%d events with digest %s, want %d with %s",
					len(lines), Digest(lines), m.Events.Count, m.Events.SHA256)
			}
		})
	}
}

// TestGoldenSettings compares the settings with those that Beam says it used,
// so that the defaults are Beam's and names mean what they mean there.
func TestGoldenSettings(t *testing.T) {
	for _, set := range sets() {
		s := setSettings(t, set)
		effective := readManifest(t, set).EffectiveConfig
		for _, f := range s.integers() {
			if got := fmt.Sprint(*f.value); got != effective[f.name] {
				t.Errorf("%s: %s is %s, Beam's is %q", set, f.name, got, effective[f.name])
			}
		}
		if string(s.RateShape) != effective[rateShapeName] {
			t.Errorf("%s: rateShape is %s, Beam's is %q", set, s.RateShape, effective[rateShapeName])
		}
	}
}

func TestGoldenResults(t *testing.T) {
	compared := 0
	for _, set := range sets() {
		results := readManifest(t, set).Results
		for _, r := range goldenResults() {
			want, ok := results[r.name]
			if !ok {
				continue // windows of 10 s are not in devooo
			}
			compared++
			t.Run(set+"/"+r.name, func(t *testing.T) {
				s := setSettings(t, set)
				s.WindowSizeSec, s.WindowPeriodSec = r.windowSec, r.everySeconds
				rows, err := Reference(r.query, s)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(set+".results", r.name+".jsonl")
				if _, err := os.Stat(filepath.Join("testdata", file)); err == nil {
					compareLines(t, rows, readLines(t, file))
				}
				if len(rows) != want.Rows || Digest(rows) != want.SHA256 {
					t.Errorf("%d rows with digest %s, want %d with %s", len(rows), Digest(rows), want.Rows, want.SHA256)
				}
			})
		}
	}
	if compared != 18 { // all seven of dev1k and devmix, four of devooo
		t.Errorf("%d results compared, want 18", compared)
	}
}

func TestReferenceErrors(t *testing.T) {
	if _, err := Reference("q6", Defaults()); err == nil || !strings.Contains(err.Error(), "q0, q1, q5, q8") {
		t.Errorf("unknown query: %v", err)
	}
	if _, err := Reference("q0", Settings{}); err == nil {
		t.Error("no error for settings that are not valid")
	}
	s := Defaults()
	s.NumEvents = 0
	for _, query := range Queries() {
		rows, err := Reference(query, s)
		if err != nil || len(rows) != 0 {
			t.Errorf("%s over nothing: %d rows, %v", query, len(rows), err)
		}
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := Digest(nil); got != empty {
		t.Errorf("digest of nothing is %s", got)
	}
}
