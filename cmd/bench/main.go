// Command bench measures snapshot algorithms on this machine's threads and
// disk: throughput, latency, checkpoints, and recovery after a SIGKILL.
//
// Exit status: 0 fine, 1 error (I/O, environment, results that are invalid),
// 2 usage, 3 a panic in the code under test, 4 no progress, 5 committed output
// that was wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"weir/bench"
	"weir/internal/bench/compare"
	"weir/internal/bench/job"
)

func main() {
	if job.IsChild() {
		os.Exit(job.Child())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the command at once, and with it the job
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	exitFine = iota
	exitError
	exitUsage
	exitPanic
	exitNoProgress
	exitWrong
)

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// execute runs the command and returns its exit status. What was asked for goes
// to stdout: a table, or with --json lines; then the table, progress and
// diagnostics go to stderr.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := newRoot()
	command.SetArgs(args)
	command.SetOut(stdout)
	command.SetErr(stderr)
	err := command.ExecuteContext(ctx)
	if err == nil {
		return exitFine
	}
	_, _ = fmt.Fprintf(stderr, "bench: %v\n", err)
	var child *job.ChildError
	var unknown *compare.UnknownError
	switch {
	case errors.Is(err, errUsage), errors.As(err, &unknown):
		_, _ = fmt.Fprintln(stderr, "Try: bench --help")
		return exitUsage
	case errors.Is(err, bench.ErrWrongOutput):
		return exitWrong
	case errors.Is(err, bench.ErrNoProgress):
		return exitNoProgress
	case errors.As(err, &child) && child.Panicked():
		return exitPanic
	default:
		return exitError
	}
}
