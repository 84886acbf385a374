package scenario

import (
	"weir/dataflow"
	statecatalog "weir/state/catalog"
)

// LiveJob returns the job of a combination for real threads: the same graph and
// algorithm, small batches, a checkpoint every 20 ms, state backends with their
// settings for a real disk.
func LiveJob(c *Config) (*dataflow.Job, error) {
	backend, err := statecatalog.Lookup(c.State)
	if err != nil {
		return nil, err
	}
	b, err := backend.New(statecatalog.Settings{})
	if err != nil {
		return nil, err
	}
	p := max(c.Parallelism, 1)
	g, err := c.Workload.Graph(p, SinkFor(c.Algorithm.Properties()))
	if err != nil {
		return nil, err
	}
	cfg := dataflow.DefaultConfig()
	if c.Groups != 0 {
		cfg.Groups = c.Groups
	}
	cfg.BatchRecords, cfg.SourceBatch = 32, 32
	cfg.Checkpoint.Interval, cfg.Checkpoint.Tolerated = 20e6, -1
	if err := c.fit(g, &cfg); err != nil {
		return nil, err
	}
	return &dataflow.Job{Name: c.Workload.Name(), Graph: g, Algorithm: c.Algorithm, Backend: b, Config: cfg}, nil
}
