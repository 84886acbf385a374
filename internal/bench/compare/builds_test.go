package compare

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	module = "module toy\n\ngo 1.24\n"
	work   = "func work(n int) (s int) {\n\tfor i := range n {\n\t\ts += i * i % 7\n\t}\n\treturn s\n}\n\nvar sink int\n"
	bench  = "func BenchmarkWork(b *testing.B) {\n\tb.Run(\"n=1\", func(b *testing.B) {\n\t\tfor range b.N {\n\t\t\tsink += work(SIZE)\n\t\t}\n\t})\n\tb.Run(\"n=1/fails\", func(b *testing.B) { b.Fatal(\"by design\") })\n}\n"
)

func toyTest(size string) string {
	return "package toy\n\nimport \"testing\"\n\n" + work + strings.ReplaceAll(bench, "SIZE", size)
}

// toy makes a repository in which HEAD, whose benchmark is in another package,
// does one and a half times the work of HEAD~1.
func toy(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	dir := t.TempDir()
	gitIn(t, dir, "init", "--quiet")
	write(t, dir, "go.mod", module)
	write(t, dir, "old/toy_test.go", toyTest("3000"))
	commit(t, dir)
	gitIn(t, dir, "rm", "-r", "--quiet", "old")
	write(t, dir, "new/toy_test.go", toyTest("4500"))
	commit(t, dir)
	return dir
}

func commit(t *testing.T, dir string) {
	t.Helper()
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "x")
}

func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func opened(t *testing.T, dir, a, b string) *Builds {
	t.Helper()
	builds, err := Open(t.Context(), dir, [2]string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := builds.Close(); err != nil {
			t.Error(err)
		}
	})
	return builds
}

