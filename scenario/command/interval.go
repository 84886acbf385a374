package command

import (
	"fmt"
	"time"

	"weir/dataflow"
)

// interval is a flag in the text form of durations.
type interval int64

// Set parses a duration above zero: zero would mean that it is drawn.
func (i *interval) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is no time between checkpoints; write for example 3ms", s)
	}
	*i = interval(d)
	return nil
}

func (i *interval) String() string { return time.Duration(*i).String() }

// Type is what the help calls it.
func (i *interval) Type() string { return "duration" }

// alignment is a flag like it, for a time that may be 0.
type alignment struct{ timeout *dataflow.Nanos } // nil: not given

// Set parses a duration that is not below zero.
func (a *alignment) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no time to wait for alignment; write for example 1ms", s)
	}
	a.timeout = new(dataflow.Nanos(d))
	return nil
}

func (a *alignment) String() string {
	if a.timeout == nil {
		return ""
	}
	return time.Duration(*a.timeout).String()
}

// Type is what the help calls it.
func (a *alignment) Type() string { return "duration" }
