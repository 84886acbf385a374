package command

import (
	"encoding/json"
	"strings"
	"testing"

	"weir/external/sinks"
	workloadcatalog "weir/workloads/catalog"
)

// TestLiveSinks: on real threads every sink with every workload that it can
// serve gives the reference answer; an upserted table is judged by what it holds
// in the end.
func TestLiveSinks(t *testing.T) {
	refused := 0
	for _, sink := range sinks.Names() {
		for _, w := range workloadcatalog.Names() {
			args := []string{"run", "--driver", "live", "--state", "heap", "--sink", sink, "--workload", w, "--calm", "--events", "300", "--json"}
			if w == "reachability" {
				args = append(args, "--algorithm", "aligned-cyclic")
			}
			status, stdout, stderr := sim(t, args...)
			if status == 2 && sink == "upsert" && strings.Contains(stderr, "implement workloads.Keyed") {
				refused++
				continue
			}
			if status != 0 || !strings.Contains(stdout, `"verdict":"ok"`) {
				t.Errorf("%s with %s: status %d: %s%s", w, sink, status, stdout, stderr)
			}
		}
	}
	if most := len(workloadcatalog.Names()) / 2; refused > most {
		t.Errorf("%d workloads of %d have no keys", refused, len(workloadcatalog.Names()))
	}
}

// TestLiveSinksAfterAKill: the same with a worker killed in the middle.
func TestLiveSinksAfterAKill(t *testing.T) {
	for _, sink := range sinks.Names() {
		status, stdout, stderr := sim(t, "run", "--driver", "live", "--state", "heap", "--sink", sink, "--workload", "keyedcount", "--json")
		var s summary
		if err := json.Unmarshal([]byte(stdout), &s); status != 0 || err != nil || s.Crashes != 1 {
			t.Errorf("%s: status %d, %v: %s%s", sink, status, err, stdout, stderr)
		}
	}
}

// TestLiveListens: a job that others can look into says where, before it starts, and an address
// that cannot be is a mistake of whoever gave it.
func TestLiveListens(t *testing.T) {
	status, _, stderr := sim(t, "run", "--driver", "live", "--calm", "--state", "heap", "--events", "300", "--listen", "0")
	if status != 0 || !strings.Contains(stderr, "sim: listening at http://127.0.0.1:") {
		t.Errorf("status %d: %s", status, stderr)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--driver", "live", "--listen", ""}, "no address to listen at"},
		{[]string{"--driver", "live", "--listen", "127.0.0.1:none"}, "want a port of this machine, or host:port"},
		{[]string{"--listen", "0"}, "say --driver live"},
	} {
		if status, _, stderr := sim(t, append([]string{"run"}, c.args...)...); status != 2 || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d: %s", c.args, status, stderr)
		}
	}
}
