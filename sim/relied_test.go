package sim

import (
	"slices"
	"testing"

	"weir/id"
)

// TestLogsAreLostWithTheLine: what was trimmed is missed by the fault's doing only where it
// has destroyed the newest snapshot of a task on the line.
func TestLogsAreLostWithTheLine(t *testing.T) {
	for _, c := range []struct {
		destroyed []string
		lost      bool
	}{
		{nil, false}, {[]string{"snap/t1/1.2"}, true}, {[]string{"snap/t1/1.1"}, false}, {[]string{"snap/t1/1.3"}, false},
		{[]string{"snap/t0/1.2"}, false}, {[]string{"plan/1", "log/c3"}, false},
	} {
		var r relied
		r.advanced(1, id.MakeEpoch(1, 1))
		r.trim("log/c0")
		r.advanced(1, id.MakeEpoch(1, 2))
		r.trim("log/c1")
		r.trim("log/c0")
		want := []string{"log/c0", "log/c1"}
		if !c.lost {
			want = nil
		}
		if got := r.lost(c.destroyed); !slices.Equal(got, want) {
			t.Errorf("destroyed %q: lost %q, want %q", c.destroyed, got, want)
		}
		if r.advanced(1, id.MakeEpoch(1, 1)); !slices.Equal(r.lost(c.destroyed), want) {
			t.Errorf("destroyed %q: lost %q once the job has gone back behind it, want %q", c.destroyed, r.lost(c.destroyed), want)
		}
		if r.reset(); r.lost(c.destroyed) != nil {
			t.Error("another job's line counts")
		}
	}
}
