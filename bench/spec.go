package bench

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/scenario/mutants"
	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// Tuning is what every cell of a campaign has in common: sizes of batches and
// queues, and memory. One setting serves all rows of a table.
type Tuning struct {
	BatchRecords int           `json:"batch_records"`
	BatchBytes   int           `json:"batch_bytes"`
	BatchTimeout time.Duration `json:"batch_timeout"`
	SourceBatch  int           `json:"source_batch"`
	Queue        int           `json:"queue_buffers"` // sealed buffers per output, and credits
	// Quantum is the least time between two batches of a paced source.
	Quantum time.Duration `json:"quantum"`
	// MemoryBytes limits the child's memory as the Go runtime sees it; CacheBytes
	// is the block cache of Pebble and WriteBytes the memory of one of its stores.
	MemoryBytes int64 `json:"memory_bytes"`
	CacheBytes  int64 `json:"cache_bytes"`
	WriteBytes  int64 `json:"write_bytes"`
	// Transfers is how many state transfers are under way at once; 0: as the driver has it.
	Transfers int `json:"transfers"`
	// GCPercent is the garbage collector's pacing.
	GCPercent int `json:"gc_percent"`
	// Processors is GOMAXPROCS of the job's process; 0: two more than there are
	// processors. The Go runtime takes a processor back from a goroutine that is
	// in a system call, or at work for long, only when its monitor looks, up to
	// 10 ms later; with two to spare, a task does not wait for a transfer that
	// writes and syncs, and the kernel divides the time.
	Processors int `json:"processors"`
}

// DefaultTuning returns the setting of published results.
func DefaultTuning() Tuning {
	return Tuning{
		BatchRecords: 1024, BatchBytes: 38 << 10, BatchTimeout: 250 * time.Microsecond, SourceBatch: 1024, Queue: 4,
		Quantum: 100 * time.Microsecond, MemoryBytes: 4 << 30, CacheBytes: 256 << 20, WriteBytes: 128 << 20, GCPercent: 100,
	}
}

// Validate names the first value that makes no sense.
func (t *Tuning) Validate() error {
	for _, v := range []struct {
		name         string
		value, least int64
	}{
		{"records per batch", int64(t.BatchRecords), 1}, {"bytes per batch", int64(t.BatchBytes), 1}, {"batch timeout", int64(t.BatchTimeout), 0},
		{"records per source batch", int64(t.SourceBatch), 1}, {"buffers per queue", int64(t.Queue), 1}, {"quantum", int64(t.Quantum), 0},
		{"memory", t.MemoryBytes, leastMemory}, {"block cache", t.CacheBytes, 0}, {"write cache", t.WriteBytes, 0},
		{"transfers at once", int64(t.Transfers), 0}, {"processors", int64(t.Processors), 0}, {"pace of the garbage collector", int64(t.GCPercent), 1},
	} {
		if v.value < v.least {
			return fmt.Errorf("%s: %d; it must be at least %d", v.name, v.value, v.least)
		}
	}
	return nil
}

// leastMemory is less than any job needs.
const leastMemory = 32 << 20

func (t *Tuning) processors() int {
	if t.Processors > 0 {
		return t.Processors
	}
	return runtime.NumCPU() + 2
}

// JobSpec is what a child process is told: one job and how to run it.
type JobSpec struct {
	Algorithm   string            `json:"algorithm"`
	State       string            `json:"state"`
	Workload    string            `json:"workload"`
	Settings    map[string]string `json:"settings,omitempty"`
	Parallelism int               `json:"parallelism"`
	Interval    time.Duration     `json:"interval"`
	Tuning      Tuning            `json:"tuning"`
	Seed        uint64            `json:"seed"`
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
	// Hold keeps sources from going beyond this many records of each partition;
	// 0: nothing does. A process that is to be killed cannot finish before that.
	Hold int64 `json:"hold,omitempty"`
	// Killed marks the process that is started after a kill.
	Killed bool `json:"killed,omitempty"`
	// DiskBytes bounds what the run may write to Dir; 0: the disk does.
	DiskBytes int64 `json:"disk_bytes,omitempty"`
	// Profile is a file for a CPU profile of the process; empty: none is taken.
	Profile string `json:"profile,omitempty"`
	// Canary is a deliberate mistake, for testing that the check sees it.
	Canary string `json:"mutant,omitempty"`
}

