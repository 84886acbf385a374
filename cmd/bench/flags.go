package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"weir/algorithms/catalog"
	"weir/bench"
	"weir/dataflow"
	"weir/internal/bench/job"
	"weir/scenario/settings"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// flags are the values of all flags; not every command has all of them.
type flags struct {
	algorithms, states, workloads []string
	sink                          string
	settings                      []string
	coordinator                   settings.Flags
	given                         dataflow.Given
	interval                      time.Duration
	rate, events                  int64
	parallelism, splits           int
	repetitions                   int
	quick, standard, json         bool
	kill                          bool
	seed                          uint64
	results, id, dir, resume      string
	diskLimit                     int64
	mutant                        string
	wrongReference                []string
	tuning                        job.Tuning
}

// common are the flags of everything that measures.
func (f *flags) common(s *pflag.FlagSet) {
	f.tuning = job.DefaultTuning()
	s.Uint64Var(&f.seed, "seed", 1, "seed of orders, moments of kills and random operators")
	s.StringVar(&f.dir, "dir", "", "directory for the jobs' data: the disk that is measured (default: below the results)")
	s.StringVar(&f.results, "results", "results", "directory of campaigns")
	s.StringVar(&f.id, "id", "", "name of the campaign (default: local-TIME)")
	s.BoolVar(&f.json, "json", false, "one JSON object per cell on standard output, the summary last")
	s.IntVar(&f.parallelism, "parallelism", 2, "instances of every vertex of the job")
	s.IntVar(&f.splits, "splits", 0, "splits of the job's source; 0: as many as instances")
	s.Int64Var(&f.diskLimit, "disk-limit", 0, "bytes that a run may write, as if the disk were full then; 0: no limit")
	s.DurationVar(&f.tuning.BatchTimeout, "batch-timeout", f.tuning.BatchTimeout, "longest time a record waits for its batch")
	s.IntVar(&f.tuning.BatchRecords, "batch", f.tuning.BatchRecords, "records per batch at most")
	s.Int64Var(&f.tuning.MemoryBytes, "memory", f.tuning.MemoryBytes, "memory limit of a job's process, bytes")
	s.IntVar(&f.tuning.Transfers, "transfers", f.tuning.Transfers, "state transfers under way at once; 0: as the driver has it")
	s.IntVar(&f.tuning.Processors, "processors", f.tuning.Processors, "processors of the Go runtime in a job's process; 0: two more than the machine has")
	s.Int64Var(&f.tuning.CacheBytes, "cache", f.tuning.CacheBytes, "block cache of Pebble, bytes")
	s.Int64Var(&f.tuning.WriteBytes, "write-cache", f.tuning.WriteBytes, "memory of one Pebble store's entries, bytes")
}

func (f *flags) grid(s *pflag.FlagSet) {
	s.StringSliceVar(&f.algorithms, "algorithm", []string{"all"}, "algorithms, or all")
	s.StringSliceVar(&f.states, "state", []string{"heap"}, "state backends, or all")
	s.StringVar(&f.sink, "sink", "", "what the jobs end in; bench list names them (default: what goes with each algorithm)")
	s.StringSliceVar(&f.workloads, "workload", []string{"keyedcount"}, "workloads")
	s.StringArrayVar(&f.settings, "set", nil, "a setting of the workload, name=value; may be repeated")
	f.coordinator.Register(s, "")
	s.Int64Var(&f.rate, "rate", 0, "offered load of the open loop, records per second; 0: 70 % of each cell's saturation")
	s.Int64Var(&f.events, "events", 0, "run a finite input of so many records, whole, in every repetition")
	s.IntVar(&f.repetitions, "repetitions", 0, "repetitions of each cell (default: 10, quick 3)")
	s.BoolVar(&f.quick, "quick", false, "fewer and shorter repetitions, marked as such")
	s.BoolVar(&f.standard, "standard", false, "the plan of published results: 10 repetitions of 10 s (the default)")
	s.BoolVar(&f.kill, "kill", true, "also kill the job in runs of their own, and measure recovery (timed runs)")
	s.StringVar(&f.resume, "resume", "", "go on with the campaign of this name, as it was begun; of other flags only --dir and --disk-limit may differ")
	s.StringArrayVar(&f.wrongReference, "wrong-reference", nil, "a setting, name=value, that only the reference answer is given: every output must be found wrong")
	s.StringVar(&f.mutant, "mutant", "", "a deliberate mistake that the check of the output must see")
}

// expanded replaces "all".
func expanded(names, all []string) []string {
	if len(names) == 1 && names[0] == "all" {
		return all
	}
	return names
}

func (f *flags) gridOf() (bench.Grid, error) {
	settings, err := parseSettings("set", f.settings)
	if err != nil {
		return bench.Grid{}, err
	}
	if err := f.readGiven(); err != nil {
		return bench.Grid{}, err
	}
	g := bench.Grid{
		Algorithms: expanded(f.algorithms, catalog.Names()), States: expanded(f.states, statecatalog.Names()),
		Workloads: expanded(f.workloads, workloadcatalog.Names()), Sink: f.sink, Settings: settings, Interval: f.interval, Given: f.given, Rate: f.rate,
		Parallelism: f.parallelism, Splits: f.splits, Events: f.events, Kill: f.kill && f.events == 0, Twin: true,
	}
	if err := g.Validate(); err != nil {
		return g, fmt.Errorf("%w: %w", errUsage, err)
	}
	return g, nil
}

// readGiven takes the settings of the coordinator from file and flags. Cells have the interval.
func (f *flags) readGiven() (err error) {
	if f.given, err = f.coordinator.Given(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	c := dataflow.DefaultConfig()
	if err := f.given.Into(&c); err != nil {
		return err
	}
	f.interval = time.Duration(c.Checkpoint.Interval)
	delete(f.given, "checkpoint.interval")
	return nil
}

// parseSettings reads the values of a flag of that name.
func parseSettings(flag string, texts []string) (map[string]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	settings := map[string]string{}
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%w: --%s %q: write name=value", errUsage, flag, text)
		}
		settings[name] = value
	}
	return settings, nil
}
