package keyedcount

import (
	"fmt"
	"math"
	"strconv"

	"weir/workloads"
)

// Distribution is how records choose their keys.
type Distribution string

const (
	Uniform Distribution = "uniform"
	Zipf    Distribution = "zipf"
)

// Settings are the parameters of the workload. [Defaults] has the defaults.
type Settings struct {
	NumEvents    int64 // records over all splits
	Keys         int64
	Distribution Distribution
	Exponent     string // of Zipf's law, a decimal number
	RecordBytes  int64  // at least 34
	ValueSize    int64  // bytes of state per key, at least 16
	Seed         int64
	// EmitEvery n makes a row for every n-th record of a key, beginning with one
	// of the first n that depends on the key, so that rows come evenly;
	// with 0 only the final rows are made.
	EmitEvery  int64
	StartNanos int64 // intended time of record 0, ns
	Rate       int64 // intended records per second, over all splits
}

// Defaults returns the settings that a new workload has.
func Defaults() Settings {
	return Settings{
		NumEvents: 1000, Keys: 100, Distribution: Uniform, Exponent: "1", RecordBytes: minRecordBytes,
		ValueSize: minValueBytes, EmitEvery: 1, Rate: 1_000_000,
	}
}

const (
	minRecordBytes = 34
	minValueBytes  = 16
	maxKeys        = 1 << 28 // Zipf keeps eight bytes for each
)

func (s *Settings) list() []workloads.Setting {
	return []workloads.Setting{
		workloads.Integer("numEvents", &s.NumEvents, 0, 1<<40),
		workloads.Integer("keys", &s.Keys, 1, maxKeys),
		{
			Name: "distribution",
			Get:  func() string { return string(s.Distribution) },
			Set: func(v string) error {
				if d := Distribution(v); d != Uniform && d != Zipf {
					return fmt.Errorf("%q is neither %s nor %s", v, Uniform, Zipf)
				}
				s.Distribution = Distribution(v)
				return nil
			},
		},
		{
			Name: "exponent",
			Get:  func() string { return s.Exponent },
			Set: func(v string) error {
				if x, err := strconv.ParseFloat(v, 64); err != nil || !(x >= 0 && x <= 10) {
					return fmt.Errorf("%q is not a number in 0..10", v)
				}
				s.Exponent = v
				return nil
			},
		},
		workloads.Integer("recordBytes", &s.RecordBytes, minRecordBytes, 1<<20),
		workloads.Integer("valueSize", &s.ValueSize, minValueBytes, 1<<20),
		workloads.Integer("seed", &s.Seed, 0, math.MaxInt64),
		workloads.Integer("emitEvery", &s.EmitEvery, 0, math.MaxInt64),
		workloads.Integer("startNanos", &s.StartNanos, 0, 1<<62),
		workloads.Integer("rate", &s.Rate, 1, 1_000_000_000),
	}
}
