package check

import (
	"weir/id"
	"weir/trace"
)

// watcher is one oracle at work. It keeps what it needs in fields of its own,
// reads the model, which has taken each event before it, and no other oracle.
type watcher interface {
	// Wants says which kinds to send; asked once.
	Wants() trace.Mask
	// Observe takes an event that the model has admitted.
	Observe(e *trace.Event)
	// Finish looks at the end of a run; model.done says whether the job ended well.
	Finish(end End)
	// Reshape makes room for another graph, which the model has taken.
	Reshape()
	// Reset makes it ready for the next run.
	Reset()
}

// judge is what every oracle is built on: the model to read, and its own name
// for verdicts.
type judge struct {
	*model
	is Oracle
}

// violate reports a broken promise.
func (j *judge) violate(t id.TaskID, e id.Epoch, format string, args ...any) {
	j.report.violate(Violation{Oracle: j.is, Time: j.now, Task: t, Epoch: e, Where: j.where(t, e)}, format, args)
}

// Reshape is that of an oracle that keeps nothing by task, channel or split.
func (j *judge) Reshape() {}

func kinds(ks ...trace.Kind) trace.Mask { return trace.Mask(0).With(ks...) }
