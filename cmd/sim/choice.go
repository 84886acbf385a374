package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"weir/algorithms"
	algorithmcatalog "weir/algorithms/catalog"
	"weir/scenario"
	statecatalog "weir/state/catalog"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// choice is what the flags that several commands share say.
type choice struct {
	algorithm, state, workload string
	set                        []string
	events                     int
	parallelism                int
	interval                   interval
	json                       bool
}

func (c *choice) workloadFlags(f *pflag.FlagSet, def string) {
	f.StringVar(&c.workload, "workload", def, "workload; sim list names them")
	f.StringArrayVar(&c.set, "set", nil, "setting of the workload, `name=value`; repeatable")
	f.IntVar(&c.events, "events", -1, "number of source records (short for the workload's own setting); -1: as set")
}

func (c *choice) flags(f *pflag.FlagSet, algorithm, state, workload string) {
	c.workloadFlags(f, workload)
	f.StringVar(&c.algorithm, "algorithm", algorithm, "algorithm, a comma list or all; sim list names them")
	f.StringVar(&c.state, "state", state, "state backend, a comma list or all")
	f.IntVar(&c.parallelism, "parallelism", 2, "tasks per operator")
	f.Var(&c.interval, "interval", "virtual time between checkpoints, for example 3ms; drawn from the seed if not given")
	f.BoolVar(&c.json, "json", false, "one JSON object per line on stdout, the last one the summary")
}

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
	if _, err := pick("workload", name, workloadcatalog.Names()); err != nil {
		return nil, err
	}
	w, err := workloadcatalog.New(name)
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

// combinations returns the scenarios that the lists name.
func (c *choice) combinations(small bool) ([]scenario.Config, error) {
	as, err := pick("algorithm", c.algorithm, algorithmcatalog.Names())
	if err != nil {
		return nil, err
	}
	ss, err := pick("state", c.state, statecatalog.Names())
	if err != nil {
		return nil, err
	}
	ws, err := pick("workload", c.workload, workloadcatalog.Names())
	if err != nil {
		return nil, err
	}
	if c.parallelism < 1 {
		return nil, fmt.Errorf("%w: --parallelism %d; it must be at least 1", errUsage, c.parallelism)
	}
	var out []scenario.Config
	for _, a := range as {
		var spec *algorithms.Spec
		if spec, err = algorithmcatalog.Lookup(a); err != nil {
			return nil, err
		}
		for _, s := range ss {
			for _, name := range ws {
				w, err := c.makeWorkload(name, small)
				if err != nil {
					return nil, err
				}
				out = append(out, scenario.Config{Algorithm: spec, State: s, Workload: w, Parallelism: c.parallelism, Interval: int64(c.interval)})
			}
		}
	}
	return out, nil
}

// seeds parses "A-B" or "A".
func seeds(text string) (from, to uint64, err error) {
	a, b, isRange := strings.Cut(text, "-")
	from, err = strconv.ParseUint(a, 10, 64)
	to = from
	if err == nil && isRange {
		to, err = strconv.ParseUint(b, 10, 64)
	}
	if err != nil || to < from {
		return 0, 0, fmt.Errorf("%w: --seeds %q: want A-B with A not above B, for example 1-200", errUsage, text)
	}
	return from, to, nil
}
