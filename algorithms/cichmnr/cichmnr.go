package cichmnr

import (
	"weir/algorithms"
	"weir/algorithms/recoveryline"
	"weir/dataflow"
	"weir/id"
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:        "cic-hmnr",
		Paper:       "Helary, Mostefaoui, Netzer, Raynal, Communication-Based Prevention of Useless Checkpoints in Distributed Computations, Distributed Computing 13(1), 2000 (fully informed)",
		Short:       "messages carry what their sender knows of all clocks and snapshots; a snapshot is forced where one could become useless",
		Declared:    recoveryline.Induced(),
		Protocol:    func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator { return recoveryline.NewCoordinator(c) },
	}
}

// protocol is the half of one task.
type protocol struct {
	recoveryline.Participant
	self  id.TaskID
	knows vectors
	sent  []bool  // by task: a message went there since the newest snapshot
	m     vectors // of the message that is about to be delivered
	stamp []byte
}

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) {
	p.self = k.Info().ID
	for _, out := range k.Info().Outputs {
		for len(p.sent) <= int(out.Peer) {
			p.sent = append(p.sent, false)
		}
	}
	if s.Epoch == 0 {
		p.knows.begin(p.self)
	} else {
		p.knows.decode(s.Saved)
	}
	p.Join(k, s, p.taken)
}

// Stamp is all that the task knows.
func (p *protocol) Stamp(out int) []byte {
	p.sent[p.K.Info().Outputs[out].Peer] = true
	p.stamp = p.knows.append(p.stamp[:0])
	return p.stamp
}

// Deliver forces a snapshot where the rule demands one, and takes what the
// message knows.
func (p *protocol) Deliver(_ int, b *dataflow.Buffer) {
	p.m.decode(b.Stamp)
	if p.knows.mustForce(p.self, p.sent, &p.m) {
		p.Force()
	}
	p.knows.merge(p.self, &p.m)
}

// taken notes a snapshot. What was sent before the instant has carried what was
// known before it.
func (p *protocol) taken() []byte {
	clear(p.sent)
	p.knows.snapshot(p.self)
	return p.knows.append(nil)
}
