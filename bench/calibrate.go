package bench

import (
	"strconv"
	"time"

	"weir/results"
	"weir/workloads/keyedcount"
)

const calibrationSteps = 4 << 20

// Calibrate times a fixed loop of dependent arithmetic and memory accesses, in
// milliseconds: how fast this machine is just now, whatever it measures. The
// fastest of three passes counts, so that one interruption does not.
func Calibrate() float64 {
	table := make([]uint64, 1<<15)
	best := time.Hour
	for range 3 {
		began := time.Now()
		x := uint64(1)
		for range calibrationSteps {
			x ^= x >> 12
			x ^= x << 25
			x ^= x >> 27
			i := x * 0x2545f4914f6cdd1d >> 49
			table[i] += x
			x += table[(i*7)&(1<<15-1)]
			x |= 1
		}
		best = min(best, time.Since(began))
	}
	return float64(best.Nanoseconds()) / 1e6
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
