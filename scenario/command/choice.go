package command

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"weir/algorithms"
	"weir/external/sinks"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/settings"
	"weir/state"
	statecatalog "weir/state/catalog"
	"weir/workloads"
)

// choice is what the flags that several commands share say.
type choice struct {
	known                            *program
	algorithm, state, sink, workload string
	set                              []string
	events                           int
	parallelism, workers             int
	coordinators                     int
	groups                           groups
	splits                           int
	defaultGroups                    int // of the driver
	settings                         settings.Flags
	json                             bool
}

func (c *choice) workloadFlags(f *pflag.FlagSet, def string) {
	f.StringVar(&c.workload, "workload", def, "workload; the command list names them")
	f.StringArrayVar(&c.set, "set", nil, "setting of the workload, `name=value`; repeatable")
	f.IntVar(&c.events, "events", -1, "number of source records (short for the workload's own setting); -1: as set")
}

func (c *choice) flags(f *pflag.FlagSet, algorithm, state, workload string) {
	c.workloadFlags(f, workload)
	f.StringVar(&c.algorithm, "algorithm", algorithm, "algorithm, a comma list or all; the command list names them")
	f.StringVar(&c.state, "state", state, "state backend, a comma list or all")
	f.StringVar(&c.sink, "sink", defaultSink, "sink, a comma list or all; "+defaultSink+": what goes with the algorithm")
	f.IntVar(&c.parallelism, "parallelism", 2, "tasks per operator")
	f.IntVar(&c.workers, "workers", 0, fmt.Sprintf("workers that the tasks live on, at most %d; 0: %d", mostWorkers, scenario.DefaultWorkers))
	f.IntVar(&c.coordinators, "coordinators", 0, fmt.Sprintf("coordinator processes, at most %d, of which the one leads that has the lease; 0: 1, or 2 with a failover", mostCoordinators))
	f.IntVar(&c.splits, "splits", 0, fmt.Sprintf("splits of each source, at most %d; 0: drawn from the seed with drawn faults, else as many as --parallelism", mostSplits))
	c.defaultGroups = scenario.DefaultGroups
	f.Var(&c.groups, "groups", "key groups of the job, at least --parallelism; if not given "+groupsByDefault)
	c.settings.Register(f, "drawn from the seed with drawn faults, or as the build has it")
	f.BoolVar(&c.json, "json", false, "one JSON object per line on stdout, the last one the summary")
}

// defaultSink stands for the sink that an algorithm gets unless it is told.
const defaultSink = "default"

// mostSplits bounds --splits: a turn of a source and a snapshot of it cost time in proportion.
const mostSplits = 4096

// mostWorkers bounds --workers; more than tasks have nothing to do.
const mostWorkers = 4096

// mostCoordinators bounds --coordinators; more than a few only get into each other's way.
const mostCoordinators = 16

// liveGroups are the key groups of a job on real threads, unless --groups is given.
const liveGroups = state.DefaultGroups

var groupsByDefault = fmt.Sprintf("%d in the simulator and %d live", scenario.DefaultGroups, liveGroups)

// pick resolves a comma list or "all" against the known names.
func pick(what, list string, known []string) ([]string, error) {
	if list == "all" {
		return known, nil
	}
	names := strings.Split(list, ",")
	for _, n := range names {
		ok := false
		for _, k := range known {
			ok = ok || n == k
		}
		if !ok {
			return nil, fmt.Errorf("%w: unknown %s %q; known: %s, or all", errUsage, what, n, strings.Join(known, ", "))
		}
	}
	return names, nil
}

// makeWorkload returns the workload called name with the settings given; small: of a sweep.
func (c *choice) makeWorkload(name string, small bool) (workloads.Workload, error) {
	if _, err := pick("workload", name, c.known.workloads.Names()); err != nil {
		return nil, err
	}
	w, err := c.known.workloads.New(name)
	if err != nil {
		return nil, err
	}
	if small {
		w.Small()
	}
	for _, s := range c.set {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return nil, fmt.Errorf("%w: --set %q: want name=value; %s has %s", errUsage, s, name, strings.Join(w.SettingNames(), ", "))
		}
		if err := w.Set(k, v); err != nil {
			return nil, fmt.Errorf("%w: --set %s: %w", errUsage, s, err)
		}
	}
	if c.events != -1 {
		if err := w.SetEvents(c.events); err != nil {
			return nil, fmt.Errorf("%w: --events %d: %w", errUsage, c.events, err)
		}
	}
	if err := w.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return w, nil
}

// selection is the combinations of a command.
type selection struct {
	cfgs []scenario.Config
	// pairwiseOf is how many there are, of which cfgs have every pair of algorithm,
	// state, sink and workload; 0: cfgs are all.
	pairwiseOf int
	refused    int // left out, since they cannot run by what they declare
	// drawn: each run draws one of cfgs, and what they leave open of the shape of its job.
	drawn bool
	// operations are those of which one of four such runs draws some.
	operations []faults.Kind
}

// listedSeeds are the seeds of each combination of a sweep over lists, unless they are given.
const listedSeeds = "1-200"

