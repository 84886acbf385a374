package sinks

import (
	"fmt"
	"strings"

	"weir/dataflow"
)

// Promise is what holds of the output of a job, whatever fails.
type Promise struct {
	Output dataflow.Guarantee
	Shows  Shows
	Again  bool // what is made again is the same: all operators are deterministic
}

// Refusal says that an algorithm cannot serve a sink.
type Refusal struct {
	Sink   string
	Reason string   // what would go wrong
	Others []string // the sinks that the algorithm can serve
}

// Error names sink and reason, and what would do.
func (r *Refusal) Error() string {
	return fmt.Sprintf("it cannot serve the sink %s: %s; it can serve %s", r.Sink, r.Reason, strings.Join(r.Others, ", "))
}

// Promise returns what the output of a job is worth under an algorithm with
// these properties; deterministic: all its operators are. The error, a *Refusal,
// says why the sink cannot be served.
func (s *Sink) Promise(p dataflow.Properties, deterministic bool) (Promise, error) {
	if reason := s.refuses(&p, deterministic); reason != "" {
		r := &Refusal{Sink: s.Name, Reason: reason}
		for _, o := range all() {
			if o.refuses(&p, deterministic) == "" {
				r.Others = append(r.Others, o.Name)
			}
		}
		return Promise{}, r
	}
	promise := Promise{p.Output, s.Shows, deterministic}
	switch {
	case s.Shows == Rows:
		promise.Output = min(p.State, dataflow.AtLeastOnce)
	case s.Shows == Values && !deterministic:
		promise.Output = min(p.State, dataflow.AtLeastOnce) // a value that was taken back may have the highest version
	}
	return promise, nil
}

// refuses returns what would go wrong, "" if nothing would.
func (s *Sink) refuses(p *dataflow.Properties, deterministic bool) string {
	switch {
	case !deterministic && p.NonDeterminism == dataflow.Refused:
		return "the algorithm refuses operators that are not deterministic"
	case s.Shows == Committed && p.Snapshots == dataflow.NoSnapshots:
		return "without snapshots no row would ever be committed"
	case s.Cut && p.State == dataflow.AtLeastOnce:
		return "its snapshots are no cut, and a committable would name rows that were never staged"
	}
	return ""
}

// Short returns the promise in two or three words.
func (p Promise) Short() string {
	if p.Shows == Values && p.Output == dataflow.ExactlyOnce {
		return "final values"
	}
	return [...]string{"nothing", "at most once", "at least once", "exactly once"}[p.Output]
}

// String returns the promise in words.
func (p Promise) String() string {
	text := p.Short()
	if p.Shows == Rows && p.Output == dataflow.AtLeastOnce {
		text += ": rows that a rollback takes back are seen"
		if p.Again {
			text += ", and again"
		} else {
			text += ", and others in their place"
		}
	}
	if p.Shows == Values && p.Output == dataflow.ExactlyOnce {
		text = "the final value of each key; values that a rollback takes back are seen before"
	}
	return text
}
