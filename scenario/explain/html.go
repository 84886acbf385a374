package explain

import (
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"html/template"
	"io"
	"slices"

	"weir/id"
	"weir/trace"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.js
	pageJS string
	//go:embed page.css
	pageCSS string

	pageTemplate = template.Must(template.New("page").Parse(pageHTML))
)

// Of a run that is longer the page has so many events before the violation, and
// behind it, unless all are wanted.
const (
	pageBefore = 20_000
	pageAfter  = 300
)

// page is what the template is given.
type page struct {
	Told      *Told
	Headline  string
	CSS       template.CSS
	JS        template.JS
	ScriptSum string // of the one script and the one style that the page permits
	StyleSum  string
	Run       pageRun
}

// pageRun is a run as the page's script reads it. Indices are of Events, which
// lack what no picture shows.
type pageRun struct {
	Lines   []pageLine  `json:"lines"`
	Events  []pageEvent `json:"events"`
	Arrows  []pageArrow `json:"arrows"`
	Spans   []pageSpan  `json:"spans"`
	Lives   []pageSpan  `json:"lives"`
	Cuts    []pageCut   `json:"cuts"`
	Crashes []pageMark  `json:"crashes"` // of tasks, by the worker's
	At      int         `json:"at"`      // the number of events: at the end
	Chain   []int       `json:"chain"`
	Links   [][2]int    `json:"links"`
	Curve   []pagePoint `json:"curve"`
	Left    int         `json:"left"` // events left out, before and behind
	Epochs  []string    `json:"epochs"`
	Broken  string      `json:"broken"` // the oracle, "": none
	Replay  string      `json:"replay"`
}

type (
	pageLine struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
	pageEvent struct {
		Time     float64 `json:"t"` // milliseconds
		Line     int     `json:"l"`
		Kind     string  `json:"k"`
		Group    string  `json:"g"`
		Epoch    int     `json:"e"` // index of Epochs, -1: none
		Channel  string  `json:"c,omitempty"`
		Sentence string  `json:"s"`
		Label    string  `json:"b,omitempty"`
	}
	pageArrow struct {
		From  int    `json:"f"`
		To    int    `json:"o"`
		Way   string `json:"w"`
		Epoch int    `json:"e"` // of what it carries: for records that of the sender's newest snapshot
	}
	pageSpan struct {
		Line  int    `json:"l"`
		From  int    `json:"f"`
		To    int    `json:"o"`
		Kind  string `json:"k"`
		Epoch int    `json:"e"`
	}
	pageCut struct {
		Plan   int   `json:"p"`
		Events []int `json:"v"`
	}
	pagePoint struct {
		Event int     `json:"v"`
		Rate  float64 `json:"p"`
		Lo    float64 `json:"lo"`
		Hi    float64 `json:"hi"`
		Turn  bool    `json:"turn"`
	}
	pageMark struct {
		Event int `json:"v"`
		Line  int `json:"l"`
	}
)

// WritePage writes a run as one page that needs nothing beside it and runs under
// its own content security policy.
func (r *Run) WritePage(w io.Writer, t *Told, whole bool) error {
	return pageTemplate.Execute(w, &page{
		Told: t, Headline: t.Headline(r), CSS: template.CSS(pageCSS), JS: template.JS(pageJS), //nolint:gosec // our own files
		ScriptSum: sum(pageJS), StyleSum: sum(pageCSS), Run: newPager(r, whole).run(t),
	})
}

// sum is a source expression of a content security policy.
func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(h[:])
}

// pager numbers events and epochs anew for the page.
type pager struct {
	*Run
	first, last int   // of the events that the page has, exclusive; and it has the chain
	number      []int // by event: its index on the page; that of the next one if it is not there
	events      int
	epochs      map[id.Epoch]int
	names       []string
	since       []id.Epoch // by event: of the newest snapshot on its line
	positions   *positions
}

func newPager(r *Run, whole bool) *pager {
	p := &pager{Run: r, last: len(r.Events), epochs: map[id.Epoch]int{}, positions: newPositions(r)}
	if !whole {
		at := 0
		if all := r.anchors(); len(all) > 0 {
			at = all[len(all)-1]
		}
		p.first, p.last = max(0, at-pageBefore), min(p.last, at+1+pageAfter)
	}
	p.number, p.since = make([]int, len(r.Events)+1), make([]id.Epoch, len(r.Events))
	newest := make([]id.Epoch, len(r.Lines))
	for i := range r.Events {
		e := &r.Events[i]
		if e.Kind == trace.SnapshotBegun || e.Kind == trace.TaskRestored {
			newest[e.Line] = e.Epoch
		}
		p.since[i] = newest[e.Line]
		p.number[i] = p.events
		if p.has(i) {
			p.events++
			if e.Epoch != 0 {
				p.epoch(e.Epoch)
			}
		}
	}
	p.number[len(r.Events)] = p.events
	return p
}

