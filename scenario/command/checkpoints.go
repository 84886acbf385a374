package command

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"weir/dataflow"
	"weir/scenario"
)

// checkpoints are the flags that say how checkpoints go.
type checkpoints struct{ given scenario.Checkpoint }

func (c *checkpoints) flags(f *pflag.FlagSet) {
	const drawn = "drawn from the seed with drawn faults if not given"
	f.Var(&span{&c.given.Timeout, 1}, "checkpoint-timeout", "after how long a round is given up, for example 20ms; "+drawn)
	f.Var(&span{&c.given.MinPause, 0}, "min-pause", "least time from the end of a round to the next one, for example 2ms or 0; "+drawn)
	f.Var(&number{&c.given.Tolerated, -1}, "tolerated", "failed rounds in a row with which a job goes on; one more, and it starts again from its newest checkpoint; -1: any number; "+drawn)
	f.Var(&number{&c.given.Retain, 1}, "retain", "complete checkpoints that are kept; "+drawn)
	f.Var(&number{&c.given.Concurrent, 1}, "concurrent", "rounds under way at once at most; "+drawn)
	f.VarPF(&yes{&c.given.Fallback}, "fallback", "", "let a job go back to an older checkpoint where the newest is damaged, and commit again what it had since; "+drawn).NoOptDefVal = "true"
}

// yes is a flag that may be left out: *to is then nil.
type yes struct{ to **bool }

// Set parses a truth value.
func (y *yes) Set(text string) error {
	v, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*y.to = &v
	return nil
}

func (y *yes) String() string {
	if y.to == nil || *y.to == nil {
		return ""
	}
	return strconv.FormatBool(**y.to)
}

// Type is what the help calls it.
func (y *yes) Type() string { return "bool" }

// span is a flag for a duration that may be left out: *to is then nil.
type span struct {
	to    **dataflow.Nanos
	least time.Duration
}

// Set parses a duration not below the least.
func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < s.least {
		return fmt.Errorf("%q is no duration from %s up; write for example 3ms", text, s.least)
	}
	*s.to = new(dataflow.Nanos(d))
	return nil
}

func (s *span) String() string {
	if s.to == nil || *s.to == nil {
		return ""
	}
	return time.Duration(**s.to).String()
}

// Type is what the help calls it.
func (s *span) Type() string { return "duration" }

// number is a flag for a number that may be left out: *to is then nil.
type number struct {
	to    **int
	least int
}

// Set parses a number not below the least.
func (n *number) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < n.least {
		return fmt.Errorf("%q is no number from %d up", text, n.least)
	}
	*n.to = new(v)
	return nil
}

func (n *number) String() string {
	if n.to == nil || *n.to == nil {
		return ""
	}
	return strconv.Itoa(**n.to)
}

// Type is what the help calls it.
func (n *number) Type() string { return "int" }
