// Command figures renders the figures and reports of committed results.
//
// Exit status: 0 fine, 1 error or a figure that would change, 2 usage.
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

// execute runs the command and returns its exit status. What a program may read
// goes to stdout, what people read to stderr.
func execute(args []string, stdout, stderr io.Writer) int {
	command := newCommand()
	command.SetArgs(args)
	command.SetOut(stdout)
	command.SetErr(stderr)
	err := command.Execute()
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(stderr, "figures: %v\nTry: figures --help\n", err)
		return exitUsage
	default:
		_, _ = fmt.Fprintf(stderr, "figures: %v\n", err)
		return exitError
	}
}
