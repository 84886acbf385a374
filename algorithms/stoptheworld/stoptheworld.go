package stoptheworld

import (
	"weir/algorithms"
	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// The kinds of message of its own.
const (
	probe    coordinator.MessageKind = "probe"    // to a task: sources pause; say where you stand
	standing coordinator.MessageKind = "standing" // from a task: its positions
	snapshot coordinator.MessageKind = "snapshot" // to a task: the channels are empty
)

// Spec returns the catalog entry.
func Spec() *algorithms.Spec {
	return &algorithms.Spec{
		Name:  "stop-the-world",
		Paper: "Murray et al., Naiad: A Timely Dataflow System, SOSP 2013, section 3.4",
		Short: "sources pause, channels drain, every task snapshots, sources go on",
		Declared: dataflow.Properties{
			State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
			NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.Rounds, Rollback: dataflow.ScopeRegion,
			MaxConcurrent: 1, NoneUseless: true,
		},
		Protocol: func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &protocol{} },
		Coordinator: func(c *dataflow.Config) dataflow.Coordinator {
			return rounds.NewCoordinated(c, &lead{least: max(c.Checkpoint.Interval/1000, 1)})
		},
	}
}

// protocol is the half of one task.
type protocol struct {
	rounds.Participant
	stopped id.Epoch // newest round that has stopped this task
	probed  id.Epoch // newest round whose probe waits for timers to fire; 0: none
}

// Start begins a new incarnation.
func (p *protocol) Start(k dataflow.Kernel, s dataflow.Start) { p.Join(k, s, p) }

// Message takes the kinds of its own, and lets a source go on at a round's end.
func (p *protocol) Message(data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		panic(err) // both ends are this program
	}
	switch {
	case m.Kind == probe && !p.Over(m.Epoch):
		p.stand(m.Epoch)
	case m.Kind == snapshot && !p.Over(m.Epoch):
		p.Trigger(m.Epoch, m.Base)
	default:
		p.Participant.Message(data)
	}
	if m.Kind == coordinator.Complete {
		p.goOn(m.Epoch)
	}
}

// stand stops what a task does of its own accord, a source its records, others
// their timers of processing time, and says where the task stands, once it has
// done all that comes of what it has delivered. What is open is sealed first:
// nothing else would send it. A source too may have a watermark to pass on, that of its
// formers behind a change of parallelism: it needs a turn for that, in which it reads nothing.
func (p *protocol) stand(e id.Epoch) {
	info := p.K.Info()
	p.K.HoldClock(true)
	p.stopped = max(p.stopped, e)
	if p.K.Firing() {
		p.probed = e
		return
	}
	if info.Role == dataflow.RoleSource {
		p.K.Pause(true)
	}
	p.K.Flush()
	var h dataflow.Header
	for i := range info.Inputs {
		h.Delivered = append(h.Delivered, p.K.Delivered(i))
	}
	for i := range info.Outputs {
		h.Sealed = append(h.Sealed, p.K.SealedUpTo(i))
	}
	p.K.Tell((&coordinator.Message{Kind: standing, Epoch: e, Stored: &dataflow.Stored{Header: h}}).Encode())
}

// After answers a probe that has found timers due.
func (p *protocol) After(int) {
	if e := p.probed; e != 0 && !p.K.Firing() {
		p.probed = 0
		if !p.Over(e) {
			p.stand(e)
		}
	}
}

// Trigger takes the snapshot of round e.
func (p *protocol) Trigger(e, base id.Epoch) { p.Take(e, base).Seal() }

// Cancel goes on after a round that was given up.
func (p *protocol) Cancel(_, last id.Epoch) { p.goOn(last) }

// goOn resumes a task that no newer round has stopped: messages overtake each other.
func (p *protocol) goOn(e id.Epoch) {
	if p.stopped != 0 && p.stopped <= e {
		p.stopped = 0
		p.K.Pause(false)
		p.K.HoldClock(false)
	}
}
