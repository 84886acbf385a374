package simtest

import (
	"bytes"
	"fmt"
	"slices"

	"weir/check"
	"weir/scenario"
	"weir/trace"
)

// The same seed must give the same run, or a failure cannot be repeated and a
// run that passes shows little. So the first seed of each combination runs twice.

// run runs a seed, the first one of a combination twice; parted says where the two
// runs part, "" if they do not.
func (s *suite) run(r *scenario.Runner, seed uint64, first bool) (o *scenario.Outcome, parted string) {
	if !first || s.oracles != nil && !slices.Contains(s.oracles, check.SameRun) {
		return r.Run(seed), ""
	}
	earlier := r.Run(seed).Result.Hash
	o = r.Run(seed)
	if later := o.Result.Hash; later != earlier {
		parted = where(r, seed, earlier, later)
	}
	return o, parted
}

// where says where two runs of a seed part that had these hashes.
func where(r *scenario.Runner, seed, earlier, later uint64) string {
	vs := check.Determinism(recorded(r, seed), recorded(r, seed))
	if vs == nil { // chance made these two alike
		vs = check.Determinism(check.Run{Hash: earlier}, check.Run{Hash: later})
	}
	return fmt.Sprintf("seed %d: %s: %s\n"+
		"  the same seed gave two runs: operators take clock and chance from Context.Now and Context.Random alone, emit nothing\n"+
		"  in the order of a Go map, and share nothing", seed, scenario.Unsafe, vs[0])
}

// recorded runs a seed and keeps all events.
func recorded(r *scenario.Runner, seed uint64) check.Run {
	k := &recorder{}
	before := r.Observers
	r.Observers = append(slices.Clip(before), k)
	defer func() { r.Observers = before }()
	return check.Run{Hash: r.Run(seed).Result.Hash, Events: k.events}
}

// recorder keeps every event with its data.
type recorder struct{ events []trace.Event }

func (*recorder) Wants() trace.Mask { return trace.Everything }

func (k *recorder) Observe(e *trace.Event) {
	kept := *e
	kept.Data = bytes.Clone(e.Data)
	k.events = append(k.events, kept)
}
