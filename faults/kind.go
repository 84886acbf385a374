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
	// receiver, which cannot know what it has missed, fails. Of a control connection
	// it loses what is on its way and what is sent, in one direction (Op up or down) or
	// both, until somebody notices; the worker is taken for dead then and runs on.
	Cut
	// Stop has the coordinator end the job before its input does. When it has, workers
	// and coordinator are taken down, and the job starts again from what is stored.
	Stop
	// Suspect takes the target for dead although it lives: it stands still for
	// Duration, is declared dead and replaced meanwhile or later, and goes on
	// without knowing: a zombie.
	Suspect
	// Wipe crashes a worker that comes back with an empty disk.
	Wipe
	// Repeat delivers the next Times matching messages twice.
	Repeat
	// Abort has the external store abort, by itself, every transaction that is open or
	// pre-committed: its timeout has passed.
	Abort
	// Jump sets the clock of the target forward by Duration, back if that is negative.
	Jump
	// Drift makes the clock of the target run Factor times as fast, for Duration or,
	// when that is 0, for the rest of the run.
	Drift

	// Rescale has the job go on with another parallelism: of all its operators, or of
	// Operator alone. The coordinator is asked to end the job as with Stop; when it has,
	// the processes end, which is no crash, and the job starts again, with the other graph, from
	// what is stored. An operation that falls due while another is under way waits for it.
	Rescale
	// Failover takes the lead from the coordinator process that has it, of several: it is lost,
	// and comes back when another one leads; or it stands still for Duration, longer than
	// its lease, and goes on without knowing.
	Failover
	// Query has a reader outside the job look up keys of Operator, or of one that is drawn: live, and
	// in the newest complete checkpoint. The job does not change.
	Query
	// Upgrade has the job go on as version To of its workload, stopped and started as with
	// Rescale: with operators that may store their state in another form.
	Upgrade

	// Savepoint has the coordinator take a savepoint; the job goes on.
	Savepoint
	// StopSaved has it end the job with a savepoint, and somebody starts it again. Nothing
	// happens if it cannot, as when a task has finished.
	StopSaved
	// Resume has the next job begin from the savepoint with which the job has ended, for a StopSaved in
	// front of it in the plan: under Algorithm, on backend State and with parallelism To, each as before if it
	// says nothing. It has no condition: it comes when the job has ended. What stands behind it in
	// the plan is for the next job, and counts from its beginning.
	Resume

	Kinds // one more than the last kind
)

// kind is what a kind of fault is called in the text form, what it can hit, and
// which fields of a Fault it uses.
type kind struct {
	name  string
	hits  []Target
	takes fields
}

// fields are fields of a Fault.
type fields uint16

const (
	operation   fields = 1 << iota // Op, may be empty
	key                            // may be empty
	outcome                        // must be given
	times                          // at least 1
	duration                       // above 0
	anyDuration                    // above 0, or 0
	shift                          // a duration that may be negative, not 0
	factor                         // at least 2
	operator                       // may be empty
	parallelism                    // at least 1
	version                        // at least 1, in the place of parallelism
	another                        // Algorithm, State and To, each may be empty; no condition
)

// kinds is the table of kinds, from which the text form is parsed, printed and validated.
var kinds = []kind{ // by Kind, Kinds excepted
	Crash:    {"crash", []Target{Worker, Coordinator, Storage, Sink}, 0},
	Stall:    {"stall", []Target{Worker, Coordinator, Storage, SourceLog, Sink, Link}, duration},
	Fail:     {"fail", []Target{Storage, Sink}, operation | key | outcome | times},
	Delay:    {"delay", []Target{Storage, Sink, Control}, operation | key | times | duration},
	Slow:     {"slow", []Target{Worker, Storage, Sink, Link}, factor | anyDuration},
	Corrupt:  {"corrupt", []Target{Storage}, key},
	Cut:      {"cut", []Target{Link, Control}, operation},
	Suspect:  {"suspect", []Target{Worker, Coordinator}, anyDuration},
	Wipe:     {"wipe", []Target{Worker}, 0},
	Repeat:   {"repeat", []Target{Control}, operation | times},
	Abort:    {"abort", []Target{Sink}, 0},
	Jump:     {"jump", []Target{Worker}, shift},
	Drift:    {"drift", []Target{Worker, Process}, factor | anyDuration},
	Stop:     {"stop", []Target{Coordinator}, 0},
	Rescale:  {"rescale", []Target{Job}, operator | parallelism},
	Failover: {"failover", []Target{Job}, anyDuration},
	Query:    {"query", []Target{Job}, operator},
	Upgrade:  {"upgrade", []Target{Job}, version},

	Savepoint: {"savepoint", []Target{Job}, 0},
	StopSaved: {"stop-with-savepoint", []Target{Job}, 0},
	Resume:    {"resume", []Target{Job}, another},
}

func kindNames() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Targets says what a kind of fault can hit; nil for one that is unknown.
func (k Kind) Targets() []Target {
	if all := kinds; int(k) < len(all) {
		return all[k].hits
	}
	return nil
}

// takes reports whether a kind uses one of the fields.
func (k Kind) takes(f fields) bool { return kinds[k].takes&f != 0 }

// String returns the word of the text form.
func (k Kind) String() string { return name(kindNames(), uint8(k)) }

// mostDelayed is how many operations a fault may delay for what it holds up to have a bound.
const mostDelayed = 10_000

// HoldsUp returns the nanoseconds by which f alone may hold up a run, trace.NoBound
// when nothing bounds them. What restarting and asking again takes is not counted.
func (f *Fault) HoldsUp() uint64 {
	switch f.Kind {
	case Stall, Suspect, Failover:
		return uint64(f.Duration)
	case Delay:
		if f.Times > mostDelayed {
			return trace.NoBound
		}
		return uint64(f.Duration) * uint64(max(f.Times, 1))
	case Drift:
		if f.Target != Process {
			return 0
		}
		return f.boundless() // its lease ends before it has led: nobody may lead for so long
	case Slow:
		return f.boundless()
	default: // it takes no time of its own
	}
	return 0
}

// boundless returns the duration of a fault that has none if it stays for good.
func (f *Fault) boundless() uint64 {
	if f.Duration == 0 {
		return trace.NoBound
	}
	return uint64(f.Duration)
}

// IsOperation reports whether f is no fault but something that somebody does with
// the job.
func (f *Fault) IsOperation() bool { return f.Target == Job }

// ChangesJob reports whether the job is stopped for an operation of the kind and goes on as
// another one.
func (k Kind) ChangesJob() bool { return k == Rescale || k == Upgrade }

// LosesOutput reports whether f may make the external store lose what it has confirmed:
// tasks may then give up.
func (f *Fault) LosesOutput() bool { return f.Target == Sink && (f.Kind == Crash || f.Kind == Abort) }

// Damages reports whether f destroys bytes that were stored: a job may then fail
// with an error, and nothing that it promised is broken.
func (f *Fault) Damages() bool {
	return f.Kind == Corrupt || f.Kind == Abort || f.Outcome == Torn || f.Outcome == Forgotten || f.Outcome == Misdirected
}
