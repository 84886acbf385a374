package scenario

import (
	"errors"

	"weir/algorithms/lease"
	"weir/dataflow"
	"weir/external/sinks"
	statecatalog "weir/state/catalog"
)

// LiveLease is for how long who leads in jobs on real threads with several coordinators: shorter
// than in the field, where nobody waits for it.
func LiveLease() lease.Config { return lease.Config{Duration: 1000e6, Renew: 200e6, Drift: 50e6} }

// LiveCandidate returns what campaigns in a coordinator process of a job on real threads.
func LiveCandidate(j *dataflow.Job) func(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate {
	return func(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate {
		return lease.NewParty(h, LiveLease(), j.Name, nonce, "")
	}
}

// LiveJob returns the job of a combination for real threads: the same graph and
// algorithm, and what its output is worth: small batches, a checkpoint every 20 ms, state backends with their
// settings for a real disk.
func LiveJob(c *Config) (*dataflow.Job, sinks.Promise, error) {
	backend, err := statecatalog.Lookup(c.State)
	if err != nil {
		return nil, sinks.Promise{}, err
	}
	b, err := backend.New(statecatalog.Settings{})
	if err != nil {
		return nil, sinks.Promise{}, err
	}
	if err := c.goOn(); err != nil {
		return nil, sinks.Promise{}, err
	}
	p := max(c.Parallelism, 1)
	g, promise, err := c.graph(0, p, sinks.Config{})
	if err != nil {
		return nil, sinks.Promise{}, err
	}
	g.SetSplits(c.Splits)
	cfg := dataflow.DefaultConfig()
	if c.Groups != 0 {
		cfg.Groups = c.Groups
	}
	cfg.BatchRecords, cfg.SourceBatch = 32, 32
	cfg.Checkpoint.Interval = 20e6
	if err := errors.Join(c.checkGiven(), c.Given.Into(&cfg)); err != nil {
		return nil, sinks.Promise{}, err
	}
	if err := c.fit(g, &cfg); err != nil {
		return nil, sinks.Promise{}, err
	}
	j := &dataflow.Job{Name: c.Workload.Name(), Graph: g, Algorithm: c.Algorithm, Backend: b, Config: cfg}
	if c.From != nil {
		tasks, err := g.Expand(cfg.Groups)
		if err != nil {
			return nil, sinks.Promise{}, err
		}
		if err := c.From.fits(j, tasks); err != nil {
			return nil, sinks.Promise{}, err
		}
		j.From = c.From.Origin()
	}
	return j, promise, nil
}
