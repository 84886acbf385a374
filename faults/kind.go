package faults

import "weir/trace"

// Kind says what a fault does.
type Kind uint8

// The kinds of faults.
const (
	// Crash kills the target: everything volatile is lost.
	Crash Kind = iota + 1
	// Stall makes the target answer nothing for Duration; what is asked of it waits.
	Stall
	// Fail gives the next Times matching operations of the target the Outcome.
	Fail
	// Delay makes the next Times matching operations of the target take effect
	// Duration later than they would, whether or not their caller still lives.
	Delay
	// Slow multiplies the latency of the target by Factor, for Duration or, when
	// that is 0, for the rest of the run.
	Slow
	// Corrupt flips bits of the newest stored object whose key begins with Key.
	Corrupt
	// Cut breaks the connection of a link: what is on the wire is lost, and the
	// receiver, which cannot know what it has missed, fails.
	Cut
	// Stop has the coordinator end the job before its input does. When it has, workers
	// and coordinator are taken down, and the job starts again from what is stored.
	Stop

	Kinds // one more than the last kind
)

// kind is what a kind of fault is called in the text form and what it can hit.
type kind struct {
	name string
	hits []Target
}

// kinds is the table of kinds. Which fields of a Fault a kind uses stands in
// Fault and is held against it by Validate.
func kinds() []kind {
	return []kind{ // by Kind, Kinds excepted
		Crash:   {"crash", []Target{Worker, Coordinator}},
		Stall:   {"stall", []Target{Worker, Coordinator, Storage, SourceLog, Sink, Link}},
		Fail:    {"fail", []Target{Storage, Sink}},
		Delay:   {"delay", []Target{Storage, Sink}},
		Slow:    {"slow", []Target{Worker, Storage, Sink, Link}},
		Corrupt: {"corrupt", []Target{Storage}},
		Cut:     {"cut", []Target{Link}},
		Stop:    {"stop", []Target{Coordinator}},
	}
}

func kindNames() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// targets says what a kind of fault can hit; nil for one that is unknown.
func targets(k Kind) []Target {
	if all := kinds(); int(k) < len(all) {
		return all[k].hits
	}
	return nil
}

// String returns the word of the text form.
func (k Kind) String() string { return name(kindNames(), uint8(k)) }

// HoldsUp returns the nanoseconds by which f alone may hold up a run, trace.NoBound
// when nothing bounds them. What restarting and asking again takes is not counted.
func (f *Fault) HoldsUp() uint64 {
	switch f.Kind {
	case Stall:
		return uint64(f.Duration)
	case Delay:
		return uint64(f.Duration) * uint64(max(f.Times, 1))
	case Slow:
		if f.Duration == 0 {
			return trace.NoBound
		}
		return uint64(f.Duration)
	default: // it takes no time of its own
	}
	return 0
}

// Damages reports whether f destroys bytes that were stored: a job may then fail
// with an error, and nothing that it promised is broken.
func (f *Fault) Damages() bool { return f.Kind == Corrupt || f.Outcome == Torn }
