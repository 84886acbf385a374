package command

import (
	"testing"

	"github.com/spf13/pflag"

	"weir/scenario"
)

// TestFlagsOfCheckpoints: what is given is taken, what cannot be is refused, and what
// is not given stays to be drawn.
func TestFlagsOfCheckpoints(t *testing.T) {
	parse := func(args ...string) (scenario.Checkpoint, error) {
		var c checkpoints
		f := pflag.NewFlagSet("run", pflag.ContinueOnError)
		c.flags(f)
		err := f.Parse(args)
		return c.given, err
	}
	if g, err := parse(); g != (scenario.Checkpoint{}) || err != nil {
		t.Errorf("%+v, %v", g, err)
	}
	g, err := parse("--checkpoint-timeout", "20ms", "--min-pause", "0", "--tolerated", "-1", "--retain", "2", "--concurrent", "3", "--fallback")
	if err != nil || *g.Timeout != 20_000_000 || *g.MinPause != 0 || *g.Tolerated != -1 || *g.Retain != 2 || *g.Concurrent != 3 || !*g.Fallback {
		t.Errorf("%+v, %v", g, err)
	}
	for _, args := range [][]string{
		{"--checkpoint-timeout", "0"}, {"--checkpoint-timeout", "20"}, {"--min-pause", "-1ms"}, {"--tolerated", "-2"}, {"--retain", "0"}, {"--concurrent", "0"}, {"--fallback=perhaps"},
	} {
		if g, err := parse(args...); err == nil {
			t.Errorf("%v is taken as %+v", args, g)
		}
	}
}
