package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

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
	g.SetSplits(cmp.Or(c.Splits, p))
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

// LiveRescaled returns what a job of the combination on real threads is with another parallelism: of all
// operators, or of one alone. Its splits stay as many. The error says what cannot be, and what would do.
func LiveRescaled(c *Config, now *dataflow.Job, operator string, to int) (*dataflow.Job, error) {
	p := c.Algorithm.Properties()
	if err := p.RefusesChange(nil, now.Graph); err != nil && !p.HasRounds() {
		return nil, fmt.Errorf("%s: %w: stop the job with a savepoint (POST /stop, or --stop-with-savepoint), and begin from that with another parallelism (--from)", c.Algorithm.Name, err)
	}
	next := *now
	next.Graph = &dataflow.Graph{Vertices: slices.Clone(now.Graph.Vertices), Edges: slices.Clone(now.Graph.Edges)} // its tasks still use the graph as it is
	if operator == "" {
		g, _, err := c.graph(0, to, sinks.Config{})
		if err != nil {
			return nil, err
		}
		g.SetSplits(cmp.Or(c.Splits, max(c.Parallelism, 1)))
		next.Graph = g
	} else if err := setAlone(next.Graph, operator, to); err != nil {
		return nil, err
	}
	return &next, c.fit(next.Graph, &next.Config)
}

// setAlone gives one vertex another parallelism than the others have.
func setAlone(g *dataflow.Graph, operator string, to int) error {
	if err := (width{alone: []vertexWidth{{operator, to}}}).set(g); err != nil {
		return err
	}
	i := slices.IndexFunc(g.Vertices, func(v dataflow.Vertex) bool { return v.Name == operator })
	if !canBeAlone(g, i) {
		return fmt.Errorf("operator %q cannot have another parallelism than its neighbours: an edge goes from instance to instance, or it commits for all of them", operator)
	}
	return nil
}
