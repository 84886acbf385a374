package faults

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/id"
	"weir/trace"
)

// Parse reads the text form of a plan; see the package documentation. An error
// is a *SyntaxError.
func Parse(text string) (Plan, error) {
	p := parser{lex: lexer{src: text, line: 1, column: 1}}
	if err := p.read(); err != nil {
		return Plan{}, err
	}
	if p.tok.kind == tokenEnd {
		return Plan{}, p.tok.errorf("expected a plan, for example (crash worker=1 at (nth 7 barrier-received)), found nothing")
	}
	plan, err := p.plan()
	if err == nil && p.tok.kind != tokenEnd {
		err = p.tok.errorf("expected the end of the text, found %s; several faults go into one (plan ...)", p.tok.describe())
	}
	if err != nil {
		return Plan{}, err
	}
	return plan, nil
}

// parser looks one token ahead.
type parser struct {
	lex lexer
	tok token
}

func (p *parser) read() (err error) {
	p.tok, err = p.lex.next()
	return err
}

// word consumes a word.
func (p *parser) word(expected string) (token, error) {
	t := p.tok
	if t.kind != tokenWord {
		return t, t.errorf("expected %s, found %s", expected, t.describe())
	}
	return t, p.read()
}

func (p *parser) open(expected string) error {
	if p.tok.kind != tokenOpen {
		return p.tok.errorf("expected ( and %s, found %s", expected, p.tok.describe())
	}
	return p.read()
}

func (p *parser) close(expected string) error {
	if p.tok.kind != tokenClose {
		return p.tok.errorf("expected %s, found %s", expected, p.tok.describe())
	}
	return p.read()
}

// faultWords names the kinds in an error.
func faultWords() string { return strings.Join(kindNames()[1:], ", ") }

func (p *parser) plan() (Plan, error) {
	var plan Plan
	if err := p.open("a fault or plan"); err != nil {
		return plan, err
	}
	if p.tok.kind != tokenWord || p.tok.text != "plan" {
		f, err := p.fault()
		if err != nil {
			return plan, err
		}
		plan.Faults = append(plan.Faults, f)
		return plan, nil
	}
	if err := p.read(); err != nil {
		return plan, err
	}
	for p.tok.kind == tokenOpen {
		if err := p.read(); err != nil {
			return plan, err
		}
		f, err := p.fault()
		if err != nil {
			return plan, err
		}
		plan.Faults = append(plan.Faults, f)
	}
	return plan, p.close("another fault or )")
}

// fault reads a fault, or an operation, behind its opening parenthesis.
func (p *parser) fault() (Fault, error) {
	var f Fault
	t, err := p.word("a fault (" + faultWords() + ")")
	if err != nil {
		return f, err
	}
	k := slices.Index(kindNames(), t.text)
	if k <= 0 {
		return f, t.errorf("unknown fault %s; known: %s", t.describe(), faultWords())
	}
	f.Kind = Kind(k)
	if err := p.target(&f); err != nil {
		return f, err
	}
	if f.Kind.takes(times) {
		f.Times = 1
	}
	for p.tok.kind == tokenWord {
		if err := p.clause(&f); err != nil {
			return f, err
		}
	}
	if err := f.Validate(); err != nil {
		return f, t.errorf("%v", err)
	}
	return f, p.close("a clause of the fault (at, for, by, key=, outcome=, times=, operator=, to=) or )")
}

func (p *parser) target(f *Fault) error {
	if ts := f.Kind.Targets(); len(ts) == 1 && ts[0] == Job { // has no word
		f.Target = Job
		return nil
	}
	expected := "a target of " + f.Kind.String() + " (" + targetList(f.Kind.Targets()) + ")"
	t, err := p.word(expected)
	if err != nil {
		return err
	}
	if n, ok := strings.CutPrefix(t.text, "worker="); ok {
		f.Target = Worker
		f.Worker, err = number(t, n)
	} else if n, ok := strings.CutPrefix(t.text, "control="); ok {
		f.Target = Control
		f.Worker, err = number(t, n)
	} else if n, ok := strings.CutPrefix(t.text, "coordinator="); ok {
		f.Target = Process
		f.Worker, err = number(t, n)
	} else {
		f.Target = Target(max(slices.Index(targetNames(), t.text), 0))
		switch f.Target {
		case Link:
			if t, err = p.word("a channel, for example c3"); err == nil {
				f.Link, err = channel(t, t.text)
			}
		case Worker, Control, Process: // without its number
			f.Target = 0
		default:
		}
	}
	if err == nil && !slices.Contains(f.Kind.Targets(), f.Target) {
		return t.errorf("expected %s, found %s", expected, t.describe())
	}
	return err
}

