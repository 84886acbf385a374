// Package catalog lists the snapshot algorithms: one line each.
package catalog

import (
	"fmt"
	"strings"

	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/algorithms/alignedcyclic"
	"weir/algorithms/atleastonce"
	"weir/algorithms/chandylamport"
	"weir/algorithms/cicbcs"
	"weir/algorithms/cichmnr"
	"weir/algorithms/laiyang"
	"weir/algorithms/mattern"
	"weir/algorithms/none"
	"weir/algorithms/stoptheworld"
	"weir/algorithms/unaligned"
	"weir/algorithms/unalignedtimeout"
	"weir/algorithms/uncoordinated"
)

// List is a list of algorithms to choose from by name.
type List []*algorithms.Spec

// All returns the algorithms in the order of reports.
func All() List {
	return List{
		none.Spec(),
		aligned.Spec(),
		atleastonce.Spec(),
		unaligned.Spec(),
		unalignedtimeout.Spec(),
		stoptheworld.Spec(),
		chandylamport.Spec(),
		laiyang.Spec(),
		mattern.Spec(),
		alignedcyclic.Spec(),
		uncoordinated.Spec(),
		cicbcs.Spec(),
		cichmnr.Spec(),
	}
}

// Names returns the names of All.
func Names() []string { return All().Names() }

// Lookup returns the algorithm of All called name.
func Lookup(name string) (*algorithms.Spec, error) { return All().Lookup(name) }

// Names returns the names in the order of the list.
func (l List) Names() []string {
	var names []string
	for _, s := range l {
		names = append(names, s.Name)
	}
	return names
}

// Lookup returns the algorithm called name; the error lists the known ones, or
// says that several are called so.
func (l List) Lookup(name string) (*algorithms.Spec, error) {
	var found []*algorithms.Spec
	for _, s := range l {
		if s.Name == name {
			found = append(found, s)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
	default:
		return nil, fmt.Errorf("%d algorithms are called %s: give each entry of the catalog a name of its own", len(found), name)
	}
	return nil, fmt.Errorf("unknown algorithm %q; known: %s", name, strings.Join(l.Names(), ", "))
}
