package command

import (
	"fmt"
	"strconv"

	"weir/dataflow"
)

// groups is a flag: the number of key groups, 0 only while it is not given.
type groups int

// Set parses a number of key groups.
func (g *groups) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > dataflow.MaxGroups {
		return fmt.Errorf("--groups %s; it must be 1 to %d, and not below --parallelism; without --groups there are %s", s, dataflow.MaxGroups, groupsByDefault)
	}
	*g = groups(n)
	return nil
}

func (g *groups) String() string {
	if *g == 0 {
		return ""
	}
	return strconv.Itoa(int(*g))
}

// Type is what the help calls it.
func (g *groups) Type() string { return "int" }