// clause reads one clause of a fault: at, for, by, name=value or an operation.
func (p *parser) clause(f *Fault) error {
	t, err := p.word("a clause")
	if err != nil {
		return err
	}
	name, value, assigned := strings.Cut(t.text, "=")
	switch {
	case t.text == "at":
		if len(f.When.Steps) > 0 {
			return t.errorf("a second condition; expected )")
		}
		f.When, err = p.condition()
	case t.text == "for":
		f.Duration, err = p.duration()
	case t.text == "by" && f.Kind.takes(shift):
		f.Duration, err = p.shift()
	case t.text == "by":
		var n token
		if n, err = p.word("a factor, for example 10"); err == nil {
			f.Factor, err = number(n, n.text)
		}
	case assigned && name == "key":
		f.Key, err = quoted(t, value)
	case assigned && name == "operator" && f.Kind.takes(operator):
		f.Operator, err = nameOf(t, value)
	case assigned && name == "to" && f.Kind.takes(parallelism|version|another):
		if f.To, err = number(t, value); err == nil && f.To == 0 && f.Kind.takes(another) {
			return t.errorf("expected a parallelism of at least 1, found %s", t.describe())
		}
	case assigned && name == "algorithm" && f.Kind.takes(another):
		f.Algorithm, err = nameOf(t, value)
	case assigned && name == "state" && f.Kind.takes(another):
		f.State, err = nameOf(t, value)
	case assigned && name == "times":
		f.Times, err = number(t, value)
	case assigned && name == "outcome":
		o := slices.Index(outcomeNames(), value)
		if o <= 0 {
			return t.errorf("expected outcome=%s, found %s", strings.Join(outcomeNames()[1:], ", outcome="), t.describe())
		}
		f.Outcome = Outcome(o)
	case f.Kind.takes(operator) && !f.Kind.takes(parallelism):
		return t.errorf("expected operator=, at or ), found %s", t.describe())
	case f.Kind.takes(another):
		return t.errorf("expected algorithm=, state=, to= or ), found %s", t.describe())
	case f.Kind.takes(version):
		return t.errorf("expected to=, at or ), found %s", t.describe())
	case f.Kind.takes(parallelism):
		return t.errorf("expected operator=, to=, at or ), found %s", t.describe())
	case f.Kind.takes(operation) && slices.Contains(operations(f.Target), t.text) && f.Op == "":
		f.Op = t.text
	case f.Kind.takes(operation) && operations(f.Target) != nil:
		return t.errorf("expected an operation (%s), key=, outcome=, times=, for or at, found %s", strings.Join(operations(f.Target), ", "), t.describe())
	default:
		return t.errorf("expected at, for, by or ), found %s", t.describe())
	}
	return err
}

func (p *parser) duration() (int64, error) {
	t, err := p.word("a duration, for example 40ms")
	if err != nil {
		return 0, err
	}
	d, perr := time.ParseDuration(t.text)
	if perr != nil || d < 0 || d > Longest {
		return 0, t.errorf("expected a duration up to %s, for example 40ms, found %s", Longest, t.describe())
	}
	return int64(d), nil
}

// shift reads a duration that may be negative.
func (p *parser) shift() (int64, error) {
	t, err := p.word("a duration, for example 40ms or -40ms")
	if err != nil {
		return 0, err
	}
	d, perr := time.ParseDuration(t.text)
	if perr != nil || d.Abs() > Longest {
		return 0, t.errorf("expected a duration up to %s, for example 40ms or -40ms, found %s", Longest, t.describe())
	}
	return int64(d), nil
}

const conditionWords = "nth, time or after"

