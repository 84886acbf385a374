package scenario

import (
	"errors"
	"testing"

	"weir/sim"
)

// TestOnlyWhatWasHitExcuses: a job that fails is fine if its error names what a fault has
// destroyed, and not if that is another thing that is called nearly the same.
func TestOnlyWhatWasHitExcuses(t *testing.T) {
	for _, c := range []struct {
		text, hit string
		want      bool
	}{
		{`recovery: storage: corrupt: get "snap/t1/1.3"`, "snap/t1/1.3", true},
		{`recovery: chk/1.3: it is damaged`, "chk/1.3", true},
		{`get "snap/t1/1.30"`, "snap/t1/1.3", false},
		{`get "snap/t1/1.30", then "snap/t1/1.3"`, "snap/t1/1.3", true},
		{"transaction 1.3 of t41", "transaction 1.3 of t4", false},
		{"transaction 1.3 of t4.", "transaction 1.3 of t4", true},
		{`plan/1.2`, "plan/1", false},
		{`list chk/: refused`, "chk/", true},
		{"it failed", "snap/t1/1.3", false},
	} {
		o := Outcome{Result: sim.Result{Verdict: sim.Failed, Err: errors.New(c.text), Destroyed: []string{"files/x", c.hit}}}
		if o.GaveUp() != c.want {
			t.Errorf("%q, hit was %q: gave up %t", c.text, c.hit, !c.want)
		}
	}
	if o := (Outcome{Result: sim.Result{Verdict: sim.Failed, Err: errors.New("files/x")}}); o.GaveUp() {
		t.Error("nothing was destroyed")
	}
}
