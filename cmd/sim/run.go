package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/mutants"
	"weir/trace"
)

// runFlags are the flags of run beside those of choice.
type runFlags struct {
	choice
	seed     uint64
	plan     string
	noFaults bool
	crash    int
	victim   string
	canary   string
	driver   string
	reorder  bool
	trace    bool
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := quiet(&cobra.Command{
		Use:   "run",
		Short: "Run one experiment and judge it",
		Example: `  go run ./cmd/sim run --algorithm unaligned --state pebble --workload nexmark-q5 --seed 7 --json
  go run ./cmd/sim run --crash 40 --victim coordinator       # at the 40th protocol or storage event
  go run ./cmd/sim run --faults '(plan (crash worker=1 at (nth 7 barrier-received)))' --trace
  go run ./cmd/sim run --driver live --algorithm aligned --workload nexmark-q8`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.config()
			if err != nil {
				return err
			}
			if f.driver == "live" {
				return runLive(cmd, &f, cfg)
			}
			return f.run(cmd, cfg)
		},
	})
	fl := cmd.Flags()
	f.flags(fl, "aligned", "heap", "keyedcount")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of every decision")
	fl.StringVar(&f.plan, "faults", "", "fault plan instead of drawn faults, for example '(plan (crash worker=1 at (nth 7 barrier-received)))'")
	fl.BoolVar(&f.noFaults, "no-faults", false, "a calm run")
	fl.IntVar(&f.crash, "crash", 0, "crash at the K-th protocol, storage or sink event instead of drawn faults")
	fl.StringVar(&f.victim, "victim", "worker=0", "who crashes with --crash: worker=N or coordinator")
	fl.StringVar(&f.canary, "canary", "none", "switch a deliberate mistake on; sim list names them")
	fl.BoolVar(&f.reorder, "reorder", false, "channels deliver what is sent in any order; for algorithms that can do with it")
	fl.StringVar(&f.driver, "driver", "sim", "sim, or live: real threads, clock and disk, with a crash unless --no-faults")
	fl.BoolVar(&f.trace, "trace", false, "print the protocol's events to stderr")
	return cmd
}

// config returns the one scenario that the flags describe.
func (f *runFlags) config() (scenario.Config, error) {
	var none scenario.Config
	all, err := f.combinations(false)
	if err != nil {
		return none, err
	}
	if len(all) != 1 {
		return none, fmt.Errorf("%w: run takes one algorithm, state and workload; use sweep for lists", errUsage)
	}
	cfg := all[0]
	cfg.Reorder = f.reorder
	if f.driver != "sim" && f.driver != "live" {
		return none, fmt.Errorf("%w: unknown driver %q; known: sim, live", errUsage, f.driver)
	}
	if cfg.Mutant, err = mutant(f.canary); err != nil {
		return none, fmt.Errorf("%w: %w", errUsage, err)
	}
	switch {
	case f.plan != "":
		cfg.Faults = scenario.PlannedFaults
		if cfg.Plan, err = faults.Parse(f.plan); err != nil {
			return none, fmt.Errorf("%w: --faults: %w", errUsage, err)
		}
	case f.crash < 0:
		return none, fmt.Errorf("%w: --crash %d; events count from 1", errUsage, f.crash)
	case f.crash > 0:
		cfg.Faults, cfg.Crash = scenario.CrashSweep, f.crash
		if cfg.Victim, err = victim(f.victim); err != nil {
			return none, err
		}
	case f.noFaults:
		cfg.Faults = scenario.NoFaults
	}
	return cfg, nil
}

func victim(s string) (faults.Fault, error) {
	if s == "coordinator" {
		return faults.Fault{Kind: faults.Crash, Target: faults.Coordinator}, nil
	}
	if n, ok := strings.CutPrefix(s, "worker="); ok {
		if w, err := strconv.Atoi(n); err == nil && w >= 0 {
			return faults.Fault{Kind: faults.Crash, Target: faults.Worker, Worker: w}, nil
		}
	}
	return faults.Fault{}, fmt.Errorf("%w: --victim %q: want worker=N or coordinator", errUsage, s)
}