// condition reads one; nested after forms become one list of steps.
func (p *parser) condition() (c Condition, err error) {
	if err = p.open("a condition (" + conditionWords + ")"); err != nil {
		return c, err
	}
	t, err := p.word(conditionWords)
	if err != nil {
		return c, err
	}
	switch t.text {
	case "nth":
		var s Step
		if s, err = p.nth(); err == nil {
			c.Steps = append(c.Steps, s)
			err = p.close("a filter (task=, channel=, epoch=, attempt=, text=) or )")
		}
	case "time":
		var d int64
		if d, err = p.duration(); err == nil {
			c.Steps = append(c.Steps, Time(d))
			err = p.close(")")
		}
	case "after":
		for p.tok.kind == tokenOpen || len(c.Steps) == 0 {
			part, err := p.condition()
			if err != nil {
				return c, err
			}
			c.Steps = append(c.Steps, part.Steps...)
		}
		err = p.close("another condition or )")
	default:
		err = t.errorf("expected %s, found %s", conditionWords, t.describe())
	}
	return c, err
}

func (p *parser) nth() (Step, error) {
	t, err := p.word("a count, for example 7")
	if err != nil {
		return Step{}, err
	}
	n, err := number(t, t.text)
	if err != nil {
		return Step{}, err
	}
	if n < 1 {
		return Step{}, t.errorf("nth 0; events are counted from 1")
	}
	kinds, err := p.events()
	if err != nil {
		return Step{}, err
	}
	s := Nth(n, kinds)
	for p.tok.kind == tokenWord {
		if err := p.filter(&s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// events reads the name of an event or set, or (any ...).
func (p *parser) events() (kinds trace.Mask, err error) {
	list := p.tok.kind == tokenOpen
	if list {
		if err := p.read(); err != nil {
			return 0, err
		}
		if t, err := p.word("any"); err != nil || t.text != "any" {
			return 0, t.errorf("expected any and names of events, found %s", t.describe())
		}
	}
	for kinds == 0 || list && p.tok.kind == tokenWord {
		t, err := p.word("the name of an event, for example barrier-received")
		if err != nil {
			return 0, err
		}
		m, perr := parseEvents(t.text)
		if perr != nil {
			return 0, t.errorf("%v", perr)
		}
		kinds |= m
	}
	if list {
		err = p.close("another event or )")
	}
	return kinds, err
}

func (p *parser) filter(s *Step) error {
	t, err := p.word("a filter")
	if err != nil {
		return err
	}
	name, value, _ := strings.Cut(t.text, "=")
	var n int
	switch name {
	case "task":
		if value == "coordinator" {
			s.Task = trace.Coordinator
			return nil
		}
		n, err = number(t, value)
		s.Task = id.TaskID(n)
	case "channel":
		s.Channel, err = channel(t, value)
	case "epoch":
		var perr error
		if s.Epoch, perr = id.ParseEpoch(value); perr != nil || s.Epoch == 0 {
			return t.errorf("expected epoch=ATTEMPT.INDEX, for example epoch=1.2, found %s", t.describe())
		}
	case "attempt":
		n, err = number(t, value)
		s.Attempt = id.Attempt(n)
	case "text":
		s.Text, err = quoted(t, value)
	default:
		return t.errorf("expected task=, channel=, epoch=, attempt=, text= or ), found %s", t.describe())
	}
	return err
}

// number reads a whole number that fits 31 bits.
func number(t token, s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, t.errorf("expected a whole number, found %q", s)
	}
	return int(n), nil
}

func channel(t token, s string) (id.ChannelID, error) {
	digits, ok := strings.CutPrefix(s, "c")
	if !ok {
		return 0, t.errorf("expected a channel, for example c3, found %q", s)
	}
	n, err := number(t, digits)
	return id.ChannelID(n), err
}

// nameOf reads a name, which is in quotes if it is no plain word.
func nameOf(t token, s string) (string, error) {
	if strings.HasPrefix(s, `"`) {
		return quoted(t, s)
	}
	if s == "" || named(s) != s {
		return "", t.errorf("expected a name, in double quotes if it has other characters than letters, digits and -_./+, found %s", t.describe())
	}
	return s, nil
}

func quoted(t token, s string) (string, error) {
	v, err := strconv.Unquote(s)
	if err != nil || !strings.HasPrefix(s, `"`) {
		return "", t.errorf("expected a text in double quotes, found %s", t.describe())
	}
	return v, nil
}
