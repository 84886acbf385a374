package job

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/scenario/mutants"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// Spec is what a child process is told: one job and how to run it.
type Spec struct {
	Algorithm   string            `json:"algorithm"`
	State       string            `json:"state"`
	Workload    string            `json:"workload"`
	Sink        string            `json:"sink,omitempty"` // empty: what goes with the algorithm
	Settings    map[string]string `json:"settings,omitempty"`
	Parallelism int               `json:"parallelism"`
	Splits      int               `json:"splits,omitempty"` // of the source; 0: as many as instances
	Interval    time.Duration     `json:"interval"`
	// Given are settings of the coordinator beside the interval: those that the algorithm reads.
	Given  dataflow.Given `json:"given,omitempty"`
	Tuning Tuning         `json:"tuning"`
	Seed   uint64         `json:"seed"`
	// Dir holds everything of the run: counters, checkpoints, committed output.
	Dir string `json:"dir"`
	// Epoch is the zero of all times, Unix nanoseconds, the same for every
	// process of a run.
	Epoch int64 `json:"epoch"`
	// Events is the finite number of records; 0: the repetition is timed.
	Events int64 `json:"events,omitempty"`
	// Rate is the offered load in records per second; 0: closed loop.
	Rate int64 `json:"rate,omitempty"`
	// Fill is the number of records before warming up begins.
	Fill int64 `json:"fill,omitempty"`
	// Warm and Measure bound the phases of a timed repetition.
	Warm    time.Duration `json:"warm,omitempty"`
	Measure time.Duration `json:"measure,omitempty"`
	// Hold keeps sources from going beyond this many records of each split;
	// 0: nothing does. A process that is to be killed cannot finish before that.
	Hold int64 `json:"hold,omitempty"`
	// Killed marks the process that is started after a kill.
	Killed bool `json:"killed,omitempty"`
	// DiskBytes bounds what the run may write to Dir; 0: the disk does.
	DiskBytes int64 `json:"disk_bytes,omitempty"`
	// Profile is a file for a CPU profile of the process; empty: none is taken.
	Profile string `json:"profile,omitempty"`
	// Mutant is a deliberate mistake, for testing that the check sees it.
	Mutant string `json:"mutant,omitempty"`
}

// NewWorkload returns a workload with settings; errors list the known names.
func NewWorkload(name string, settings map[string]string) (workloads.Workload, error) {
	w, err := workloadcatalog.New(name)
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(settings)) {
		if err := w.Set(k, settings[k]); err != nil {
			return nil, err
		}
	}
	return w, w.Validate()
}

// Timed tells whether a repetition runs for a time rather than to the end of
// its input.
func (s *Spec) Timed() bool { return s.Events == 0 }

// endless is the number of records of a timed repetition, of which it sees few.
const endless = 1 << 36

// NewWorkload returns the workload of the run, with its number of records.
func (s *Spec) NewWorkload() (workloads.Workload, error) {
	w, err := NewWorkload(s.Workload, s.Settings)
	if err != nil {
		return nil, err
	}
	if s.Timed() {
		if err := w.SetEvents(endless); err != nil {
			return nil, err
		}
	} else if err := w.SetEvents(int(s.Events)); err != nil {
		return nil, err
	}
	return w, nil
}

// Lookup returns the algorithm of the run.
func (s *Spec) Lookup() (Algorithm, error) { return LookupAlgorithm(s.Algorithm) }

// LookupSink returns the sink of the run.
func (s *Spec) LookupSink() (*sinks.Sink, error) {
	if s.Sink != "" {
		return sinks.Lookup(s.Sink)
	}
	a, err := s.Lookup()
	if err != nil {
		return nil, err
	}
	return sinks.For(a.Declared), nil
}

// sinkConfig returns what the sinks of a job over a workload are made with.
func sinkConfig(w workloads.Workload) sinks.Config {
	key, _ := workloads.KeyOf(w) // nil: rows do not tell
	return sinks.Config{Key: key}
}

// Promised returns what the output of the run may be after a failure.
func (s *Spec) Promised() (sinks.Promise, error) {
	a, err := s.Lookup()
	if err != nil {
		return sinks.Promise{}, err
	}
	w, err := s.NewWorkload()
	if err != nil {
		return sinks.Promise{}, err
	}
	sink, err := s.LookupSink()
	if err != nil {
		return sinks.Promise{}, err
	}
	if _, err := workloads.KeyOf(w); err != nil && sink.Shows == sinks.Values {
		return sinks.Promise{}, fmt.Errorf("sink %s: %w", sink.Name, err)
	}
	g, err := w.Graph(s.Parallelism, sink.Operator(sinkConfig(w)))
	if err != nil {
		return sinks.Promise{}, err
	}
	return catalog.FitSink(a.Spec, sink, g)
}

// config returns the settings of the job that the core reads.
func (s *Spec) config() (dataflow.Config, error) {
	c, t := dataflow.DefaultConfig(), &s.Tuning
	c.BatchRecords, c.BatchBytes, c.SourceBatch = t.BatchRecords, t.BatchBytes, t.SourceBatch
	c.BatchTimeout = dataflow.Nanos(t.BatchTimeout)
	c.QueueBuffers, c.Credits = t.Queue, t.Queue
	if err := s.Given.Into(&c); err != nil {
		return c, err
	}
	c.Checkpoint.Interval = dataflow.Nanos(max(s.Interval, time.Millisecond))
	mutant, err := parseMutant(s.Mutant)
	c.Mutant = mutant
	return c, err
}

func parseMutant(name string) (dataflow.Mutant, error) {
	if name == "" {
		return "", nil
	}
	m, err := mutants.Lookup(name)
	return m.Mutant, err
}

// Clock returns the time since the run's epoch.
func (s *Spec) Clock() int64 { return time.Now().UnixNano() - s.Epoch }

// SizeOf returns about how large a job over a workload gets in so many records;
// zero if the workload does not tell.
func SizeOf(w workloads.Workload, records int64) workloads.Size {
	if s, ok := w.(workloads.Sized); ok {
		return s.Size(records)
	}
	return workloads.Size{}
}

// Backlog returns how many records of an open loop are due now and not handed out.
func (s *Spec) Backlog(c *Counters) int64 { return s.schedule(c).backlog(s.Clock()) }

// NumSplits returns the number of splits of the source.
func (s *Spec) NumSplits() int { return cmp.Or(s.Splits, s.Parallelism) }

func (s *Spec) schedule(c *Counters) *schedule {
	n := int64(s.NumSplits())
	return &schedule{counters: c, splits: s.NumSplits(), rate: s.Rate, hold: s.Hold, quantum: int64(s.Tuning.Quantum), fill: (s.Fill + n - 1) / n}
}
