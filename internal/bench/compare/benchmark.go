package compare

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
)

// few is the number of operations whose process is start and set-up: two,
// because the testing package always tries one first.
const few = 2

// Subject is something that both builds can measure.
type Subject struct {
	Name string // as given
	// Measured says in words what processor time is that of.
	Measured string
	// Operations is the number that a repetition is asked for.
	Operations int
	// Repeat measures one repetition.
	Repeat Repeat
}

// benchmarkName is a Go benchmark, perhaps with the end of its package's path in
// front and the name of a sub-benchmark behind: heap.BenchmarkUpdate/keys=10k.
var benchmarkName = regexp.MustCompile(`^(?:([\w./-]*?)\.)?(Benchmark\w*)(?:/(.+))?$`)

// benchmark is a Go benchmark in the test binaries of both builds.
type benchmark struct {
	builds   *Builds
	name     string // without the package
	binaries [2]string
	dirs     [2]string // of the packages: where a test binary runs
	rate     string    // unit of a rate per CPU-second; empty: the process is measured
	n        int
}

// CheckName returns an *UnknownError for what can be neither a benchmark nor a
// cell, whatever the builds have.
func CheckName(name string) error {
	if parts := benchmarkName.FindStringSubmatch(name); parts != nil {
		for sub := range strings.SplitSeq(parts[3], "/") { // as go test does
			if _, err := regexp.Compile(sub); err != nil {
				return unknown("%q names sub-benchmarks by no regular expression: %w", name, err)
			}
		}
		return nil
	}
	parts := strings.Split(name, "/")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return unknown("%q is neither a benchmark, whose name begins with Benchmark, nor a cell, algorithm/state/workload", name)
	}
	return nil
}

// Subject builds what a name says, a benchmark or a cell, for both arms.
func (b *Builds) Subject(ctx context.Context, name string) (*Subject, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if benchmarkName.MatchString(name) {
		return b.benchmark(ctx, name)
	}
	return b.cell(ctx, name)
}

// benchmark builds the test binary of a Go benchmark for both arms, which may
// have it in different packages, and finds out how many iterations a repetition
// needs.
func (b *Builds) benchmark(ctx context.Context, name string) (*Subject, error) {
	parts := benchmarkName.FindStringSubmatch(name)
	m := &benchmark{builds: b, name: strings.TrimSuffix(parts[2]+"/"+parts[3], "/")}
	for _, arm := range []Arm{A, B} {
		pkg, err := findPackage(b.Builds[arm], parts[1], parts[2])
		if err != nil {
			return nil, err
		}
		if m.binaries[arm], err = b.binary(ctx, arm, pkg, "test", "-c"); err != nil {
			return nil, err
		}
		m.dirs[arm] = filepath.Join(b.Builds[arm].dir, pkg)
	}
	if err := m.calibrate(ctx); err != nil {
		return nil, err
	}
	s := &Subject{Name: name, Operations: m.n, Repeat: m.repeat, Measured: "the process, less start and set-up (a process of 2 operations)"}
	if m.rate != "" {
		s.Measured = "the benchmark's loop (" + m.rate + ")"
	}
	return s, nil
}

// findPackage returns the directory, in a build's tree, of the one package that
// has a benchmark function and whose path ends as given.
func findPackage(b *Build, ending, function string) (string, error) {
	declared := regexp.MustCompile(`(?m)^func ` + function + `\(`)
	var found []string
	files := 0
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != b.dir && isForeign(path) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil || !declared.Match(text) {
			return err
		}
		pkg, err := filepath.Rel(b.dir, filepath.Dir(path))
		if ends := ending == "" || strings.HasSuffix("/"+filepath.ToSlash(pkg), "/"+ending); err == nil && ends && !slices.Contains(found, pkg) {
			found = append(found, pkg)
		}
		return err
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("look for %s in %s: %w", function, b, err)
	case len(found) == 0:
		in := ""
		if ending != "" {
			in = " in a package whose path ends in " + ending
		}
		return "", unknown("%s is not in %s: no \"func %s(\" in its %d files *_test.go%s", function, b, function, files, in)
	case len(found) > 1:
		return "", unknown("%s is in %d packages of %s: %s; name one, as in %s.%s", function, len(found), b, strings.Join(found, ", "), filepath.ToSlash(found[0]), function)
	}
	return found[0], nil
}

