package results

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Load tells how records are offered.
type Load string

const (
	// ClosedLoop offers a record as soon as the sources take it: saturation.
	// It gives throughput and no latency.
	ClosedLoop Load = "closed"
	// OpenLoop offers records by a schedule that does not wait.
	OpenLoop Load = "open"
)

// Cell is one point of the grid: everything that is fixed before a repetition
// starts. All its repetitions are samples of one distribution.
type Cell struct {
	Algorithm string `json:"algorithm"`
	State     string `json:"state"`
	Workload  string `json:"workload"`
	// Sink is what the job ends in; empty: what goes with the algorithm, as in
	// results from before there was a choice.
	Sink string `json:"sink,omitempty"`
	// Settings are the workload's own, by name, values as given.
	Settings map[string]string `json:"settings,omitempty"`
	// IntervalMS is the checkpoint interval in milliseconds, 0 without checkpoints.
	IntervalMS float64 `json:"interval_ms"`
	Load       Load    `json:"load"`
	// Rate is the offered load in records per second; 0 when closed, or when
	// RateShare fixes it.
	Rate float64 `json:"rate"`
	// RateShare is the offered load as a share of the same cell's saturation,
	// 0 when Rate fixes it. The rate that came of it is the metric
	// offered_rate, so that a cell keeps its name when saturation is measured
	// again.
	RateShare   float64 `json:"rate_share,omitempty"`
	Parallelism int     `json:"parallelism"`
	// Splits is the number of splits of the source, 0 for as many as instances.
	Splits int `json:"splits,omitempty"`
	// Kill: the job's process is killed in every repetition.
	Kill bool `json:"kill,omitempty"`
	// Twin marks the second arm of an A/A comparison: all other coordinates
	// are those of the first.
	Twin bool `json:"twin,omitempty"`
}

// Key is the cell's text form, unique and stable:
// algorithm=aligned/state=heap/workload=.../..., settings sorted by name.
func (c Cell) Key() string {
	var b strings.Builder
	for i, p := range c.coordinates() {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}

// String is Key.
func (c Cell) String() string { return c.Key() }

func (c Cell) coordinates() [][2]string {
	p := [][2]string{
		{"algorithm", c.Algorithm}, {"state", c.State}, {"workload", c.Workload},
		{"interval", number(c.IntervalMS) + "ms"}, {"load", c.LoadText()},
		{"parallelism", strconv.Itoa(c.Parallelism)},
	}
	if c.Splits != 0 {
		p = append(p, [2]string{"splits", strconv.Itoa(c.Splits)})
	}
	if c.Sink != "" {
		p = append(p, [2]string{"sink", c.Sink})
	}
	if c.Kill {
		p = append(p, [2]string{"kill", "true"})
	}
	if c.Twin {
		p = append(p, [2]string{"twin", "true"})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Settings)) {
		p = append(p, [2]string{name, c.Settings[name]})
	}
	return p
}

// LoadText is "closed", "70%" of saturation, or "100000/s" written without the
// slash as "100000ps" so that it fits into Key.
func (c Cell) LoadText() string {
	switch {
	case c.Load == ClosedLoop:
		return string(ClosedLoop)
	case c.RateShare > 0:
		return number(100*c.RateShare) + "%"
	default:
		return number(c.Rate) + "ps"
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Name names a cell for people, by the coordinates in which the cells of one
// group differ: "aligned on heap, closed loop".
func (c Cell) Name() string {
	words := []string{c.Algorithm + " on " + c.State}
	switch {
	case c.Load == ClosedLoop:
		words = append(words, "closed loop")
	case c.RateShare > 0:
		words = append(words, "open loop at "+number(100*c.RateShare)+" % of saturation")
	default:
		words = append(words, "open loop at "+number(c.Rate)+" records/s")
	}
	if c.Kill {
		words = append(words, "killed")
	}
	if c.Twin {
		words = append(words, "second arm of A/A")
	}
	return strings.Join(words, ", ")
}

// Seed is a number that depends on the cell and the metric alone, for
// resampling the metric's values the same way in every process.
func (c Cell) Seed(metric string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, c.Key()+" "+metric) // a hash takes every write
	return h.Sum64()
}

// FileName is a short name for a file of this cell with that extension:
// readable coordinates and a hash of all of them.
func (c Cell) FileName(extension string) string {
	return fmt.Sprintf("%s-%s-%s-%08x.%s", c.Algorithm, c.State, c.Workload, uint32(c.Seed("")), extension)
}

// First returns the cell without the mark of the second A/A arm.
func (c Cell) First() Cell {
	c.Twin = false
	return c
}

// Validate tells what a cell lacks, or which text of it cannot stand in a
// benchmark name.
func (c Cell) Validate() error {
	for _, p := range c.coordinates() {
		if p[0] == "" || p[1] == "" || strings.ContainsFunc(p[0]+p[1], notInName) || strings.Contains(p[0], "=") {
			return fmt.Errorf("cell %s: %s is %q; a coordinate needs a text without spaces, slashes and control characters", c.Key(), p[0], p[1])
		}
	}
	switch {
	case c.Load != ClosedLoop && c.Load != OpenLoop:
		return fmt.Errorf("cell %s: load is %q, want %q or %q", c.Key(), c.Load, ClosedLoop, OpenLoop)
	case c.Load == ClosedLoop && (c.Rate != 0 || c.RateShare != 0):
		return fmt.Errorf("cell %s: a closed loop has no rate", c.Key())
	case c.Load == OpenLoop && (c.Rate > 0) == (c.RateShare > 0):
		return fmt.Errorf("cell %s: an open loop needs either a rate or a share of saturation", c.Key())
	case c.IntervalMS < 0 || c.Parallelism < 1 || c.Splits < 0:
		return fmt.Errorf("cell %s: interval and splits must not be negative and parallelism at least 1", c.Key())
	}
	return nil
}

func notInName(r rune) bool { return r <= ' ' || r == '/' || r == 0x7f }
