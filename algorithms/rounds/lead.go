package rounds

import (
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// Lead is how an algorithm leads a round at the coordinator, from its beginning
// until every task has been asked for its share. Shares, record and completion
// are the same for all.
type Lead interface {
	// Begin leads a round that has begun.
	Begin(r *Round)
	// Message is one of a kind that only the algorithm knows.
	Message(r *Round, from id.TaskID, m *coordinator.Message, p *coordinator.Part)
	// CarriedOver: a task has left in the middle of the round; its last share
	// stands for it, and it answers no more.
	CarriedOver(r *Round, task id.TaskID)
}

// Triggers is the lead of algorithms whose tasks bring a round to each other:
// everybody is told, and a task that no input will bring it to begins.
type Triggers struct{}

// Begin tells every task.
func (Triggers) Begin(r *Round) { r.TellAll(Trigger) }

// Message knows no more kinds.
func (Triggers) Message(*Round, id.TaskID, *coordinator.Message, *coordinator.Part) {}

// CarriedOver waits for nobody.
func (Triggers) CarriedOver(*Round, id.TaskID) {}

// Round is a checkpoint under way.
type Round struct {
	c       *Coordinated
	epoch   id.Epoch
	base    *coordinator.Record
	parts   []coordinator.Part
	acked   []bool
	missing int
	timeout id.Ticket
	done    bool // all acknowledged; its record is being made
}

// Epoch returns the number of the round.
func (r *Round) Epoch() id.Epoch { return r.epoch }

// Tasks describes the tasks of the job.
func (r *Round) Tasks() []dataflow.TaskInfo { return r.c.j.Tasks }

// Part returns the share of a task that is acknowledged or carried over, nil if
// there is none yet.
func (r *Round) Part(task id.TaskID) *coordinator.Part {
	if !r.acked[task] {
		return nil
	}
	return &r.parts[task]
}

// Tell sends a message about the round to a task, with the round's base.
func (r *Round) Tell(task id.TaskID, k coordinator.MessageKind) {
	r.c.h.Tell(task, r.message(k))
}

// TellAll sends a message about the round to every task that has no share in it yet.
func (r *Round) TellAll(k coordinator.MessageKind) {
	m := r.message(k)
	for i := range r.acked {
		if !r.acked[i] {
			r.c.h.Tell(id.TaskID(i), m)
		}
	}
}

func (r *Round) message(k coordinator.MessageKind) []byte {
	m := coordinator.Message{Kind: k, Epoch: r.epoch}
	if r.base != nil {
		m.Base = r.base.Epoch
	}
	if all := r.c.rounds; r.c.j.Config.Mutant == MutantBaseUnderWay && len(all) > 1 && all[len(all)-1] == r {
		m.Base = all[len(all)-2].epoch
	}
	return m.Encode()
}

// After calls f after d, if the round is still under way then.
func (r *Round) After(d dataflow.Nanos, f func()) id.Ticket {
	return r.c.client.After(d, func() {
		if !r.Over() {
			f()
		}
	})
}

// Over reports that the round is under way no more: it is complete, or was given up.
func (r *Round) Over() bool { return r.c.round(r.epoch) != r }
