package command

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/mutants"
	"weir/scenario/simtest"
)

// change is one place of one file of the sources, before and after.
type change struct{ file, old, now string }

// recorded are edits that come up again and again, each of which made another run
// of every seed: what a saved failure has to outlive.
var recorded = map[string][]change{
	"a new named draw": {
		{"sim/policy.go", "	choices seed.Family\n", "	choices seed.Family\n	extra   seed.Family\n"},
		{"sim/policy.go", "	p.choices.Begin(src, chooseStream)\n", "	p.choices.Begin(src, chooseStream)\n	p.extra.Begin(src, extraStream)\n"},
		{"sim/policy.go", "return p.delays[d].Range(key, 0, most)", "return p.delays[d].Range(key, 0, most) + p.extra.Range(key, 0, most/4)"},
		{"sim/streams.go", "	diskStream        = ", "	extraStream       = \"delay.extra\" // key of the delay\n	diskStream        = "},
		{"sim/streams.go", "corruptStream, diskStream,", "corruptStream, diskStream, extraStream,"},
	},
	"a new trace event": {
		{"trace/kinds.go", "	PositionIn       // ", "	SnapshotSealed   // the object of Epoch is written out: Key\n	PositionIn       // "},
		{"trace/kinds.go", `"snapshot-begun", "position-in",`, `"snapshot-begun", "snapshot-sealed", "position-in",`},
		{"dataflow/draft.go", "	t.observeKey(trace.SnapshotWriting, ", "	t.observeKey(trace.SnapshotSealed, d.head.Epoch, string(d.key), 0)\n	t.observeKey(trace.SnapshotWriting, "},
	},
	"another default batch size": {
		{"scenario/runner.go", "const smallChunk = 128", "const smallChunk = 192"},
		{"scenario/runner.go", "	c.BatchRecords = 1 + d.Draw(12)\n	c.BatchBytes = 4096", "	c.BatchRecords = 1 + d.Draw(32)\n	c.BatchBytes = 1024"},
		{"scenario/runner.go", "	c.SourceBatch = 1 + d.Draw(12)", "	c.SourceBatch = 1 + d.Draw(32)"},
	},
}

// edited returns the files of an edit by name, as it makes them.
func edited(t *testing.T, all []change) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, c := range all {
		name, err := filepath.Abs(filepath.Join("..", "..", filepath.FromSlash(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		if texts[name] == "" {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(text)
		}
		if strings.Count(texts[name], c.old) != 1 {
			t.Fatalf("%s has %d times, and not once\n%s", c.file, strings.Count(texts[name], c.old), c.old)
		}
		texts[name] = strings.Replace(texts[name], c.old, c.now, 1)
	}
	return texts
}

// build returns the name of a command with an edit in its sources, which stay as
// they are.
func build(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for i, name := range slices.Sorted(maps.Keys(texts)) {
		to := filepath.Join(dir, fmt.Sprintf("%d.go", i))
		if err := os.WriteFile(to, []byte(texts[name]), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[name] = to
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", file, "-o", program, "../../cmd/sim").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// TestReplayByAnEditedBuild: of failures saved by this build nine of ten are shown by
// a build with each of the recorded edits, those that were shrunk too. Builds take
// long: without -full it is only seen that the edits still fit the sources.
func TestReplayByAnEditedBuild(t *testing.T) {
	texts := map[string]map[string]string{}
	for name, all := range recorded {
		texts[name] = edited(t, all)
	}
	if !simtest.Full() {
		return
	}
	files := savedFailures(t, 2)
	pins, err := filepath.Glob(filepath.Join("..", "..", pinDir, "*"+extension))
	if err != nil {
		t.Fatal(err)
	}
	for _, pin := range pins {
		if read(t, pin).Expect == counterexample.StaysFailing { // what is mended fails in no build
			files = append(files, pin)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		program := build(t, texts[name])
		shown, same, not := 0, 0, []string{}
		for _, f := range files {
			out, _ := exec.Command(program, "replay", f, "--json").Output()
			var is replayed
			if err := json.Unmarshal(out, &is); err != nil {
				t.Fatalf("%s: %v: %s", f, err, out)
			}
			if is.Same {
				same++
			}
			if is.Shown {
				shown++
			} else {
				not = append(not, filepath.Base(f)+": "+is.Result)
			}
		}
		t.Logf("%s: %d of %d are shown, %d by every event as it was", name, shown, len(files), same)
		if 10*shown < 9*len(files) {
			t.Errorf("%s: only %d of %d; not\n%s", name, shown, len(files), strings.Join(not, "\n"))
		}
	}
}

// savedFailures saves the first failing seeds of every mutant in its first combination.
func savedFailures(t *testing.T, each int) (names []string) {
	t.Helper()
	dir, p := t.TempDir(), newProgram("", nil)
	for _, m := range mutants.All() {
		h, err := scenario.Hunt(m, 500, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !h.Caught {
			continue
		}
		first := filepath.Join(dir, "first")
		again := strings.Fields(strings.TrimPrefix(h.Replay, scenario.DefaultProgram+" "))
		if status, _, stderr := sim(t, append(again, "--force", "--save", first)...); status < 4 {
			t.Fatalf("%s: status %d: %s", h.Replay, status, stderr)
		}
		_, cfg, err := p.open(first)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Faults, cfg.Operations, cfg.Given, cfg.Splits, cfg.Record = scenario.RandomFaults, m.Operations, m.Given, 0, true
		r, err := scenario.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		saved := 0
		for seed := h.Seed; saved < each && seed < h.Seed+200; seed++ {
			if o := r.Run(seed); o.Kind == scenario.Unsafe || m.Stalls && o.Kind == scenario.NoProgress {
				name := filepath.Join(dir, fmt.Sprintf("%s_%d%s", m.Mutant, seed, extension))
				if err := os.WriteFile(name, counterexample.Of(o).AppendText(nil), 0o644); err != nil {
					t.Fatal(err)
				}
				names, saved = append(names, name), saved+1
			}
		}
		r.Close()
	}
	return names
}
