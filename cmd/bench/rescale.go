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
	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/live"
	"weir/scenario"
	"weir/state/storage"
	"weir/trace/cost"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// rescaleFlags are the flags of rescale.
type rescaleFlags struct {
	algorithm, state, workload, dir string
	settings                        []string
	from, to, rescales, splits      int
	interval, bound                 time.Duration
	rate                            int64
	lines                           bool
}

func newRescale() *cobra.Command {
	var f rescaleFlags
	command := &cobra.Command{
		Use:   "rescale",
		Short: "Rescale a live job up and down, and time how long it has no output",
		Long: `Run a job on real threads and a real disk, fill its state, and give it another parallelism and the first
one again, over and over, while records come at a rate. Of each change it is said how long the job took to stop with a
checkpoint, in which it goes on; and from the last record processed before the change: to the first behind it, at any
operator and at the sinks, and to the first record that nobody had read before.`,
		Example: `  bench rescale
  bench rescale --set keys=1000000 --set valueSize=100                      # 110 MB
  bench rescale --state pebble --set keys=1000000 --set valueSize=1000 --bound 3s     # 1 GB`,
		Args:          noArguments("none"),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, bytes, err := f.measure(cmd.Context())
			return f.report(cmd.OutOrStdout(), all, bytes, err)
		},
	}
	fl := command.Flags()
	fl.StringVar(&f.algorithm, "algorithm", "aligned", "algorithm with rounds")
	fl.StringVar(&f.state, "state", "heap", "state backend")
	fl.StringVar(&f.workload, "workload", comparedWorkload, "workload")
	fl.StringArrayVar(&f.settings, "set", nil, "setting of the workload, NAME=VALUE; instead of those it is measured with")
	fl.StringVar(&f.dir, "dir", "", "measure on the disk of this `directory`; if not given that of temporary files")
	fl.IntVar(&f.from, "from", 2, "parallelism at first")
	fl.IntVar(&f.to, "to", 4, "the other parallelism")
	fl.IntVar(&f.rescales, "rescales", 10, "how many, every other one back")
	fl.IntVar(&f.splits, "splits", 4, "of the source")
	fl.DurationVar(&f.interval, "interval", defaultInterval, "between checkpoints")
	fl.DurationVar(&f.bound, "bound", time.Second, "how many take no longer, from the last record before to the first behind, is said")
	fl.Int64Var(&f.rate, "rate", 20_000, "records per second, when the state is filled")
	fl.BoolVar(&f.lines, "json", false, "one JSON object per change, and one for all")
	command.SetFlagErrorFunc(usageError)
	return command
}

// rescaled is one change, in nanoseconds.
type rescaled struct {
	From              int   `json:"from"`
	To                int   `json:"to"`
	Stopping          int64 `json:"stopping_ns"`
	Starting          int64 `json:"starting_ns"`
	WithoutProcessing int64 `json:"without_processing_ns"`
	WithoutOutput     int64 `json:"without_output_ns"`
	CaughtUp          int64 `json:"caught_up_ns"`
}

// measure makes the changes of one job. bytes are those of its state before the first.
func (f *rescaleFlags) measure(ctx context.Context) (all []rescaled, bytes int64, err error) {
	if f.from < 1 || f.to < 1 || f.from == f.to || f.rescales < 1 || f.splits < 1 || f.interval <= 0 || f.bound <= 0 || f.rate < 1 {
		return nil, 0, fmt.Errorf("%w: from %d to %d, %d times, %d splits, an interval of %s, %d records per second: each must be above 0, and the parallelisms differ", errUsage, f.from, f.to, f.rescales, f.splits, f.interval, f.rate)
	}
	cfg, fill, err := f.job()
	if err != nil {
		return nil, 0, err
	}
	job, _, err := scenario.LiveJob(cfg)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errUsage, err)
	}
	if _, err := scenario.LiveRescaled(cfg, job, "", f.to); err != nil {
		return nil, 0, fmt.Errorf("%w: --to %d: %w", errUsage, f.to, err)
	}
	job.Config.Checkpoint.Interval = dataflow.Nanos(f.interval)
	dir, err := os.MkdirTemp(f.dir, "weir-rescale-")
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := storage.OpenDir(vfs.Default, dir+"/checkpoints", storage.DirConfig{})
	if err != nil {
		return nil, 0, err
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.Default, Dir: dir + "/sink"})
	if err != nil {
		return nil, 0, errors.Join(err, store.Close())
	}
	var log live.CheckpointLog
	pace := &filling{fill: fill / int64(f.splits), rate: live.Rate{PerSecond: f.rate}, full: make(chan struct{}), left: f.splits}
	j, err := live.Start(ctx, live.Config{
		Job: job, Storage: store, External: ext, FS: vfs.Default, Dir: dir + "/local", Checkpoints: &log, Pacer: pace, Workers: 2,
	})
	if err != nil {
		return nil, 0, errors.Join(err, ext.Close(), store.Close())
	}
	m := rescaleRun{f: f, cfg: cfg, j: j, log: &log}
	err = m.run(ctx, pace)
	_, stopped := j.Stop(ctx)
	return m.all, m.bytes, errors.Join(err, stopped, ext.Close(), store.Close())
}

