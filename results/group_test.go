package results_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"weir/internal/results/resultstest"
	"weir/results"
)

func TestGroupsShareWhatIsCompared(t *testing.T) {
	r := read(t, write(t, small()))
	groups := r.Groups()
	if len(groups) != 1 {
		t.Fatalf("%d groups, want 1: no checkpoints and no rate are no group of their own: %v", len(groups), groups)
	}
	g := groups[0]
	if want := "keyedcount, keys=1000000, valueSize=100, checkpoint every 1000 ms, open loop at 70 % of saturation, parallelism 2"; g.Label() != want {
		t.Errorf("label %q, want %q", g.Label(), want)
	}
	other := g
	other.IntervalMS = 200
	if a, b := g.Slug([]results.Group{g, other}), g.Slug(groups); a != "keyedcount-1000ms" || b != "keyedcount" {
		t.Errorf("slugs %q, %q", a, b)
	}
	if short := g.Short(groups); short != "" {
		t.Errorf("the only group is told from others by %q", short)
	}
	if short := g.Short([]results.Group{g, other}); short != "checkpoint every 1000 ms" {
		t.Errorf("short name %q", short)
	}
	large := g
	large.Settings, large.IntervalMS, large.RateShare, large.Rate = map[string]string{"keys": "5", "valueSize": "100"}, 200, 0, 10
	if short := large.Short([]results.Group{g, large}); short != "keys=5" {
		t.Errorf("short name %q", short)
	}
	if short := large.Short([]results.Group{g, other, large}); short != "keys=5" {
		t.Errorf("short name %q", short)
	}
	if short := other.Short([]results.Group{g, other, large}); short != "keys=1000000, checkpoint every 200 ms" {
		t.Errorf("short name %q", short)
	}
	if n := len(r.Variants(g)); n != 2 {
		t.Errorf("%d variants, want 2", n)
	}
}

func TestMetricsComeFromTheRightRuns(t *testing.T) {
	r := read(t, write(t, small()))
	g, v := r.Groups()[0], results.Variant{Algorithm: "aligned", State: "heap"}
	for metric, want := range map[string]struct {
		load results.Load
		kill bool
	}{
		"throughput":        {results.ClosedLoop, false},
		"processing_p99_ms": {results.OpenLoop, false},
		"checkpoint_ms":     {results.OpenLoop, false},
		"recovery_ms":       {results.OpenLoop, true},
	} {
		c, ok := r.CellFor(g, v, metric)
		if !ok || c.Load != want.load || c.Kill != want.kill || c.Twin {
			t.Errorf("%s is read from %v, %t", metric, c, ok)
		}
	}
	if _, ok := r.CellFor(g, results.Variant{Algorithm: "none", State: "heap"}, "checkpoint_ms"); ok {
		t.Error("a variant without checkpoints has a checkpoint duration")
	}
	ratio, ok := r.RatioToBaseline(g, v, "throughput")
	if !ok || ratio.Lo > 0.93 || ratio.Hi < 0.93 {
		t.Errorf("ratio to the baseline %v, %t, made to be 0.93", ratio, ok)
	}
}

func TestLineIsOneFlatObject(t *testing.T) {
	r := read(t, write(t, small()))
	b, err := json.Marshal(r.Lines()[0])
	if err != nil {
		t.Fatal(err)
	}
	var flat map[string]any
	if err := json.Unmarshal(b, &flat); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"algorithm", "state", "workload", "interval_ms", "output_digest"} {
		if _, ok := flat[key]; !ok {
			t.Errorf("%s lacks %s", b, key)
		}
	}
	throughput, ok := flat["throughput"].(map[string]any)
	if !ok || len(throughput) != 5 || throughput["unit"] != "records/s" || throughput["n"] != 6.0 {
		t.Errorf("throughput is %v", flat["throughput"])
	}
}

func TestTableMarksRangesAndVerdict(t *testing.T) {
	config := small()
	config.Repetitions = 3
	var b bytes.Buffer
	if err := read(t, write(t, config)).WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"aligned", "throughput", "~9.", "million", "records/s", "ratio to", "results unjudged", "too few repetitions"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("table lacks %q:\n%s", part, b.String())
		}
	}
}

func TestTableFitsATerminal(t *testing.T) {
	for name, config := range map[string]resultstest.Config{"standard": resultstest.Standard(), "quick": resultstest.Quick()} {
		var b strings.Builder
		if err := read(t, write(t, config)).WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: a line of %d columns: %s", name, n, line)
			}
			if strings.Contains(line, "algorithm=") {
				t.Errorf("%s: a cell is named by its key: %s", name, line)
			}
		}
	}
}

func TestOneRepetitionIsNoFinding(t *testing.T) {
	config := small()
	config.Repetitions = 1
	var b strings.Builder
	if err := read(t, write(t, config)).WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	if s := b.String(); !strings.Contains(s, "one repetition: an impression") || strings.Contains(s, "~") {
		t.Errorf("the table of single repetitions does not say what they are worth, or marks ranges:\n%s", s)
	}
}

func TestFormatNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.01234: "0.0123", 0.94: "0.940", 0.09996: "0.100", 0.000012: "1.2e-05", 0.99999: "1.00", 4.564: "4.56", 9.999: "10.0", 99.99: "100", 1234: "1234",
		9999.9: "10.0k", 123456: "123k", 999_999: "1.00M", 4.5e6: "4.50M", 1.2e9: "1.20G", -12345: "-12.3k",
	} {
		if got := results.FormatNumber(v); got != want {
			t.Errorf("FormatNumber(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestMetricsTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range results.Metrics() {
		if seen[m.Name] {
			t.Errorf("%s is in the table twice", m.Name)
		}
		seen[m.Name] = true
		if m.Unit == "" || m.Question == "" || m.Definition == "" {
			t.Errorf("%+v is incomplete", m)
		}
		if strings.HasSuffix(m.Name, "_ms") != (m.Unit == results.Milliseconds) || strings.HasSuffix(m.Name, "_bytes") != (m.Unit == results.ByteCount) {
			t.Errorf("%s is in %s: name and unit disagree", m.Name, m.Unit)
		}
	}
	for _, name := range append(results.Headline(), results.CheckpointParts()...) {
		if !seen[name] {
			t.Errorf("%s is shown and not defined", name)
		}
	}
}

func TestSyntheticResultsAreTheSameEveryTime(t *testing.T) {
	var first []byte
	for i := range 2 {
		lines, err := json.Marshal(read(t, write(t, resultstest.Quick())).Samples)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = lines
		} else if !bytes.Equal(first, lines) {
			t.Error("two synthetic campaigns of one configuration differ")
		}
	}
}
