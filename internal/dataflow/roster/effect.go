package roster

import (
	"weir/dataflow"
	"weir/id"
)

// EffectKind says what the driver has to do.
type EffectKind uint8

const (
	// Discard: nothing of the incarnation may go on: objects, timers, completions.
	// One whose death ended it already has nothing left to discard.
	Discard EffectKind = iota + 1
	// CutOutput and CutInput: the connection at Port of Task is gone with all it held.
	CutOutput
	CutInput
	// Keep: the incarnation goes on under the plan.
	Keep
	// Start: build the incarnation, say Started, and give it EvStart.
	Start
	// Connect: say Connected when the connection stands.
	Connect
	// TellReady and TellFailed are for the coordinator.
	TellReady
	TellFailed
)

// Effect is one thing for the driver to do. The fields that a kind does not name are zero.
type Effect struct {
	Kind        EffectKind
	Task        id.TaskID   // all but Connect and TellFailed
	Incarnation Incarnation // of Task
	Port        int         // CutOutput, CutInput
	Channel     id.ChannelID
	Connection  Connection         // Connect
	Attempt     id.Attempt         // Keep, Start, TellReady: the plan's number
	Part        *dataflow.TaskPlan // Keep, Start: the task's part of the plan, which the plan owns
	Tasks       []id.TaskID        // TellFailed; the coordinator may keep it
	Cause       error              // TellFailed: see Coordinator.Failed
}

// Event returns what a cut, Keep or Start is to its task. EvStart lacks the
// offset, which only the driver knows.
func (e *Effect) Event() dataflow.Event {
	switch e.Kind {
	case CutOutput:
		return dataflow.Event{Kind: dataflow.EvCutOutput, Port: e.Port}
	case CutInput:
		return dataflow.Event{Kind: dataflow.EvCutInput, Port: e.Port}
	case Keep:
		return dataflow.Event{Kind: dataflow.EvKeep, Plan: e.Part, Attempt: e.Attempt}
	case Start:
		return dataflow.Event{Kind: dataflow.EvStart, Plan: e.Part, Attempt: e.Attempt}
	default: // not for a task
		return dataflow.Event{}
	}
}
