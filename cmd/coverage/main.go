// Command coverage holds what the default sweep has reached against two lists:
// unreached.txt, of the statements of the core that it is known not to reach, each below
// its reason, and marks.txt, of all that runs may do, with what must come. It prints the
// share of statements reached in each package, and for how many which reason is given.
// .ci/coverage makes its input.
//
// Exit status: 0 all is as the lists say, 1 it is not, 2 usage or unreadable input.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// The lists of statements and of marks.
//
//go:embed unreached.txt
var statements string

//go:embed marks.txt
var marks string

func main() {
	flag.Usage = func() {
		_, _ = fmt.Fprintln(flag.CommandLine.Output(), "usage: coverage PROFILE SUMMARY, from the root of the module; PROFILE is as of go tool covdata textfmt, SUMMARY what sim sweep --json printed")
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	fine, err := run(os.Stdout, flag.Arg(0), flag.Arg(1))
	switch {
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case !fine:
		os.Exit(1)
	}
}

// run reports on a profile and a summary; fine: both are as the lists say.
func run(w io.Writer, profile, summary string) (fine bool, err error) {
	text, err := os.ReadFile(profile)
	if err != nil {
		return false, err
	}
	blocks, err := parseProfile(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", profile, err)
	}
	if err := name(blocks, os.DirFS(".")); err != nil {
		return false, err
	}
	known, err := parseList(statements)
	if err != nil {
		return false, fmt.Errorf("unreached.txt: %w", err)
	}
	if text, err = os.ReadFile(summary); err != nil {
		return false, err
	}
	came, err := parseMarks(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", summary, err)
	}
	must, err := parseList(marks)
	if err != nil {
		return false, fmt.Errorf("marks.txt: %w", err)
	}
	printShares(w, blocks, known)
	n := 0
	for _, is := range came {
		if is {
			n++
		}
	}
	_, _ = fmt.Fprintf(w, "marks: %d of %d came\n", n, len(came))
	a := compare(reachedBlocks(blocks), known, false).print(w, "blocks")
	b := compare(came, must, true).print(w, "marks")
	return a && b, nil
}

func reachedBlocks(blocks []block) map[string]bool {
	came := map[string]bool{}
	for i := range blocks {
		came[blocks[i].name] = blocks[i].reached
	}
	return came
}

// parseMarks reads the marks of the last line of sim sweep --json: which came.
func parseMarks(text string) (map[string]bool, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var total struct {
		Marks []struct {
			Mark string
			Runs int64
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &total); err != nil {
		return nil, fmt.Errorf("the last line is no summary of sim sweep --json: %w", err)
	}
	if len(total.Marks) == 0 {
		return nil, errors.New("the summary has no marks: the sweep did not draw its cells")
	}
	came := map[string]bool{}
	for _, m := range total.Marks {
		came[m.Mark] = m.Runs > 0
	}
	return came, nil
}
