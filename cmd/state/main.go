// Command state looks into checkpoints and savepoints without a job: what there is,
// what stands in it, whether it is sound, how two differ; and makes a savepoint of a
// checkpoint.
//
// Exit status: 0 fine, 1 error, something damaged, or two that differ, 2 usage.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit statuses.
const (
	exitFine = iota
	exitError
	exitUsage
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// execute runs the command and returns its exit status. What was asked for goes to
// stdout: a table, or with --json lines of which the last is the summary;
// diagnostics go to stderr.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(stderr, "state: %v\nTry: state --help\n", err)
		return exitUsage
	default:
		_, _ = fmt.Fprintf(stderr, "state: %v\n", err)
		return exitError
	}
}
