// Package cicbcs is index-based communication-induced checkpointing: Briatico,
// Ciuffoletti, Simoncini, "A Distributed Domino-Effect Free Recovery Algorithm",
// SRDS 1984. The paper's own text was not at hand: the rules agree with what was
// read of the accounts in Baldoni, Quaglia, Fornara, "An Index-Based Checkpointing
// Algorithm for Autonomous Distributed Systems", IEEE TPDS 10(2), 1999, and in
// the survey of Elnozahy et al. (package recoveryline).
//
// Guarantee: exactly once on state and on output, and no snapshot is useless.
// Channels: FIFO. Persisted per task: that of package uncoordinated, and the
// index. Recovery: package recoveryline, unchanged.
//
// Rules. Every task has an index. A basic snapshot, taken when the task likes,
// adds one to it; every message carries it. Before a task delivers a message with
// a higher index than its own it takes a forced snapshot, with the message's
// index. Line n is made of each task's first snapshot with an index of at least
// n: no message sent behind it is received before it.
//
// Deviations. A message is a buffer; it is sent when it is sealed. A task whose
// last snapshot is not stored yet takes no basic one, and a full one if it is
// forced. A forced snapshot that the storage refuses for good is not repeated:
// what depended on it may then be useless. A graph without cycles has no useless
// snapshots under any rule; forced ones cost the same there.
package cicbcs

import (
	"encoding/binary"

	"weir/algorithms"
	"weir/algorithms/recoveryline"
	"weir/dataflow"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:        "cic-bcs",
		Paper:       "Briatico, Ciuffoletti, Simoncini, A Distributed Domino-Effect Free Recovery Algorithm, SRDS 1984",
		Short:       "messages carry an index; a higher one forces a snapshot before it is delivered",
		Declared:    recoveryline.Induced(),
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return recoveryline.NewCoordinator(c) },
	}
}

// protocol is the half of one task.
type protocol struct {
	recoveryline.Participant
	index  uint64 // of the newest snapshot
	higher uint64 // of the message that is about to be delivered
	stamp  []byte
}

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.index, _ = binary.Uvarint(s.Saved) // 0 at the initial state
	p.Join(k, s, p.taken)
}

// Stamp is the index.
func (p *protocol) Stamp(int) []byte {
	p.stamp = binary.AppendUvarint(p.stamp[:0], p.index)
	return p.stamp
}

// Deliver forces a snapshot if the message comes from behind a higher line.
func (p *protocol) Deliver(_ int, b *dataflow.Buffer) {
	if m, _ := binary.Uvarint(b.Stamp); m > p.index {
		p.higher = m
		p.Force()
	}
}

// taken gives a snapshot its index: the message's if one forces it, else the
// next. What was sent before the instant has carried the old one.
func (p *protocol) taken() []byte {
	p.index = max(p.index+1, p.higher)
	return binary.AppendUvarint(nil, p.index)
}
