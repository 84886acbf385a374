package faults

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"weir/id"
	"weir/trace"
)

// Longest bounds the durations and times of a plan. What all of its faults hold up together has room
// in 64 bits then.
const Longest = 24 * time.Hour

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
		case Control:
			words = append(words, "control=N")
		case Process:
			words = append(words, "coordinator=N")
		default:
			words = append(words, t.String())
		}
	}
	return strings.Join(words, ", ")
}

// operations says which names Op may have for a target.
func operations(t Target) []string {
	switch t {
	case Sink:
		return sinkOps()
	case Storage:
		return storageOps()
	case Control:
		return []string{Up, Down}
	default: // nothing is asked of it by name
		return nil
	}
}

// Validate reports what is wrong with one fault.
func (f *Fault) Validate() error {
	ts := f.Kind.Targets()
	if ts == nil {
		return fmt.Errorf("unknown kind %d", f.Kind)
	}
	if !slices.Contains(ts, f.Target) {
		return fmt.Errorf("%s cannot hit %s; it hits one of: %s", f.Kind, f.Target, targetList(ts))
	}
	if err := f.unused(); err != nil {
		return err
	}
	switch {
	case f.Worker < 0:
		return fmt.Errorf("worker %d; workers and coordinator processes are numbered from 0", f.Worker)
	case f.Link < 0:
		return fmt.Errorf("link c%d; channels are numbered from 0", int(f.Link))
	case f.Kind.takes(times) && f.Times < 1:
		return fmt.Errorf("%s hits %d operations; at least 1 is needed", f.Kind, f.Times)
	case f.Op != "" && !slices.Contains(operations(f.Target), f.Op):
		return fmt.Errorf("unknown operation %q of %s; known: %s", f.Op, f.Target, strings.Join(operations(f.Target), ", "))
	case f.Kind.takes(duration) && f.Duration <= 0:
		return fmt.Errorf("%s needs a duration above 0", f.Kind)
	case f.Kind.takes(shift) && f.Duration == 0:
		return fmt.Errorf("%s needs a duration: forward, or negative: back", f.Kind)
	case !f.Kind.takes(shift) && f.Duration < 0:
		return fmt.Errorf("negative duration")
	case time.Duration(f.Duration).Abs() > Longest:
		return fmt.Errorf("%s takes %s; %s is the longest there is: simulated runs end after an hour", f.Kind, time.Duration(f.Duration), Longest)
	case f.Kind.takes(factor) && f.Factor < 2:
		return fmt.Errorf("%s by %d; the factor must be at least 2", f.Kind, f.Factor)
	case f.Kind.takes(parallelism) && f.To < 1:
		return fmt.Errorf("%s needs a parallelism of at least 1, for example to=3", f.Kind)
	case f.Kind.takes(another) && len(f.When.Steps) > 0:
		return fmt.Errorf("%s takes no condition: it comes when the job has ended with its savepoint", f.Kind)
	case f.To < 0:
		return fmt.Errorf("%s to=%d; a parallelism is at least 1", f.Kind, f.To)
	case f.Kind.takes(version) && f.To < 1:
		return fmt.Errorf("%s needs a version of at least 1, for example to=2", f.Kind)
	}
	if err := f.outcomePossible(); err != nil {
		return err
	}
	return f.When.Validate()
}

// outcomePossible reports an outcome that the operation cannot have.
func (f *Fault) outcomePossible() error {
	if !f.Kind.takes(outcome) {
		return nil
	}
	if f.Outcome < NotApplied || f.Outcome >= Outcomes {
		return fmt.Errorf("%s needs an outcome: %s", f.Kind, strings.Join(outcomeNames()[1:], ", "))
	}
	of := []string(nil) // operations that can have it; nil: all
	why := ""
	switch f.Outcome {
	case Refused:
		of, why = []string{"put", "create", "append", "list"}, ": of what is read and deleted nothing is refused"
	case Misdirected:
		of = []string{"put"}
	case Forgotten:
		of = []string{"put", "create", "append"}
	case Stale:
		of = []string{"list", "get"}
	default: // any operation may fail so
	}
	if of != nil && (f.Target != Storage || !slices.Contains(of, f.Op)) {
		return fmt.Errorf("outcome=%s is for (fail storage %s ...)%s", f.Outcome, strings.Join(of, " or "), why)
	}
	return nil
}

// unused refuses values in fields that the kind does not use: they would be
// lost in the text form.
func (f *Fault) unused() error {
	numbered := f.Target == Worker || f.Target == Control || f.Target == Process
	for _, x := range []struct {
		field string
		set   bool
	}{
		{"worker", !numbered && f.Worker != 0},
		{"link", f.Target != Link && f.Link != 0},
		{"operation", (!f.Kind.takes(operation) || operations(f.Target) == nil) && f.Op != ""},
		{"key", (!f.Kind.takes(key) || f.Target == Control) && f.Key != ""},
		{"outcome", !f.Kind.takes(outcome) && f.Outcome != 0},
		{"number of times", !f.Kind.takes(times) && f.Times != 0},
		{"duration", !f.Kind.takes(duration|anyDuration|shift) && f.Duration != 0},
		{"operator", !f.Kind.takes(operator) && f.Operator != ""},
		{"parallelism", !f.Kind.takes(parallelism|version|another) && f.To != 0},
		{"algorithm", !f.Kind.takes(another) && f.Algorithm != ""},
		{"state", !f.Kind.takes(another) && f.State != ""},
		{"factor", !f.Kind.takes(factor) && f.Factor != 0},
	} {
		if x.set {
			return fmt.Errorf("%s %s takes no %s", f.Kind, f.Target, x.field)
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
	known := trace.Known
	switch {
	case s.N < 0:
		return fmt.Errorf("nth %d; events are counted from 1", s.N)
	case s.N == 0 && s.Time < 0:
		return fmt.Errorf("time %d ns; it must not be negative", s.Time)
	case s.N == 0 && s.Time > int64(Longest):
		return fmt.Errorf("time %s; %s is the latest there is: simulated runs end after an hour", time.Duration(s.Time), Longest)
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
