package results_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"weir/internal/results/resultstest"
	"weir/results"
	"weir/results/stat"
)

// small is enough of a campaign for the reader and writer.
func small() resultstest.Config {
	return resultstest.Config{Seed: 3, Repetitions: 6, Algorithms: []string{"none", "aligned"}, States: []string{"heap"}}
}

func write(t *testing.T, c resultstest.Config) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "campaign")
	if err := resultstest.Write(dir, c); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, dir string) *results.Results {
	t.Helper()
	r, err := results.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// edit rewrites a file of a campaign.
func edit(t *testing.T, path string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	c := small()
	r := read(t, write(t, c))
	want := resultstest.Sample(c, resultstest.Cells(c)[1], 4)
	got := r.SamplesOf(want.Cell)[4]
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if !bytes.Equal(a, b) {
		t.Errorf("read\n%s\nwrote\n%s", b, a)
	}
	if len(r.Cells()) != len(resultstest.Cells(c)) || len(r.Samples) != 6*len(r.Cells()) {
		t.Errorf("%d cells, %d samples", len(r.Cells()), len(r.Samples))
	}
	if r.Manifest.Finished == nil || r.Manifest.Schema != results.SchemaVersion {
		t.Errorf("manifest %+v", r.Manifest)
	}
}

func TestBadFilesAreNamedWithTheWayOut(t *testing.T) {
	repeatFirst := func(s string) string { return s + s[:strings.Index(s, "\n")+1] }
	for _, c := range []struct {
		name, file string
		change     func(string) string
		is         error
		says       []string
	}{
		{"schema", results.ManifestFile, replace(`"schema": 1`, `"schema": 2`), results.ErrSchema, []string{"manifest.json", "reads 1", "measure again"}},
		{"truncated", results.SamplesFile, func(s string) string { return s[:len(s)-20] }, results.ErrTruncated, []string{"samples.jsonl:36", "--resume"}},
		{"duplicate", results.SamplesFile, repeatFirst, results.ErrDuplicate, []string{"samples.jsonl:37", "line 1", "delete"}},
		{"not JSON", results.SamplesFile, func(s string) string { return "?" + s }, nil, []string{"samples.jsonl:1", "restore the line"}},
		{"unknown field", results.SamplesFile, replace(`"block":0`, `"bloc":0`), nil, []string{"samples.jsonl:1", "bloc"}},
		{"unknown metric", results.SamplesFile, replace(`"throughput":`, `"thruput":`), nil, []string{"thruput", "known are throughput"}},
		{"wrong unit", results.SamplesFile, replace(`"unit":"records/s"`, `"unit":"ms"`), nil, []string{"records/s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, small())
			edit(t, filepath.Join(dir, c.file), c.change)
			_, err := results.Read(dir)
			if err == nil {
				t.Fatal("was read")
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%v is not %v", err, c.is)
			}
			for _, part := range c.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
	if _, err := results.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "manifest.json") {
		t.Errorf("empty directory: %v", err)
	}
}

func replace(from, to string) func(string) string {
	return func(s string) string { return strings.Replace(s, from, to, 1) }
}

func TestResumeMeasuresTheInterruptedRepetitionAgain(t *testing.T) {
	c := small()
	dir := write(t, c)
	whole, err := os.ReadFile(filepath.Join(dir, results.SamplesFile))
	if err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, results.SamplesFile), func(s string) string { return s[:len(s)-20] })
	w, err := results.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	cells := resultstest.Cells(c)
	last := cells[len(cells)-1]
	if w.Has(last, 5) || !w.Has(last, 4) {
		t.Errorf("has repetition 5: %t, 4: %t", w.Has(last, 5), w.Has(last, 4))
	}
	if err := w.Append(resultstest.Sample(c, last, 5)); err != nil {
		t.Fatal(err)
	}
	if err := resultstest.Finish(w); err != nil {
		t.Fatal(err)
	}
	again, _ := os.ReadFile(filepath.Join(dir, results.SamplesFile))
	if !bytes.Equal(whole, again) {
		t.Error("the resumed campaign differs from the uninterrupted one")
	}
	warnings := read(t, dir).Manifest.Warnings
	if text := warnings[len(warnings)-1].Text; !strings.Contains(text, "line 36") {
		t.Errorf("no warning about the cut line: %q", text)
	}
}

func TestWriterRefuses(t *testing.T) {
	c := small()
	dir := filepath.Join(t.TempDir(), "campaign")
	w, err := results.Create(dir, resultstest.Manifest(c))
	if err != nil {
		t.Fatal(err)
	}
	cell := resultstest.Cells(c)[0]
	good := resultstest.Sample(c, cell, 0)
	for name, spoil := range map[string]func(*results.Sample){
		"numbers of a wrong output": func(s *results.Sample) { s.Output = results.OutputWrong },
		"an unchecked output":       func(s *results.Sample) { s.Output = "" },
		"no digest":                 func(s *results.Sample) { s.OutputDigest = "" },
		"not a number": func(s *results.Sample) {
			s.Metrics = map[string]results.Value{"throughput": {Value: math.NaN(), Unit: "records/s"}}
		},
		"a closed loop with a rate": func(s *results.Sample) { s.Cell.Rate = 5 },
		"a space in a coordinate":   func(s *results.Sample) { s.Cell.Algorithm = "a b" },
	} {
		bad := good
		spoil(&bad)
		if err := w.Append(bad); err == nil {
			t.Errorf("%s was recorded", name)
		}
	}
	if err := w.Append(good); err != nil {
		t.Fatalf("after refusals: %v", err)
	}
	if err := w.Append(good); !errors.Is(err, results.ErrDuplicate) {
		t.Errorf("twice: %v", err)
	}
	if _, err := results.Create(dir, resultstest.Manifest(c)); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("create over a campaign: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(read(t, dir).Samples); n != 1 {
		t.Errorf("%d samples recorded, want 1", n)
	}
}

func TestEveryAppendIsInTheFileWhenItReturns(t *testing.T) {
	c := small()
	dir := filepath.Join(t.TempDir(), "campaign")
	w, err := results.Create(dir, resultstest.Manifest(c))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := w.Append(resultstest.Sample(c, resultstest.Cells(c)[0], i)); err != nil {
			t.Fatal(err)
		}
		if n := len(read(t, dir).Samples); n != i+1 {
			t.Errorf("%d samples to be read after %d appends", n, i+1)
		}
	}
}

