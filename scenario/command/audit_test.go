package command

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/dataflow"
)

// withPlanted is a command that knows algorithms that are not the same twice.
func withPlanted() *program { return newProgram("example.com/x/cmd/xsim", planted()) }

// begun counts what was started in this process: what must not be known to a run.
var begun atomic.Int64

// planted are algorithms that are not the same twice.
func planted() []Own {
	order := func() int64 { // the first of a map is another one each time
		for n := range map[int64]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true} { //det:unordered the mistake
			return n
		}
		return 0
	}
	return []Own{{Algorithms: []*algorithms.Spec{
		restless("map-order", order), restless("counter", func() int64 { return begun.Add(1) }), restless("sound", func() int64 { return 1 }),
	}}}
}

// restless is aligned, every task of which begins with a timer that fires after as many
// microseconds as draw says.
func restless(name string, draw func() int64) *algorithms.Spec {
	spec := *aligned.Spec()
	sound := spec.Protocol
	spec.Name = name
	spec.Protocol = func(i *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol { return &timed{sound(i, c), draw} }
	return &spec
}

type timed struct {
	dataflow.Protocol
	draw func() int64
}

func (p *timed) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Protocol.Start(k, s)
	k.After(dataflow.Nanos(1000 * p.draw()))
}

// audits runs audit in this process, with the test's binary as the other one.
func audits(t *testing.T, how string, args ...string) (status int, s auditSummary, stderr string) {
	t.Helper()
	t.Setenv(asCommand, how)
	p := newProgram("", nil)
	if how == asPlanted {
		p = withPlanted()
	}
	var out, err bytes.Buffer
	status = p.execute(context.Background(), append([]string{"audit", "--json"}, args...), &out, &err)
	if status == 0 || status == 5 {
		if e := json.Unmarshal(out.Bytes(), &s); e != nil {
			t.Fatalf("%v: %s%s", e, out.String(), err.String())
		}
	}
	return status, s, err.String()
}

// TestAuditNamesTheFirstEvent: what is decided by the order of a map, or by what an earlier
// run of the process has left, is found, with the window and the event: here the timer that
// a task has set.
func TestAuditNamesTheFirstEvent(t *testing.T) {
	for _, algorithm := range []string{"map-order", "counter"} {
		status, s, stderr := audits(t, asPlanted, "--algorithm", algorithm, "--state", "heap", "--workload", "keyedcount", "--seeds", "1-6")
		if status != 5 || s.Mismatches == 0 || s.Runs != 6 || !strings.Contains(s.First, "--algorithm "+algorithm) || !strings.Contains(s.First, "events 0 to 999 differ") {
			t.Errorf("%s: status %d, %+v: %s", algorithm, status, s, stderr)
		}
		if !strings.Contains(s.Event, "timer t") || !strings.HasPrefix(s.Event, "event ") || !strings.Contains(stderr, s.Event) {
			t.Errorf("%s: no timer of a task is named: %+v", algorithm, s)
		}
	}
}

// TestAuditOfWhatIsTheSame: runs of two processes, one of which makes them the other way
// round, drawn cells and Pebble among them.
func TestAuditOfWhatIsTheSame(t *testing.T) {
	for _, args := range [][]string{
		{"catalogs", "--seeds", "1-25"},
		{asPlanted, "--algorithm", "sound", "--state", "pebble,heap", "--workload", "keyedcount", "--seeds", "1-3", "--set", "keys=3"},
	} {
		status, s, stderr := audits(t, args[0], args[1:]...)
		if status != 0 || s.Mismatches != 0 || s.Runs < 6 || s.Windows < s.Runs || s.Events < 1000 {
			t.Errorf("%v: status %d, %+v: %s", args, status, s, stderr)
		}
	}
}

// TestAuditAgainstAFile: what --list has printed is compared with, and whatever is changed
// in it is found.
func TestAuditAgainstAFile(t *testing.T) {
	which := []string{"--algorithm", "unaligned", "--state", "pebble", "--workload", "keyedcount", "--seeds", "3-4"}
	status, list, stderr := sim(t, append([]string{"audit", "--list"}, which...)...)
	if status != 0 || strings.Count(list, "\n") != 2 {
		t.Fatalf("status %d: %s%s", status, list, stderr)
	}
	name := filepath.Join(t.TempDir(), "hashes")
	against := func(text string) (int, string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := sim(t, append([]string{"audit", "--against", name}, which...)...)
		return status, stdout + stderr
	}
	if status, said := against(list); status != 0 || !strings.Contains(said, "2 runs twice") {
		t.Errorf("the same: status %d: %s", status, said)
	}
	for field, want := range map[string]string{"drawn": "drawn differently", "sums": "events 0 to 999 differ", "hash": "the hashes are not", "seen": "is judged"} {
		at := strings.Index(list, `"`+field+`":`) + len(field) + 5
		if field == "sums" {
			at++
		}
		if field == "seen" {
			at++ // the verdict itself
		}
		changed := list[:at] + "z" + list[at+1:]
		if status, said := against(changed); status != 5 || !strings.Contains(said, want) || !strings.Contains(said, "1 of 2 runs are not the same twice") {
			t.Errorf("%s: status %d, want %q: %s", field, status, want, said)
		}
	}
	first, _, _ := strings.Cut(list, "\n")
	for text, want := range map[string]string{first: "1 of 2 runs are missing", first + "\nno line": "run 2 of ", strings.ReplaceAll(list, "--seed 4", "--seed 5"): "that there is not here"} {
		if status, said := against(text); status == 0 || status == 5 || !strings.Contains(said, want) {
			t.Errorf("%q: status %d, want %q: %s", text, status, want, said)
		}
	}
}

func TestAuditRefuses(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--list --against x", "give one of them"}, {"--jobs 0", "at least 1"}, {"--seeds 2-1", "A-B"},
		{"--window 0 --seeds 1-2", "events of one run"}, {"--against /no/such/file --seeds 1", "no such file"},
		{"--with /no/such/program --seeds 1", "no such file"},
	} {
		if status, stdout, stderr := sim(t, append([]string{"audit"}, strings.Fields(c.args)...)...); status != 2 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, want 2 and %q: %s%s", c.args, status, c.want, stdout, stderr)
		}
	}
}
