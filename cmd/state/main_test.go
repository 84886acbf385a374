package main

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"weir/scenario/command"
)

// TestMain lets the test binary be the command, and cmd/sim, whose jobs it looks at.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"state": main, "sim": func() { command.Main() }})
}

func TestCommandLine(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Cmds: map[string]func(*testscript.TestScript, bool, []string){
		"status": status, "flip": flip,
	}})
}

// status N: runs state with the arguments and wants that exit status.
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("state", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s\n%s", got, args[0], ts.ReadFile("stderr"))
	}
}

// flip FILE N: flips a bit of byte N, from the end if it is negative.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	data := []byte(ts.ReadFile(args[0]))
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 4
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}
