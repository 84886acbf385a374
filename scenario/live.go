package scenario

import (
	"weir/dataflow"
	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
)

// LiveJob returns the job of a combination for real threads: the same graph and
// algorithm, small batches, a checkpoint every 20 ms, state backends with their
// settings for a real disk.
func LiveJob(c *Config) (*dataflow.Job, error) {
	var b state.Backend = heap.Backend{}
	if c.State != heap.Name {
		var err error
		if b, err = pebblestate.New(pebblestate.Config{Full: c.State == pebblestate.NameFull}); err != nil {
			return nil, err
		}
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
