package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/dataflow"
	"weir/internal/bench/job"
	"weir/internal/bench/machine"
	"weir/results"
	"weir/results/stat"
)

// Repetition is one measurement of one cell.
type Repetition struct {
	Cell   results.Cell
	Block  int
	Number int
	Rate   int64 // of an open loop, records per second
	Seed   uint64
	// Dir is the directory for the job's data; the run gets one of its own in it.
	Dir       string
	Events    int64
	Warm      time.Duration
	Measure   time.Duration
	Tuning    job.Tuning
	Given     dataflow.Given // settings of the coordinator, of which the algorithm takes what it reads
	DiskBytes int64
	Mutant    string
	// Profile is a file for a CPU profile of the job's process; empty: none.
	Profile string
	// Reference are settings of the reference answer alone, to make it wrong.
	Reference map[string]string
	// GoOn goes on from what an earlier run has left in the directory.
	GoOn bool
	// Watch is called every few milliseconds while a job runs; nil: nobody looks.
	Watch func(*job.Counters)
}

// Outcome is what came of a repetition.
type Outcome struct {
	Sample              results.Sample
	Processing, Visible *hdrhistogram.Histogram // nil: not measured
	Why                 error                   // of an output that is wrong
	// Unsteady: warming up came to its limit before throughput was steady.
	Unsteady bool
}

// ErrNoProgress is the error of a job that did not come to its end in time.
var ErrNoProgress = errors.New("no progress")

// Run measures. On an interrupt the job is stopped well, its directory stays,
// and the error is job.ErrInterrupted.
func (r *Repetition) Run(ctx context.Context) (*Outcome, error) {
	m, err := r.prepare()
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.counters.Close() }()
	calibration := machine.Calibrate()
	if err := m.first(ctx); err != nil {
		return nil, r.explain(err)
	}
	if r.Cell.Kill {
		if err := m.second(ctx); err != nil {
			return nil, r.explain(err)
		}
	}
	o, err := m.judge()
	if err != nil {
		return nil, r.explain(err)
	}
	o.Sample.CalibrationMS = calibration
	return o, os.RemoveAll(m.spec.Dir)
}

func (r *Repetition) explain(err error) error {
	return fmt.Errorf("%s, repetition %d: %w", r.Cell.Key(), r.Number, err)
}

// measurement is a repetition under way.
type measurement struct {
	r         *Repetition
	spec      job.Spec
	algorithm job.Algorithm
	counters  *job.Counters
	rng       *rand.Rand
	speed     *machine.SpeedProbe
	lags      []float64 // records due and not taken, of about the last second
	// Of a run that is killed: times since the epoch, and records.
	began, killed, restarted int64
	lost                     int64
}

// RunDir is the directory of a repetition's run below its Dir.
func (r *Repetition) RunDir() string { return filepath.Join(r.Dir, "run") }

