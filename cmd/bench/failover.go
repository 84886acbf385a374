package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/cobra"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/algorithms/lease"
	"weir/dataflow"
	"weir/external"
	"weir/live"
	"weir/scenario"
	"weir/state/storage"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// failoverFlags are the flags of failover.
type failoverFlags struct {
	algorithm, state, workload, dir string
	failovers                       int
	interval, lease, renew, drift   time.Duration
	rate                            int64
	lines                           bool
}

func newFailover() *cobra.Command {
	var f failoverFlags
	command := &cobra.Command{
		Use:   "failover",
		Short: "Kill the coordinator of a live job over and over, and time how soon a standby completes a checkpoint",
		Long: `Run a job with two coordinator processes on real threads and a real disk, kill the one that leads over
and over, and say of each failover: when the lease of the killed one ended (by its own clock: its
duration less the drift, from when it asked for it), how long after that a standby led, and how long after
that the first checkpoint completed, also in intervals.

The processes are two parties in one program, with a lease client each, over one directory of checkpoints; tasks live on
until the plan of the new coordinator.`,
		Example: `  bench failover
  bench failover --failovers 50 --interval 1s --json`,
		Args:          noArguments("none"),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := f.measure(cmd.Context())
			return f.report(cmd.OutOrStdout(), all, err)
		},
	}
	fl := command.Flags()
	fl.StringVar(&f.algorithm, "algorithm", "aligned", "algorithm with rounds")
	fl.StringVar(&f.state, "state", "heap", "state backend")
	fl.StringVar(&f.workload, "workload", comparedWorkload, "workload")
	fl.StringVar(&f.dir, "dir", "", "measure on the disk of this `directory`; if not given that of temporary files")
	fl.IntVar(&f.failovers, "failovers", 24, "how many")
	fl.DurationVar(&f.interval, "interval", defaultInterval, "between checkpoints")
	fl.DurationVar(&f.lease, "lease", time.Second, "for how long a lease is good")
	fl.DurationVar(&f.renew, "renew", 100*time.Millisecond, "from one renewal to the next, and from one look of a standby to the next")
	fl.DurationVar(&f.drift, "drift", 20*time.Millisecond, "by how much clocks may differ over a lease")
	fl.Int64Var(&f.rate, "rate", 20_000, "records per second")
	fl.BoolVar(&f.lines, "json", false, "one JSON object per failover, and one for all")
	command.SetFlagErrorFunc(usageError)
	return command
}

// failover is one, in nanoseconds from the end of the lease; Killed is before it.
type failover struct {
	Killed     int64   `json:"killed_ns"`
	Led        int64   `json:"led_ns"`
	Checkpoint int64   `json:"checkpoint_ns"`
	Intervals  float64 `json:"intervals"`
	Restarted  int     `json:"tasks_restarted"`
}

