// Package catalog lists the snapshot algorithms: one line each.
package catalog

import (
	"fmt"
	"strings"

	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/algorithms/atleastonce"
	"weir/algorithms/chandylamport"
	"weir/algorithms/cicbcs"
	"weir/algorithms/cichmnr"
	"weir/algorithms/none"
	"weir/algorithms/stoptheworld"
	"weir/algorithms/unaligned"
	"weir/algorithms/uncoordinated"
)

// All returns the algorithms in the order of reports.
func All() []*algorithms.Spec {
	return []*algorithms.Spec{
		none.Spec(),
		aligned.Spec(),
		atleastonce.Spec(),
		unaligned.Spec(),
		stoptheworld.Spec(),
		chandylamport.Spec(),
		uncoordinated.Spec(),
		cicbcs.Spec(),
		cichmnr.Spec(),
	}
}

// Names returns the names of All.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Lookup returns the algorithm called name; the error lists the known ones.
func Lookup(name string) (*algorithms.Spec, error) {
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("unknown algorithm %q; known: %s", name, strings.Join(Names(), ", "))
}