// TestTwoRevisions goes the whole way: work trees, test binaries, and a benchmark
// that has moved to another package and become slower.
func TestTwoRevisions(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := toy(t)
	b := opened(t, dir, "HEAD~1", "HEAD")
	b.aimed = 150 * time.Millisecond
	s, err := b.Subject(t.Context(), "BenchmarkWork/n=1")
	if err != nil {
		t.Fatal(err)
	}
	rule := DefaultRule()
	rule.MaxBlocks = rule.MinBlocks
	r := compared(t, rule, s.Repeat)
	if r.Ratio.Median < 1.2 || r.Ratio.Median > 1.9 || s.Operations < 1000 || !r.Exceeds(1.05) {
		t.Errorf("%s: %+v, %d operations", r.Why(), r.Ratio, s.Operations)
	}
	if len(r.Reported()) == 0 || r.Reported()[0].Unit != "ns/op" {
		t.Errorf("reported %+v", r.Reported())
	}
	if len(b.binaries) != 2 {
		t.Errorf("built %v", b.binaries)
	}
	_, err = b.Subject(t.Context(), "BenchmarkWork/n=1/fails")
	wantError(t, err, "by design", "BenchmarkWork/n=1/fails in A of HEAD~1")
	_, err = b.Subject(t.Context(), "BenchmarkWork")
	wantError(t, err, "one must be named")
	_, err = b.Subject(t.Context(), "work/n=1")
	wantError(t, err, `"work/n=1" is neither a benchmark`, "nor a cell")
	_, err = b.Subject(t.Context(), "BenchmarkNone")
	wantError(t, err, `BenchmarkNone is not in HEAD~1`, `no "func BenchmarkNone("`)
	if len(b.binaries) != 2 {
		t.Errorf("built again: %v", b.binaries)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if trees := gitIn(t, dir, "worktree", "list"); err != nil || len(left) > 0 || strings.Contains(trees, "\n") {
		t.Errorf("left: %v, work trees %s, error %v", left, trees, err)
	}
}

// TestWorkTree: a directory is measured as it is, what is not committed included.
func TestWorkTree(t *testing.T) {
	dir := toy(t)
	b := opened(t, dir, "HEAD", dir)
	if b.Builds[A].Dirty || b.Builds[B].Dirty {
		t.Error("dirty without a change")
	}
	write(t, dir, "new/more_test.go", "package toy\n\nfunc broken( {}\n")
	write(t, dir, "also/toy_test.go", toyTest("1"))
	b = opened(t, dir, "HEAD", dir)
	if b.Builds[A].Dirty || !b.Builds[B].Dirty || !strings.Contains(b.Builds[B].String(), "dirty") {
		t.Errorf("builds %s and %s", b.Builds[A], b.Builds[B])
	}
	_, err := b.Subject(t.Context(), "BenchmarkWork/n=1")
	wantError(t, err, "in 2 packages", "also", "new", "name one, as in also.BenchmarkWork")
	_, err = b.Subject(t.Context(), "new.BenchmarkWork/n=1")
	wantError(t, err, "build B of "+dir, "more_test.go:3:14: expected ')'") // the go command's words
}

func TestBadBuilds(t *testing.T) {
	dir := toy(t)
	for _, c := range []struct{ dir, name, want string }{
		{dir, "no-such", `build "no-such": git knows no commit`},
		{dir, "--help", `build "--help": git knows no commit`},
		{dir, "/", "is no work tree of git"},
		{t.TempDir(), "HEAD", "not a git repository"},
	} {
		_, err := Open(t.Context(), c.dir, [2]string{c.name, c.name})
		wantError(t, err, c.want)
	}
	shallow := filepath.Join(t.TempDir(), "shallow")
	gitIn(t, dir, "clone", "--quiet", "--depth", "1", "file://"+dir, shallow)
	_, err := Open(t.Context(), shallow, [2]string{"HEAD~1", "HEAD"})
	wantError(t, err, "shallow", "--unshallow")
	t.Setenv("PATH", t.TempDir())
	_, err = Open(t.Context(), dir, [2]string{"HEAD", "HEAD"})
	wantError(t, err, "git is needed")
}

// TestInterruptRemovesTrees: a cancelled context ends the command under way, and
// Close still removes what was made.
func TestInterruptRemovesTrees(t *testing.T) {
	dir := toy(t)
	b := opened(t, dir, "HEAD", "HEAD")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Subject(ctx, "BenchmarkWork/n=1"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if trees := gitIn(t, dir, "worktree", "list"); strings.Contains(trees, "\n") {
		t.Error(trees)
	}
}

func TestParse(t *testing.T) {
	x, err := parse("goos: linux\nBenchmarkX/y-2 \t 12\t 100 ns/op\t 3.5 events/cpu-s\nPASS\n")
	if err != nil || x.iterations != 12 || x.values["ns/op"] != 100 || x.values["events/cpu-s"] != 3.5 {
		t.Errorf("%+v, error %v", x, err)
	}
	_, err = parse("PASS\n")
	wantError(t, err, "no result")
	_, err = parse("BenchmarkX 1 1 ns/op\nBenchmarkY 1 1 ns/op\n")
	wantError(t, err, "more than one")
}

// TestReadCells reads what `bench run --json` writes: a cell, its twin, and the
// summary.
func TestReadCells(t *testing.T) {
	const lines = `{"algorithm":"aligned","throughput":{"median":1e6,"unit":"records/s"},"throughput_per_cpu":{"median":5e5}}
{"algorithm":"aligned","twin":true,"throughput":{"median":5e5},"throughput_per_cpu":{"median":2.5e5}}
{"summary":true,"cells":2}
`
	r, err := readCells(lines)
	if err != nil || r.CPU != 3000 || r.Wall != 1500 {
		t.Errorf("%+v, error %v", r, err)
	}
	_, err = readCells(`{"algorithm":"aligned"}`)
	wantError(t, err, "no throughput_per_cpu in a cell")
	_, err = readCells(`{"summary":true}`)
	wantError(t, err, "no cell was measured")
	_, err = readCells("table")
	wantError(t, err, "not JSON")
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("error %v, want %q in it", err, p)
		}
	}
}

// TestRefusal: what a build's own command does not take is a matter of usage, in
// its words; any other failure is told with the command.
func TestRefusal(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{`echo "bench: usage: unknown state backend" >&2; echo "Try: bench --help" >&2; exit 2`, "unknown state backend"},
		{`echo "bench: usage: unknown state backend" >&2; exit 1`, ""},
		{`exit 0`, ""},
	} {
		_, err := run(t.Context(), t.TempDir(), nil, "sh", "-c", c.script)
		if got := refused(err); got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.script, got, c.want, err)
		}
	}
}