// isForeign tells of directories that the go command does not look into.
func isForeign(dir string) bool {
	name := filepath.Base(dir)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// calibrate asks the testing package how many iterations take the time aimed at
// in A, lets both arms do them once, to warm caches, and sees what they report.
func (m *benchmark) calibrate(ctx context.Context) error {
	x, err := m.process(ctx, A, m.builds.aimed.String())
	if err != nil {
		return err
	}
	m.n = max(x.iterations, 1)
	var warm [2]*output
	for _, arm := range []Arm{A, B} {
		if warm[arm], err = m.process(ctx, arm, fmt.Sprintf("%dx", m.n)); err != nil {
			return err
		}
	}
	for _, unit := range warm[A].units {
		if _, ok := warm[B].values[unit]; ok && strings.HasSuffix(unit, perCPU) {
			m.rate = unit
			return nil
		}
	}
	setUp, err := m.process(ctx, A, fmt.Sprintf("%dx", few))
	if err != nil {
		return err
	}
	// On a busy machine the time aimed at holds little processor time, of which
	// start and set-up are then too large a share.
	loop := max(warm[A].cpu-setUp.cpu, m.builds.aimed/20)
	m.n = max(m.n, 2*few, int(float64(m.n)*float64(m.builds.aimed)/float64(loop)))
	return nil
}

// perCPU ends the unit of a rate by the processor time of the benchmark's loop.
const perCPU = "/cpu-s"

func (m *benchmark) repeat(ctx context.Context, arm Arm) (Reading, error) {
	x, err := m.process(ctx, arm, fmt.Sprintf("%dx", m.n))
	if err != nil {
		return Reading{}, err
	}
	r := Reading{Wall: x.values["ns/op"], Reported: x.values}
	if m.rate != "" {
		r.CPU = 1e9 / x.values[m.rate]
		if v := x.values[strings.TrimSuffix(m.rate, perCPU)+"/s"]; v > 0 {
			r.Wall = 1e9 / v // of the same operations
		}
		return r, nil
	}
	setUp, err := m.process(ctx, arm, fmt.Sprintf("%dx", few))
	if err != nil {
		return Reading{}, err
	}
	r.CPU = float64(x.cpu-setUp.cpu) / float64(m.n-few)
	return r, nil
}

// output is what a benchmark reported, values as written.
type output struct {
	iterations int
	units      []string // in their order
	values     map[string]float64
	cpu        time.Duration // of the process
}

// process runs the benchmark in a process of its own.
func (m *benchmark) process(ctx context.Context, arm Arm, benchtime string) (*output, error) {
	pattern := exactly(m.name)
	f, err := run(ctx, m.dirs[arm], m.builds.env, m.binaries[arm], "-test.run", "^$", "-test.bench", pattern, "-test.skip", pattern+"/.", "-test.benchtime", benchtime)
	if err != nil {
		return nil, fmt.Errorf("%s in %s of %s: %w", m.name, arm, m.builds.Builds[arm], err)
	}
	x, err := parse(f.stdout)
	if err != nil {
		return nil, fmt.Errorf("%s in %s of %s: %w; it wrote:\n%s", m.name, arm, m.builds.Builds[arm], err, strings.TrimSpace(f.stdout))
	}
	x.cpu = f.cpu
	return x, nil
}

// exactly is the pattern of a benchmark and those below it.
func exactly(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// parse reads the one result of a benchmark's output.
func parse(text string) (*output, error) {
	var found *output
	r := benchfmt.NewReader(strings.NewReader(text), "output")
	for r.Scan() {
		x, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		if found != nil {
			return nil, errors.New("more than one result")
		}
		found = &output{iterations: x.Iters, values: map[string]float64{}}
		for _, v := range x.Values {
			unit, value := v.Unit, v.Value
			if v.OrigUnit != "" {
				unit, value = v.OrigUnit, v.OrigValue
			}
			found.units = append(found.units, unit)
			found.values[unit] = value
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errors.New("no result: there is no such sub-benchmark, it skips itself, or it has sub-benchmarks and one must be named (BENCH/SUB)")
	}
	return found, nil
}
