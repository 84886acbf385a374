package results

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// OutputVerdict tells what became of the answer.
type OutputVerdict string

const (
	// OutputExact: the committed output is the reference answer.
	OutputExact OutputVerdict = "exact"
	// OutputDeclared: it differs, in a way the algorithm declares that it may.
	OutputDeclared OutputVerdict = "as declared"
	// OutputWrong: it differs and must not. Such a repetition has no metrics.
	OutputWrong OutputVerdict = "wrong"
)

// Value is a measured number with its unit.
type Value struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// Sample is one repetition of a cell.
type Sample struct {
	Cell Cell `json:"cell"`
	// Block is the interleaved block in which it ran, from 0.
	Block int `json:"block"`
	// Repetition is its number among the repetitions of its cell, from 0.
	Repetition int `json:"repetition"`
	// Seed is what the repetition's random choices were drawn from.
	Seed uint64 `json:"seed"`
	// Metrics by name; see Metrics for their definitions.
	Metrics map[string]Value `json:"metrics,omitempty"`
	// Output is the verdict on the committed output, OutputDigest its digest
	// in canonical rows and ExpectedDigest that of the reference answer.
	Output         OutputVerdict `json:"output"`
	OutputDigest   string        `json:"output_digest"`
	ExpectedDigest string        `json:"expected_digest,omitempty"`
	// CalibrationMS is the time of the fixed calibration loop on a machine that
	// does nothing else, right before the repetition, in milliseconds. The metric
	// calibration_ms is that of the same loop beside the job.
	CalibrationMS float64         `json:"calibration_ms"`
	Checkpoints   []Checkpoint    `json:"checkpoints,omitempty"`
	Timeline      []TimelinePoint `json:"timeline,omitempty"`
	Recovery      *RecoveryRecord `json:"recovery,omitempty"`
	// Warnings about this repetition alone.
	Warnings []string `json:"warnings,omitempty"`
}

// TimelinePoint is the latency of the records that were due in one window.
type TimelinePoint struct {
	TMS   float64 `json:"t_ms"` // start of the window, from the start of the measured time
	P50   float64 `json:"p50"`  // milliseconds, as P99 and Max
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
	Count int64   `json:"count"` // records in the window; a window without any has no point
}

// RecoveryRecord is one kill and what followed; offsets in milliseconds from
// the start of the measured time.
type RecoveryRecord struct {
	KilledMS    float64 `json:"killed_ms"`
	StartedMS   float64 `json:"started_ms"`    // new process runs
	RestoredMS  float64 `json:"restored_ms"`   // all state restored
	FirstNewMS  float64 `json:"first_new_ms"`  // first new record processed
	CaughtUpMS  float64 `json:"caught_up_ms"`  // lag back at its level before; 0 if not within the repetition
	LostRecords int64   `json:"lost_records"`  // processed again
	RestoredID  string  `json:"restored_from"` // the checkpoint, or empty if from the beginning
}

// Set records a metric in the unit of the table. It returns an error for a
// metric that the table does not have.
func (s *Sample) Set(metric string, value float64) error {
	m, err := MetricNamed(metric)
	if err != nil {
		return err
	}
	if s.Metrics == nil {
		s.Metrics = map[string]Value{}
	}
	s.Metrics[metric] = Value{Value: value, Unit: m.Unit}
	return nil
}

// Validate tells the first thing that keeps a sample from being recorded.
func (s *Sample) Validate() error {
	if err := s.Cell.Validate(); err != nil {
		return err
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s, repetition %d: "+format, append([]any{s.Cell.Key(), s.Repetition}, args...)...)
	}
	switch s.Output {
	case OutputExact, OutputDeclared:
		if s.OutputDigest == "" {
			return fail("no output digest: check the committed output before recording numbers")
		}
	case OutputWrong:
		if len(s.Metrics) > 0 {
			return fail("its output was wrong, so it has no numbers: record it without metrics")
		}
	default:
		return fail("output verdict is %q, want %q, %q or %q", s.Output, OutputExact, OutputDeclared, OutputWrong)
	}
	if s.Block < 0 || s.Repetition < 0 {
		return fail("block %d: blocks and repetitions count from 0", s.Block)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Metrics)) {
		v := s.Metrics[name]
		m, err := MetricNamed(name)
		switch {
		case err != nil:
			return fail("%w", err)
		case m.Unit != v.Unit:
			return fail("%s is in %q, the table of metrics has %q", name, v.Unit, m.Unit)
		case math.IsNaN(v.Value) || math.IsInf(v.Value, 0):
			return fail("%s is %v: leave a metric out when it was not measured", name, v.Value)
		}
	}
	return nil
}
