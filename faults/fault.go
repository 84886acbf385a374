package faults

import (
	"strings"

	"weir/id"
	"weir/trace"
)

// Target is the fault domain that a fault hits.
type Target uint8

// The targets.
const (
	Worker      Target = iota + 1 // Fault.Worker; with Jump and Drift its clock
	Coordinator                   // the job's coordinator
	Storage                       // checkpoint storage
	SourceLog                     // the external replayable source
	Sink                          // the external store behind the sinks
	Link                          // one channel: Fault.Link
	Control                       // the connection between coordinator and worker Fault.Worker, for messages
	Job                           // the job itself: of what people do with it. The text form has no word for it
	Process                       // the clock of coordinator process Fault.Worker, of several
)

// Outcome is what an operation that fails really did. Its caller hears
// state.Failed (outcome unknown), or, of one that is refused, state.Refused. Of the
// last three it hears that all is well.
type Outcome uint8

// The outcomes. All but the first three are for operations on storage alone.
const (
	NotApplied  Outcome = iota + 1 // nothing happened
	Applied                        // it took effect all the same
	Torn                           // the write was cut in two
	Refused                        // a put, create, append or list: nothing happened, and nothing ever will: no room, no permission
	Forgotten                      // a put, create or append: nothing stands, as after a crash of a disk that lied about a sync
	Misdirected                    // a put: its bytes stand where another object stood, which is gone
	Stale                          // a list or get: what was written last under the key is not there yet

	Outcomes // one more than the last outcome
)

// Fault is one thing that goes wrong, or that somebody does with the job (an
// operation), and when. Fields that a kind does not use are zero.
type Fault struct {
	Kind   Kind
	Target Target
	Worker int          // Target Worker, Control, Process: its number, from 0
	Link   id.ChannelID // Target Link
	// Op is the operation hit, by its name in the trace with
	// spaces replaced by '-': put, create, get, list, delete, append,
	// read-log, trim, fence; for Sink append, write, precommit, commit, recover; for
	// Control the way of a message, up from the worker or down to it. Empty: any. See kinds.
	Op string
	// Key restricts Fail, Delay and Corrupt to objects whose key begins with it.
	Key      string
	Outcome  Outcome // Fail
	Times    int     // how many operations or messages, at least 1
	Duration int64   // nanoseconds; negative: Jump alone
	Factor   int     // at least 2
	Operator string  // Rescale, Query: the name of the operator that it is about; empty: all of them, any of them
	// Algorithm and State are those of the job that a Resume begins; empty: the same as before.
	Algorithm, State string
	To               int // Rescale: the parallelism from then on; Upgrade: the version; at least 1. Resume: 0, or the parallelism
	When             Condition
}

// Plan is the faults of one run, and the operations beside them. Each waits for its own condition; order in the
// plan decides only between faults that fall due at the same event.
type Plan struct{ Faults []Fault }

// Operations returns the operations of the plan but the queries, which leave the job as it is, in its order.
func (p Plan) Operations() (all []Fault) {
	for i := range p.Faults {
		if f := &p.Faults[i]; f.IsOperation() && f.Kind != Query {
			all = append(all, p.Faults[i])
		}
	}
	return all
}

// Condition says when: its steps fire one after the other, each counting from
// when the one before it fired, and the last one fires the fault. An empty
// condition fires at once.
type Condition struct{ Steps []Step }

// AnyTask and AnyChannel are the values of a Step that match everything.
const (
	AnyTask    id.TaskID    = -2
	AnyChannel id.ChannelID = -2
)

// Step is one part of a condition: the N-th event of certain kinds that matches
// the filters, or a time. Build it with Nth or Time.
type Step struct {
	N       int        // counts from 1; 0: this is a time
	Kinds   trace.Mask // events that count
	Task    id.TaskID
	Channel id.ChannelID
	Epoch   id.Epoch   // 0: any
	Attempt id.Attempt // 0: any
	Text    string     // trace.Event.Words contains it
	Time    int64      // nanoseconds from the start of the run or from the firing of the step before
}

// Nth returns the step that fires at the n-th event of the given kinds.
func Nth(n int, kinds trace.Mask) Step {
	return Step{N: n, Kinds: kinds, Task: AnyTask, Channel: AnyChannel}
}

// Time returns the step that fires ns nanoseconds after the step before it, or
// after the start of the run.
func Time(ns int64) Step { return Step{Task: AnyTask, Channel: AnyChannel, Time: ns} }

// At returns the condition made of steps.
func At(steps ...Step) Condition { return Condition{Steps: steps} }

// Matches reports whether e counts for s.
func (s *Step) Matches(e *trace.Event) bool {
	return s.Kinds.Has(e.Kind) &&
		(s.Task == AnyTask || s.Task == e.Task) &&
		(s.Channel == AnyChannel || s.Channel == e.Channel) &&
		(s.Epoch == 0 || s.Epoch == e.Epoch) &&
		(s.Attempt == 0 || s.Attempt == e.Attempt) &&
		(s.Text == "" || strings.Contains(e.Words(), s.Text))
}
