// Package resultstest builds synthetic campaigns for tests. Nothing in them was
// measured: the manifest is marked synthetic, the id begins with "synthetic",
// and the numbers are drawn from fixed formulas and a seed.
package resultstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/results"
)

// Config shapes a synthetic campaign.
type Config struct {
	Seed        uint64
	Repetitions int
	Quick       bool
	Algorithms  []string
	States      []string
	// NoisyTwin makes the A/A arms differ by ten percent.
	NoisyTwin bool
	// WrongCell makes every output of the last cell wrong.
	WrongCell bool
}

// Standard is a campaign of the size that is published.
func Standard() Config {
	return Config{
		Seed: 1, Repetitions: 10,
		Algorithms: []string{"none", "aligned", "at-least-once", "unaligned", "uncoordinated"},
		States:     []string{"heap", "pebble-full", "pebble"},
	}
}

// Quick is a campaign with ranges in place of intervals.
func Quick() Config {
	c := Standard()
	c.Repetitions, c.Quick = 3, true
	return c
}

// Manifest returns the manifest of a synthetic campaign.
func Manifest(c Config) results.Manifest {
	id := "synthetic"
	if c.Quick {
		id = "synthetic-quick"
	}
	return results.Manifest{
		ID: id, Synthetic: true,
		Description: "Synthetic numbers from fixed formulas, to test what reads results. Nothing here was measured.",
		Started:     time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Environment: results.Environment{
			Commit: "0123456789abcdef0123456789abcdef01234567", GoVersion: "go1.26", GOOS: "linux", GOARCH: "amd64", GOMAXPROCS: 2,
			Kernel: "6.1.0 (synthetic)", CPU: "Synthetic CPU at 2.5 GHz", Cores: 2, MemoryBytes: 8 << 30,
			Before: results.Strain{StealShare: 0.001, CPUPressure: 1.2, IOPressure: 0.4},
			After:  results.Strain{StealShare: 0.002, CPUPressure: 2.9, IOPressure: 3.1},
			Disk: results.Disk{
				FileSystem: "ext4", MountOptions: "rw,relatime", FsyncP50MS: 0.21, FsyncP99MS: 4.2,
				WriteBytesPerSecond: 1.1e9,
			},
			Modules: map[string]string{"github.com/cockroachdb/pebble/v2": "v2.1.7"},
		},
		Plan: results.Plan{
			Seed: c.Seed, Quick: c.Quick, Blocks: c.Repetitions, Repetitions: c.Repetitions, RepetitionSeconds: 10,
			WarmUp:   "until throughput of three successive seconds differs by less than 5 %",
			Baseline: c.Algorithms[0], Cells: Cells(c),
		},
		Warnings: []results.Warning{{Text: "synthetic: nothing here was measured"}},
	}
}

// Cells returns the plan: per variant a closed loop, an open loop and one with a
// kill, and one A/A twin of the first closed loop.
func Cells(c Config) []results.Cell {
	var cells []results.Cell
	for _, state := range c.States {
		for i, algorithm := range c.Algorithms {
			cell := results.Cell{
				Algorithm: algorithm, State: state, Workload: "keyedcount", IntervalMS: 1000, Parallelism: 2,
				Settings: map[string]string{"keys": "1000000", "valueSize": "100"}, Load: results.ClosedLoop,
			}
			if i == 0 {
				cell.IntervalMS = 0
			}
			open := cell
			open.Load, open.RateShare = results.OpenLoop, 0.7
			cells = append(cells, cell, open)
			if i > 0 {
				open.Kill = true
				cells = append(cells, open)
			}
		}
	}
	twin := cells[0]
	twin.Twin = true
	return append(cells, twin)
}

// Write makes a finished synthetic campaign in dir.
func Write(dir string, c Config) error {
	w, err := results.Create(dir, Manifest(c))
	if err != nil {
		return err
	}
	cells := Cells(c)
	for repetition := range c.Repetitions {
		for i, cell := range cells {
			if err := writeRepetition(w, c, i, cell, repetition, i == len(cells)-2 && c.WrongCell); err != nil {
				return err
			}
		}
	}
	return Finish(w)
}

// Finish judges and closes a campaign as a producer does.
func Finish(w *results.Writer) error {
	r, err := results.Read(w.Dir())
	if err != nil {
		return err
	}
	validity, err := r.Judge([]string{"throughput"})
	if err != nil {
		return err
	}
	end := time.Date(2026, 1, 2, 3, 24, 5, 0, time.UTC)
	if err := w.Amend(func(m *results.Manifest) { m.Validity, m.Finished = validity, &end }); err != nil {
		return err
	}
	return w.Close()
}

func writeRepetition(w *results.Writer, c Config, index int, cell results.Cell, repetition int, wrong bool) error {
	s := Sample(c, cell, repetition)
	if wrong {
		s.Output, s.OutputDigest, s.Metrics = results.OutputWrong, "0bad", nil
		s.Checkpoints, s.Timeline, s.Recovery = nil, nil, nil
		return w.Append(s)
	}
	if cell.Load == results.OpenLoop && !cell.Kill {
		for _, l := range []struct {
			kind     results.LatencyKind
			medianMS float64
		}{{results.Processing, 0.6}, {results.Visible, 520}} {
			h := Histogram(c.Seed+uint64(index), l.medianMS*shape(c, cell).latency, repetition)
			if err := w.AppendHistogram(cell, repetition, l.kind, h); err != nil {
				return fmt.Errorf("synthetic histogram: %w", err)
			}
		}
	}
	return w.Append(s)
}

// Histogram returns 20,000 latencies in nanoseconds around a median in
// milliseconds, with a tail.
func Histogram(seed uint64, medianMS float64, repetition int) *hdrhistogram.Histogram {
	rng := rand.New(rand.NewPCG(seed, uint64(repetition)))
	h := hdrhistogram.New(1, int64(time.Hour), 3)
	for range 20_000 {
		ms := medianMS * math.Exp(0.35*rng.NormFloat64())
		if rng.IntN(100) == 0 {
			ms *= 1 + 6*rng.ExpFloat64()
		}
		if err := h.RecordValue(int64(ms * 1e6)); err != nil {
			panic(err) // an hour holds every value above
		}
	}
	return h
}
