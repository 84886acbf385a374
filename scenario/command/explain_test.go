package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExplain: a saved failure is told in each form, to where it was asked to, and
// what cannot be is said with the exit status for it.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "found.weir")
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 || !strings.Contains(stderr, "explain: go run ./cmd/sim explain "+file+" --html") {
		t.Fatalf("status %d: %s", status, stderr)
	}
	missing := filepath.Join(dir, "no", "such", "page.html")
	for _, form := range []string{"--text", "--html", "--perfetto"} {
		_, first, _ := sim(t, "explain", file, form, "-o", "-")
		if _, second, _ := sim(t, "explain", file, form, "-o", "-"); first != second || len(first) < 1000 {
			t.Errorf("%s: the same file is told in two ways", form)
		}
	}
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string
		writes         string
	}{
		{[]string{file}, 0, "# The oracle ", "", ""},
		{[]string{file, "--text", "--whole"}, 0, "# The oracle ", "", ""},
		{[]string{file, "--text", "-o", filepath.Join(dir, "story.txt")}, 0, "wrote ", "", "story.txt"},
		{[]string{file, "--html"}, 0, "wrote " + filepath.Join(dir, "found.html"), "", "found.html"},
		{[]string{file, "--html", "-o", "-"}, 0, "<!DOCTYPE html>", "", ""},
		{[]string{file, "--perfetto"}, 0, "wrote " + filepath.Join(dir, "found.pftrace"), "", "found.pftrace"},
		{[]string{file, "--html", "--text"}, 2, "", "--text and --html: each is a form of its own", ""},
		{[]string{file, "--html", "--cause", "-o", "-"}, 0, "the failure was near certain from ", "", ""},
		{[]string{file, "--perfetto", "--cause"}, 2, "", "--cause: a trace for Perfetto has no curve", ""},
		{[]string{}, 2, "", "explain takes one file", ""},
		{[]string{filepath.Join(dir, "none.weir")}, 2, "", "no such file", ""},
		{[]string{file, "--html", "-o", missing}, 1, "", "the explanation was not written: open " + missing, ""},
		{[]string{file, "--html", "-o", "/dev/full"}, 1, "", "the explanation was not written: write /dev/full: no space left", ""},
	} {
		status, stdout, stderr := sim(t, append([]string{"explain"}, c.args...)...)
		if status != c.status || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: status %d, want %d: %.300s%s", c.args, status, c.status, stdout, stderr)
		}
		if c.writes != "" {
			if info, err := os.Stat(filepath.Join(dir, c.writes)); err != nil || info.Size() < 1000 {
				t.Errorf("%s: %v", c.args, err)
			}
		}
	}
}

// TestExplainOther: a run that is fine by now has nothing to explain, and nothing is
// written; one that is not as it was saved is explained as it is, which is said.
func TestExplainOther(t *testing.T) {
	dir := t.TempDir()
	file, page := filepath.Join(dir, "found.weir"), filepath.Join(dir, "found.html")
	if status, _, stderr := sim(t, "run", "--mutant", "no-fence", "--seed", "4", "--save", file); status != 5 {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), "\nhash ")
	edit(t, file, string(text[at:at+8]), "\nhash 0")
	if status, stdout, stderr := sim(t, "explain", file); status != 0 || !strings.Contains(stderr, "not as it was saved: hash was ") || !strings.Contains(stdout, "# Not as it was saved: hash was ") {
		t.Errorf("status %d: %.300s%s", status, stdout, stderr)
	}
	edit(t, file, "mutant no-fence\n", "")
	status, _, stderr := sim(t, "explain", file, "--html")
	if _, err := os.Stat(page); status != 1 || !strings.Contains(stderr, "with this build any more: there is nothing to explain") || err == nil {
		t.Errorf("status %d, %v: %s", status, err, stderr)
	}
}

// TestSweepExplains: one command from a failing sweep to its pages.
func TestSweepExplains(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "found")
	args := []string{"sweep", "--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--mutant", "empty-is-pending", "--seeds", "1-40", "--explain"}
	if status, _, stderr := sim(t, args...); status != 2 || !strings.Contains(stderr, "there is no --save") {
		t.Errorf("status %d: %s", status, stderr)
	}
	status, _, stderr := sim(t, append(args, "--save", dir)...)
	saved, _ := filepath.Glob(filepath.Join(dir, "*.weir"))
	pages, _ := filepath.Glob(filepath.Join(dir, "*.html"))
	if status != 5 || len(saved) == 0 || len(pages) != len(saved) || !strings.Contains(stderr, " --html\n") {
		t.Errorf("status %d, %d saved, %d pages: %s", status, len(saved), len(pages), stderr)
	}
}
