package job

import (
	"fmt"
	"runtime"
	"strconv"
	"time"
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

// Procs returns GOMAXPROCS of the job's process.
func (t *Tuning) Procs() int {
	if t.Processors > 0 {
		return t.Processors
	}
	return runtime.NumCPU() + 2
}

// tuned is a field of a Tuning with its name in manifests.
type tuned struct {
	name  string
	value any // *int, *int64 or *time.Duration
}

func (t *Tuning) fields() []tuned {
	return []tuned{
		{"batch_records", &t.BatchRecords}, {"batch_bytes", &t.BatchBytes}, {"batch_timeout", &t.BatchTimeout},
		{"source_batch", &t.SourceBatch}, {"queue_buffers", &t.Queue}, {"quantum", &t.Quantum}, {"transfers", &t.Transfers},
		{"memory_limit_bytes", &t.MemoryBytes}, {"block_cache_bytes", &t.CacheBytes}, {"write_cache_bytes_per_task", &t.WriteBytes},
		{"gc_percent", &t.GCPercent}, {"processors", &t.Processors},
	}
}

// Describe adds a text for every field to settings.
func (t *Tuning) Describe(settings map[string]string) {
	for _, f := range t.fields() {
		switch v := f.value.(type) {
		case *int:
			settings[f.name] = strconv.Itoa(*v)
		case *int64:
			settings[f.name] = strconv.FormatInt(*v, 10)
		case *time.Duration:
			settings[f.name] = v.String()
		}
	}
}

// Read is the inverse of Describe; what settings do not have stays.
func (t *Tuning) Read(settings map[string]string) error {
	for _, f := range t.fields() {
		text, ok := settings[f.name]
		if !ok {
			continue
		}
		var err error
		switch v := f.value.(type) {
		case *int:
			*v, err = strconv.Atoi(text)
		case *int64:
			*v, err = strconv.ParseInt(text, 10, 64)
		case *time.Duration:
			*v, err = time.ParseDuration(text)
		}
		if err != nil {
			return fmt.Errorf("setting %s: %w; restore the manifest, or measure again", f.name, err)
		}
	}
	return nil
}
