package faults

import (
	"fmt"
	"slices"
	"strings"

	"weir/id"
	"weir/trace"
)

// Validate reports the first fault that cannot be carried out, and why. The
// number of workers and channels is not known here: the driver checks those.
func (p Plan) Validate() error {
	for i := range p.Faults {
		if err := p.Faults[i].Validate(); err != nil {
			return fmt.Errorf("fault %d of the plan: %w", i+1, err)
		}
	}
	return nil
}

func targetList(ts []Target) string {
	var words []string
	for _, t := range ts {
		switch t {
		case Worker:
			words = append(words, "worker=N")
		case Link:
			words = append(words, "link cN")
		default:
			words = append(words, t.String())
		}
	}
	return strings.Join(words, ", ")
}

// operations says which names Op may have for a target.
func operations(t Target) []string {
	if t == Sink {
		return sinkOps()
	}
	return storageOps()
}

// Validate reports what is wrong with one fault.
func (f *Fault) Validate() error {
	ts := targets(f.Kind)
	if ts == nil {
		return fmt.Errorf("unknown kind %d", f.Kind)
	}
	if !slices.Contains(ts, f.Target) {
		return fmt.Errorf("%s cannot hit %s; it hits one of: %s", f.Kind, f.Target, targetList(ts))
	}
	if err := f.unused(); err != nil {
		return err
	}
	hits := f.Kind == Fail || f.Kind == Delay
	switch {
	case f.Target == Worker && f.Worker < 0:
		return fmt.Errorf("worker %d; workers are numbered from 0", f.Worker)
	case f.Target == Link && f.Link < 0:
		return fmt.Errorf("link c%d; channels are numbered from 0", int(f.Link))
	case hits && f.Times < 1:
		return fmt.Errorf("%s hits %d operations; at least 1 is needed", f.Kind, f.Times)
	case hits && f.Op != "" && !slices.Contains(operations(f.Target), f.Op):
		return fmt.Errorf("unknown operation %q of %s; known: %s", f.Op, f.Target, strings.Join(operations(f.Target), ", "))
	case f.Kind == Fail && (f.Outcome < NotApplied || f.Outcome > Refused):
		return fmt.Errorf("fail needs an outcome: %s", strings.Join(outcomeNames()[1:], ", "))
	case f.Outcome == Refused && (f.Target != Storage || f.Op != "put"):
		return fmt.Errorf("outcome=refused is for (fail storage put ...): a snapshot that cannot be stored fails alone, what else is refused ends the job")
	case (f.Kind == Stall || f.Kind == Delay) && f.Duration <= 0:
		return fmt.Errorf("%s needs a duration above 0", f.Kind)
	case f.Kind == Slow && f.Duration < 0:
		return fmt.Errorf("negative duration")
	case f.Kind == Slow && f.Factor < 2:
		return fmt.Errorf("slow by %d; the factor must be at least 2", f.Factor)
	}
	return f.When.Validate()
}

// unused refuses values in fields that the kind does not use: they would be
// lost in the text form.
func (f *Fault) unused() error {
	hits := f.Kind == Fail || f.Kind == Delay
	for _, x := range []struct {
		field string
		set   bool
	}{
		{"a worker", f.Target != Worker && f.Worker != 0},
		{"a link", f.Target != Link && f.Link != 0},
		{"an operation", !hits && f.Op != ""},
		{"a key", !hits && f.Kind != Corrupt && f.Key != ""},
		{"an outcome", f.Kind != Fail && f.Outcome != 0},
		{"a number of times", !hits && f.Times != 0},
		{"a duration", f.Kind != Stall && f.Kind != Delay && f.Kind != Slow && f.Duration != 0},
		{"a factor", f.Kind != Slow && f.Factor != 0},
	} {
		if x.set {
			return fmt.Errorf("%s %s takes no %s", f.Kind, f.Target, strings.TrimPrefix(strings.TrimPrefix(x.field, "a "), "an "))
		}
	}
	return nil
}

// Validate reports the first step that can never fire.
func (c Condition) Validate() error {
	for i := range c.Steps {
		if err := c.Steps[i].validate(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Step) validate() error {
	known := trace.Mask(1)<<trace.Kinds - 1
	switch {
	case s.N < 0:
		return fmt.Errorf("nth %d; events are counted from 1", s.N)
	case s.N == 0 && s.Time < 0:
		return fmt.Errorf("time %d ns; it must not be negative", s.Time)
	case s.N == 0 && *s != Time(s.Time):
		return fmt.Errorf("a time takes no events and no filters")
	case s.N > 0 && s.Time != 0:
		return fmt.Errorf("an event count takes no time")
	case s.N > 0 && s.Kinds&known == 0, s.Kinds&^known != 0:
		return fmt.Errorf("nth %d of no known event", s.N)
	case s.Task < AnyTask || s.Channel < AnyChannel || s.Channel == trace.NoChannel:
		return fmt.Errorf("filter task=%d channel=%d; they are numbered from 0", s.Task, s.Channel)
	case s.Epoch != 0 && id.MakeEpoch(s.Epoch.Attempt(), s.Epoch.Index()) != s.Epoch:
		return fmt.Errorf("filter epoch=%d is no epoch", uint64(s.Epoch))
	}
	return nil
}
