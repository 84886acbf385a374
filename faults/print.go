package faults

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"weir/trace"
)

// String returns the canonical text form, which Parse reads back. A plan of one
// fault is that fault, any other (plan ...).
func (p Plan) String() string {
	if len(p.Faults) == 1 {
		return p.Faults[0].String()
	}
	var b strings.Builder
	b.WriteString("(plan")
	for i := range p.Faults {
		b.WriteByte(' ')
		b.WriteString(p.Faults[i].String())
	}
	b.WriteByte(')')
	return b.String()
}

// String returns the canonical text form of one fault.
func (f Fault) String() string {
	words := []string{f.Kind.String()}
	if f.Target != Job {
		words = append(words, f.targetText())
	}
	if f.Op != "" {
		words = append(words, f.Op)
	}
	if f.Key != "" {
		words = append(words, "key="+strconv.Quote(f.Key))
	}
	if f.Operator != "" {
		words = append(words, "operator="+named(f.Operator))
	}
	if f.Algorithm != "" {
		words = append(words, "algorithm="+named(f.Algorithm))
	}
	if f.State != "" {
		words = append(words, "state="+named(f.State))
	}
	if f.To != 0 {
		words = append(words, "to="+strconv.Itoa(f.To))
	}
	if f.Outcome != 0 {
		words = append(words, "outcome="+f.Outcome.String())
	}
	if f.Times > 1 {
		words = append(words, "times="+strconv.Itoa(f.Times))
	}
	if f.Factor != 0 {
		words = append(words, "by", strconv.Itoa(f.Factor))
	}
	if f.Duration != 0 && f.Kind.takes(shift) {
		words = append(words, "by", time.Duration(f.Duration).String())
	} else if f.Duration > 0 {
		words = append(words, "for", time.Duration(f.Duration).String())
	}
	if len(f.When.Steps) > 0 {
		words = append(words, "at", f.When.String())
	}
	return "(" + strings.Join(words, " ") + ")"
}

// named returns a name as it can stand behind name=: in quotes if it is no plain word.
func named(s string) string {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_./+", r) {
			return strconv.Quote(s)
		}
	}
	return s
}

func (f *Fault) targetText() string {
	switch f.Target {
	case Worker:
		return "worker=" + strconv.Itoa(f.Worker)
	case Control:
		return "control=" + strconv.Itoa(f.Worker)
	case Process:
		return "coordinator=" + strconv.Itoa(f.Worker)
	case Link:
		return "link " + f.Link.String()
	default:
		return f.Target.String()
	}
}

// String returns the text form of a condition; "" when it is empty.
func (c Condition) String() string {
	var parts []string
	for i := range c.Steps {
		parts = append(parts, c.Steps[i].String())
	}
	if len(parts) > 1 {
		return "(after " + strings.Join(parts, " ") + ")"
	}
	return strings.Join(parts, "")
}

// String returns the text form of one step.
func (s Step) String() string {
	if s.N == 0 {
		return "(time " + time.Duration(s.Time).String() + ")"
	}
	words := []string{"nth", strconv.Itoa(s.N), eventsText(s.Kinds)}
	switch {
	case s.Task == trace.Coordinator:
		words = append(words, "task=coordinator")
	case s.Task != AnyTask:
		words = append(words, "task="+strconv.Itoa(int(s.Task)))
	}
	if s.Channel != AnyChannel {
		words = append(words, "channel="+s.Channel.String())
	}
	if s.Epoch != 0 {
		words = append(words, "epoch="+s.Epoch.String())
	}
	if s.Attempt != 0 {
		words = append(words, "attempt="+strconv.Itoa(int(s.Attempt)))
	}
	if s.Text != "" {
		words = append(words, "text="+strconv.Quote(s.Text))
	}
	return "(" + strings.Join(words, " ") + ")"
}
