package live_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/dataflow"
	"weir/id"
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
			around := &outside{}
			first, err := live.Start(context.Background(), around.share(w.config(countJob(t, name, testRecords, testKeys), g)))
			if err != nil {
				t.Fatal(err)
			}
			g.await(t, first, "a snapshot", func(g *gate) bool { return g.counts[trace.SnapshotStored] >= 2*len(first.Tasks()) })
			g2 := newGate(testRecords)
			if _, err := live.Run(context.Background(), around.share(w.config(countJob(t, name, testRecords, testKeys), g2))); err != nil {
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

// outside lets two jobs of one process use what surrounds them, which each takes for its own.
type outside struct {
	mu    sync.Mutex
	store dataflow.External
	log   live.SourceLog
}

func (o *outside) share(c live.Config) live.Config {
	if o.store == nil {
		o.store, o.log = c.External, c.SourceLog
	}
	c.External, c.SourceLog = o, o
	return c
}

func (o *outside) Do(op dataflow.ExtOp) dataflow.ExtStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.store.Do(op)
}

func (o *outside) Offset(s id.SplitID) (id.Offset, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Offset(s)
}

func (o *outside) HandedOut(s id.SplitID, at id.Offset) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.HandedOut(s, at)
}
