package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInput: a name that stands for nothing is bad input, not a failure.
func TestBadInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compare", "--build", "no-such-revision", "--build", ".", "BenchmarkSimEvents/fifo"}, `build "no-such-revision": `},
		{[]string{"compare", "--build", ".", "--build", filepath.Dir(file), "BenchmarkSimEvents/fifo"}, "is no work tree of git"},
		{[]string{"compare", "--build", ".", "--build", ".", "BenchmarkNobodyWroteThis"}, "BenchmarkNobodyWroteThis is not in"},
		{[]string{"compare", "--build", ".", "--build", ".", "cheese"}, `"cheese" is neither a benchmark`},
		{[]string{"disk", file + "-not"}, "name a directory that is there"},
		{[]string{"disk", file}, "is a file; name a directory"},
	} {
		var stdout, stderr bytes.Buffer
		if status := execute(t.Context(), c.args, &stdout, &stderr); status != exitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%q: status %d, stdout %q, stderr %q; want status 2 and %q", c.args, status, stdout.String(), stderr.String(), c.want)
		}
	}
}
