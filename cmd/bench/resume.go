package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weir/algorithms/catalog"
	"weir/bench"
	"weir/dataflow"
	"weir/internal/bench/job"
	"weir/results"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// goOn goes on with a campaign as it was begun.
func (f *flags) goOn(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if dir := filepath.Dir(f.resume); dir != "." && !given("results") {
		f.results = dir
	}
	name := filepath.Base(f.resume)
	if given("id") && f.id != name {
		return fmt.Errorf("%w: --resume %s and --id %s name two campaigns", errUsage, name, f.id)
	}
	c, err := bench.Resume(filepath.Join(f.results, name))
	if err != nil {
		return err
	}
	if err := f.agree(given, c); err != nil {
		return err
	}
	// Room is what a campaign may have ended for want of; another file system is noted.
	c.RunBytes = f.diskLimit
	if given("dir") {
		c.Dir = f.dir
	}
	if err := inUTF8(c); err != nil {
		return err
	}
	left, r, err := c.Left()
	if left && err == nil {
		if err := c.Plan.TimeChecks(); err != nil {
			return err
		}
		return measure(cmd, f, c)
	}
	if r != nil {
		cmd.PrintErrf("%s is finished: nothing left to do, and nothing was changed\n", c.Results)
		if f.json {
			err = errors.Join(writeLines(cmd.OutOrStdout(), r), err)
		}
	}
	return err
}

// choice is what a flag says and what a campaign was begun with, as text.
type choice struct{ flag, is, was string }

// agree returns an error for flags that were given and say something else than
// what the campaign was begun with.
func (f *flags) agree(given func(flag string) bool, c *bench.Campaign) error {
	if err := f.readGiven(); err != nil {
		return err
	}
	choices := append(f.cellChoices(c.Plan.Cells), f.planChoices(c)...)
	more, err := f.settingChoices(c)
	if err != nil {
		return err
	}
	var wrong []string
	for _, x := range append(choices, more...) {
		if given(x.flag) && x.is != x.was {
			wrong = append(wrong, fmt.Sprintf("--%s %s, begun with %s", x.flag, x.is, x.was))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: --resume goes on with %s as it was begun, and these flags say otherwise: %s; leave them out, or begin another campaign",
		errUsage, filepath.Base(c.Results), strings.Join(wrong, "; "))
}

func (f *flags) cellChoices(cells []results.Cell) []choice {
	// of lists the distinct texts that cells have for something.
	of := func(text func(*results.Cell) string) string {
		all := map[string]bool{}
		for i := range cells {
			if t := text(&cells[i]); t != "" {
				all[t] = true
			}
		}
		return strings.Join(slices.Sorted(maps.Keys(all)), ",")
	}
	list := func(names, all []string) string {
		return strings.Join(slices.Compact(slices.Sorted(slices.Values(expanded(names, all)))), ",")
	}
	return []choice{
		{"algorithm", list(f.algorithms, catalog.Names()), of(func(c *results.Cell) string { return c.Algorithm })},
		{"state", list(f.states, statecatalog.Names()), of(func(c *results.Cell) string { return c.State })},
		{"sink", cmp.Or(f.sink, of(sinkOf)), of(sinkOf)},
		{"workload", list(f.workloads, workloadcatalog.Names()), of(func(c *results.Cell) string { return c.Workload })},
		{"parallelism", strconv.Itoa(f.parallelism), of(func(c *results.Cell) string { return strconv.Itoa(c.Parallelism) })},
		{"splits", strconv.Itoa(f.splits), of(func(c *results.Cell) string { return strconv.Itoa(c.Splits) })},
		{"interval", f.interval.String(), of(func(c *results.Cell) string {
			if c.IntervalMS == 0 {
				return "" // it takes no checkpoints
			}
			return time.Duration(c.IntervalMS * 1e6).String()
		})},
		{"rate", strconv.FormatInt(f.rate, 10), of(func(c *results.Cell) string {
			if c.Load != results.OpenLoop {
				return ""
			}
			return strconv.FormatInt(int64(c.Rate), 10)
		})},
	}
}

func sinkOf(c *results.Cell) string { return c.Sink }

func (f *flags) planChoices(c *bench.Campaign) []choice {
	p := &c.Plan
	isKilled := slices.ContainsFunc(p.Cells, func(c results.Cell) bool { return c.Kill })
	all := []choice{
		{"seed", strconv.FormatUint(f.seed, 10), strconv.FormatUint(p.Seed, 10)},
		{"events", strconv.FormatInt(f.events, 10), strconv.FormatInt(p.Events, 10)},
		{"repetitions", strconv.Itoa(f.repetitions), strconv.Itoa(p.Repetitions)},
		{"quick", strconv.FormatBool(f.quick), strconv.FormatBool(p.Quick)},
		{"standard", strconv.FormatBool(f.standard), strconv.FormatBool(!p.Quick)},
		{"kill", strconv.FormatBool(f.kill), strconv.FormatBool(isKilled)},
		{"mutant", f.mutant, c.Mutant},
	}
	for _, s := range dataflow.Settings() {
		if s.Flag != "interval" { // of the cells
			all = append(all, choice{s.Flag, givenText(&s, f.given), givenText(&s, p.Given)})
		}
	}
	was, is := tuningChoices(&c.Tuning), tuningChoices(&f.tuning)
	for i := range is {
		all = append(all, choice{is[i][0], is[i][1], was[i][1]})
	}
	return all
}

// givenText is the value of a setting where so much is given.
func givenText(s *dataflow.Setting, g dataflow.Given) string {
	c := dataflow.DefaultConfig()
	_ = g.Into(&c) // both are checked
	return s.Text(&c)
}

// tuningChoices are the flags of a tuning with their values.
func tuningChoices(t *job.Tuning) [][2]string {
	return [][2]string{
		{"batch-timeout", t.BatchTimeout.String()}, {"batch", strconv.Itoa(t.BatchRecords)}, {"memory", strconv.FormatInt(t.MemoryBytes, 10)},
		{"transfers", strconv.Itoa(t.Transfers)}, {"processors", strconv.Itoa(t.Processors)}, {"cache", strconv.FormatInt(t.CacheBytes, 10)}, {"write-cache", strconv.FormatInt(t.WriteBytes, 10)},
	}
}

// settingChoices are the settings that were given, each by itself.
func (f *flags) settingChoices(c *bench.Campaign) ([]choice, error) {
	var all []choice
	add := func(flag string, texts []string, was func(name string) (value string, ok bool)) error {
		given, err := parseSettings(flag, texts)
		for _, name := range slices.Sorted(maps.Keys(given)) {
			x := choice{flag, name + "=" + given[name], "none"}
			if v, ok := was(name); ok {
				x.was = name + "=" + v
			}
			all = append(all, x)
		}
		return err
	}
	if err := add("set", f.settings, func(name string) (string, bool) {
		for i := range c.Plan.Cells {
			if v, ok := c.Plan.Cells[i].Settings[name]; ok {
				return v, true
			}
		}
		return "", false
	}); err != nil {
		return nil, err
	}
	err := add("wrong-reference", f.wrongReference, func(name string) (string, bool) {
		v, ok := c.Reference[name]
		return v, ok
	})
	return all, err
}
