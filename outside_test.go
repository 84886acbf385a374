package weir_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// door is what jobs and algorithms of others need: what examples/own may import.
var door = []string{
	"algorithms", "algorithms/rounds", "check", "dataflow", "dataflow/operators", "id", "scenario/command", "scenario/simtest", "state", "workloads",
}

const own = "examples/own"

// TestOutsidersComeByTheDoor: the example is a module whose path is not below
// ours, so that the compiler keeps it out of internal packages, and it imports what
// is listed and no more.
func TestOutsidersComeByTheDoor(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(own, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(mod), "module example.com/own\n") || !strings.Contains(string(mod), "replace weir => ../..") {
		t.Errorf("go.mod: %.60s", mod)
	}
	for _, imp := range importsBelow(t, own) {
		if ours, ok := strings.CutPrefix(imp, "weir/"); ok && !slices.Contains(door, ours) {
			t.Errorf("examples/own imports %s, which is not for outsiders", imp)
		}
	}
	exported := ourPackages(t)
	for _, pkg := range door {
		if exported[pkg] == nil || slices.Contains(strings.Split(pkg, "/"), "internal") {
			t.Errorf("%s is no package that outsiders could import", pkg)
		}
	}
}

// importsBelow returns the imports of all Go files below dir.
func importsBelow(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			all = append(all, p)
		}
		return nil
	})
	if err != nil || len(all) < 10 {
		t.Fatalf("%s: %d imports, %v", dir, len(all), err)
	}
	return all
}

// checkLines is what it may take to check a job, beside the job.
const checkLines = 60

// TestAJobIsCheckedByFewLines counts all lines of the example's answer and test.
func TestAJobIsCheckedByFewLines(t *testing.T) {
	n := 0
	for _, name := range []string{"workload.go", "visits_test.go"} {
		text, err := os.ReadFile(filepath.Join(own, name))
		if err != nil {
			t.Fatal(err)
		}
		n += strings.Count(string(text), "\n")
	}
	if t.Logf("%d lines", n); n > checkLines {
		t.Errorf("the check takes %d lines, %d are allowed", n, checkLines)
	}
}

var codeBlock = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")

// TestOwnJobsIsTrue holds the blocks of docs/own-jobs.md against the example: what
// is Go stands there, and commands do and print what is said.
func TestOwnJobsIsTrue(t *testing.T) {
	doc, err := os.ReadFile("docs/own-jobs.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(own, "*.go"))
	more, err2 := filepath.Glob(filepath.Join(own, "cmd/*/*.go"))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var source strings.Builder
	for _, name := range append(files, more...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	kinds := map[string]int{}
	for _, b := range codeBlock.FindAllStringSubmatch(string(doc), -1) {
		switch kinds[b[1]]++; b[1] {
		case "go":
			for part := range strings.SplitSeq(b[2], "\t// ...\n") { // what is left out
				if !strings.Contains(source.String(), part) {
					t.Errorf("the example does not have\n%s", part)
				}
			}
		case "console":
			command(t, b[2])
		default:
			t.Errorf("a block of %s that nothing checks:\n%s", b[1], b[2])
		}
	}
	if kinds["go"] < 3 || kinds["console"] < 2 {
		t.Errorf("blocks: %v", kinds)
	}
}

// command runs what stands behind "$ " in the example's directory; each of the
// lines below it must stand in what is printed, to the dots that end it, if any.
func command(t *testing.T, block string) {
	t.Helper()
	line, want, _ := strings.Cut(block, "\n")
	call, ok := strings.CutPrefix(line, "$ ")
	if !ok {
		t.Errorf("no command: %s", line)
		return
	}
	cmd := exec.Command("sh", "-c", call)
	cmd.Dir = own
	out, _ := cmd.CombinedOutput() // the status is part of what is said
	for l := range strings.Lines(want) {
		if l = strings.TrimSuffix(strings.TrimRight(l, "\n"), "..."); !strings.Contains(string(out), l) {
			t.Errorf("%s does not print %q:\n%s", call, l, out)
		}
	}
}
