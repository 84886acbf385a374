// Package algorithms describes snapshot algorithms: each is one package below
// this one and one line in package catalog.
package algorithms

import (
	"fmt"
	"maps"
	"strings"

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

// Reads returns what of the settings that are given means something to the algorithm.
func (s *Spec) Reads(given dataflow.Given) dataflow.Given { return given.For(&s.Declared, s.Turns) }

// Deal returns, for each algorithm, what it reads of the settings that are given. An
// error names two that contradict each other, or is an *UnreadError.
func Deal(given dataflow.Given, to []*Spec) ([]dataflow.Given, error) {
	own, read := make([]dataflow.Given, len(to)), dataflow.Given{}
	for i, a := range to {
		own[i] = a.Reads(given)
		if err := own[i].Agree(&a.Declared); err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		maps.Copy(read, own[i])
	}
	for _, s := range dataflow.Settings() {
		if given.Has(s.Name) && !read.Has(s.Name) {
			return nil, &UnreadError{Setting: s, By: to}
		}
	}
	return own, nil
}

// UnreadError: a setting is given that none of the algorithms reads.
type UnreadError struct {
	Setting dataflow.Setting
	By      []*Spec
}

func (e *UnreadError) Error() string {
	names := make([]string, len(e.By))
	for i, a := range e.By {
		names[i] = a.Name
	}
	return fmt.Sprintf("setting %s (--%s) means nothing to %s: it is read by %s", e.Setting.Name, e.Setting.Flag, strings.Join(names, ", "), e.Setting.Readers)
}