func (r *Repetition) prepare() (*measurement, error) {
	dir := r.RunDir()
	var old error
	if !r.GoOn {
		old = os.RemoveAll(dir)
	}
	if err := errors.Join(old, os.MkdirAll(dir, 0o755)); err != nil {
		return nil, fmt.Errorf("directory of the run: %w; name a writable one with --dir", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	m := &measurement{r: r, speed: machine.NewSpeedProbe(), rng: rand.New(rand.NewPCG(r.Seed, 0x6b696c6c))}
	m.spec = r.spec(dir)
	if m.algorithm, err = m.spec.Lookup(); err != nil {
		return nil, err
	}
	m.counters, err = job.OpenCounters(dir)
	return m, err
}

// spec returns what the first process is told.
func (r *Repetition) spec(dir string) job.Spec {
	c := &r.Cell
	s := job.Spec{
		Algorithm: c.Algorithm, State: c.State, Workload: c.Workload, Sink: c.Sink, Settings: c.Settings, Parallelism: c.Parallelism, Splits: c.Splits,
		Interval: time.Duration(c.IntervalMS * 1e6), Tuning: r.Tuning, Seed: r.Seed, Dir: dir, Epoch: time.Now().UnixNano(),
		Events: r.Events, Rate: r.Rate, Warm: r.Warm, Measure: r.Measure, DiskBytes: r.DiskBytes, Mutant: r.Mutant, Profile: r.Profile,
	}
	if a, err := s.Lookup(); err == nil {
		s.Given = a.Reads(r.Given)
	}
	if s.Timed() {
		s.Fill = guessOf(c).size(0).Fill
	}
	if c.Kill {
		s.Measure = forever
		if !s.Timed() {
			s.Hold = max(s.Events*9/10/int64(s.NumSplits()), 1)
		}
	}
	return s
}

const forever = 24 * time.Hour

// patience is how long a process may take, beyond what it was told to take.
const patience = 90 * time.Second

func (m *measurement) deadline() time.Duration {
	d := patience + m.r.Warm + m.r.Measure + 2*time.Duration(m.r.Cell.IntervalMS*1e6)
	return d + time.Duration(m.spec.Fill/50_000)*time.Second + time.Duration(m.spec.Events/20_000)*time.Second
}

const poll = 2 * time.Millisecond

// first runs the first process: to its end, or to the moment at which it is killed.
func (m *measurement) first(ctx context.Context) error {
	p, err := job.Start(&m.spec)
	if err != nil {
		return err
	}
	if !m.r.Cell.Kill {
		return m.await(ctx, p, func() bool { return false })
	}
	when := m.moment()
	if err := m.await(ctx, p, when); err != nil {
		return err
	}
	select {
	case <-p.Done():
		return errors.Join(errors.New("the job ended before it could be killed: give it more records"), p.Failure())
	default:
	}
	m.noteKill()
	p.Kill()
	m.counters.NoteKill(m.spec.NumSplits())
	return nil
}

// moment returns a condition that comes true at a random moment: anywhere in an
// interval that begins when the job is far enough. A timed run is when it
// measures, a finite one somewhere in its middle; with snapshots, at least one
// checkpoint must be there.
func (m *measurement) moment() func() bool {
	wait := int64(m.rng.Float64() * float64(max(m.spec.Interval, 10*time.Millisecond)))
	progress := int64((0.2 + 0.5*m.rng.Float64()) * float64(m.spec.Events))
	snapshots, since := m.snapshots(), int64(0)
	return func() bool {
		n, _ := m.counters.Emitted(m.spec.NumSplits())
		switch {
		case snapshots && m.counters.Get(job.CounterDurable) == 0, !m.spec.Timed() && n < progress, m.spec.Timed() && m.counters.Get(job.CounterBegan) == 0:
			return false
		case since == 0:
			since = m.spec.Clock()
		}
		return m.spec.Clock() >= since+wait
	}
}

func (m *measurement) snapshots() bool { return m.algorithm.TakesSnapshots() }

// noteKill records when the job is killed, right before it is: a process of
// much memory takes its time to die. The lag is the level before the kill.
func (m *measurement) noteKill() {
	c := m.counters
	c.Set(job.CounterLag, m.level())
	c.Set(job.CounterNew, 0)
	m.began, m.killed = c.Get(job.CounterBegan), m.spec.Clock()
}

// lagsKept is about a second of looks at the backlog.
const lagsKept = int(time.Second / poll)

// noteLag keeps the backlog for level.
func (m *measurement) noteLag() {
	if m.spec.Rate == 0 || m.counters.Phase() != job.Measuring {
		return
	}
	if len(m.lags) == lagsKept {
		m.lags = m.lags[1:]
	}
	m.lags = append(m.lags, float64(m.spec.Backlog(m.counters)))
}

// level is the median backlog of the last second, in records.
func (m *measurement) level() int64 {
	if len(m.lags) == 0 {
		return 0
	}
	return int64(stat.Median(m.lags))
}

// mostRecovery is how long a recovery may take, catching up included, before it
// is given up.
const mostRecovery = 20 * time.Second

// second starts the job again from what is on disk and lets it end.
func (m *measurement) second(ctx context.Context) error {
	s := m.spec
	s.Killed, s.Hold, s.Measure = true, 0, mostRecovery
	m.restarted = m.spec.Clock()
	p, err := job.Start(&s)
	if err != nil {
		return err
	}
	if err := m.await(ctx, p, func() bool { return false }); err != nil {
		return fmt.Errorf("after the kill: %w", err)
	}
	m.lost = m.counters.Lost(m.spec.NumSplits())
	return nil
}

// await waits until the process has ended, or a condition is true.
func (m *measurement) await(ctx context.Context, p *job.Process, until func() bool) error {
	t := time.NewTicker(poll)
	defer t.Stop()
	deadline := time.NewTimer(m.deadline())
	defer deadline.Stop()
	for {
		select {
		case <-p.Done():
			return p.Failure()
		case <-ctx.Done():
			p.Interrupt()
			return fmt.Errorf("%w; %s holds the job's newest checkpoint", job.ErrInterrupted, m.spec.Dir)
		case <-deadline.C:
			phase := m.counters.Phase()
			p.Kill()
			return fmt.Errorf("%w: the job was still %s after %s and was killed; see %s", ErrNoProgress, phase, m.deadline().Round(time.Second), m.spec.Dir)
		case <-t.C:
			if m.counters.Phase() == job.Measuring {
				m.speed.Look()
			}
			m.noteLag()
			if m.r.Watch != nil {
				m.r.Watch(m.counters)
			}
			if until() {
				return nil
			}
		}
	}
}
