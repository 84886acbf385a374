package check

import (
	"strings"
	"testing"

	"weir/trace"
)

// TestLeaders: two that lead at once are a violation, unless their clocks may be so far apart.
func TestLeaders(t *testing.T) {
	for _, c := range []struct {
		others  uint64
		allowed bool
		bad     bool
	}{{0, false, false}, {1, false, true}, {1, true, false}} {
		k, err := New(worldExpect())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // a run leaves nothing to the next one
			if k.Reset(); c.allowed {
				k.MayLeadTwice()
			}
			k.Observe(&trace.Event{Kind: trace.CoordinatorStarted, Task: trace.Coordinator, Channel: trace.NoChannel, To: c.others, Text: "in process 1, after process 0"})
			found := k.Violations()
			if bad := len(found) == 1 && found[0].Oracle == Leaders && strings.Contains(found[0].Text, "in process 1"); bad != c.bad || len(found) > 1 {
				t.Errorf("%+v: %v", c, found)
			}
		}
		k.Reset() // what was allowed is so until then
		k.Observe(&trace.Event{Kind: trace.CoordinatorStarted, Task: trace.Coordinator, Channel: trace.NoChannel, To: 1})
		if len(k.Violations()) != 1 {
			t.Errorf("%+v: behind a reset %v", c, k.Violations())
		}
	}
}