func (p *pager) has(i int) bool {
	if p.positions.isPart(i) {
		return false
	}
	_, isCause := slices.BinarySearch(p.Chain, i)
	return isCause || i >= p.first && i < p.last
}

func (p *pager) epoch(e id.Epoch) int {
	if e == 0 {
		return -1
	}
	n, ok := p.epochs[e]
	if !ok {
		n = len(p.names)
		p.epochs[e], p.names = n, append(p.names, e.String())
	}
	return n
}

func (p *pager) run(t *Told) pageRun {
	out := pageRun{Left: len(p.Events) - (p.last - p.first) + p.Dropped, At: p.number[p.At], Replay: t.Replay}
	if p.Violation != nil {
		out.Broken = p.Violation.Oracle.String()
	}
	for _, l := range p.Lines {
		out.Lines = append(out.Lines, pageLine{l.Name, l.Kind})
	}
	for i := range p.Events {
		if !p.has(i) {
			continue
		}
		e := &p.Events[i]
		x := pageEvent{
			Time: float64(e.Time) / 1e6, Line: e.Line, Kind: e.Kind.String(), Group: groupOf(e.Kind), Epoch: p.epoch(e.Epoch),
			Sentence: p.Sentence(i) + p.positions.of(i), Label: p.Label(i),
		}
		if e.Channel != trace.NoChannel {
			x.Channel = e.Channel.String()
		}
		out.Events = append(out.Events, x)
		if e.Kind == trace.WorkerCrashed {
			for l, line := range p.Lines {
				if line.Kind == "task" && line.Worker == int(e.Worker) && p.legAt(i) == &p.legs[line.leg] {
					out.Crashes = append(out.Crashes, pageMark{p.number[i], l})
				}
			}
		}
	}
	p.join(&out)
	out.Epochs = p.names
	return out
}

// join adds what connects events.
func (p *pager) join(out *pageRun) {
	for _, a := range p.Arrows {
		if !p.has(a.From) || !p.has(a.To) {
			continue
		}
		epoch := p.Events[a.To].Epoch
		if a.Way == Buffer {
			epoch = p.since[a.From]
		}
		out.Arrows = append(out.Arrows, pageArrow{p.number[a.From], p.number[a.To], a.Way.String(), p.epoch(epoch)})
	}
	spans := func(all []Span) (list []pageSpan) {
		for _, s := range all {
			if s.To >= p.first && s.From < p.last {
				list = append(list, pageSpan{s.Line, p.number[s.From], p.number[min(s.To, len(p.Events))], s.Kind, p.epoch(s.Epoch)})
			}
		}
		return list
	}
	out.Spans, out.Lives = spans(p.Spans), spans(p.Lives)
	for _, c := range p.Cuts {
		if p.has(c.Plan) && !slices.ContainsFunc(c.Events, func(i int) bool { return !p.has(i) }) {
			k := pageCut{Plan: p.number[c.Plan]}
			for _, i := range c.Events {
				k.Events = append(k.Events, p.number[i])
			}
			out.Cuts = append(out.Cuts, k)
		}
	}
	for _, c := range p.Curve {
		out.Curve = append(out.Curve, pagePoint{p.number[c.Event], c.Rate, c.Lo, c.Hi, c.Turn})
	}
	for _, i := range p.Chain {
		if p.has(i) {
			out.Chain = append(out.Chain, p.number[i])
		}
	}
	for _, l := range p.Links {
		if p.has(l.From) && p.has(l.To) {
			out.Links = append(out.Links, [2]int{p.number[l.From], p.number[l.To]})
		}
	}
}

// groupOf sorts kinds into what the page can leave out.
func groupOf(k trace.Kind) string {
	switch {
	case k <= trace.Dropped:
		return "records"
	case k <= trace.RecordLate:
		return "event time"
	case k <= trace.SnapshotFailed || k == trace.CommitAsked || k == trace.Forced:
		return "snapshots"
	case k <= trace.TaskLeft:
		return "recovery"
	case k == trace.PlanDurable || k == trace.PlanExecuted:
		return "recovery"
	case k <= trace.JobDone:
		return "coordinator"
	case k <= trace.StoreDone:
		return "storage"
	case k <= trace.OutputCommitted:
		return "sink store"
	}
	return "faults"
}
