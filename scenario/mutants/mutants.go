// Package mutants is the bank of deliberate mistakes: what each of them is and
// which combinations can show it. A mistake stands in the production code of the
// package that would make it, which declares its name; here is one line each.
package mutants

import (
	"fmt"
	"slices"
	"strings"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/faults"
	"weir/state/pebblestate"
)

// Case is one mistake with the combinations that can show it: every algorithm
// with every state, sink and workload of the lists. The first of each is the
// combination that is hunted by default.
type Case struct {
	Mutant      dataflow.Mutant
	Description string
	// Source is where such a mistake was made: a ticket of the system that shipped it,
	// or a trial of this project. Reports say more.
	Source string
	// Needs says in words which jobs and which events can show it; the lists below say it
	// of combinations.
	Needs      string
	Algorithms []string
	States     []string // nil: every one
	Sinks      []string // nil: what goes with the algorithm
	Workloads  []string // nil: every one
	// Operations are those that are drawn where the mistake is looked for, beside faults; it
	// cannot show without.
	Operations []faults.Kind
	// Given are settings without which the code that has the mistake does not run; nil: none. They
	// are only read.
	Given dataflow.Given
	// Oracle is the one that must see the mistake.
	Oracle string
	// Escapes says, if it is not found within HuntLimit runs, what was tried and what it
	// takes; "": it is found.
	Escapes string
	// Stalls: the mistake shows as a job that does not end, and cannot show as a
	// broken promise.
	Stalls bool
}

// cyclic is the workload with a loop: back-edges are the only inputs that every
// algorithm with channel state captures, and without them no snapshot is useless.
const cyclic = "reachability"

// The oracles that must see a mistake, where one is plain: package check says what
// each of them knows.
const (
	byAborts       = "aborts"
	byClock        = "clock"
	byCommit       = "commit"
	byConservation = "conservation"
	byContiguity   = "contiguity"
	byCut          = "cut"
	byEventTime    = "event-time"
	byHandover     = "handover"
	byLogs         = "logs"
	byOutput       = "output"
	byProgress     = "progress"
	byQueries      = "queries"
	byRestore      = "restore"
	byRollback     = "rollback"
	bySavepoint    = "savepoint"
	byStorage      = "storage"
	byUseless      = "useless"
)

// Lists of what a mistake needs beside its algorithm.
var (
	incremental = []string{pebblestate.NameIncremental}
	tables      = []string{pebblestate.NameIncremental, pebblestate.NameFull}
	stateful    = []string{"keyedcount", "nexmark-q5", "nexmark-q8"}
	windows     = []string{"nexmark-q5", "nexmark-q8", "sessions"}
	past        = []string{"reminders", "sessions"} // have timers at or behind the watermark
	expiring    = []string{"spending"}              // has state that expires, and broadcast state
	versioned   = []string{"spending"}              // has versions that store state in other forms
)

// logged are settings with which a log of changes is written in segments as small as the state of a
// simulated task.
var logged = dataflow.Given{"checkpoint.changelog": "true", "checkpoint.changelog-segment": "200"}

// All returns the bank in the order of reports.
func All() []Case {
	return slices.Concat(inRounds(), inKernel(), inLogs(), inSinks(), inRescaling(), inOperations(), inRegions())
}

// Has tells whether the code that a combination runs has the mistake. Workloads do
// not tell: those of the list show it soonest.
func (c *Case) Has(algorithm, state, sink string) bool {
	return slices.Contains(c.Algorithms, algorithm) && among(c.States, state) && among(c.Sinks, sink)
}

// Shown tells whether operations that are drawn and settings that are given are those that the
// mistake needs.
func (c *Case) Shown(drawn []faults.Kind, given dataflow.Given) bool {
	for name, text := range c.Given { //det:unordered all must be given
		if given[name] != text {
			return false
		}
	}
	return !slices.ContainsFunc(c.Operations, func(k faults.Kind) bool { return !slices.Contains(drawn, k) })
}

// Where says in which combinations it is.
func (c *Case) Where() string {
	text := "it is in the algorithms " + strings.Join(c.Algorithms, ", ")
	if c.States != nil {
		text += " with the states " + strings.Join(c.States, ", ")
	}
	if c.Sinks != nil {
		text += " with the sinks " + strings.Join(c.Sinks, ", ")
	}
	return text
}

// among tells whether a list that may be nil, for every one, has name.
func among(names []string, name string) bool { return names == nil || slices.Contains(names, name) }

// those returns the algorithms of the catalog with a property.
func those(has func(p *dataflow.Properties) bool) (names []string) {
	for _, a := range catalog.All() {
		if has(&a.Declared) {
			names = append(names, a.Name)
		}
	}
	return names
}

// Names returns the names of All.
func Names() []string {
	var names []string
	for _, c := range All() {
		names = append(names, string(c.Mutant))
	}
	return names
}

// Lookup returns the mistake called name; the error lists the known ones.
func Lookup(name string) (Case, error) {
	for _, c := range All() {
		if string(c.Mutant) == name {
			return c, nil
		}
	}
	return Case{}, fmt.Errorf("unknown mutant %q; known: %s", name, strings.Join(Names(), ", "))
}
