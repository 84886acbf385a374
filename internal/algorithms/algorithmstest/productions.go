package algorithmstest

import (
	"weir/algorithms"
	"weir/dataflow"
)

// StrongProductions persists before it sends: Akidau et al., "MillWheel", VLDB
// 2013, section 5. What a turn does to state, what it has taken in and what it
// sends is one snapshot, the head; only then is the output released, the input
// acknowledged, and what receivers have acknowledged is let go.
func StrongProductions() *algorithms.Spec {
	return &algorithms.Spec{
		Name: "strong-productions", Short: "persist, then send; resend until acknowledged; restart what failed alone",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, NonDeterminism: dataflow.Tolerated,
			Snapshots: dataflow.LocalSnapshots, Rollback: dataflow.ScopeTask, MaxConcurrent: 1,
		},
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &productions{} },
		Coordinator: func(*dataflow.Config) dataflow.Coordinator { return &pieces{} },
	}
}

type productions struct{ piece }

func (p *productions) Start(k dataflow.Kernel, s dataflow.Start) {
	p.join(k, s, func() []byte { return nil })
}

func (p *productions) HoldsOutput() bool { return true }

// After a turn: one production. Those of turns during a write go into the next.
func (p *productions) After(int) { p.snapshot() }
