package live_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"weir/live"
	"weir/trace"
)

// TestASecondProcessTakesTheLead: a job that is started while it runs already, over the
// same storage, goes on from the newest checkpoint and commits the answer once; the
// first one finds out at its next checkpoint, and ends. Without rounds it may not: its logs are
// fenced, so that nothing comes for which it would look.
func TestASecondProcessTakesTheLead(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "stop-the-world"} {
		t.Run(name, func(t *testing.T) {
			w, g := newWorld(t), newGate(testRecords/4)
			first, err := live.Start(context.Background(), w.config(countJob(t, name, testRecords, testKeys), g))
			if err != nil {
				t.Fatal(err)
			}
			g.await(t, first, "a snapshot", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= 2*len(first.Tasks()) })
			g2 := newGate(testRecords)
			if _, err := live.Run(context.Background(), w.config(countJob(t, name, testRecords, testKeys), g2)); err != nil {
				t.Fatal(err)
			}
			g.open(testRecords) // it would finish, if it were not told
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			select {
			case <-first.Done():
			case <-ctx.Done():
				t.Error("the first process goes on")
			}
			if _, err := first.Stop(ctx); err == nil || !strings.Contains(err.Error(), "another process has taken the lead") {
				t.Errorf("the first process ends with %v", err)
			}
			if err := w.check(testRecords, testKeys); err != nil {
				t.Error(err)
			}
		})
	}
}
