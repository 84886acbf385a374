// Package catalog lists every workload. It is the only place that knows them all.
package catalog

import (
	"fmt"
	"strings"

	"weir/workloads"
	"weir/workloads/enrichment"
	"weir/workloads/keyedcount"
	"weir/workloads/nexmark"
	"weir/workloads/pipelines"
	"weir/workloads/reachability"
	"weir/workloads/reminders"
	"weir/workloads/sampling"
	"weir/workloads/sessions"
	"weir/workloads/spending"
)

// List is a list of workloads to choose from by name: how to make each, at its defaults.
type List []func() workloads.Workload

// Constructors returns how to make each workload, in the order of the tables.
func Constructors() List {
	return List{keyedcount.New, nexmark.Q0, nexmark.Q1, nexmark.Q5, nexmark.Q8, pipelines.New, enrichment.New, reminders.New, sessions.New, reachability.New, sampling.New, spending.New}
}

// All returns every workload at its defaults, in a fixed order.
func All() []workloads.Workload { return Constructors().All() }

// Names returns the names of all workloads in that order.
func Names() []string { return Constructors().Names() }

// New returns the workload of a name at its defaults.
func New(name string) (workloads.Workload, error) { return Constructors().New(name) }

// All makes every workload of the list.
func (l List) All() []workloads.Workload {
	var all []workloads.Workload
	for _, n := range l {
		all = append(all, n())
	}
	return all
}

// Names returns the names in the order of the list.
func (l List) Names() []string {
	var names []string
	for _, w := range l.All() {
		names = append(names, w.Name())
	}
	return names
}

// New returns the workload of a name at its defaults. An unknown name is an
// error that lists the known ones, and so is one that several have.
func (l List) New(name string) (workloads.Workload, error) {
	var found []workloads.Workload
	for _, w := range l.All() {
		if w.Name() == name {
			found = append(found, w)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
	default:
		return nil, fmt.Errorf("%d workloads are called %s: give each entry of the catalog a name of its own", len(found), name)
	}
	return nil, fmt.Errorf("no workload is named %q; known are %s", name, strings.Join(l.Names(), ", "))
}
