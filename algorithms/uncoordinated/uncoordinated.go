// Package uncoordinated is uncoordinated checkpointing with a durable message
// log: Elnozahy, Alvisi, Wang, Johnson, "A Survey of Rollback-Recovery Protocols
// in Message-Passing Systems", ACM Computing Surveys 34(3), 2002, section 4.1
// (independent checkpoints, rollback-dependency graph, rollback propagation);
// as a stream processor's option in Siachamis et al., "CheckMate: Evaluating
// Checkpointing Protocols for Streaming Dataflows", ICDE 2024.
//
// Guarantee: exactly once on state and on output. Channels: FIFO. Persisted per
// task, whenever it likes: state, timers, positions of every channel, source
// offset; and every sent buffer in the durable log of its channel. A snapshot
// becomes visible only when the log is durable up to the positions it says it
// has sent.
//
// Recovery: package recoveryline. The line can fall back without bound (domino
// effect) where channels form cycles.
//
// Deviations: those of package recoveryline.
package uncoordinated

import (
	"weir/algorithms"
	"weir/algorithms/recoveryline"
	"weir/dataflow"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "uncoordinated",
		Paper: "Elnozahy et al., A Survey of Rollback-Recovery Protocols in Message-Passing Systems, ACM CSUR 34(3), 2002, section 4.1; CheckMate, ICDE 2024",
		Short: "every task snapshots when it likes; a durable message log and a recovery line make it whole",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.LocalSnapshots, Logs: true, Rollback: dataflow.ScopeLine, MaxConcurrent: 1,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return recoveryline.NewCoordinator(c) },
	}
}

// protocol is the half of one task: snapshots by its own clock, nothing else.
type protocol struct{ recoveryline.Participant }

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) { p.Join(k, s, nil) }
