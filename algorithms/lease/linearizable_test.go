package lease

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"weir/dataflow"
)

// register is the lease as those see it who compete for it: a number that only grows,
// and who holds it.
type register struct {
	number uint64
	holder uint64
}

// leased says what may happen to a lease: whoever takes it takes a number above all
// that were taken, and only who took the newest acts.
var leased = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(state, input, _ any) (bool, any) {
		now, s := state.(register), input.(step)
		if s.take {
			return s.number > now.number, register{s.number, s.party}
		}
		return s.party == now.holder, now
	},
}

// linearizable reports whether a history could be that of a lease.
func linearizable(history []step, which func(s *step) bool) bool {
	var ops []porcupine.Operation
	for i := range history {
		if s := &history[i]; which(s) {
			ops = append(ops, porcupine.Operation{ClientId: int(s.party), Input: *s, Call: int64(s.call), Return: int64(s.back)})
		}
	}
	return porcupine.CheckOperations(leased, ops)
}

func all(*step) bool     { return true }
func takes(s *step) bool { return s.take }

// play runs so many seeds and returns how many histories are not linearizable. Each must
// have seen several parties hold the lease.
func play(t *testing.T, seeds uint64, tr trouble, m dataflow.Mutant, which func(*step) bool) (broken int) {
	t.Helper()
	renewed, moved := 0, 0
	for seed := range seeds {
		w := newWorld(seed, tr, m)
		w.Run(600 * ms)
		var last uint64
		for _, s := range w.history {
			switch {
			case s.take && s.party == last:
				renewed++
			case s.take:
				moved++
				last = s.party
			}
		}
		if !linearizable(w.history, which) {
			broken++
		}
	}
	if uint64(renewed) < 5*seeds || tr != (trouble{}) && uint64(moved) < 2*seeds {
		t.Errorf("in %d runs the lease was renewed %d times and went to another party %d times: too few to show anything", seeds, renewed, moved)
	}
	return broken
}

// TestOneHolderAtATime: operations that are slow, fail and land late, processes that
// stand still and crash, clocks that run apart within the bound.
func TestOneHolderAtATime(t *testing.T) {
	if n := play(t, 400, rough, "", all); n > 0 {
		t.Errorf("%d of 400 histories are not those of a lease", n)
	}
	if n := play(t, 20, trouble{}, "", all); n > 0 {
		t.Errorf("%d of 20 calm histories are not those of a lease", n)
	}
}

// TestBrokenLeasesAreFound: each mistake shows in some history.
func TestBrokenLeasesAreFound(t *testing.T) {
	for _, m := range []dataflow.Mutant{MutantActsOn, MutantUnverified, MutantCountsLate} {
		n := play(t, 400, rough, m, all)
		t.Logf("%s: %d of 400 histories", m, n)
		if n == 0 {
			t.Errorf("%s: all 400 histories are those of a lease", m)
		}
	}
}

// TestNumbersOrderLeasesWhateverClocksDo: where clocks run apart by more than they may,
// two parties may believe to hold the lease; but no two take a number, nor one
// below a number that was taken: that is what fences.
func TestNumbersOrderLeasesWhateverClocksDo(t *testing.T) {
	wild := rough
	wild.drift = 30 * ms
	if n := play(t, 200, wild, "", takes); n > 0 {
		t.Errorf("%d of 200 histories take a number twice, or out of order", n)
	}
	if n := play(t, 200, wild, "", all); n == 0 {
		t.Error("clocks that break the bound make no difference: the bound is not needed, or they do not")
	}
	n := play(t, 200, wild, MutantOverwrites, takes)
	t.Logf("%s: %d of 200 histories", MutantOverwrites, n)
	if n == 0 {
		t.Errorf("%s: all 200 histories take each number once", MutantOverwrites)
	}
}

func TestSettings(t *testing.T) {
	good := DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Config{{}, {Duration: 10, Renew: 10}, {Duration: 10, Renew: 5, Drift: 5}, {Duration: 10, Renew: 5, Drift: -1}, {Duration: -1, Renew: -5}} {
		if bad.Validate() == nil {
			t.Errorf("%+v passes", bad)
		}
	}
}
