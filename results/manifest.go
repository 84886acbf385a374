package results

import (
	"time"

	"weir/results/stat"
)

// SchemaVersion is the version that this package writes and reads. It rises
// with every change that an older reader would misunderstand.
const SchemaVersion = 1

// Manifest describes a campaign. Everything but Schema comes from the producer.
type Manifest struct {
	Schema      int         `json:"schema"`
	ID          string      `json:"id"`
	Description string      `json:"description,omitempty"` // what was measured, one or two sentences
	Started     time.Time   `json:"started"`
	Finished    *time.Time  `json:"finished,omitempty"` // nil while running or interrupted
	Synthetic   bool        `json:"synthetic,omitempty"`
	Environment Environment `json:"environment"`
	Plan        Plan        `json:"plan"`
	Validity    Validity    `json:"validity"`
	Warnings    []Warning   `json:"warnings,omitempty"`
}

// Environment is the machine and the program. Fields that could not be found
// out are empty.
type Environment struct {
	Commit     string            `json:"commit"`
	Dirty      bool              `json:"dirty"`
	GoVersion  string            `json:"go_version"`
	GOOS       string            `json:"goos"`
	GOARCH     string            `json:"goarch"`
	GOMAXPROCS int               `json:"gomaxprocs"`
	GOGC       string            `json:"gogc,omitempty"`
	Modules    map[string]string `json:"modules,omitempty"` // path to version
	Arguments  []string          `json:"arguments,omitempty"`
	Kernel     string            `json:"kernel"`
	CPU        string            `json:"cpu"`
	Cores      int               `json:"cores"`
	// CPULimit is the cgroup's, in cores; 0 for none. Memory in bytes.
	CPULimit    float64           `json:"cpu_limit,omitempty"`
	MemoryBytes int64             `json:"memory_bytes"`
	MemoryLimit int64             `json:"memory_limit_bytes,omitempty"`
	Before      Strain            `json:"before"`
	After       Strain            `json:"after"`
	Disk        Disk              `json:"disk"`
	Settings    map[string]string `json:"settings,omitempty"` // memory limit, batch size, store options, ...
}

// Strain is how loaded the machine was by others: steal as a share of CPU time
// since boot, pressure-stall averages over ten seconds in percent.
type Strain struct {
	StealShare     float64 `json:"steal_share"`
	CPUPressure    float64 `json:"cpu_pressure"`
	IOPressure     float64 `json:"io_pressure"`
	MemoryPressure float64 `json:"memory_pressure"`
}

// Disk is the very directory that was used, probed.
type Disk struct {
	FileSystem   string  `json:"file_system"`
	MountOptions string  `json:"mount_options"`
	FsyncP50MS   float64 `json:"fsync_p50_ms"`
	FsyncP99MS   float64 `json:"fsync_p99_ms"`
	// Synced sequential write and cached read, bytes per second.
	WriteBytesPerSecond float64 `json:"write_bytes_per_second"`
	ReadBytesPerSecond  float64 `json:"read_bytes_per_second,omitempty"`
}

// Plan is what was to be measured.
type Plan struct {
	Seed        uint64 `json:"seed"`
	Quick       bool   `json:"quick"` // fewer and shorter repetitions, for a first look
	Blocks      int    `json:"blocks"`
	Repetitions int    `json:"repetitions"`
	// RepetitionSeconds is the measured time of a repetition.
	RepetitionSeconds float64 `json:"repetition_seconds"`
	WarmUp            string  `json:"warm_up"` // the rule, in words
	// Baseline is the algorithm to which others are compared, empty for none.
	Baseline string `json:"baseline,omitempty"`
	Cells    []Cell `json:"cells"`
}

// ValidityState says whether the numbers may be used.
type ValidityState string

const (
	Valid    ValidityState = "valid"
	Invalid  ValidityState = "invalid"  // do not use
	Unjudged ValidityState = "unjudged" // nothing against it, too little for it
)

// Validity is the verdict on a campaign with its grounds.
type Validity struct {
	State   ValidityState `json:"state"`
	Reasons []string      `json:"reasons,omitempty"`
	AA      []AARecord    `json:"aa,omitempty"`
}

// AARecord is one metric of one cell measured twice.
type AARecord struct {
	Cell   Cell   `json:"cell"`
	Metric string `json:"metric"`
	stat.AA
}

// Warning travels with the numbers.
type Warning struct {
	// Cell is the key of the cell concerned, empty for the whole campaign.
	Cell string `json:"cell,omitempty"`
	Text string `json:"text"`
	// Mixed: the samples are not all of one program, machine and file system, so
	// that the campaign cannot be valid.
	Mixed bool `json:"mixed,omitempty"`
}
