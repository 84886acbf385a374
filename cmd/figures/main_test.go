package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"weir/internal/results/resultstest"
)

// stage makes a published and a local campaign and returns the flags for them.
func stage(t *testing.T) (flags []string, resultsDir, out string) {
	t.Helper()
	resultsDir, out = filepath.Join(t.TempDir(), "results"), filepath.Join(t.TempDir(), "out")
	c := resultstest.Config{Seed: 3, Repetitions: 3, Algorithms: []string{"none", "aligned"}, States: []string{"heap"}}
	for _, id := range []string{"synthetic", "local-synthetic"} {
		if err := resultstest.Write(filepath.Join(resultsDir, id), c); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--results", resultsDir, "--out", out}, resultsDir, out
}

func run(args ...string) (status int, stdout, stderr string) {
	var o, e bytes.Buffer
	status = execute(args, &o, &e)
	return status, o.String(), e.String()
}

func TestRenderThenCheck(t *testing.T) {
	flags, _, out := stage(t)
	check := append(flags, "--check")
	if status, _, e := run(check...); status != exitError || !strings.Contains(e, "throughput.svg is missing") {
		t.Errorf("check before rendering: %d, %s", status, e)
	}
	if status, _, e := run(flags...); status != exitFine {
		t.Fatalf("render: %d, %s", status, e)
	}
	if status, _, e := run(check...); status != exitFine || !strings.Contains(e, "up to date") {
		t.Errorf("check after rendering: %d, %s", status, e)
	}
	if _, err := os.Stat(filepath.Join(out, "local-synthetic")); err == nil {
		t.Error("a local campaign was rendered")
	}
}

func TestCheckNamesWhatWouldChange(t *testing.T) {
	flags, _, out := stage(t)
	if status, _, e := run(flags...); status != exitFine {
		t.Fatalf("render: %d, %s", status, e)
	}
	for name, text := range map[string]string{"recovery.svg": "<svg/>", "gone.pdf": "%PDF"} {
		if err := os.WriteFile(filepath.Join(out, "synthetic", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	status, _, e := run(append(flags, "--check")...)
	if status != exitError || !strings.Contains(e, "recovery.svg would change") || !strings.Contains(e, "gone.pdf has no results") || strings.Contains(e, "throughput") {
		t.Errorf("%d, %s", status, e)
	}
	if status, _, _ := run(flags...); status != exitFine {
		t.Error("rendering again failed")
	}
	if status, _, e := run(append(flags, "--check")...); status != exitFine {
		t.Errorf("rendering again did not mend it: %s", e)
	}
}

func TestNoResultsFailTheCheck(t *testing.T) {
	status, _, e := run("--check", "--results", t.TempDir(), "--out", t.TempDir())
	if status != exitError || !strings.Contains(e, "nothing was checked: no published results") || strings.Contains(e, "up to date") {
		t.Errorf("%d, %s", status, e)
	}
}

// TestNothingDoneIsNotFine: a directory that is mistyped, empty or none.
func TestNothingDoneIsNotFine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{filepath.Join(dir, "none"): "no such file", file: "not a directory", t.TempDir(): "no published results"} {
		for _, more := range [][]string{nil, {"--check"}} {
			status, _, e := run(append([]string{"--results", path, "--out", t.TempDir()}, more...)...)
			if status != exitError || !strings.Contains(e, want) || !strings.Contains(e, path) {
				t.Errorf("%s %v: status %d, %s", path, more, status, e)
			}
		}
	}
	if status, _, e := run("report", filepath.Join(dir, "none")); status != exitError || !strings.Contains(e, "holds no results") {
		t.Errorf("report: status %d, %s", status, e)
	}
}

// TestNamedPipe: what is no regular file is not waited for.
func TestNamedPipe(t *testing.T) {
	for _, name := range []string{"manifest.json", "samples.jsonl", "*.hlog"} {
		flags, resultsDir, _ := stage(t)
		found, err := filepath.Glob(filepath.Join(resultsDir, "synthetic", name))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", name, found, err)
		}
		if err := errors.Join(os.Remove(found[0]), unix.Mkfifo(found[0], 0o600)); err != nil {
			t.Fatal(err)
		}
		if status, _, e := run(flags...); status != exitError || !strings.Contains(e, found[0]+" is no regular file") {
			t.Errorf("%s: status %d, %s", name, status, e)
		}
	}
}

// TestNamesThatAreNotUTF8: figures reads and writes files by any name.
func TestNamesThatAreNotUTF8(t *testing.T) {
	_, resultsDir, out := stage(t)
	strange := filepath.Join(filepath.Dir(resultsDir), "caf\xe9")
	if err := os.Rename(resultsDir, strange); err != nil {
		t.Fatal(err)
	}
	for _, more := range []string{"", "--check"} {
		if status, _, e := run(strings.Fields("--results " + strange + " --out " + out + "\xe9 " + more)...); status != exitFine {
			t.Errorf("%s: status %d, %s", more, status, e)
		}
	}
}

func TestNoResultsLeaveOldFiguresToBeDeleted(t *testing.T) {
	flags, resultsDir, out := stage(t)
	if status, _, e := run(flags...); status != exitFine {
		t.Fatalf("render: %d, %s", status, e)
	}
	if err := os.RemoveAll(filepath.Join(resultsDir, "synthetic")); err != nil {
		t.Fatal(err)
	}
	if status, _, e := run(append(flags, "--check")...); status != exitError || !strings.Contains(e, "throughput.pdf has no results") || !strings.Contains(e, "delete them") {
		t.Errorf("check: %d, %s", status, e)
	}
	if status, _, e := run(flags...); status != exitError || !strings.Contains(e, "nothing was drawn") {
		t.Errorf("render: %d, %s", status, e)
	}
	if _, err := os.Stat(filepath.Join(out, "synthetic", "throughput.svg")); err != nil {
		t.Errorf("figures were removed because no results were found: %v", err)
	}
}

func TestAnotherSchemaIsNamed(t *testing.T) {
	flags, resultsDir, _ := stage(t)
	path := filepath.Join(resultsDir, "synthetic", "manifest.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(data, []byte(`"schema": 1`), []byte(`"schema": 9`), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, e := run(flags...); status != exitError || !strings.Contains(e, "manifest.json") || !strings.Contains(e, "another schema version: 9") {
		t.Errorf("%d, %s", status, e)
	}
}

func TestBadResultsAreNamed(t *testing.T) {
	flags, resultsDir, _ := stage(t)
	path := filepath.Join(resultsDir, "synthetic", "samples.jsonl")
	if err := os.WriteFile(path, []byte("{\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, _, e := run(flags...); status != exitError || !strings.Contains(e, "samples.jsonl:1") {
		t.Errorf("%d, %s", status, e)
	}
}

func TestReport(t *testing.T) {
	_, resultsDir, _ := stage(t)
	dir := filepath.Join(resultsDir, "synthetic")
	if status, _, e := run("report", dir); status != exitFine {
		t.Fatalf("%d, %s", status, e)
	}
	written, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, _ := run("report", dir, "--output", "-")
	if status != exitFine || stdout != string(written) || !strings.HasPrefix(stdout, "<!DOCTYPE html>") {
		t.Errorf("the report on standard output differs from the file, or is none: status %d", status)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"--no-such-flag"}, {"no-such-command"}, {"report"}, {"report", "a", "b", "-o", "c"}, {"report", "--no-such-flag"}} {
		if status, _, e := run(args...); status != exitUsage || !strings.Contains(e, "--help") {
			t.Errorf("%v: status %d, %s", args, status, e)
		}
	}
	if status, stdout, _ := run("--help"); status != exitFine || !strings.Contains(stdout, "Examples:") {
		t.Errorf("--help: %d, %s", status, stdout)
	}
}
