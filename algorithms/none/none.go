// Package none is the negative control: no snapshots, at most once. After a
// crash all state is lost and the sources go on from where their log last
// handed out, so records that were under way or in state are lost; the checker
// must see the loss. No row is ever committed by a snapshot, so that only sinks whose rows are visible
// at once can be served.
//
// Persisted: nothing but the recovery plans. Recovery: every task restarts
// empty. Deviation: the whole job restarts, not the failed task alone; a
// survivor's state would otherwise hold effects whose channel positions mean
// nothing to a restarted neighbour.
package none

import (
	"weir/algorithms"
	"weir/algorithms/rounds"
	"weir/dataflow"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "none",
		Paper: "the control of every evaluation; no source",
		Short: "no snapshots; after a crash the sources go on from where they stood",
		Declared: dataflow.Properties{
			State: dataflow.AtMostOnce, Output: dataflow.AtMostOnce,
			Topologies: dataflow.AnyTopology, Channels: dataflow.AnyOrder,
			NonDeterminism: dataflow.Tolerated, Rollback: dataflow.ScopeAll,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return rounds.NewCoordinated(c, nil) },
	}
}

type protocol struct {
	dataflow.BaseProtocol
	k dataflow.Kernel
}

func (p *protocol) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }

func (p *protocol) Drained() { p.k.Finish() }
