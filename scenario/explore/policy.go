package explore

import (
	"fmt"
	"strings"

	"weir/scenario"
	"weir/trace"
)

// Policy proposes the runs of one search, for one goroutine.
type Policy interface {
	// Propose returns the next run. last is what came of the one before, nil at first;
	// it is valid during the call.
	Propose(last *scenario.Outcome) Proposal
	// Watcher returns an observer that must see every run, nil if there is none.
	Watcher() trace.Observer
	// Records tells that the policy needs the decisions of its runs.
	Records() bool
}

// Proposal is a run that is to be made.
type Proposal struct {
	Seed uint64 // of its number, and of what is drawn during the run
	scenario.Drawn
}

// kind is a policy by name.
type kind struct {
	name, does string
	start      func(r *scenario.Runner, first uint64) Policy
}

func kinds() []kind {
	return []kind{
		{"fifo", "crashes at uniform times, everything served in order of arrival", newFIFO},
		{"random", "crashes at uniform times, everything served in uniform order: random walk", newRandom},
		{Default, "settings and plan drawn anew for each run, faults aimed at steps of the protocol: the default sweep", newSwarm},
		{"pct", "swarm, with priorities and one to three depths instead of uniform order", newPCT},
		{"crash-every", "a crash at every transition of the protocol and durable step, no durable image twice", newCrashEvery},
		{"rare", "swarm, and branches off what reached a rare state", newRare},
		{"storm", "swarm, with the faults of up to twelve of its runs in one, and priorities in every second run", newStorm},
	}
}

// Default is the policy of a sweep unless another is asked for: its n-th run is that of
// the n-th seed.
const Default = "swarm"

// Names returns the names of all policies, in the order of reports.
func Names() (names []string) {
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return names
}

// Describe returns in a line what a policy does, "" of one that there is not.
func Describe(name string) string {
	for _, k := range kinds() {
		if k.name == name {
			return k.does
		}
	}
	return ""
}

// Explorer makes the runs that a policy proposes. It is for one goroutine, which owns the
// runner too.
type Explorer struct {
	runner  *scenario.Runner
	policy  Policy
	last    *scenario.Outcome
	current Proposal
}

// New returns an explorer over a runner; runs are numbered from first, which is all that
// the policy draws from. An unknown policy is an error that lists the known ones.
func New(policy string, r *scenario.Runner, first uint64) (*Explorer, error) {
	for _, k := range kinds() {
		if k.name != policy {
			continue
		}
		e := &Explorer{runner: r, policy: k.start(r, first)}
		if w := e.policy.Watcher(); w != nil {
			r.Observers = append(r.Observers, w)
		}
		r.Record(e.policy.Records())
		return e, nil
	}
	return nil, fmt.Errorf("unknown policy %q; known: %s", policy, strings.Join(Names(), ", "))
}

// Next makes the next run. The outcome is valid until the next one.
func (e *Explorer) Next() *scenario.Outcome {
	e.current = e.policy.Propose(e.last)
	e.last = e.runner.Replay(e.current.Seed, &e.current.Drawn)
	return e.last
}

// Again makes the last run once more, recorded. Its outcome stands for the one before,
// which is no longer valid.
func (e *Explorer) Again() *scenario.Outcome {
	watched := e.runner.Observers
	e.runner.Observers = nil // the policy has seen it
	e.runner.Record(true)
	e.last = e.runner.Replay(e.current.Seed, &e.current.Drawn)
	e.runner.Record(e.policy.Records())
	e.runner.Observers = watched
	return e.last
}
