package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/dataflow"
	"weir/internal/bench/job"
	"weir/results"
)

// Names of settings in a manifest that belong to no tuning. Those of the second
// group stand there only where they are not empty.
const (
	settingEvents = "events"
	settingWarm   = "warm_up_ms"

	settingDir       = "dir"
	settingMutant    = "mutant"
	settingReference = "wrong_reference"
	settingProgram   = "program" // the first bytes of the executable's SHA-256
)

// intervalSetting is the setting that cells have, each its own.
const intervalSetting = "checkpoint.interval"

// given returns what settings say of the coordinator's: what is not at its default.
func given(settings map[string]string) (dataflow.Given, error) {
	g, standard := dataflow.Given{}, dataflow.DefaultConfig()
	for _, s := range dataflow.Settings() {
		text, ok := settings[s.Name]
		if !ok || s.Name == intervalSetting || text == s.Text(&standard) {
			continue
		}
		if err := g.Put(s.Name, text); err != nil {
			return nil, fmt.Errorf("%w; restore the manifest, or measure again", err)
		}
	}
	return g, nil
}

// describe adds to settings what Resume needs besides plan and tuning.
func (c *Campaign) describe(settings map[string]string) {
	settings[settingEvents], settings[settingWarm] = strconv.FormatInt(c.Plan.Events, 10), strconv.FormatInt(c.Plan.Warm.Milliseconds(), 10)
	config := dataflow.DefaultConfig()
	_ = c.Plan.Given.Into(&config) // the grid was validated
	for _, s := range dataflow.Settings() {
		if s.Name != intervalSetting { // of each cell
			settings[s.Name] = s.Text(&config)
		}
	}
	var reference []string
	for _, name := range sortedNames(c.Reference) {
		reference = append(reference, name+"="+c.Reference[name])
	}
	for _, s := range [][2]string{
		{settingDir, c.Dir}, {settingMutant, c.Mutant}, {settingReference, strings.Join(reference, ",")}, {settingProgram, programSum()},
	} {
		if s[1] != "" {
			settings[s[0]] = s[1]
		}
	}
}

// Resume returns the campaign whose record is in dir as it was begun, so that it
// can go on: plan, tuning and the directory of the data are those of its manifest.
// Nothing is changed before Run.
func Resume(dir string) (*Campaign, error) {
	m, err := results.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	s := m.Environment.Settings
	c := &Campaign{
		Plan: Plan{
			Cells: m.Plan.Cells, Repetitions: m.Plan.Repetitions, Quick: m.Plan.Quick, Seed: m.Plan.Seed, Baseline: m.Plan.Baseline,
			Measure: time.Duration(m.Plan.RepetitionSeconds * 1e9), Events: setting(s, settingEvents, 0),
			Warm: time.Duration(setting(s, settingWarm, 0)) * time.Millisecond,
		},
		Results: dir, Dir: s[settingDir], Tuning: job.DefaultTuning(), Mutant: s[settingMutant], Resume: true,
	}
	for _, text := range strings.Split(s[settingReference], ",") {
		if name, value, ok := strings.Cut(text, "="); ok {
			if c.Reference == nil {
				c.Reference = map[string]string{}
			}
			c.Reference[name] = value
		}
	}
	if c.Plan.Given, err = given(s); err != nil {
		return nil, err
	}
	return c, c.Tuning.Read(s)
}

// Left reports whether something of a campaign that was begun is left to do. If
// not, r is what came of it, err the error it ended with, and Run is not to be
// called: it would write the end of today.
func (c *Campaign) Left() (left bool, r *results.Results, err error) {
	m, err := results.ReadManifest(c.Results)
	if err != nil || m.Finished == nil {
		return true, nil, err
	}
	if r, err = results.Read(c.Results); err != nil {
		return true, nil, nil // Run says what is wrong, or mends it
	}
	has := map[string]bool{}
	for i := range r.Samples {
		has[r.Samples[i].Cell.Key()+strconv.Itoa(r.Samples[i].Repetition)] = true
	}
	for _, s := range order(c.Plan.Cells, c.Plan.Repetitions, c.Plan.Seed) {
		if !has[s.cell.Key()+strconv.Itoa(s.repetition)] {
			return true, nil, nil
		}
	}
	return false, r, Verdict(c.Results, wrongOutputs(r), m.Validity)
}

func wrongOutputs(r *results.Results) (n int) {
	for i := range r.Samples {
		if r.Samples[i].Output == results.OutputWrong {
			n++
		}
	}
	return n
}

// reopen opens the record of a campaign that goes on, and marks it if it goes
// on with something else than it was begun with.
func (c *Campaign) reopen(now *results.Environment) (err error) {
	if c.writer, err = results.Resume(c.Results); err != nil {
		return err
	}
	if c.isDone() {
		return nil
	}
	m := c.writer.Manifest()
	differing := differences(&m.Environment, now)
	if len(differing) == 0 {
		return nil
	}
	w := results.Warning{Mixed: true, Text: "continued where not everything was as at the beginning: " + strings.Join(differing, "; ")}
	c.log("%s; the results cannot be valid", w.Text)
	if slices.Contains(m.Warnings, w) {
		return nil
	}
	return c.writer.Amend(func(m *results.Manifest) { m.Warnings = append(m.Warnings, w) })
}

// isDone tells whether every repetition is recorded.
func (c *Campaign) isDone() bool {
	return !slices.ContainsFunc(order(c.Plan.Cells, c.Plan.Repetitions, c.Plan.Seed), func(s step) bool { return !c.writer.Has(s.cell, s.repetition) })
}

// differences tells in what program, machine and file system two environments
// differ. What is not known of one of them is not compared.
func differences(was, is *results.Environment) []string {
	var all []string
	for _, x := range []struct{ what, was, is string }{
		{"commit", revision(was), revision(is)},
		{"program", was.Settings[settingProgram], is.Settings[settingProgram]},
		{"Go", was.GoVersion, is.GoVersion},
		{"platform", was.GOOS + "/" + was.GOARCH, is.GOOS + "/" + is.GOARCH},
		{"kernel", was.Kernel, is.Kernel},
		{"CPU", was.CPU, is.CPU},
		{"cores", number(was.Cores), number(is.Cores)},
		{"GOMAXPROCS", number(was.GOMAXPROCS), number(is.GOMAXPROCS)},
		{"memory", number(was.MemoryBytes), number(is.MemoryBytes)},
		{"limit of CPU", limit(was.CPULimit), limit(is.CPULimit)},
		{"limit of memory", limit(was.MemoryLimit), limit(is.MemoryLimit)},
		{"file system", was.Disk.FileSystem, is.Disk.FileSystem},
	} {
		if x.was != "" && x.is != "" && x.was != x.is {
			all = append(all, fmt.Sprintf("%s %s, before %s", x.what, x.is, x.was))
		}
	}
	if was.Disk.FileSystem == is.Disk.FileSystem && was.Disk.MountOptions != is.Disk.MountOptions {
		all = append(all, "a file system mounted with other options")
	}
	return all
}

func revision(e *results.Environment) string {
	if e.Dirty {
		return e.Commit + " with changes"
	}
	return e.Commit
}

func number[N int | int64](n N) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func limit[N int64 | float64](n N) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// programSum tells one build of the program from another; empty if it cannot.
func programSum() string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(self)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