func TestSummaryIsReadAsBenchmarks(t *testing.T) {
	dir := write(t, small())
	f, err := os.Open(filepath.Join(dir, results.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := 0
	r := benchfmt.NewReader(f, results.SummaryFile)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Error(rec)
		case *benchfmt.Result:
			lines++
			if !strings.Contains(string(rec.Name), "algorithm=") {
				t.Errorf("name %q", rec.Name)
			}
			if v, ok := rec.Value("processing_p99-sec"); ok && (v < 1e-4 || v > 0.1) {
				t.Errorf("processing_p99 is %v s", v)
			}
		}
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if lines != 36 {
		t.Errorf("%d benchmark lines, want one per repetition: 36", lines)
	}
	if m := r.Units().Get("throughput", "better"); m == nil || m.Value != "higher" {
		t.Errorf("throughput's direction is %v", m)
	}
}

func TestHistogramsComeBackPerRepetition(t *testing.T) {
	c := small()
	r := read(t, write(t, c))
	cell := resultstest.Cells(c)[1]
	hs, err := r.Histograms(cell, results.Visible)
	if err != nil {
		t.Fatal(err)
	}
	if len(hs) != 6 {
		t.Fatalf("%d histograms, want 6", len(hs))
	}
	want := resultstest.Histogram(c.Seed+1, 520, 2)
	if !hs[2].Equals(want) {
		t.Errorf("repetition 2 has median %d, want %d", hs[2].ValueAtQuantile(50), want.ValueAtQuantile(50))
	}
	if hs, err := r.Histograms(resultstest.Cells(c)[0], results.Visible); err != nil || hs != nil {
		t.Errorf("a cell without a file gave %v, %v", hs, err)
	}
	edit(t, filepath.Join(r.Dir, results.HistogramFile(cell)), func(s string) string { return strings.ReplaceAll(s, "HISTF", "HISTX") })
	if _, err := r.Histograms(cell, results.Visible); err == nil || !strings.Contains(err.Error(), ".hlog") {
		t.Errorf("a spoiled histogram: %v", err)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*resultstest.Config)
		want   results.ValidityState
		aa     stat.Verdict
	}{
		{"quiet", func(*resultstest.Config) {}, results.Valid, stat.Same},
		{"noisy", func(c *resultstest.Config) { c.NoisyTwin = true }, results.Invalid, stat.Differs},
		{"noisy but quick", func(c *resultstest.Config) { c.NoisyTwin, c.Quick = true, true }, results.Unjudged, stat.Differs},
		{"few", func(c *resultstest.Config) { c.Repetitions = 3 }, results.Unjudged, stat.TooFew},
		{"wrong output", func(c *resultstest.Config) { c.WrongCell = true }, results.Invalid, stat.Same},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := small()
			c.change(&config)
			v := read(t, write(t, config)).Manifest.Validity
			if v.State != c.want || len(v.AA) != 1 || v.AA[0].Verdict != c.aa {
				t.Errorf("got %+v, want %s with A/A %s", v, c.want, c.aa)
			}
			if (len(v.Reasons) == 0) != (v.State == results.Valid) {
				t.Errorf("%s for the reasons %q", v.State, v.Reasons)
			}
		})
	}
}
