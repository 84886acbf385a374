// Package algorithms describes snapshot algorithms: each is one package below
// this one and one line in package catalog.
package algorithms

import (
	"weir/dataflow"
)

// Spec is one algorithm of the catalog: what it is called, where it comes from,
// what it promises, and its two halves. It implements dataflow.Algorithm.
type Spec struct {
	Name  string // the name in the catalog, on command lines and in results
	Paper string // source, with the section
	Short string // one line: how it works
	// Declared is checked, not believed: a weaker algorithm must be seen to be weaker.
	Declared dataflow.Properties
	// Turns: barriers that wait in line too long overtake, so that
	// dataflow.CheckpointConfig.AlignmentTimeout changes what the algorithm does.
	Turns       bool
	Protocol    func(info *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol
	Coordinator func(c *dataflow.Config) dataflow.Coordinator
}

// Properties returns what the algorithm declares.
func (s *Spec) Properties() dataflow.Properties { return s.Declared }

// NewProtocol makes the half of one task.
func (s *Spec) NewProtocol(info *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol {
	return s.Protocol(info, c)
}

// NewCoordinator makes the half of the job.
func (s *Spec) NewCoordinator(c *dataflow.Config) dataflow.Coordinator { return s.Coordinator(c) }
