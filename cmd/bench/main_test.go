package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"weir/internal/bench/job"
	"weir/internal/results/resultstest"
)

// TestMain lets the test binary be the command and the child that runs jobs.
func TestMain(m *testing.M) {
	if job.IsChild() {
		if words := os.Getenv("WEIR_TEST_PANIC"); words != "" {
			panic(words)
		}
		os.Exit(job.Child())
	}
	testscript.Main(m, map[string]func(){"bench": main})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"status": status, "onedigest": oneDigest, "edit": edit, "noisy": noisy,
	}})
}

// status N: runs bench with the arguments and wants that exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("bench", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
}

// oneDigest N: the last standard output has N cells with one output digest.
func oneDigest(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	digests := map[string]bool{}
	for _, l := range lines[:len(lines)-1] {
		var x struct {
			Digest string `json:"output_digest"`
		}
		ts.Check(json.Unmarshal([]byte(l), &x))
		digests[x.Digest] = true
	}
	var s summary
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &s))
	if len(digests) != 1 || digests[""] || len(s.OutputDigests) != 1 || !s.Summary || !s.Finished {
		ts.Fatalf("digests %v, summary %+v", digests, s)
	}
	if strconv.Itoa(len(lines)-1) != args[0] {
		ts.Fatalf("%d lines of cells, want %s", len(lines)-1, args[0])
	}
}

// edit FILE OLD NEW replaces a text, which must be there.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	was := ts.ReadFile(args[0])
	text := strings.Replace(was, args[1], args[2], 1)
	if text == was {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// noisy DIR makes a campaign that has all its repetitions and differs from itself.
func noisy(ts *testscript.TestScript, _ bool, args []string) {
	c := resultstest.Standard()
	c.Algorithms, c.States, c.NoisyTwin = []string{"none", "aligned"}, []string{"heap"}, true
	ts.Check(resultstest.Write(ts.MkAbs(args[0]), c))
}
