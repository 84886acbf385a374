package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNamesThatAreNotUTF8: the jobs could not be told of such a directory.
func TestNamesThatAreNotUTF8(t *testing.T) {
	base := t.TempDir()
	for _, args := range [][]string{
		{"--results", filepath.Join(base, "caf\xe9"), "--id", "x"}, {"--results", base, "--id", "caf\xe9"}, {"--results", base, "--id", "x", "--dir", filepath.Join(base, "caf\xe9")},
		{"--results", base, "--resume", "caf\xe9"},
	} {
		var stdout, stderr bytes.Buffer
		status := execute(context.Background(), append([]string{"run", "--quick", "--algorithm", "none", "--events", "100"}, args...), &stdout, &stderr)
		if status != exitError || !strings.Contains(stderr.String(), `caf\xe9`) && !strings.Contains(stderr.String(), "no results") {
			t.Errorf("%q: status %d, %s", args, status, stderr.String())
		}
	}
	if entries, err := os.ReadDir(base); err != nil || len(entries) > 0 {
		t.Errorf("something was made: %v, %v", entries, err)
	}
}
