package storage

import "sync"

// groupSync lets callers that need the same thing synced share one sync: a call
// of do returns once a sync that began after the call began has ended.
type groupSync struct {
	mu      sync.Mutex
	cond    sync.Cond // on mu
	running bool
	started uint64 // syncs begun
	done    uint64 // syncs ended
	failed  uint64 // the last one that failed
	err     error  // its error
}

// do returns the error of the sync that covered the caller. A failed sync may
// also be reported to callers that a later, successful one covered: after a
// failure nothing is known about what was to be synced.
func (g *groupSync) do(sync func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cond.L = &g.mu
	need := g.started + 1
	for g.done < need {
		if g.running {
			g.cond.Wait()
			continue
		}
		g.lead(sync)
	}
	if g.failed >= need {
		return g.err
	}
	return nil
}

// lead runs one sync for everybody who waits, without holding the lock.
func (g *groupSync) lead(sync func() error) {
	g.running = true
	g.started++
	g.mu.Unlock()
	err := sync()
	g.mu.Lock()
	g.running = false
	g.done++
	if err != nil {
		g.failed, g.err = g.done, err
	}
	g.cond.Broadcast()
}
