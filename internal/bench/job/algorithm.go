package job

import (
	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/dataflow"
)

// Algorithm is an algorithm as measuring sees it: what of its properties decides
// how it is measured and what it is compared with, in one place.
type Algorithm struct{ *algorithms.Spec }

// LookupAlgorithm returns the algorithm called name; the error lists the known ones.
func LookupAlgorithm(name string) (Algorithm, error) {
	spec, err := catalog.Lookup(name)
	return Algorithm{spec}, err
}

// TakesSnapshots: it has checkpoints, and something to recover from.
func (a Algorithm) TakesSnapshots() bool { return a.Declared.Snapshots != dataflow.NoSnapshots }

// HasRounds: its checkpoints are those of the whole job.
func (a Algorithm) HasRounds() bool { return a.Declared.HasRounds() }

// IsLocal: each snapshot is that of one task.
func (a Algorithm) IsLocal() bool { return a.Declared.Snapshots == dataflow.LocalSnapshots }

// Logs: it writes what passes channels to storage.
func (a Algorithm) Logs() bool { return a.Declared.Logs }

// IsReference: it can stand for all where a comparison is of something else, as
// of states: job-wide checkpoints whose output is exact.
func (a Algorithm) IsReference() bool {
	return a.HasRounds() && a.Declared.Output == dataflow.ExactlyOnce
}
