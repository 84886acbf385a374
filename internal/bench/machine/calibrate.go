package machine

import (
	"runtime"
	"time"

	"weir/results/stat"
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

// SpeedProbe runs a little of the calibration loop now and then while a job is
// measured, and takes its CPU time. Where two processors turn out to be one
// core, or somebody outside takes part of it, which a virtual machine sees in no
// other way, the loop takes longer, and so does the job.
type SpeedProbe struct {
	words []uint64
	last  time.Time
	Times []float64 // ms of the whole loop
}

// NewSpeedProbe returns a probe that has not looked yet.
func NewSpeedProbe() *SpeedProbe { return &SpeedProbe{words: make([]uint64, calibrationWords)} }

// Look runs the loop if it is time.
func (p *SpeedProbe) Look() {
	if time.Since(p.last) < probeEvery {
		return
	}
	p.last = time.Now()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	calibrationLoop(p.words, 1) // the cache
	began := ThreadTime()
	calibrationLoop(p.words, probeRounds)
	if d := ThreadTime() - began; began > 0 && d > 0 {
		p.Times = append(p.Times, float64(d)/1e6*calibrationRounds/probeRounds)
	}
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
