package bench

import (
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"weir/results"
	"weir/results/stat"
	"weir/workloads/keyedcount"
)

// The calibration loop keeps the arithmetic units of a processor busy from its
// first-level cache. Words of 8 bytes, and rounds over them.
const (
	calibrationWords  = 2048
	calibrationRounds = 6000
	calibrationPasses = 9
	// probeRounds are run at a time beside a job, every probeEvery: a quarter of
	// a per cent of one processor.
	probeRounds = 100
	probeEvery  = 20 * time.Millisecond
)

// Calibrate times the loop on this processor alone, in milliseconds: how fast
// the machine is just now, whatever it measures. The median of some passes.
func Calibrate() float64 {
	a := make([]uint64, calibrationWords)
	var passes []float64
	for range calibrationPasses {
		began := time.Now()
		calibrationLoop(a, calibrationRounds)
		passes = append(passes, float64(time.Since(began).Nanoseconds())/1e6)
	}
	return stat.Median(passes)
}

// speedProbe runs a little of the calibration loop now and then while a job is
// measured, and takes its CPU time. Where two processors turn out to be one
// core, or somebody outside takes part of it, which a virtual machine sees in no
// other way, the loop takes longer, and so does the job.
type speedProbe struct {
	words []uint64
	last  time.Time
	times []float64 // ms of the whole loop
}

func newSpeedProbe() *speedProbe { return &speedProbe{words: make([]uint64, calibrationWords)} }

// look runs the loop if it is time.
func (p *speedProbe) look() {
	if time.Since(p.last) < probeEvery {
		return
	}
	p.last = time.Now()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	calibrationLoop(p.words, 1) // the cache
	began := threadTime()
	calibrationLoop(p.words, probeRounds)
	if d := threadTime() - began; began > 0 && d > 0 {
		p.times = append(p.times, float64(d)/1e6*calibrationRounds/probeRounds)
	}
}

// threadTime returns the CPU time of this thread in nanoseconds; 0 if the system
// does not say.
func threadTime() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return t.Nano()
}

func calibrationLoop(a []uint64, rounds int) {
	var s0, s1, s2, s3, s4, s5 uint64
	for range rounds {
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
