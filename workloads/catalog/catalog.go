// Package catalog lists every workload. It is the only place that knows them all.
package catalog

import (
	"fmt"
	"strings"

	"weir/workloads"
	"weir/workloads/keyedcount"
	"weir/workloads/nexmark"
	"weir/workloads/pipelines"
)

// constructors returns how to make each workload, in the order of the tables.
func constructors() []func() workloads.Workload {
	return []func() workloads.Workload{keyedcount.New, nexmark.Q0, nexmark.Q1, nexmark.Q5, nexmark.Q8, pipelines.New}
}

// All returns every workload at its defaults, in a fixed order.
func All() []workloads.Workload {
	var all []workloads.Workload
	for _, n := range constructors() {
		all = append(all, n())
	}
	return all
}

// Names returns the names of all workloads in that order.
func Names() []string {
	var names []string
	for _, w := range All() {
		names = append(names, w.Name())
	}
	return names
}

// New returns the workload of a name at its defaults. An unknown name is an
// error that lists the known ones.
func New(name string) (workloads.Workload, error) {
	for _, w := range All() {
		if w.Name() == name {
			return w, nil
		}
	}
	return nil, fmt.Errorf("no workload is named %q; known are %s", name, strings.Join(Names(), ", "))
}