// measure makes the failovers of one job.
func (f *failoverFlags) measure(ctx context.Context) (all []failover, err error) {
	terms := lease.Config{Duration: dataflow.Nanos(f.lease), Renew: dataflow.Nanos(f.renew), Drift: dataflow.Nanos(f.drift)}
	switch err := terms.Validate(); {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	case f.failovers < 1 || f.interval <= 0 || f.rate < 1:
		return nil, fmt.Errorf("%w: %d failovers, an interval of %s, %d records per second: each must be above 0", errUsage, f.failovers, f.interval, f.rate)
	}
	dir, err := os.MkdirTemp(f.dir, "weir-failover-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	job, err := f.job()
	if err != nil {
		return nil, err
	}
	store, err := storage.OpenDir(vfs.Default, dir+"/checkpoints", storage.DirConfig{})
	if err != nil {
		return nil, err
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.Default, Dir: dir + "/sink"})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	w := newWatch(terms)
	j, err := live.Start(ctx, live.Config{
		Job: job, Storage: store, External: ext, FS: vfs.Default, Dir: dir + "/local", Observer: w, Pacer: &live.Rate{PerSecond: f.rate}, Workers: 2,
		Coordinators: 2, Candidate: func(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate {
			return lease.NewParty(h, terms, job.Name, nonce, "")
		},
	})
	if err != nil {
		return nil, errors.Join(err, ext.Close(), store.Close())
	}
	all, err = f.strike(ctx, j, w)
	_, stopped := j.Stop(ctx)
	return all, errors.Join(err, stopped, ext.Close(), store.Close())
}

// job returns one that does not end by itself.
func (f *failoverFlags) job() (*dataflow.Job, error) {
	spec, err := catalog.Lookup(f.algorithm)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if p := spec.Properties(); !p.HasRounds() {
		return nil, fmt.Errorf("%w: --algorithm %s has no rounds, whose completion is what is timed", errUsage, f.algorithm)
	}
	w, err := workloadcatalog.New(f.workload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := w.SetEvents(1 << 30); err != nil {
		return nil, err
	}
	job, _, err := scenario.LiveJob(&scenario.Config{Algorithm: spec, State: f.state, Workload: w, Parallelism: 2})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	job.Config.Checkpoint.Interval = dataflow.Nanos(f.interval)
	return job, nil
}

// steady is how many checkpoints a leader completes before it is killed.
const steady = 2

// strike kills one leader after the other.
func (f *failoverFlags) strike(ctx context.Context, j *live.Job, w *watch) (all []failover, err error) {
	for len(all) < f.failovers {
		if err := w.await(ctx, j, func() bool { return w.led && w.completed >= steady }); err != nil {
			return all, err
		}
		killed := w.expect(j.Now())
		if err := j.KillCoordinator(); err != nil {
			w.forget()
			continue // it has lost its lease by itself, just now
		}
		if err := w.await(ctx, j, func() bool { return w.checkpoint > 0 }); err != nil {
			return all, err
		}
		end, led, checkpoint, restarted := w.times()
		all = append(all, failover{killed - end, led - end, checkpoint - end, float64(checkpoint-end) / float64(f.interval), restarted})
	}
	return all, nil
}

// watch follows who leads, from the events of a job. Times are those of its clock.
type watch struct {
	mu         sync.Mutex
	changed    *sync.Cond
	terms      lease.Config
	asked      map[string]int64 // leases by key: when they were asked for
	end        int64            // of the newest lease that the killed leader has got
	killed     int64            // 0: none is
	led        bool             // somebody does
	since      int64            // when it began to
	completed  int              // checkpoints of the one that leads
	checkpoint int64            // the first one behind the end of the lease
	restarted  int              // tasks, until then
}

func newWatch(terms lease.Config) *watch {
	w := &watch{terms: terms, asked: map[string]int64{}}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// Wants is what tells it.
func (w *watch) Wants() trace.Mask {
	return trace.Mask(0).With(trace.StoreIssued, trace.StoreApplied, trace.CoordinatorStarted, trace.CoordinatorCrashed, trace.Completed, trace.TaskStarting)
}

// Observe takes an event.
func (w *watch) Observe(e *trace.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	claim := e.Op == trace.Create && strings.HasPrefix(e.Key, coordinator.LeasePrefix)
	switch e.Kind {
	case trace.StoreIssued:
		if claim {
			w.asked[e.Key] = e.Time
		}
	case trace.StoreApplied:
		if at := w.asked[e.Key]; claim && (w.killed == 0 || at <= w.killed) {
			w.end = at + int64(w.terms.Duration-w.terms.Drift)
		}
	case trace.CoordinatorCrashed:
		w.led = false
	case trace.CoordinatorStarted:
		w.led, w.since, w.completed = true, e.Time, 0
	case trace.TaskStarting:
		if w.checkpoint == 0 {
			w.restarted++
		}
	case trace.Completed:
		w.completed++
		if w.killed > 0 && w.checkpoint == 0 && w.led && w.since > w.killed {
			w.checkpoint = e.Time
		}
	default: // not asked for
	}
	w.changed.Broadcast()
}

// expect notes that the leader is about to be killed.
func (w *watch) expect(now int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killed, w.checkpoint, w.restarted = now, 0, 0
	return now
}

func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killed = 0
}

// times returns those of the failover that is over.
func (w *watch) times() (end, led, checkpoint int64, restarted int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	end, led, checkpoint, restarted = w.end, w.since, w.checkpoint, w.restarted
	w.killed, w.completed = 0, 0
	return end, led, checkpoint, restarted
}

// await returns when something is so, or an error if the job ends before.
func (w *watch) await(ctx context.Context, j *live.Job, so func() bool) error {
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-j.Done():
		case <-ctx.Done():
		case <-ended:
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !so() {
		select {
		case <-j.Done():
			_, err := j.Wait()
			return fmt.Errorf("the job has ended: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		w.changed.Wait()
	}
	return nil
}

// boundIntervals is what a failover may take, from the end of the lease to the next checkpoint.
const boundIntervals = 2

// failovers is what came of all of them.
type failovers struct {
	Summary   bool    `json:"summary"`
	Algorithm string  `json:"algorithm"`
	State     string  `json:"state"`
	Workload  string  `json:"workload"`
	Failovers int     `json:"failovers"`
	Interval  int64   `json:"interval_ns"`
	Lease     int64   `json:"lease_ns"`
	Renew     int64   `json:"renew_ns"`
	Drift     int64   `json:"drift_ns"`
	Min       float64 `json:"intervals_min"`
	P50       float64 `json:"intervals_p50"`
	P90       float64 `json:"intervals_p90"`
	Max       float64 `json:"intervals_max"`
	Within    int     `json:"within_2_intervals"`
	Restarted int     `json:"tasks_restarted"` // in all of them
}

// report writes what came of the failovers, also if the job failed behind them.
func (f *failoverFlags) report(out io.Writer, all []failover, err error) error {
	if len(all) == 0 {
		return err
	}
	return errors.Join(err, f.print(out, all))
}

// print writes a line for each, and one for all.
func (f *failoverFlags) print(out io.Writer, all []failover) error {
	var in []float64
	within, restarted := 0, 0
	for _, x := range all {
		restarted += x.Restarted
		if in = append(in, x.Intervals); x.Intervals <= boundIntervals {
			within++
		}
	}
	slices.Sort(in)
	at := func(percent int) float64 { return in[(len(in)-1)*percent/100] }
	sum := failovers{
		true, f.algorithm, f.state, f.workload, len(all), int64(f.interval), int64(f.lease), int64(f.renew), int64(f.drift),
		at(0), at(50), at(90), at(100), within, restarted,
	}
	if f.lines {
		enc := json.NewEncoder(out)
		for i := range all {
			if err := enc.Encode(&all[i]); err != nil {
				return err
			}
		}
		return enc.Encode(&sum)
	}
	const ms = float64(time.Millisecond)
	for i, x := range all {
		if _, err := fmt.Fprintf(out, "failover %2d: killed %6.1f ms before the lease ended; after it a standby led within %6.1f ms, and a checkpoint completed within %6.1f ms: %.2f intervals\n",
			i+1, -float64(x.Killed)/ms, float64(x.Led)/ms, float64(x.Checkpoint)/ms, x.Intervals); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%s on %s, %s, an interval of %s, a lease of %s (renewed every %s, drift %s): from the end of the lease to the next checkpoint\n"+
		"  %.2f intervals at the median, %.2f at p90, %.2f to %.2f; %d of %d within %d; %d tasks restarted\n",
		f.algorithm, f.state, f.workload, f.interval, f.lease, f.renew, f.drift, sum.P50, sum.P90, sum.Min, sum.Max, within, len(all), boundIntervals, restarted)
	return err
}
