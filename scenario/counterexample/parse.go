package counterexample

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"weir/faults"
	"weir/scenario"
	"weir/sim"
	"weir/sim/seed"
)

// SyntaxError says where a file cannot be read, and what was wanted there.
type SyntaxError struct {
	Line, Column int // from 1
	Err          error
}

// Error returns line, column and reason.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %v", e.Line, e.Column, e.Err)
}

// Unwrap returns the reason.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads the text of a file. An error is a *SyntaxError.
func Parse(text string) (*File, error) {
	p := parser{file: &File{Workers: scenario.DefaultWorkers}, seen: map[string]bool{}, drawn: map[string]int{}, drawnResumed: map[string]int{}}
	d := scenario.NewDrawn()
	p.file.Settings = d.Settings
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimRight(line, "\r\n"); line == "" || line[0] == '#' {
			continue
		}
		if column, err := p.line(line); err != nil {
			return nil, &SyntaxError{n, column, err}
		}
	}
	if err := p.finish(); err != nil {
		return nil, &SyntaxError{n + 1, 1, err}
	}
	return p.file, nil
}

// parser reads a file line by line.
type parser struct {
	file  *File
	begun bool
	ended bool
	seen  map[string]bool // words, and settings, that stand once
	drawn map[string]int  // by stream: draws up to the last decision
	// drawnResumed is drawn of the job that begins where one has ended.
	drawnResumed map[string]int
	replays      int // their sum
}

// line reads one line. An error comes with its column.
func (p *parser) line(line string) (column int, err error) {
	if !p.begun {
		return 1, p.begin(line)
	}
	if p.ended {
		return 1, errors.New(`want nothing after "end"`)
	}
	word, value, _ := strings.Cut(line, " ")
	at := min(len(word)+2, len(line)+1)
	switch word {
	case "end":
		p.ended = true
		if value != "" {
			return at, errors.New(`want nothing after "end"`)
		}
		return 0, nil
	case "set":
		p.file.Set = append(p.file.Set, value)
		return 0, nil
	case "setting":
		return at, p.setting(value)
	case "decision":
		column, err := p.decision(value, p.drawn, &p.file.Decisions)
		return at - 1 + column, err
	case "decision-resumed":
		column, err := p.decision(value, p.drawnResumed, &p.file.Resumed)
		return at - 1 + column, err
	}
	if p.seen[word] {
		return 1, fmt.Errorf("%s stands twice", word)
	}
	p.seen[word] = true
	if word == "plan" {
		return p.plan(at, value)
	}
	i := slices.IndexFunc(heads, func(h head) bool { return h.word == word })
	if i < 0 {
		return 1, fmt.Errorf("unknown word %q; known: %s", clip(word), strings.Join(words(), ", "))
	}
	if value == "" {
		return at, fmt.Errorf("%s: want a value", word)
	}
	return at, heads[i].read(p.file, value)
}

// words returns what a line can begin with.
func words() []string {
	var all []string
	for _, h := range heads {
		all = append(all, h.word)
	}
	return append(all, "set", "setting", "plan", "decision", "decision-resumed", "end")
}

func (p *parser) begin(line string) error {
	version, ok := strings.CutPrefix(line, "weir ")
	switch {
	case !ok:
		return fmt.Errorf("found %q; a counterexample begins with \"weir %d\"", clip(line), Version)
	case version != fmt.Sprint(Version):
		return fmt.Errorf("version %q; this build reads version %d: take the build that wrote the file, or one that reads both", clip(version), Version)
	}
	p.begun = true
	return nil
}

func (p *parser) setting(text string) error {
	name, value, _ := strings.Cut(text, " ")
	if p.seen["setting "+name] {
		return fmt.Errorf("setting %s stands twice", name)
	}
	p.seen["setting "+name] = true
	return p.file.Settings.Set(name, value)
}

func (p *parser) plan(at int, text string) (column int, err error) {
	p.file.Plan, err = faults.Parse(text)
	var syntax *faults.SyntaxError
	if errors.As(err, &syntax) {
		return at - 1 + syntax.Column, errors.New(syntax.Text)
	}
	return at, err
}

// decision reads one, behind those of its job, of which drawn says how many draws they are.
func (p *parser) decision(text string, drawn map[string]int, into *[]seed.Named) (column int, err error) {
	n, column, err := seed.ParseNamed(text)
	if err != nil {
		return column, err
	}
	if !slices.Contains(sim.StreamNames(), n.Name) {
		return 1, fmt.Errorf("unknown stream %q; known: %s", clip(n.Name), strings.Join(sim.StreamNames(), ", "))
	}
	stream, _, _ := strings.Cut(text, " ")
	if draws := n.Index + 1; draws > drawn[stream] {
		p.replays += draws - drawn[stream]
		drawn[stream] = draws
	} else {
		return len(stream) + 2, fmt.Errorf("index %d of %s comes after %d: decisions of a stream stand in the order of their indices, each once", n.Index, stream, drawn[stream]-1)
	}
	if p.replays > 4*seed.MaxIndex {
		return len(stream) + 2, fmt.Errorf("with index %d all streams together have more than %d draws: no run has so many", n.Index, 4*seed.MaxIndex)
	}
	*into = append(*into, n)
	return 0, nil
}

// finish checks that the file is whole.
func (p *parser) finish() error {
	switch {
	case !p.begun:
		return fmt.Errorf("empty; a counterexample begins with \"weir %d\"", Version)
	case !p.ended:
		return errors.New(`cut off: want a last line "end"`)
	}
	for _, h := range heads {
		if h.must && !p.seen[h.word] {
			return fmt.Errorf("no line %q: a run needs it", h.word)
		}
	}
	if !p.seen["plan"] {
		return errors.New(`no line "plan": a run needs it; without faults it is (plan)`)
	}
	for _, name := range scenario.SettingNames() {
		if !p.seen["setting "+name] {
			p.file.Absent = append(p.file.Absent, name)
		}
	}
	if err := p.file.Settings.Job.Validate(); err != nil {
		return fmt.Errorf("no job can have these settings: %w", err)
	}
	return nil
}

// clip keeps errors readable when the input is no counterexample at all.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

// Place returns where the value of the n-th line with a word stands, counted
// from 0, for an error about it.
func Place(text, word string, n int) *SyntaxError {
	at := 0
	for line := range strings.Lines(text) {
		at++
		if !strings.HasPrefix(line, word+" ") {
			continue
		}
		if n == 0 {
			return &SyntaxError{Line: at, Column: len(word) + 2}
		}
		n--
	}
	return &SyntaxError{Line: at + 1, Column: 1}
}
