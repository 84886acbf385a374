package weir_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// floors is the plan of the house from the ground up: a room is a directory at
// the root with all that is below it and below internal by its name, and a package imports only rooms of lower
// floors and packages of its own room. docs/rfcs/0003-house.md says why.
var floors = [][]string{
	{"id"},
	{"trace"},
	{"results", "state", "faults"},
	{"dataflow", "check"},
	{"external", "sim", "live", "workloads"},
	{"algorithms"},
	{"scenario"},
	{"bench"},
	{"paper"},
	{"cmd"},
}

func room(pkg string) string {
	r, _, _ := strings.Cut(strings.TrimPrefix(pkg, "internal/"), "/")
	return r
}

// floorOf returns the floor of a room, -1 for one that the plan lacks.
func floorOf(room string) int {
	return slices.IndexFunc(floors, func(f []string) bool { return slices.Contains(f, room) })
}

// beside are the imports between rooms of one floor: the simulator hands the
// external store's operations on.
var beside = map[string]string{"sim": "external"}

// runsUp says what is wrong with an import between two of our packages, "" if
// it goes down the house.
func runsUp(from, to string) string {
	a, b := room(from), room(to)
	x, y := floorOf(a), floorOf(b)
	switch {
	case x < 0 || y < 0:
		return fmt.Sprintf("%s imports %s: one of them is in no room of the house", from, to)
	case a == b || y < x || x == y && beside[a] == b:
		return ""
	}
	return fmt.Sprintf("%s (floor %d) imports %s (floor %d)", from, x+1, to, y+1)
}

// TestNoImportRunsUp: imports go down the house, and so no rooms import each other.
func TestNoImportRunsUp(t *testing.T) {
	for dir, pkg := range ourPackages(t) {
		for _, imp := range pkg.Imports {
			if own, ours := strings.CutPrefix(imp, "weir/"); ours {
				if problem := runsUp(dir, own); problem != "" {
					t.Error(problem)
				}
			}
		}
	}
}

func TestRunsUpFires(t *testing.T) {
	for _, c := range [][2]string{
		{"state/heap", "dataflow"}, {"trace", "state"}, {"live", "sim/seed"}, {"external", "sim"}, {"check", "dataflow"},
		{"algorithms/stories", "scenario"}, {"elsewhere", "id"},
	} {
		if runsUp(c[0], c[1]) == "" {
			t.Errorf("%s importing %s passes", c[0], c[1])
		}
	}
	for _, c := range [][2]string{{"state/heap", "state"}, {"sim", "external"}, {"cmd/sim", "live"}, {"bench", "internal/bench/job"}} {
		if problem := runsUp(c[0], c[1]); problem != "" {
			t.Error(problem)
		}
	}
}
