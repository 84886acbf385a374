package simtest

import (
	"testing"

	"weir/scenario"
	"weir/trace"
)

// Trace runs a combination with one seed and returns its events of some kinds,
// without their data. A run that breaks a promise fails the test.
func Trace(t testing.TB, c scenario.Config, seed uint64, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	k := &keeper{wants: trace.Mask(0).With(kinds...)}
	r.Observers = []trace.Observer{k}
	if o := r.Run(seed); o.Kind != scenario.Fine {
		t.Fatal(Message(t, o))
	}
	return k.events
}

// keeper keeps events.
type keeper struct {
	wants  trace.Mask
	events []trace.Event
}

func (k *keeper) Wants() trace.Mask { return k.wants }

func (k *keeper) Observe(e *trace.Event) {
	if !k.wants.Has(e.Kind) { // an observer is also shown what others want
		return
	}
	kept := *e
	kept.Data = nil
	k.events = append(k.events, kept)
}
