package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"weir/internal/results/resultstest"
	"weir/results"
)

func small() resultstest.Config {
	return resultstest.Config{Seed: 3, Repetitions: 6, Algorithms: []string{"none", "aligned", "unaligned"}, States: []string{"heap"}}
}

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

func page(t *testing.T, r *results.Results) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryQuestionHasItsFigureNumbersAndCare(t *testing.T) {
	p := page(t, campaign(t, small()))
	for _, q := range questions() {
		start := strings.Index(p, `<section id="`+string(q.of)+`"`)
		if start < 0 {
			t.Errorf("no section on %s", q.of)
			continue
		}
		section := p[start : start+strings.Index(p[start:], "</section>")]
		for _, part := range []string{"<svg", "<figcaption>", "The numbers", "What to be careful about", "<li><strong>heap:</strong> "} {
			if !strings.Contains(section, part) {
				t.Errorf("the section on %s lacks %q", q.of, part)
			}
		}
	}
	for _, part := range []string{"Synthetic CPU", "fsync 0.210 ms", "Synthetic data: nothing here was measured", "A/A", "output of all 54 repetitions"} {
		if !strings.Contains(p, part) {
			t.Errorf("the report lacks %q", part)
		}
	}
}

func TestNothingIsLoaded(t *testing.T) {
	p := page(t, campaign(t, small()))
	for _, pattern := range []string{`<script`, `<link`, `<img`, `<iframe`, ` src=`, `@import`, `url\(`} {
		if m := regexp.MustCompile(pattern).FindString(p); m != "" {
			t.Errorf("the report holds %q", m)
		}
	}
	for _, link := range regexp.MustCompile(`href="[^"]*`).FindAllString(p, -1) {
		if !strings.HasPrefix(link, `href="#`) && !strings.HasPrefix(link, `href="data:`) {
			t.Errorf("the report links to %s", link)
		}
	}
	for _, address := range regexp.MustCompile(`https?://[^"' <]*`).FindAllString(p, -1) {
		if !strings.HasPrefix(address, "http://www.w3.org/") {
			t.Errorf("the report names %s", address)
		}
	}
}

func TestItIsWellFormedAndNamesItsParts(t *testing.T) {
	p := page(t, campaign(t, small()))
	d := xml.NewDecoder(strings.NewReader(p))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	ids := map[string]bool{}
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
			}
			checkElement(t, e.Name.Local, attributes, ids)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Fatalf("</%s> closes %v", e.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	for _, link := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(p, -1) {
		if !ids[link[1]] {
			t.Errorf("a link leads to #%s, which is not there", link[1])
		}
	}
}

func checkElement(t *testing.T, name string, attributes map[string]string, ids map[string]bool) {
	t.Helper()
	if id := attributes["id"]; id != "" {
		if ids[id] {
			t.Errorf("the id %s is there twice", id)
		}
		ids[id] = true
	}
	switch name {
	case "th":
		if attributes["scope"] == "" {
			t.Error("a table header has no scope")
		}
	case "svg":
		if attributes["role"] != "img" || attributes["aria-labelledby"] == "" {
			t.Errorf("a figure has no name: %v", attributes)
		}
	}
}

func TestTheSameResultsGiveTheSamePage(t *testing.T) {
	c := small()
	first, again := page(t, campaign(t, c)), page(t, campaign(t, c))
	if first != again {
		t.Error("two reports of the same results differ")
	}
}

func TestVerdictsAreShown(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*resultstest.Config)
		says   []string
	}{
		{"noisy", func(c *resultstest.Config) { c.NoisyTwin = true }, []string{"Invalid: do not use", "differs from itself", "The campaign is invalid"}},
		{"quick", func(c *resultstest.Config) { c.Quick, c.Repetitions = true, 3 }, []string{"Unjudged", "Quick plan", "below 6 the range", "~"}},
		{"wrong", func(c *resultstest.Config) { c.WrongCell = true }, []string{"6 of 54 repetitions committed a wrong output"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := small()
			c.change(&config)
			p := page(t, campaign(t, config))
			for _, part := range c.says {
				if !strings.Contains(p, part) {
					t.Errorf("the report does not say %q", part)
				}
			}
		})
	}
}