// job returns the combination of one that does not end by itself, and the number of records that
// fill its state.
func (f *rescaleFlags) job() (cfg *scenario.Config, fill int64, err error) {
	spec, err := catalog.Lookup(f.algorithm)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errUsage, err)
	}
	w, err := workloadcatalog.New(f.workload)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errUsage, err)
	}
	settings := map[string]string{}
	if m, ok := w.(workloads.Measured); ok {
		settings = m.Measured()
	}
	for _, s := range f.settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, 0, fmt.Errorf("%w: --set %q: want NAME=VALUE", errUsage, s)
		}
		settings[name] = value
	}
	for name, value := range settings {
		if err := w.Set(name, value); err != nil {
			return nil, 0, fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	if err := w.SetEvents(1 << 30); err != nil {
		return nil, 0, err
	}
	if x, ok := w.(workloads.Sized); ok {
		fill = x.Size(0).Fill
	}
	return &scenario.Config{Algorithm: spec, State: f.state, Workload: w, Parallelism: f.from, Splits: f.splits}, fill, nil
}

// rescaleRun changes one job.
type rescaleRun struct {
	f     *rescaleFlags
	cfg   *scenario.Config
	j     *live.Job
	log   *live.CheckpointLog
	all   []rescaled
	bytes int64
}

// run makes all changes, each when the one before has caught up and so many checkpoints are complete.
func (m *rescaleRun) run(ctx context.Context, pace *filling) error {
	select {
	case <-pace.full:
	case <-m.j.Done():
	case <-ctx.Done():
	}
	from, to := m.f.from, m.f.to
	for range m.f.rescales {
		n := len(m.log.Completed())
		if err := m.until(ctx, func() (bool, error) { return len(m.log.Completed()) >= n+steady, nil }); err != nil {
			return err
		}
		if m.bytes == 0 {
			done := m.log.Completed()
			m.bytes = done[len(done)-1].Cost.Get(cost.State)
		}
		if err := m.change(ctx, from, to); err != nil {
			return err
		}
		from, to = to, from
	}
	return nil
}

// change makes one change, and waits until all that is measured of it is there.
func (m *rescaleRun) change(ctx context.Context, from, to int) error {
	_, err := m.j.Change(ctx, func(now *dataflow.Job) (*dataflow.Job, error) { return scenario.LiveRescaled(m.cfg, now, "", to) })
	if err != nil {
		return err
	}
	var c live.Change
	err = m.until(ctx, func() (bool, error) {
		all, err := m.j.Changes(ctx)
		if err != nil {
			return false, err
		}
		c = all[len(all)-1]
		return c.CaughtUp != 0 && c.Output.First != 0, nil
	})
	if err != nil {
		return err
	}
	m.all = append(m.all, rescaled{
		from, to, c.Stopped - c.Asked, c.Started - c.Stopped, int64(c.Processing.Length()), int64(c.Output.Length()), c.CaughtUp - c.Processing.Last,
	})
	return nil
}

// until asks now and then whether something is so.
func (m *rescaleRun) until(ctx context.Context, so func() (bool, error)) error {
	for {
		if ok, err := so(); ok || err != nil {
			return err
		}
		select {
		case <-m.j.Done():
			_, err := m.j.Wait()
			return fmt.Errorf("the job has ended: %w", err)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// rescaledAll is what came of all of them, one way: medians, in nanoseconds.
type rescaledAll struct {
	Summary           bool   `json:"summary"`
	Algorithm         string `json:"algorithm"`
	State             string `json:"state"`
	Workload          string `json:"workload"`
	Bytes             int64  `json:"state_bytes"`
	From              int    `json:"from"`
	To                int    `json:"to"`
	Rescales          int    `json:"rescales"`
	Stopping          int64  `json:"stopping_ns_p50"`
	Starting          int64  `json:"starting_ns_p50"`
	WithoutProcessing int64  `json:"without_processing_ns_p50"`
	WithoutOutput     int64  `json:"without_output_ns_p50"`
	CaughtUp          int64  `json:"caught_up_ns_p50"`
	Worst             int64  `json:"without_processing_ns_max"`
	Bound             int64  `json:"bound_ns"`
	Within            int    `json:"within_bound"`
}

// report writes what came of the changes, also if the job failed behind them.
func (f *rescaleFlags) report(out io.Writer, all []rescaled, bytes int64, err error) error {
	if len(all) == 0 {
		return err
	}
	return errors.Join(err, f.print(out, all, bytes))
}

// print writes a line for each, and one for all that went the same way.
func (f *rescaleFlags) print(out io.Writer, all []rescaled, bytes int64) error {
	var up, down []rescaled
	for _, x := range all {
		if x.To == f.to {
			up = append(up, x)
		} else {
			down = append(down, x)
		}
	}
	enc := json.NewEncoder(out)
	for i, x := range all {
		if f.lines {
			if err := enc.Encode(&x); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(out, "rescale %2d, %d -> %d: stopping %7.1f ms, in which it goes on, and starting %7.1f ms; from the last record before to the first behind %7.1f ms, at the sinks %7.1f ms, to the first new one %7.1f ms\n",
			i+1, x.From, x.To, millis(x.Stopping), millis(x.Starting), millis(x.WithoutProcessing), millis(x.WithoutOutput), millis(x.CaughtUp)); err != nil {
			return err
		}
	}
	for _, way := range [][]rescaled{up, down} {
		if len(way) == 0 {
			continue
		}
		s := f.sum(way, bytes)
		if f.lines {
			if err := enc.Encode(&s); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(out, "%s on %s, %s, %.1f MB of state, %d -> %d, %d times, medians: stopping %.1f ms; without processing %.1f ms (at most %.1f), without output %.1f ms, caught up after %.1f ms; %d of %d within %s\n",
			f.algorithm, f.state, f.workload, float64(bytes)/1e6, s.From, s.To, s.Rescales, millis(s.Stopping), millis(s.WithoutProcessing), millis(s.Worst), millis(s.WithoutOutput), millis(s.CaughtUp),
			s.Within, s.Rescales, time.Duration(s.Bound)); err != nil {
			return err
		}
	}
	return nil
}

func (f *rescaleFlags) sum(way []rescaled, bytes int64) rescaledAll {
	median := func(of func(*rescaled) int64) int64 {
		var all []int64
		for i := range way {
			all = append(all, of(&way[i]))
		}
		slices.Sort(all)
		return all[(len(all)-1)/2]
	}
	s := rescaledAll{
		Summary: true, Algorithm: f.algorithm, State: f.state, Workload: f.workload, Bytes: bytes, From: way[0].From, To: way[0].To, Rescales: len(way),
		Stopping:          median(func(x *rescaled) int64 { return x.Stopping }),
		Starting:          median(func(x *rescaled) int64 { return x.Starting }),
		WithoutProcessing: median(func(x *rescaled) int64 { return x.WithoutProcessing }),
		WithoutOutput:     median(func(x *rescaled) int64 { return x.WithoutOutput }),
		CaughtUp:          median(func(x *rescaled) int64 { return x.CaughtUp }),
		Bound:             int64(f.bound),
	}
	for i := range way {
		s.Worst = max(s.Worst, way[i].WithoutProcessing)
		if way[i].WithoutProcessing <= s.Bound {
			s.Within++
		}
	}
	return s
}

func millis(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }

// filling lets sources emit as fast as they can until the state is filled, and from there at a rate.
type filling struct {
	mu   sync.Mutex
	fill int64 // records of each split
	rate live.Rate
	full chan struct{} // closed when all splits have had them
	seen []bool        // splits that have
	left int           // that have not
}

// Allow implements live.Pacer.
func (p *filling) Allow(s *dataflow.TaskInfo, split int, o id.Offset, now int64) (n int, next int64) {
	if int64(o) < p.fill {
		return int(p.fill - int64(o)), 0
	}
	p.mu.Lock()
	if p.seen == nil {
		p.seen = make([]bool, s.Splits)
	}
	if !p.seen[split] {
		p.seen[split] = true
		if p.left--; p.left == 0 {
			p.rate.Start = now
			close(p.full)
		}
	}
	rate, begun := p.rate, p.left == 0
	p.mu.Unlock()
	if !begun {
		return 0, now + int64(time.Millisecond)
	}
	return rate.Allow(s, split, o-id.Offset(p.fill), now)
}
