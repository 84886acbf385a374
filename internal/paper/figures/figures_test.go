package figures

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"weir/internal/results/resultstest"
	"weir/results"
)

func campaign(t *testing.T, c resultstest.Config) *results.Results {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "campaign")
	if err := resultstest.Write(dir, c); err != nil {
		t.Fatal(err)
	}
	r, err := results.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustRender(t *testing.T, r *results.Results) []Figure {
	t.Helper()
	figures, err := Render(r)
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

func small() resultstest.Config {
	return resultstest.Config{Seed: 3, Repetitions: 6, Algorithms: []string{"none", "aligned"}, States: []string{"heap", "pebble"}}
}

func byName(t *testing.T, figures []Figure, name string) Figure {
	t.Helper()
	var names []string
	for _, f := range figures {
		if f.Name == name {
			return f
		}
		names = append(names, f.Name)
	}
	t.Fatalf("no figure %s among %v", name, names)
	return Figure{}
}

func TestEveryFigureIsDrawnWithItsData(t *testing.T) {
	figures := mustRender(t, campaign(t, small()))
	for _, name := range []string{
		"throughput", "latency-processing", "latency-visible", "timeline-heap", "timeline-pebble",
		"checkpoint", "recovery", "bytes",
	} {
		f := byName(t, figures, name)
		if !bytes.Contains(f.SVG, []byte("</svg>")) || !bytes.HasPrefix(f.PDF, []byte("%PDF-")) {
			t.Errorf("%s is no SVG and PDF", name)
		}
		if !bytes.Contains(f.SVG, []byte("SYNTHETIC DATA")) {
			t.Errorf("%s does not say that its data are synthetic", name)
		}
		if f.Alt == "" || f.Caption == "" || f.Heading == "" || f.Question == "" {
			t.Errorf("%s lacks words: %+v", name, f.Heading)
		}
		for _, row := range f.Rows {
			if len(row) != len(f.Columns) {
				t.Errorf("%s: row %v under columns %v", name, row, f.Columns)
			}
		}
	}
}

func TestPointsCarryIntervalAndN(t *testing.T) {
	figures := mustRender(t, campaign(t, small()))
	files, err := byName(t, figures, "throughput").Files()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(files[0].Data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := "state,algorithm,throughput,throughput_lo,throughput_hi,n,unit"; strings.Join(lines[0], ",") != want || len(lines) != 5 {
		t.Errorf("%d lines below %v", len(lines)-1, lines[0])
	}
	if !bytes.Contains(files[2].Data, []byte("n = 6 repetitions each")) {
		t.Error("the figure does not say its n")
	}
}

func TestDifferingNStandsBesideThePoints(t *testing.T) {
	r := campaign(t, small())
	r.Samples = r.Samples[:len(r.Samples)-8] // the last repetition of most cells
	f := byName(t, mustRender(t, r), "throughput")
	if bytes.Contains(f.SVG, []byte("repetitions each")) || !bytes.Contains(f.SVG, []byte(">5</text>")) {
		t.Error("cells of five and six repetitions are not told apart")
	}
	if !bytes.Contains(f.SVG, []byte("range of fewer than 6")) {
		t.Error("ranges are not marked")
	}
}

func TestCautionIsPartOfTheFigure(t *testing.T) {
	config := small()
	config.NoisyTwin = true
	if f := byName(t, mustRender(t, campaign(t, config)), "throughput"); !bytes.Contains(f.SVG, []byte("INVALID")) {
		t.Error("the figure of an invalid campaign does not say so")
	}
	config.NoisyTwin, config.Quick = false, true
	if f := byName(t, mustRender(t, campaign(t, config)), "throughput"); !bytes.Contains(f.SVG, []byte("Quick plan")) {
		t.Error("the figure of a quick plan does not say so")
	}
}

func TestSeveralGroupsHaveFiguresOfTheirOwn(t *testing.T) {
	r := campaign(t, small())
	half := len(r.Samples) / 2
	for i := range r.Samples[half:] {
		r.Samples[half+i].Cell.Workload = "nexmark-q1"
	}
	r.Manifest.Plan.Cells = nil
	figures := mustRender(t, r)
	byName(t, figures, "throughput-keyedcount")
	byName(t, figures, "throughput-nexmark-q1")
}

func TestZeroLatencyIsDrawnFromZero(t *testing.T) {
	r := campaign(t, small())
	for i := range r.Samples {
		for j := range r.Samples[i].Timeline {
			r.Samples[i].Timeline[j].P50 = 0
		}
	}
	if f := byName(t, mustRender(t, r), "timeline-heap"); bytes.Contains(f.SVG, []byte("log scale")) {
		t.Error("a timeline with zeros has a log axis")
	}
}

func TestLogAxisRefusesWhatItCannotShow(t *testing.T) {
	for _, values := range [][]float64{nil, {0, 1}, {-1, 1}} {
		var a plot.Axis
		if err := logAxis(&a, values); !errors.Is(err, ErrNotOnLog) {
			t.Errorf("%v: %v", values, err)
		}
	}
	var a plot.Axis
	if err := logAxis(&a, []float64{0.3, 42}); err != nil || a.Min != 0.2 || a.Max != 50 {
		t.Errorf("0.3 to 42: %v, from %v to %v", err, a.Min, a.Max)
	}
}

func TestTicks(t *testing.T) {
	for top, want := range map[float64]string{10.4: "0.0 2.5 5.0 7.5 10.0", 1: "0.0 0.2 0.4 0.6 0.8 1.0", 630: "0 200 400 600", 0.004: "0.000 0.001 0.002 0.003 0.004"} {
		var labels []string
		for _, tick := range linearTicks(top) {
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); got != want {
			t.Errorf("ticks to %v: %q, want %q", top, got, want)
		}
	}
}

func TestMergedWindowsKeepTheirSpikes(t *testing.T) {
	windows := make([]results.TimelinePoint, 1000)
	for i := range windows {
		windows[i] = results.TimelinePoint{TMS: float64(i), P50: 1, P99: 2, Max: 3, Count: 1}
	}
	windows[777].Max = 99
	merged := merge(windows)
	highest, count := 0.0, int64(0)
	for _, w := range merged {
		highest, count = max(highest, w.Max), count+w.Count
	}
	if len(merged) > mostWindows || highest != 99 || count != 1000 {
		t.Errorf("%d windows, highest %v, %d records", len(merged), highest, count)
	}
}

func TestEmptyCampaignHasNoFigures(t *testing.T) {
	if figures := mustRender(t, &results.Results{}); len(figures) != 0 {
		t.Errorf("%d figures of nothing", len(figures))
	}
}

// digestVariable makes this test binary print the digest of its figures.
const digestVariable = "WEIR_FIGURES_DIGEST_OF"

func TestMain(m *testing.M) {
	if dir := os.Getenv(digestVariable); dir != "" {
		digest, err := digestOf(dir)
		if err != nil {
			fmt.Fprintln(os.Stdout, err)
			os.Exit(1)
		}
		fmt.Fprint(os.Stdout, digest)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func digestOf(dir string) (string, error) {
	r, err := results.Read(dir)
	if err != nil {
		return "", err
	}
	figures, err := Render(r)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range figures {
		files, err := f.Files()
		if err != nil {
			return "", err
		}
		for _, file := range files {
			fmt.Fprintf(h, "%s %d\n%s", file.Name, len(file.Data), file.Data)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// Another process has another map order, another time and other addresses.
func TestBytesAreTheSameInEveryProcess(t *testing.T) {
	r := campaign(t, small())
	want, err := digestOf(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), digestVariable+"="+r.Dir, "TZ=Asia/Tokyo", "GOMAXPROCS=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if string(out) != want {
			t.Fatalf("another process drew other bytes: %s, want %s", out, want)
		}
	}
}