func TestNoDifferenceShownIsAnAnswer(t *testing.T) {
	r := campaign(t, small())
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Cell.Algorithm != "none" && s.Cell.Load == results.ClosedLoop {
			value := 9e6 + 1e4*float64(s.Repetition)
			if err := s.Set("throughput", value); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := page(t, r)
	if !strings.Contains(p, "the best of them, and unaligned no difference is shown") && !strings.Contains(p, "the best of them, and aligned no difference is shown") {
		t.Error("two algorithms of equal throughput are ranked")
	}
	if !strings.Contains(p, `<small class="ties">no difference shown to `) {
		t.Error("the short answer ranks two algorithms of equal throughput")
	}
}

func TestFindingsCarryTheirIntervals(t *testing.T) {
	p := page(t, campaign(t, small()))
	for _, pattern := range []string{
		`The throughput of none is \d.\d\d million records/s \[`,
		`aligned is \d\.\d\d % lower \[\d\.\d\d, \d+\.\d+\], unaligned 1\d\.\d % lower`,
		`Aligned has the lowest checkpoint duration, \d+ ms \[`,
	} {
		if !regexp.MustCompile(pattern).MatchString(p) {
			t.Errorf("no finding matches %s", pattern)
		}
	}
}

func TestIncrementalIsComparedWithFull(t *testing.T) {
	config := small()
	config.States = []string{"heap", "pebble-full", "pebble"}
	if p := page(t, campaign(t, config)); !strings.Contains(p, "on pebble, against pebble-full: aligned 0.0") {
		t.Error("the bytes of incremental and full checkpoints are not compared")
	}
}

func TestOneRepetitionIsAnImpression(t *testing.T) {
	config := small()
	config.Quick, config.Repetitions = true, 1
	p := page(t, campaign(t, config))
	if !strings.Contains(p, "an impression, not a finding") || strings.Contains(p, "1 repetitions") || strings.Contains(p, "n = 1 repetitions") {
		t.Error("single repetitions are not said to be no findings")
	}
	for _, claim := range []string{"In short", "has the lowest", "has the highest", "% lower", "% higher", "times as high"} {
		if strings.Contains(p, claim) {
			t.Errorf("a claim from one repetition: %q", claim)
		}
	}
	if !strings.Contains(p, "shows nothing: the order of the algorithms may be chance") {
		t.Error("the findings do not say that one repetition shows nothing")
	}
}

func TestMoreThanTheBaselineIsSuspicious(t *testing.T) {
	r := campaign(t, small())
	for i := range r.Samples {
		if s := &r.Samples[i]; s.Cell.Algorithm == "aligned" && s.Cell.Load == results.ClosedLoop {
			if err := s.Set("throughput", 2e7+1e4*float64(s.Repetition)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if p := page(t, r); !strings.Contains(p, "Measured above the baseline none, which takes no checkpoints: aligned on heap.") {
		t.Error("a job that checkpoints make faster is taken at its word")
	}
}

func TestWarningsTravelWithTheNumbers(t *testing.T) {
	r := campaign(t, small())
	if p := page(t, r); strings.Contains(p, "†") {
		t.Error("numbers without warnings are marked")
	}
	r = campaign(t, small())
	r.Samples[0].Warnings = []string{"the load was above capacity"}
	p := page(t, r)
	if !strings.Contains(p, "<sup") || !strings.Contains(p, "The load was above capacity: "+r.Samples[0].Cell.Name()+", repetition 0.") {
		t.Error("a warning of a repetition is not beside its number, or not listed")
	}
}

func TestEveryMetricIsShownWhereItBelongs(t *testing.T) {
	p := page(t, campaign(t, small()))
	for question, columns := range map[results.Question][]string{
		results.Bytes:       {"state", "logical change", "write amplification"},
		results.Checkpoints: {"recovery line age", "useless checkpoints"},
	} {
		start := strings.Index(p, `<section id="`+string(question)+`"`)
		section := p[start : start+strings.Index(p[start:], "</section>")]
		for _, c := range columns {
			if !strings.Contains(section, `<th scope="col">`+c+"<small>") {
				t.Errorf("the section on %s has no column %q", question, c)
			}
		}
	}
	if !strings.Contains(p, ">all state</text>") {
		t.Error("the figure of bytes does not show the size of all state")
	}
}

func TestFilesOfFiguresAreInThePage(t *testing.T) {
	p := page(t, campaign(t, small()))
	for _, name := range []string{"throughput.svg", "throughput.pdf", "throughput.csv", "timeline-heap.csv"} {
		if !strings.Contains(p, `<a download="`+name+`" href="data:`) {
			t.Errorf("%s cannot be taken from the page", name)
		}
	}
}

func TestTextsOfTheManifestAreEscaped(t *testing.T) {
	r := campaign(t, small())
	r.Manifest.Description = "<script>alert(1)</script>"
	if strings.Contains(page(t, r), "<script>") {
		t.Error("a description became markup")
	}
}

func TestUnsteadyMachineIsSaid(t *testing.T) {
	r := campaign(t, small())
	if text := page(t, r); !strings.Contains(text, "the machine&#39;s speed was steady") {
		t.Error("a steady machine is not said to be one")
	}
	for i := range r.Samples {
		if v, ok := r.Samples[i].Metrics["calibration_ms"]; ok {
			v.Value *= 1.5
			r.Samples[i].Metrics["calibration_ms"] = v
			break
		}
	}
	if text := page(t, r); !strings.Contains(text, "the machine&#39;s speed changed while measuring") {
		t.Error("a machine that was slower once is not said to be unsteady")
	}
}

func TestEmptyCampaign(t *testing.T) {
	if p := page(t, &results.Results{}); !strings.Contains(p, "Nothing was measured") {
		t.Error("the report of nothing does not say so")
	}
}
