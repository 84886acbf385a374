package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"weir/bench"
)

// TestMain lets the test binary be the command and the child that runs jobs.
func TestMain(m *testing.M) {
	if bench.IsChild() {
		os.Exit(bench.Child())
	}
	testscript.Main(m, map[string]func(){"bench": main})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"status": status, "onedigest": oneDigest, "otherschema": otherSchema,
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

// otherSchema FILE gives a manifest another schema version.
func otherSchema(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	text := strings.Replace(ts.ReadFile(args[0]), `"schema": 1`, `"schema": 99`, 1)
	ts.Check(os.WriteFile(path, []byte(text), 0o600))
}
