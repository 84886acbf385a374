// Package report writes a measurement campaign as one self-contained HTML file:
// what was measured, the machine, the comparison at a glance, then a section
// per question with its figure, the numbers behind it and what to be careful
// about. Figures are inline SVG; nothing is loaded from anywhere. It reads
// results alone, and the same results give the same bytes.
package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"weir/internal/paper/figures"
	"weir/results"
)

//go:embed report.gohtml
var pageText string

//go:embed report.css
var style string

// Write writes the report of a campaign to w. It draws the figures itself;
// errors of drawing name the figure.
func Write(w io.Writer, r *results.Results) error {
	drawn, err := figures.Render(r)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	page, err := template.New("report").Parse(pageText)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := page.Execute(w, newView(r, drawn)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// view is what the page shows, texts ready.
type view struct {
	Style     template.CSS
	ID        string
	Intro     string
	Banner    banner
	Worth     string // how much the numbers can carry
	Caveat    string
	Short     []abstract
	Measured  []fact
	Machine   []fact
	Glance    []table
	Baseline  string
	Health    health
	Questions []question
	Metrics   []results.Metric
}

// banner is the verdict at the top.
type banner struct {
	State, Text string
	Reasons     []string
}

// fact is a line of a table of two columns.
type fact struct{ Name, Text string }

// table has row headers in its first columns.
type table struct {
	Name    string // of what it compares
	Caption string
	Columns []column
	Rows    []row
	Warned  bool // some of its cells are
}

type column struct{ Name, Unit string }

type row struct {
	Heads []string
	Cells []cell
}

// cell is a number with what belongs to it, or a dash.
type cell struct {
	Text     string // the median
	Interval string // empty where no digit of it differs
	Range    bool   // the interval is a range
	N        int
	Count    string // N in words, where it differs within the table
	Ratio    string // to the baseline
	Warned   bool   // a repetition behind it carries a warning
}

// question is one section.
type question struct {
	ID, Title, Lead string
	Findings        []finding
	Figures         []figure
	Tables          []table
	Care            []string
}

type figure struct {
	ID, Heading, Caption string
	SVG                  template.HTML
	Files                []download
	// Data is the table behind the figure, empty when it is too long.
	Columns []string
	Data    [][]string
}

func newView(r *results.Results, drawn []figures.Figure) view {
	m := r.Manifest
	v := view{
		Style: template.CSS(style), ID: m.ID, Intro: m.Description, Banner: newBanner(m), Worth: worth(r), Caveat: caveat(r), Short: abstracts(r),
		Measured: measured(r), Machine: machine(r), Glance: glance(r),
		Baseline: m.Plan.Baseline, Health: newHealth(r), Metrics: results.Metrics(),
	}
	for _, q := range questions() {
		v.Questions = append(v.Questions, q.fill(r, drawn))
	}
	return v
}

func newBanner(m results.Manifest) banner {
	b := banner{State: string(m.Validity.State), Reasons: m.Validity.Reasons}
	switch m.Validity.State {
	case results.Valid:
		b.Text = "Valid: every output was right and no cell differs from itself."
	case results.Invalid:
		b.Text = "Invalid: do not use these numbers."
	default:
		b.State = string(results.Unjudged)
		b.Text = "Unjudged: what was measured is not enough to rely on."
	}
	if m.Synthetic {
		b.Reasons = append([]string{"Synthetic data: nothing here was measured."}, b.Reasons...)
	}
	if m.Finished == nil {
		b.Reasons = append(b.Reasons, "The campaign is not finished; continue it with --resume.")
	}
	return b
}

// inline prepares a figure for the page: without the XML prologue, sized by the
// page, with a name and a description for those who do not see it.
func inline(f figures.Figure) template.HTML {
	svg := string(f.SVG)
	if i := strings.Index(svg, "<svg"); i >= 0 {
		svg = svg[i:]
	}
	open := strings.Index(svg, ">")
	head := svg[:open]
	viewBox := head[strings.Index(head, "viewBox"):]
	viewBox = viewBox[:strings.Index(viewBox[len(`viewBox="`):], `"`)+len(`viewBox="`)+1]
	// The drawing is our own, and its writer escapes the texts in it.
	return template.HTML(fmt.Sprintf(
		`<svg xmlns="http://www.w3.org/2000/svg" %s role="img" aria-labelledby="figure-%[2]s-title figure-%[2]s-desc"><title id="figure-%[2]s-title">%[3]s</title><desc id="figure-%[2]s-desc">%[4]s</desc>%[5]s`,
		viewBox, template.HTMLEscapeString(f.Name), template.HTMLEscapeString(f.Heading),
		template.HTMLEscapeString(f.Alt), svg[open+1:]))
}
