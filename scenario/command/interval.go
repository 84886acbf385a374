package command

import (
	"fmt"
	"time"
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