// summary is the last line of run.
type summary struct {
	Algorithm    string `json:"algorithm"`
	State        string `json:"state"`
	Workload     string `json:"workload"`
	Seed         uint64 `json:"seed"`
	Verdict      string `json:"verdict"`
	Why          string `json:"why,omitempty"`
	Hash         string `json:"hash,omitempty"` // with the live driver nothing is hashed
	OutputDigest string `json:"output_digest"`
	Events       *int64 `json:"events,omitempty"` // nil, as below: not measured by the live driver
	Checkpoints  int    `json:"checkpoints_completed"`
	Crashes      int    `json:"crashes"`
	Coordinator  int    `json:"coordinator_crashes"`
	Recoveries   int    `json:"recoveries_from_snapshot"`
	LostWork     *int64 `json:"lost_work_records,omitempty"`
	Duplicates   *int   `json:"duplicates_seen,omitempty"`
	Losses       *int   `json:"losses_seen,omitempty"`
	VirtualNanos int64  `json:"virtual_ns,omitempty"`
	WallNanos    int64  `json:"wall_ns,omitempty"`
	Faults       string `json:"faults"`
}

func (f *runFlags) run(cmd *cobra.Command, cfg scenario.Config) error {
	r, err := scenario.New(cfg)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer r.Close()
	if f.trace {
		r.Observers = []trace.Observer{printer{cmd.ErrOrStderr()}}
	}
	o := r.Run(f.seed)
	s := summary{
		Algorithm: cfg.Algorithm.Name, State: cfg.State, Workload: cfg.Workload.Name(), Seed: f.seed,
		Verdict: o.Kind.String(), Why: o.Why(), Hash: fmt.Sprintf("%016x", o.Result.Hash), OutputDigest: o.Digest(),
		Events: &o.Result.Events, Checkpoints: o.Checkpoints(), Crashes: o.Result.Crashes, Coordinator: o.Result.CoordinatorCrashes,
		Recoveries: o.Report.Recoveries, LostWork: &o.Report.LostWork, Duplicates: &o.Report.Duplicates, Losses: &o.Report.Losses,
		VirtualNanos: o.Result.Virtual, Faults: o.Plan.String(),
	}
	if err := s.print(cmd, f.json); err != nil {
		return err
	}
	if o.Kind == scenario.Fine {
		return nil
	}
	for _, v := range o.Report.Violations {
		cmd.PrintErrln(v)
	}
	if o.Result.Stack != "" {
		cmd.PrintErrln(o.Result.Stack)
	}
	return &verdict{o.Kind, fmt.Sprintf("%s: %s\nreplay: %s", o.Kind, o.Why(), cfg.Command(f.seed))}
}

func (s *summary) print(cmd *cobra.Command, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return json.NewEncoder(out).Encode(s)
	}
	_, err := fmt.Fprintf(out, "%s on %s, %s, seed %d: %s\n  %d checkpoints, %d crashes of workers, %d of the coordinator, %d recoveries from a snapshot; faults: %s\n",
		s.Algorithm, s.State, s.Workload, s.Seed, s.Verdict, s.Checkpoints, s.Crashes, s.Coordinator, s.Recoveries, s.Faults)
	if s.Events != nil && err == nil {
		_, err = fmt.Fprintf(out, "  %d records done again, %d counted twice, %d lost; %d events, %.3f ms of virtual time, hash %s\n",
			*s.LostWork, *s.Duplicates, *s.Losses, *s.Events, float64(s.VirtualNanos)/1e6, s.Hash)
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "  output %s\n", s.OutputDigest)
	}
	return err
}

// printer prints the events of the protocol, of storage and of faults.
type printer struct{ w io.Writer }

func (p printer) Wants() trace.Mask {
	return trace.Everything &^ trace.Mask(0).With(trace.Emitted, trace.Sealed, trace.Delivered, trace.PositionIn, trace.PositionOut)
}

func (p printer) Observe(e *trace.Event) { _, _ = fmt.Fprintln(p.w, check.Describe(e)) }

// mutant returns the deliberate mistake called name; "none" is none.
func mutant(name string) (dataflow.Mutant, error) {
	if name == "none" {
		return "", nil
	}
	m, err := mutants.Lookup(name)
	return m.Mutant, err
}