// States returns the names of the state backends.
func States() []string {
	return []string{heap.Name, pebblestate.NameFull, pebblestate.NameIncremental}
}

// CheckState returns an error that lists the known states if name is none.
func CheckState(name string) error {
	for _, s := range States() {
		if s == name {
			return nil
		}
	}
	return fmt.Errorf("unknown state backend %q; known: %s", name, strings.Join(States(), ", "))
}

func newBackend(name string, t *Tuning) (state.Backend, error) {
	if err := CheckState(name); err != nil {
		return nil, err
	}
	if name == heap.Name {
		return heap.Backend{}, nil
	}
	return pebblestate.New(pebblestate.Config{Full: name == pebblestate.NameFull, CacheBytes: t.CacheBytes, WriteCacheBytes: t.WriteBytes})
}

// NewWorkload returns a workload with settings; errors list the known names.
func NewWorkload(name string, settings map[string]string) (workloads.Workload, error) {
	w, err := workloadcatalog.New(name)
	if err != nil {
		return nil, err
	}
	for _, k := range sortedNames(settings) {
		if err := w.Set(k, settings[k]); err != nil {
			return nil, err
		}
	}
	return w, w.Validate()
}

// timed tells whether a repetition runs for a time rather than to the end of
// its input.
func (s *JobSpec) timed() bool { return s.Events == 0 }

// endless is the number of records of a timed repetition, of which it sees few.
const endless = 1 << 40

// workload returns the workload of the run.
func (s *JobSpec) workload() (workloads.Workload, error) {
	w, err := NewWorkload(s.Workload, s.Settings)
	if err != nil {
		return nil, err
	}
	if s.timed() {
		if _, ok := intendedTime(w); !ok {
			return nil, fmt.Errorf("%s has no intended times in its rows: it runs a finite input only, give the number of records (--events)", s.Workload)
		}
		if err := w.SetEvents(endless); err != nil {
			return nil, err
		}
	} else if err := w.SetEvents(int(s.Events)); err != nil {
		return nil, err
	}
	if s.Rate > 0 {
		if err := w.Set("rate", fmt.Sprint(s.Rate)); err != nil {
			return nil, fmt.Errorf("an open loop needs a workload with a rate: %w", err)
		}
	}
	return w, nil
}

func (s *JobSpec) algorithm() (*algorithms.Spec, error) { return catalog.Lookup(s.Algorithm) }

// config returns the settings of the job that the core reads.
func (s *JobSpec) config() (dataflow.Config, error) {
	c, t := dataflow.DefaultConfig(), &s.Tuning
	c.BatchRecords, c.BatchBytes, c.SourceBatch = t.BatchRecords, t.BatchBytes, t.SourceBatch
	c.BatchTimeout = dataflow.Nanos(t.BatchTimeout)
	c.QueueBuffers, c.Credits = t.Queue, t.Queue
	c.Checkpoint.Interval = dataflow.Nanos(max(s.Interval, time.Millisecond))
	c.Checkpoint.Tolerated = 0
	mutant, err := parseCanary(s.Canary)
	c.Mutant = mutant
	return c, err
}

func parseCanary(name string) (dataflow.Mutant, error) {
	if name == "" {
		return "", nil
	}
	m, err := mutants.Lookup(name)
	return m.Mutant, err
}

// clock returns the time since the run's epoch.
func (s *JobSpec) clock() int64 { return time.Now().UnixNano() - s.Epoch }
