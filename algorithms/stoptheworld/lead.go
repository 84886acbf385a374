package stoptheworld

import (
	"weir/algorithms/coordinator"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// lead probes until the channels are empty.
type lead struct {
	// least is how long after a wave of answers the next probe goes out at first.
	least   dataflow.Nanos
	pace    dataflow.Nanos
	epoch   id.Epoch            // of the round that is led
	answers []*coordinator.Part // of the wave under way, by task
	asked   bool                // for snapshots
}

// Begin probes for the first time.
func (l *lead) Begin(r *rounds.Round) {
	l.epoch, l.pace, l.asked = r.Epoch(), l.least, false
	l.wave(r)
}

func (l *lead) wave(r *rounds.Round) {
	l.answers = make([]*coordinator.Part, len(r.Tasks()))
	r.TellAll(probe)
}

// Message takes an answer.
func (l *lead) Message(r *rounds.Round, from id.TaskID, m *coordinator.Message, p *coordinator.Part) {
	if m.Kind == standing && r.Epoch() == l.epoch && !l.asked {
		l.answers[from] = p
		l.judge(r)
	}
}

// CarriedOver no longer waits for the answer of a task that has left.
func (l *lead) CarriedOver(r *rounds.Round, _ id.TaskID) {
	if r.Epoch() == l.epoch && !l.asked {
		l.judge(r)
	}
}

// judge ends a wave that all have answered: with snapshots if nothing is under
// way, else with another one, a quarter later than the last. A job that takes
// long to drain is probed seldom, and waits at most a quarter too long.
func (l *lead) judge(r *rounds.Round) {
	at := make([]*coordinator.Part, len(l.answers))
	for t := range at {
		if at[t] = r.Part(id.TaskID(t)); at[t] == nil {
			at[t] = l.answers[t]
		}
		if at[t] == nil {
			return
		}
	}
	if coordinator.Empty(r.Tasks(), at) {
		l.asked = true
		r.TellAll(snapshot)
		return
	}
	for t := range l.answers {
		l.answers[t] = nil
	}
	r.After(l.pace, func() { l.wave(r) })
	l.pace += max(l.pace/4, 1)
}