// seeds are those of a sweep over the combinations unless they are given.
func (s *selection) seeds() string {
	if s.drawn {
		return drawnSeeds
	}
	return listedSeeds
}

// each says of what the seeds are.
func (s *selection) each() string {
	if s.drawn {
		return ""
	}
	return " of each"
}

// String says how many there are, and of what.
func (s *selection) String() string {
	text := fmt.Sprintf("%d combinations", len(s.cfgs))
	if s.drawn {
		text += ", of which each run draws one, and the shape of its job"
	}
	if s.pairwiseOf > 0 {
		text += fmt.Sprintf(", pairwise of %d: every pair of algorithm, state, sink and workload, not their product", s.pairwiseOf)
	}
	if s.refused > 0 {
		text += fmt.Sprintf("; %d that cannot run are left out", s.refused)
	}
	return text
}

// combinations returns the scenarios that the lists name: pairs of the lists where
// sinks are all and the product is too large.
func (c *choice) combinations(small bool) (s selection, err error) {
	if s.cfgs, s.refused, err = c.product(small); err != nil || c.sink != "all" || len(s.cfgs) <= mostWhole {
		return s, err
	}
	s.pairwiseOf = len(s.cfgs)
	s.cfgs = pairwise(s.cfgs)
	return s, nil
}

// product returns all scenarios of the lists. Where all sinks are asked for, those that
// cannot run by what algorithm, workload and sink declare are left out and counted: a
// pair that only they have is none.
func (c *choice) product(small bool) (all []scenario.Config, refused int, err error) {
	var lists [4][]string
	for i, l := range [...]struct {
		what, list string
		known      []string
	}{
		{"algorithm", c.algorithm, c.known.algorithms.Names()}, {"state", c.state, statecatalog.Names()},
		{"sink", c.sink, append([]string{defaultSink}, sinks.Names()...)}, {"workload", c.workload, c.known.workloads.Names()},
	} {
		if lists[i], err = pick(l.what, l.list, l.known); err != nil {
			return nil, 0, err
		}
	}
	if c.sink == "all" {
		lists[2] = sinks.Names()
	}
	if c.parallelism < 1 {
		return nil, 0, fmt.Errorf("%w: --parallelism %d; it must be at least 1", errUsage, c.parallelism)
	}
	if c.splits < 0 || c.splits > mostSplits {
		return nil, 0, fmt.Errorf("%w: --splits %d; a source has 1 to %d, or 0 for the default", errUsage, c.splits, mostSplits)
	}
	if c.workers < 0 || c.workers > mostWorkers {
		return nil, 0, fmt.Errorf("%w: --workers %d; a job has 1 to %d, or 0 for the default", errUsage, c.workers, mostWorkers)
	}
	if c.coordinators < 0 || c.coordinators > mostCoordinators {
		return nil, 0, fmt.Errorf("%w: --coordinators %d; a job has 1 to %d, or 0 for the default", errUsage, c.coordinators, mostCoordinators)
	}
	if err := c.checkGroups(); err != nil {
		return nil, 0, err
	}
	specs := make([]*algorithms.Spec, len(lists[0]))
	for i, a := range lists[0] {
		if specs[i], err = c.known.algorithms.Lookup(a); err != nil {
			return nil, 0, err
		}
	}
	given, err := c.meantFor(specs)
	if err != nil {
		return nil, 0, err
	}
	for i, spec := range specs {
		for _, s := range lists[1] {
			for _, sink := range lists[2] {
				for _, name := range lists[3] {
					w, err := c.makeWorkload(name, small)
					if err != nil {
						return nil, 0, err
					}
					cfg := scenario.Config{Algorithm: spec, State: s, Workload: w, Parallelism: c.parallelism, Workers: c.workers, Coordinators: c.coordinators, Splits: c.splits, Groups: int(c.groups), Given: given[i]}
					cfg.Program = c.known.call
					if sink != defaultSink {
						cfg.Sink = sink
					}
					if c.sink == "all" && refusal(cfg.Refused()) != "" {
						refused++
						continue
					}
					all = append(all, cfg)
				}
			}
		}
	}
	return all, refused, nil
}

// checkGroups sees to it that every task of a keyed operator gets a key group.
func (c *choice) checkGroups() error {
	groups := cmp.Or(int(c.groups), c.defaultGroups)
	if c.parallelism > groups {
		return fmt.Errorf("%w: --parallelism %d is above the %d key groups; lower it, or give --groups %d or more", errUsage, c.parallelism, groups, c.parallelism)
	}
	return nil
}

// seedRange are the seeds from the first to the last, both included.
type seedRange struct{ first, last uint64 }

// seeds parses "A-B" or "A".
func seeds(text string) (seedRange, error) {
	a, b, isRange := strings.Cut(text, "-")
	from, err := strconv.ParseUint(a, 10, 64)
	to := from
	if err == nil && isRange {
		to, err = strconv.ParseUint(b, 10, 64)
	}
	if err != nil || to < from {
		return seedRange{}, fmt.Errorf("%w: --seeds %q: want A-B with A not above B, for example 1-200", errUsage, text)
	}
	return seedRange{from, to}, nil
}
