package scenario

import (
	"fmt"
	"slices"

	"weir/algorithms/catalog"
	"weir/check"
	"weir/dataflow"
	statecatalog "weir/state/catalog"
	"weir/state/pebblestate"
	workloadcatalog "weir/workloads/catalog"
)

// CanaryLimit is the number of runs of the default sweep within which every
// canary must be caught.
const CanaryLimit = 2000

// CanaryCase says what a deliberate mistake is and which combinations can show
// it: every algorithm with every state and every workload of the lists. The
// first of each is the combination on which HuntCanary looks.
type CanaryCase struct {
	Canary      dataflow.Canary
	Description string
	Algorithms  []string
	States      []string
	Workloads   []string
	// Stalls: the mistake shows as a job that does not end, and cannot show as a
	// broken promise.
	Stalls bool
}

// Canaries returns the cases of all canaries, in the order of their numbers.
func Canaries() []CanaryCase {
	anywhere := workloadcatalog.Names()
	windows := []string{"nexmark-q5", "nexmark-q8"}
	states := statecatalog.Names()
	rounds := []string{"aligned", "unaligned", "at-least-once"}
	return []CanaryCase{
		{dataflow.AckBeforeDurable, "a task acknowledges a snapshot as it begins, not when it is stored", rounds, states, anywhere, false},
		{dataflow.ForgetChannel, "alignment is one input short", []string{"aligned"}, states, anywhere, false},
		{dataflow.CommitBeforeRecord, "completion is announced before the checkpoint's record is durable", []string{"aligned", "unaligned"}, states, anywhere, false},
		{dataflow.ReuseTableName, "table files are named without the epoch", []string{"aligned", "unaligned", "uncoordinated"}, []string{pebblestate.NameIncremental, pebblestate.NameFull}, []string{"keyedcount", "nexmark-q5", "nexmark-q8"}, false},
		{dataflow.KeepForeignTxn, "recovery of the sink commits the transactions it should abort", []string{"aligned", "unaligned", "uncoordinated"}, states, anywhere, false},
		{dataflow.SkipOutputQueue, "unaligned: overtaken output is not captured", []string{"unaligned"}, states, anywhere, false},
		{dataflow.SkipInputQueue, "unaligned: overtaken input is not captured", []string{"unaligned"}, states, anywhere, false},
		{dataflow.ReleaseBeforeStored, "output is committed as soon as it is pre-committed", []string{"aligned", "unaligned", "uncoordinated"}, states, anywhere, false},
		{dataflow.SnapshotBeforeLog, "a snapshot becomes visible before its message log", []string{"uncoordinated"}, states, anywhere, true},
		{dataflow.LateRecordCounts, "a checkpoint record that lands after the recovery that missed it is believed", []string{"aligned", "unaligned"}, states, anywhere, false},
		{dataflow.NoFence, "the sink store does not fence older attempts", []string{"aligned", "unaligned", "uncoordinated"}, states, anywhere, false},
		{dataflow.ForgetTimers, "timers are not part of the snapshot", []string{"aligned", "unaligned", "uncoordinated"}, states, windows, false},
	}
}

// CanaryResult is what a hunt found.
type CanaryResult struct {
	CanaryCase
	Algorithm, State, Workload string // the combination
	Caught                     bool
	Runs                       int    // made, the last one caught it
	Seed                       uint64 // of the last run
	Oracle                     check.Oracle
	Violation                  string // the first one
	// TwinClean: the same seeds without the mistake broke nothing; else Twin says
	// what the first seed that failed broke.
	TwinClean bool
	Twin      string
	// Replay is the command that repeats the run that caught it.
	Replay string
}

// HuntCanary runs the default sweep on the combination of a canary, with seeds
// 1, 2, 3, ..., until an oracle catches the mistake, at most limit runs; and
// then the same seeds without the mistake. progress, if not nil, is told the
// number of runs made so far, the twin's included.
func HuntCanary(c dataflow.Canary, limit int, progress func(runs int)) (CanaryResult, error) {
	all := Canaries()
	i := slices.IndexFunc(all, func(x CanaryCase) bool { return x.Canary == c })
	if i < 0 {
		return CanaryResult{}, fmt.Errorf("canary %s: no combination is known to show it", c)
	}
	if progress == nil {
		progress = func(int) {}
	}
	r := CanaryResult{CanaryCase: all[i], Algorithm: all[i].Algorithms[0], State: all[i].States[0], Workload: all[i].Workloads[0], TwinClean: true}
	err := r.sweep(c, limit, func(o *Outcome) bool {
		r.Runs, r.Seed = r.Runs+1, o.Seed
		progress(r.Runs)
		return r.caughtBy(o)
	})
	if err != nil {
		return r, err
	}
	runs := r.Runs
	err = r.sweep(dataflow.NoCanary, r.Runs, func(o *Outcome) bool {
		runs++
		progress(runs)
		if r.TwinClean = o.Kind == Fine; !r.TwinClean {
			r.Twin = fmt.Sprintf("seed %d: %s: %s", o.Seed, o.Kind, o.Why())
		}
		return !r.TwinClean
	})
	return r, err
}

// sweep runs seeds 1 to most until stop says so.
func (r *CanaryResult) sweep(c dataflow.Canary, most int, stop func(*Outcome) bool) error {
	cfg, err := r.config(c)
	if err != nil {
		return err
	}
	run, err := New(cfg)
	if err != nil {
		return err
	}
	defer run.Close()
	for seed := range uint64(most) {
		if stop(run.Run(seed + 1)) {
			break
		}
	}
	return nil
}

// config returns the combination as the default sweep has it.
func (r *CanaryResult) config(c dataflow.Canary) (Config, error) {
	algorithm, err := catalog.Lookup(r.Algorithm)
	if err != nil {
		return Config{}, err
	}
	w, err := workloadcatalog.New(r.Workload)
	if err != nil {
		return Config{}, err
	}
	w.Small()
	return Config{Algorithm: algorithm, State: r.State, Workload: w, Canary: c}, nil
}

// caughtBy reports whether o shows the mistake, and notes how.
func (r *CanaryResult) caughtBy(o *Outcome) bool {
	if o.Kind == Fine || o.Kind == Broken || o.Kind != Unsafe && !r.Stalls {
		return false
	}
	r.Caught, r.Violation, r.Oracle = true, o.Why(), check.Progress
	r.Replay = o.Config.Command(o.Seed)
	for _, v := range o.Report.Violations {
		if o.Kind == Unsafe && v.Oracle != check.Progress {
			r.Oracle = v.Oracle
			break
		}
	}
	return true
}
