package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/settings"
	"weir/trace"
)

// runFlags are the flags of run beside those of choice.
type runFlags struct {
	choice
	strike
	origin
	seed      uint64
	calm      bool
	crash     int
	victim    string
	driver    string
	reorder   bool
	trace     bool
	save      string
	storage   string
	listen    string
	stop      bool
	stopSaved bool // the same, with a savepoint
	rescaleTo []string
	printed   bool // the settings that were in effect, beside the summary
	force     bool
}

// defaultSeed crashes a worker when there are snapshots to recover from, in nearly
// every combination: who gives no seed sees a recovery.
const defaultSeed = 7

func newRun(p *program) *cobra.Command {
	f := runFlags{choice: choice{known: p}}
	cmd := quiet(&cobra.Command{
		Use:   "run",
		Short: "Run one experiment and judge it",
		Example: `  go run ./cmd/sim run --algorithm unaligned --state pebble --workload nexmark-q5 --seed 7 --json
  go run ./cmd/sim run --crash 40 --victim coordinator       # at the 40th protocol or storage event
  go run ./cmd/sim run --plan '(plan (crash worker=1 at (nth 7 barrier-received)))' --trace
  go run ./cmd/sim run --algorithm unaligned --plan '(plan (rescale to=3 at (nth 2 completed)) (crash worker=1 at (nth 1 rescaled)))'
  go run ./cmd/sim run --coordinators 3 --plan '(plan (failover at (nth 9 acked)) (failover for 90ms at (nth 40 acked)))'
  go run ./cmd/sim run --plan '(plan (stop-with-savepoint at (nth 3 completed)) (resume algorithm=uncoordinated state=pebble to=3) (crash worker=1 at (nth 9 acked)))'
  go run ./cmd/sim run --mutant no-fence --seed 4 --save found.weir    # then: replay found.weir
  go run ./cmd/sim run --driver live --algorithm aligned --workload nexmark-q8
  go run ./cmd/sim run --driver live --coordinators 2                      # the one that leads is killed
  go run ./cmd/sim run --driver live --calm --storage jobdir               # then: state ls jobdir
  go run ./cmd/sim run --driver live --calm --events 50000000 --listen 8080   # and: curl 'localhost:8080/state/count/counts?key=3'
  go run ./cmd/sim run --driver live --algorithm unaligned --workload nexmark-q5 --rescale-to 3,2,5
  go run ./cmd/sim run --driver live --stop --storage jobdir               # then: state convert jobdir saved
  go run ./cmd/sim run --driver live --stop-with-savepoint --storage jobdir2   # prints the path of the savepoint, and how to go on
  go run ./cmd/sim run --from saved --output jobdir/sink --algorithm uncoordinated --state pebble --parallelism 3`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.agree(cmd.Flags().Changed); err != nil {
				return err
			}
			cfg, err := f.config(cmd.Flags().Changed)
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
	f.choice.flags(fl, "aligned", "heap", "keyedcount")
	f.strike.flags(fl)
	f.origin.flags(fl)
	fl.Uint64Var(&f.seed, "seed", defaultSeed, "seed of every decision")
	fl.BoolVar(&f.calm, "calm", false, "a calm run")
	fl.IntVar(&f.crash, "crash", 0, "crash at the K-th protocol, storage or sink event instead of drawn faults")
	fl.StringVar(&f.victim, "victim", "worker=0", "who crashes with --crash: worker=N or coordinator")
	fl.BoolVar(&f.reorder, "reorder", false, "channels deliver what is sent in any order; for algorithms that can do with it")
	fl.StringVar(&f.driver, "driver", "sim", "sim, or live: real threads, clock and disk, with a crash unless --calm: of a worker, or with several coordinators of the one that leads")
	fl.BoolVar(&f.trace, "trace", false, "print the protocol's events to stderr")
	fl.StringVar(&f.storage, "storage", "", "with --driver live: a new or empty `directory` that keeps checkpoints and output when the job has ended, for cmd/state")
	fl.StringVar(&f.listen, "listen", "", "with --driver live: let others look into the job over HTTP at this `address`, a port of this machine or host:port, while it runs")
	fl.BoolVar(&f.stop, "stop", false, "with --driver live and --storage: stop the job with a last checkpoint when half of its input is in, instead of killing a worker")
	fl.BoolVar(&f.stopSaved, "stop-with-savepoint", false, "like --stop, but with a savepoint, from which any job with the same operators can go on; it is printed where it is, and how")
	fl.StringSliceVar(&f.rescaleTo, "rescale-to", nil, "with --driver live: have the job go on with another parallelism `N`, or OPERATOR=N for one operator, while records flow; several by commas, one behind the other; the time without output is measured")
	fl.BoolVar(&f.printed, "settings", false, "print the settings that were in effect; --json has them always")
	fl.StringVar(&f.save, "save", "", "write the run to this `file`, for replay: all that was drawn, whatever the verdict; one that is there stays unless --force")
	fl.BoolVar(&f.force, "force", false, "let --save write over a file that is there")
	return cmd
}

// agree returns an error for flags that contradict each other, and for those
// that would be ignored; given tells which were on the command line.
func (f *runFlags) agree(given func(flag string) bool) error {
	var which []string
	for _, name := range []string{"plan", "calm", "crash"} {
		if given(name) && (name != "calm" || f.calm) {
			which = append(which, "--"+name)
		}
	}
	var wrong string
	switch {
	case len(which) > 1:
		wrong = strings.Join(which, " and ") + ": each says which faults there are; give one of them"
	case given("operations") && len(which) > 0:
		wrong = which[0] + " and --operations: operations are drawn beside faults that are; name them in a --plan"
	case given("victim") && !given("crash"):
		wrong = "--victim says who --crash crashes, and there is no --crash"
	case given("crash") && f.crash < 1:
		wrong = fmt.Sprintf("--crash %d; events count from 1", f.crash)
	case f.stop && f.stopSaved:
		wrong = "--stop and --stop-with-savepoint: each says how the job is stopped; give one of them"
	case f.stopSaved && (f.driver != "live" || f.storage == ""):
		wrong = "--stop-with-savepoint leaves a savepoint in the directory of --storage, with --driver live; give both"
	case f.stop && (f.driver != "live" || f.storage == ""):
		wrong = "--stop leaves a job half done in the directory of --storage, with --driver live; give both"
	case len(f.rescaleTo) > 0 && f.driver != "live":
		wrong = "--rescale-to rescales a job on real threads; say --driver live, or in the simulator --plan '(plan (rescale to=3 at (nth 2 completed)))'"
	case len(f.rescaleTo) > 0 && f.stops():
		wrong = "--rescale-to with --stop or --stop-with-savepoint: each says what is done with the job in the middle; give one of them"
	case f.claim && f.driver != "live":
		wrong = "--claim with the simulator: it begins from a copy, and deletes nothing; say --driver live"
	case f.path != "" && f.save != "":
		wrong = "--save with --from: the file would not have the savepoint; keep that, and the command"
	case f.force && f.save == "":
		wrong = "--force is for --save, and there is no --save"
	case f.driver == "live":
		wrong = notLive(given)
	case given("listen"):
		wrong = "--listen: nobody outside can look into a simulated job; say --driver live"
	case given("storage"):
		wrong = "--storage: what the simulator stores is in memory; say --driver live"
	}
	if wrong == "" {
		return errors.Join(f.origin.agree(given), f.saves())
	}
	return fmt.Errorf("%w: %s", errUsage, wrong)
}

// saves returns an error if what --save would write over is there: a counterexample may be all
// that is left of a failure.
func (f *runFlags) saves() error {
	if f.save == "" || f.force {
		return nil
	}
	if info, err := os.Stat(f.save); err == nil && info.Mode().IsRegular() {
		return fmt.Errorf("%w: --save %s: the file is there; give another name, or --force to write over it", errUsage, f.save)
	}
	return nil
}

// simulatorOnly are flags that the live driver cannot serve, why, and what would do.
var simulatorOnly = [...]struct{ flag, why string }{
	{"plan", "its faults strike at events, and those of threads have no order that a plan could count in; live kills one worker after two snapshots, or none with --calm; to rescale there is --rescale-to; for a plan leave --driver live out"},
	{"operations", "they come at events of the simulator; leave --driver live out"},
	{"crash", "it counts events, and those of threads have no order in which the K-th is the same again; live kills one worker after two snapshots, or none with --calm; for the K-th event leave --driver live out"},
	{"mutant", "live has no oracles that would see the mistake, only the committed output; leave --driver live out, or hunt for it with sim mutants"},
	{"trace", "live hands events to no printer; leave --driver live out"},
	{"save", "the decisions of threads are nobody's to write down; leave --driver live out"},
	{"workers", "live has two workers, one of which it kills; leave --driver live out"},
	{"reorder", "the channels of live keep their order; leave --driver live out"},
}

// notLive says of each flag that was given why live cannot serve it; "": it can all.
func notLive(given func(flag string) bool) string {
	var all []string
	for _, f := range simulatorOnly {
		if given(f.flag) {
			all = append(all, "--driver live with --"+f.flag+": "+f.why)
		}
	}
	return strings.Join(all, "\n")
}

// config returns the one scenario that the flags describe.
func (f *runFlags) config(given func(flag string) bool) (scenario.Config, error) {
	var none scenario.Config
	if f.driver == "live" {
		f.defaultGroups = liveGroups
	}
	from, err := f.from()
	if err != nil {
		return none, err
	}
	if from != nil {
		f.defaultGroups = from.Groups()
	}
	all, _, err := f.product(false)
	if err != nil {
		return none, err
	}
	if len(all) != 1 {
		return none, fmt.Errorf("%w: run takes one algorithm, state, sink and workload; use sweep for lists", errUsage)
	}
	if f.driver != "sim" && f.driver != "live" {
		return none, fmt.Errorf("%w: unknown driver %q; known: sim, live", errUsage, f.driver)
	}
	if err := f.on(all, given); err != nil {
		return none, err
	}
	cfg := all[0]
	cfg.Reorder = f.reorder
	cfg.From = from
	switch {
	case f.crash > 0:
		cfg.Faults, cfg.Crash = scenario.CrashSweep, f.crash
		if cfg.Victim, err = victim(f.victim); err != nil {
			return none, err
		}
	case f.calm:
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
	Algorithm    string   `json:"algorithm"`
	State        string   `json:"state"`
	Sink         string   `json:"sink"`
	Workload     string   `json:"workload"`
	Seed         uint64   `json:"seed"`
	Splits       int      `json:"splits"` // of each source
	Verdict      string   `json:"verdict"`
	Why          string   `json:"why,omitempty"`
	Hash         string   `json:"hash,omitempty"` // with the live driver nothing is hashed
	OutputDigest string   `json:"output_digest"`
	Events       *int64   `json:"events,omitempty"` // nil, as below: not measured by the live driver
	Checkpoints  int      `json:"checkpoints_completed"`
	Crashes      int      `json:"crashes"`
	Coordinator  int      `json:"coordinator_crashes"`
	Recoveries   int      `json:"recoveries_from_snapshot"`
	Kept         int      `json:"tasks_kept,omitempty"`            // that recoveries left alone
	Rescaled     int64    `json:"rescaled"`                        // how often the job went on as another graph
	Coordinators int      `json:"coordinator_processes,omitempty"` // if there are several
	Failovers    int      `json:"failovers,omitempty"`             // how often another one of them took the lead
	Adopted      int      `json:"adoptions,omitempty"`             // and no task restarted for it
	Rivals       int      `json:"two_leaders,omitempty"`           // and the one before held its lease still
	Changes      []gap    `json:"rescalings,omitempty"`            // of a live job: how long each took
	Upgraded     int      `json:"upgraded,omitempty"`              // of these, as another version
	Queries      int      `json:"queries,omitempty"`               // asked
	Answers      int64    `json:"query_answers,omitempty"`         // about a key each, by a task or out of a checkpoint
	Savepoints   int      `json:"savepoints,omitempty"`
	StoppedWith  int      `json:"stopped_with,omitempty"` // savepoints with which the job ended
	Resumed      int      `json:"resumed,omitempty"`      // how often another job began from one
	Savepoint    string   `json:"savepoint,omitempty"`    // path of that with which a live job ended
	Resume       string   `json:"resume,omitempty"`       // command that goes on from it
	LostWork     *int64   `json:"lost_work_records,omitempty"`
	Duplicates   *int     `json:"duplicates_seen,omitempty"`
	Losses       *int     `json:"losses_seen,omitempty"`
	RowsAgain    *int64   `json:"rows_again,omitempty"`
	TakenBack    *int64   `json:"rows_taken_back,omitempty"`
	LateRecords  int64    `json:"late_records"` // given up; live: those of lost work too
	VirtualNanos int64    `json:"virtual_ns,omitempty"`
	WallNanos    int64    `json:"wall_ns,omitempty"`
	Faults       string   `json:"faults"`
	NotJudged    string   `json:"not_judged,omitempty"` // without a reference answer: what is not, and what is
	GaveUp       string   `json:"gave_up,omitempty"`    // why the job ended with an error, which it may since what was stored is damaged, or by its restart strategy
	NotStruck    []string `json:"not_struck,omitempty"` // faults that were asked for and changed nothing
	Declined     []string `json:"declined,omitempty"`   // operations that the job was asked for and did not take, with why
	Standstill   []string `json:"standstill,omitempty"` // without progress: who waits for what
	// Settings are those of the coordinator that were in effect, by name.
	Settings map[string]any `json:"settings"`
	config   *dataflow.Config
}

func (f *runFlags) run(cmd *cobra.Command, cfg scenario.Config) error {
	cfg.Record = f.save != ""
	r, err := scenario.New(cfg)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	defer r.Close()
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	r.Interrupted = ended(ctx)
	if f.trace {
		r.Observers = []trace.Observer{scenario.Printer{W: cmd.ErrOrStderr()}}
	}
	o := r.Run(f.seed)
	if o.Kind == scenario.Interrupted {
		return context.Cause(ctx)
	}
	s := summary{
		Algorithm: cfg.Algorithm.Name, State: cfg.State, Sink: cfg.SinkName(), Workload: cfg.Workload.Name(), Seed: f.seed, Splits: o.Splits,
		Verdict: o.Kind.String(), Why: o.Why(), Hash: fmt.Sprintf("%016x", o.Result.Hash), OutputDigest: o.Digest(),
		Events: &o.Result.Events, Checkpoints: o.Checkpoints(), Crashes: o.Result.Crashes, Coordinator: o.Result.CoordinatorCrashes,
		Recoveries: o.Report.Recoveries, Kept: o.Report.Kept, Rescaled: o.Result.Counts[trace.Rescaled] - int64(o.Result.Unchanged), Upgraded: o.Result.Upgraded, Queries: o.Result.Queries, Answers: o.Result.Counts[trace.Queried], Savepoints: o.Report.Savepoints, StoppedWith: o.Report.StoppedWith, Resumed: o.Result.Resumed, LostWork: &o.Report.LostWork, Duplicates: &o.Report.Duplicates, Losses: &o.Report.Losses,
		RowsAgain: &o.Report.RowsAgain, TakenBack: &o.Report.RowsTakenBack, LateRecords: o.Report.LateRecords,
		VirtualNanos: o.Result.Virtual, Faults: o.Plan.String(), NotJudged: cfg.NotJudged(), Standstill: o.Result.Standstill,
		Failovers: o.Result.Failovers, Adopted: o.Report.Adopted, Rivals: o.Result.Rivals, Declined: declined(o),
		config: &o.Drawn().Settings.Job,
	}
	if n := o.Config.Coordinators; n > 1 {
		s.Coordinators = n
	}
	if o.Kind == scenario.Fine && o.GaveUp() {
		s.GaveUp = firstLine(o.WhyGaveUp())
	}
	kind, why := o.Kind, o.Why()
	if cfg.Faults == scenario.PlannedFaults || cfg.Faults == scenario.CrashSweep {
		s.NotStruck = notStruck(o)
	}
	if text := s.notDone(cfg.Faults == scenario.PlannedFaults); kind == scenario.Fine && text != "" {
		kind, why = scenario.Broken, text
		s.Verdict, s.Why = kind.String(), why
	}
	if err := f.print(cmd, &s); err != nil {
		return err
	}
	again, saved := f.saved(&cfg, o)
	if kind == scenario.Fine {
		return saved
	}
	printFailure(cmd, o)
	text := fmt.Sprintf("%s: %s\nreplay: %s", kind, why, again)
	if saved != nil {
		text = fmt.Sprintf("%v\n%s", saved, text)
	}
	return &verdict{kind, text}
}

// saved writes the run to the file of --save and returns the command that
// repeats it: from the file if there is one.
func (f *runFlags) saved(cfg *scenario.Config, o *scenario.Outcome) (again string, err error) {
	if f.save == "" || o.Report == nil {
		return cfg.Command(f.seed), nil
	}
	if err := save(f.save, o); err != nil {
		return cfg.Command(f.seed), err
	}
	return fmt.Sprintf("%[1]s replay %[2]s\nexplain: %[1]s explain %[2]s --html", f.known.call, f.save), nil
}

// notDone says what of what was asked for was not done; planned: operations were too.
func (s *summary) notDone(planned bool) string {
	var why []string
	if len(s.NotStruck) > 0 {
		why = append(why, "the fault never struck: "+strings.Join(s.NotStruck, ", "))
	}
	if planned && len(s.Declined) > 0 {
		why = append(why, "the job declined "+strings.Join(s.Declined, ", "))
	}
	return strings.Join(why, "; ")
}

// declined names the operations that the job did not take, with why.
func declined(o *scenario.Outcome) []string {
	var all []string
	for _, d := range o.Result.Declined {
		all = append(all, fmt.Sprintf("%s: %s", d.Operation, d.Why))
	}
	return all
}

// notStruck names the faults of a run that changed nothing, with what is known
// of how far they were from it. Those that the job declined did strike.
func notStruck(o *scenario.Outcome) []string {
	var all []string
	asked := map[string]int{}
	for _, d := range o.Result.Declined {
		asked[d.Operation.String()]++
	}
	for _, f := range o.NotStruck() {
		text := f.String()
		if asked[text]--; asked[text] >= 0 {
			continue
		}
		if o.Config.Faults == scenario.CrashSweep {
			n := int64(0)
			for k := range trace.Kinds {
				if faults.SweepEvents().Has(k) {
					n += o.Result.Counts[k]
				}
			}
			text = fmt.Sprintf("--crash %d; the run has %d protocol, storage and sink events", o.Config.Crash, n)
		}
		all = append(all, text)
	}
	return all
}

func firstLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// print writes the summary, with the settings if they are asked for or there is room for them.
func (f *runFlags) print(cmd *cobra.Command, s *summary) error {
	out := cmd.OutOrStdout()
	if s.NotJudged != "" {
		cmd.PrintErrln(s.NotJudged)
	}
	if f.json {
		s.Settings = settings.Effective(s.config)
		return json.NewEncoder(out).Encode(s)
	}
	err := s.print(out)
	if f.printed && err == nil {
		_, err = fmt.Fprintf(out, "  settings %s\n", settings.Line(s.config))
	}
	return err
}

func (s *summary) print(out io.Writer) error {
	_, err := fmt.Fprintf(out, "%s on %s into %s, %s, seed %d: %s\n  %d checkpoints, %d crashes of workers, %d of the coordinator, %d recoveries from a snapshot; faults: %s\n",
		s.Algorithm, s.State, s.Sink, s.Workload, s.Seed, s.Verdict, s.Checkpoints, s.Crashes, s.Coordinator, s.Recoveries, s.Faults)
	if s.Events != nil && err == nil {
		_, err = fmt.Fprintf(out, "  %d records done again, %d counted twice, %d lost; %d events, %.3f ms of virtual time, hash %s\n",
			*s.LostWork, *s.Duplicates, *s.Losses, *s.Events, float64(s.VirtualNanos)/1e6, s.Hash)
	}
	if s.Rescaled > int64(s.Upgraded) && err == nil {
		_, err = fmt.Fprintf(out, "  rescaled %d times\n", s.Rescaled-int64(s.Upgraded))
	}
	if err == nil {
		err = printChanges(out, s.Changes)
	}
	if s.Upgraded > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  upgraded %d times\n", s.Upgraded)
	}
	if s.Coordinators > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  %d coordinator processes; another one took the lead %d times, %d of them while the one before held its lease\n", s.Coordinators, s.Failovers, s.Rivals)
	}
	if s.Adopted > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  %d times no task restarted for it\n", s.Adopted)
	}
	if s.Queries > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  %d queries, which got %d answers\n", s.Queries, s.Answers)
	}
	if s.Savepoints > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  %d savepoints, with %d of which the job ended\n", s.Savepoints, s.StoppedWith)
	}
	if s.Resumed > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  from %d of these another job began\n", s.Resumed)
	}
	for _, d := range s.Declined {
		if err == nil {
			_, err = fmt.Fprintf(out, "  declined %s\n", d)
		}
	}
	if s.Savepoint != "" && err == nil {
		_, err = fmt.Fprintf(out, "  savepoint %s; go on from it with\n    %s\n", s.Savepoint, s.Resume)
	}
	if s.GaveUp != "" && err == nil {
		_, err = fmt.Fprintf(out, "  the job gave up: %s\n", s.GaveUp)
	}
	if s.LateRecords > 0 && err == nil {
		_, err = fmt.Fprintf(out, "  %d records given up as too late\n", s.LateRecords)
	}
	if err == nil {
		_, err = fmt.Fprintf(out, "  output %s\n", s.OutputDigest)
	}
	return err
}
