package bench

import (
	"runtime"
	"strconv"
	"sync"
	"time"

	"weir/results"
	"weir/results/stat"
	"weir/workloads/keyedcount"
)

// Calibration is how fast the machine is just now, whatever it measures: the
// time of a fixed loop in milliseconds, alone on one processor, and on all of
// them at once. The loop keeps the arithmetic units of a processor busy from its
// first-level cache. Where All is longer than Alone, processors share
// one core, or somebody outside takes part of them: a virtual machine sees that
// in no other way.
type Calibration struct{ Alone, All float64 }

// Sizes of the loop: words of 8 bytes, and rounds over them.
const (
	calibrationWords  = 2048
	calibrationRounds = 6000
	calibrationPasses = 9
)

// Calibrate times the loop: the median of some passes.
func Calibrate() Calibration {
	var alone, all []float64
	for range calibrationPasses {
		alone = append(alone, calibrationPass(1))
		all = append(all, calibrationPass(runtime.NumCPU()))
	}
	return Calibration{stat.Median(alone), stat.Median(all)}
}

// worse returns the longer times of two calibrations.
func (c Calibration) worse(o Calibration) Calibration {
	return Calibration{max(c.Alone, o.Alone), max(c.All, o.All)}
}

// calibrationPass runs the loop so many times at once.
func calibrationPass(n int) float64 {
	var wait sync.WaitGroup
	began := time.Now()
	for range n {
		wait.Go(calibrationLoop)
	}
	wait.Wait()
	return float64(time.Since(began).Nanoseconds()) / 1e6
}

func calibrationLoop() {
	a := make([]uint64, calibrationWords)
	var s0, s1, s2, s3, s4, s5 uint64
	for range calibrationRounds {
		for i := 0; i+8 <= len(a); i += 8 {
			s0 += a[i] * 3
			s1 ^= a[i+1]
			s2 += a[i+2] * 5
			s3 ^= a[i+3]
			s4 += a[i+4] * 7
			s5 ^= a[i+5] + a[i+6]*9
			a[i+7] += s0
		}
	}
	runtime.KeepAlive(s0 + s1 + s2 + s3 + s4 + s5)
}

// keysOf returns the number of keys of a cell's workload; 0 if it has none.
func keysOf(c *results.Cell) int64 { return setting(c.Settings, "keys", keyedcount.Defaults().Keys) }

func setting(settings map[string]string, name string, standard int64) int64 {
	if n, err := strconv.ParseInt(settings[name], 10, 64); err == nil {
		return n
	}
	return standard
}

// stateBytes is about how large the logical state of a run gets.
func stateBytes(s *JobSpec) int64 {
	return setting(s.Settings, "keys", keyedcount.Defaults().Keys) * (setting(s.Settings, "valueSize", keyedcount.Defaults().ValueSize) + 16)
}
