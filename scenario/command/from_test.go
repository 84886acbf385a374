package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/scenario/inspect"
	"weir/state/storage"
)

// stopped leaves a live job half done in a directory, with a savepoint of its last checkpoint, and returns
// what names both.
func stopped(t *testing.T, args ...string) (saved, output string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "job")
	args = append([]string{"run", "--driver", "live", "--stop", "--storage", dir, "--json"}, args...)
	if status, stdout, stderr := sim(t, args...); status != 0 {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	s, err := inspect.Open(inspect.Config{FS: vfs.Default, Scratch: t.TempDir(), Groups: liveGroups}, dir)
	if err != nil {
		t.Fatal(err)
	}
	saved = filepath.Join(filepath.Dir(dir), "saved")
	to, err := storage.OpenDir(vfs.Default, saved, storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inspect.Convert(s, to, nil); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return saved, filepath.Join(dir, "sink")
}

// content returns the files below a directory with what stands in them.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, err := os.ReadFile(path)
			all[path] = string(b)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func unchanged(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	for path, b := range before {
		if a, ok := after[path]; !ok || a != b {
			t.Errorf("%s: %s has changed", what, path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("%s: %d files, there were %d", what, len(after), len(before))
	}
}

// TestGoOnFromASavepoint: a live job that was stopped in the middle goes on in the simulator and on
// real threads, as another one; its output as a whole is the reference answer, and the savepoint stays.
func TestGoOnFromASavepoint(t *testing.T) {
	saved, output := stopped(t, "--workload", "nexmark-q5", "--parallelism", "2")
	before := content(t, saved)
	outside := content(t, output)
	status, stdout, stderr := sim(t, "run", "--from", saved, "--output", output, "--workload", "nexmark-q5", "--algorithm", "unaligned", "--parallelism", "5", "--json")
	if status != 0 || !strings.Contains(stdout, `"verdict":"ok"`) {
		t.Errorf("simulated: status %d: %s%s", status, stdout, stderr)
	}
	unchanged(t, "the external store, behind a simulated run", outside, content(t, output))
	status, stdout, stderr = sim(t, "run", "--driver", "live", "--from", saved, "--output", output, "--workload", "nexmark-q5", "--algorithm", "uncoordinated", "--state", "pebble", "--parallelism", "3", "--json")
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.Crashes != 1 || s.NotJudged != "" {
		t.Errorf("live: status %d, %v: %s%s", status, err, stdout, stderr)
	}
	unchanged(t, "the savepoint", before, content(t, saved))
}

// TestBadSavepoints: each is refused with an error that names the thing and the way out, and nothing
// is touched.
func TestBadSavepoints(t *testing.T) {
	saved, output := stopped(t, "--workload", "keyedcount", "--parallelism", "2")
	parts := content(t, saved)
	find := func(name string) string {
		for path := range parts {
			if strings.HasPrefix(filepath.Base(path), name) {
				return path
			}
		}
		t.Fatalf("no %s", name)
		return ""
	}
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	cut := func(b []byte) []byte { return b[:len(b)-9] }
	for _, c := range []struct {
		what   string
		file   string
		damage func([]byte) []byte // nil, with a file: it is missing
		args   []string
		says   []string
	}{
		{what: "another job", args: []string{"--workload", "sessions"}, says: []string{`"keyedcount"`, `"sessions"`}},
		{what: "a flipped bit in the manifest", file: "manifest", damage: flip, says: []string{"manifest", "state verify"}},
		{what: "a manifest cut off", file: "manifest", damage: cut, says: []string{"manifest", "state verify"}},
		{what: "no manifest", file: "manifest", says: []string{"manifest", "not found"}},
		{what: "a flipped bit in the data", file: "t2-0", damage: flip, says: []string{"t2-0", "key group"}},
		{what: "an index cut off", file: "t2.", damage: cut, says: []string{"t2", "count[0]"}},
		{what: "a part missing", file: "t2-0", says: []string{"t2-0", "not found"}},
		{what: "too many tasks", args: []string{"--parallelism", "200"}, says: []string{"--parallelism 200", "128 key groups"}},
		{what: "other key groups", args: []string{"--groups", "64"}, says: []string{"128", "64"}},
		{what: "other splits", args: []string{"--splits", "3"}, says: []string{"2 splits in the savepoint and 3 in the job"}},
		{what: "renamed, and not there", args: []string{"--rename", "cuont=count"}, says: []string{`"cuont"`, "it has"}},
		{what: "renamed to nothing", args: []string{"--rename", "count"}, says: []string{"old=new"}},
		{what: "dropped, and not there", args: []string{"--allow-dropped", "top"}, says: []string{`"top"`}},
		{what: "dropped, and still there", args: []string{"--allow-dropped", "count"}, says: []string{`"count"`, "begin empty", "leave --allow-dropped count out"}},
		{what: "what the external store is in", args: []string{"--output", filepath.Dir(output)}, says: []string{"--output", "holds no external store", output + `" does`}},
		{what: "no directory with an external store", args: []string{"--output", saved}, says: []string{"--output", "holds no external store, nor", "sink, below its --storage"}},
		{what: "no external store", args: []string{"--output", saved + "x"}, says: []string{"--output"}},
	} {
		for _, driver := range []string{"sim", "live"} {
			path, content0 := "", ""
			if c.file != "" {
				path = find(c.file)
				content0 = parts[path]
				if c.damage == nil {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				} else if err := os.WriteFile(path, c.damage([]byte(content0)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, outside := content(t, saved), content(t, output)
			fresh := filepath.Join(t.TempDir(), "new")
			args := append([]string{"run", "--driver", driver, "--from", saved, "--output", output}, c.args...)
			if driver == "live" {
				args = append(args, "--storage", fresh)
			}
			status, stdout, stderr := sim(t, args...)
			if status != 2 {
				t.Errorf("%s, %s: status %d: %s%s", c.what, driver, status, stdout, stderr)
			}
			for _, text := range c.says {
				if !strings.Contains(stderr, text) {
					t.Errorf("%s, %s: %q does not say %q", c.what, driver, stderr, text)
				}
			}
			unchanged(t, c.what, before, content(t, saved))
			unchanged(t, c.what, outside, content(t, output))
			if _, err := os.Stat(fresh); err == nil {
				t.Errorf("%s, %s: a job has begun in %s", c.what, driver, fresh)
			}
			if path != "" {
				if err := os.WriteFile(path, []byte(content0), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestGoesOnOnce: two live jobs begin from one savepoint, the second in the output of the first.
// Rows of transactions would be there twice, so it is refused and nothing is written; rows of a sink
// at least once may be, which nobody calls a mistake.
func TestGoesOnOnce(t *testing.T) {
	for _, c := range []struct {
		sink, says string
		status     int
	}{{"two-phase", "would be there twice", 2}, {"append", "rows may be there again", 0}, {"upsert", "", 0}} {
		saved, output := stopped(t, "--workload", "keyedcount", "--sink", c.sink)
		again := []string{"run", "--from", saved, "--output", output, "--driver", "live", "--calm", "--workload", "keyedcount", "--sink", c.sink}
		if status, stdout, stderr := sim(t, again...); status != 0 || strings.Contains(stdout+stderr, "again") {
			t.Fatalf("%s: status %d: %s%s", c.sink, status, stdout, stderr)
		}
		before := content(t, output)
		status, stdout, stderr := sim(t, again...)
		if status != c.status || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%s, once more: status %d: %s%s", c.sink, status, stdout, stderr)
		}
		if c.status != 0 {
			unchanged(t, output, before, content(t, output))
		}
	}
}
