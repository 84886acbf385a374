package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTriage: each standing, and files of one signature in one group.
func TestTriage(t *testing.T) {
	dir := t.TempDir()
	small, found, pins := shrunk(t), filepath.Join(dir, "found"), filepath.Join(dir, "pins")
	put := func(name string, edits ...string) {
		t.Helper()
		text, err := os.ReadFile(small)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(strings.NewReplacer(edits...).Replace(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mended, failing := "\nexpect ok\nplan (", "\nexpect failing\nplan ("
	put(filepath.Join(found, "a.weir"))
	put(filepath.Join(found, "deep", "b.weir"), "task=failed", "task=running")
	put(filepath.Join(found, "b.weir"), "task=failed", "task=running")
	put(filepath.Join(found, "c.weir"), "oracle contiguity", "oracle cut")
	put(filepath.Join(found, "fine.weir"), "verdict safety violation\noracle contiguity", "verdict ok")
	put(filepath.Join(pins, "a.weir"), "\nplan (", failing)
	put(filepath.Join(pins, "c.weir"), "oracle contiguity", "oracle cut", "\nplan (", mended)
	put(filepath.Join(pins, "d.weir"), "oracle contiguity", "oracle restore", "\nplan (", mended)
	status, stdout, stderr := sim(t, "triage", found, "--pins", pins, "--json")
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if status != 0 || len(lines) != 5 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	for i, want := range []struct {
		standing standing
		broken   string
		files    int
	}{{isNew, "contiguity", 2}, {isBack, "cut", 1}, {isKnown, "contiguity", 1}, {isGone, "restore", 0}} {
		var g group
		if err := json.Unmarshal([]byte(lines[i]), &g); err != nil || g.Standing != want.standing || g.Broken != want.broken || len(g.Files) != want.files || (g.Pin == "") != (want.standing == isNew) {
			t.Errorf("%v: %s; want %+v", err, lines[i], want)
		}
	}
	if lines[4] != `{"back":1,"files":4,"gone":1,"groups":4,"known":1,"new":1}` {
		t.Errorf("summary %s", lines[4])
	}
	if _, stdout, _ := sim(t, "triage", found, "--pins", filepath.Join(dir, "none")); !strings.Contains(stdout, "4 files: 3 kinds are new, 0 back, 0 known, 0 gone") {
		t.Errorf("without pins: %s", stdout)
	}
	put(filepath.Join(found, "e.weir"), "verdict safety violation", "verdit ok")
	if status, stdout, stderr := sim(t, "triage", found, "--pins", pins); status != 2 || !strings.Contains(stdout, "1 known") || !strings.Contains(stderr, "e.weir: line ") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
	for _, args := range [][]string{{"triage"}, {"triage", filepath.Join(dir, "none")}} {
		if status, _, _ := sim(t, args...); status != 2 {
			t.Errorf("%q: status %d", args, status)
		}
	}
}
