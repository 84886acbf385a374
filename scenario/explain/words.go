package explain

import (
	"fmt"
	"strings"
	"time"

	"weir/trace"
)

// Sentence tells an event in the words of algorithms/stories.
func (r *Run) Sentence(i int) string {
	e := &r.Events[i]
	t := e.Task.String()
	for _, tell := range [...]func(e *Event, t string) string{r.path, r.eventTime, r.protocol, r.life, r.coordinator, r.outside} {
		if s := tell(e, t); s != "" {
			return s + r.notes[i]
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", e.Kind, e.Words()))
}

func (r *Run) path(e *Event, t string) string {
	switch e.Kind {
	case trace.Emitted:
		return fmt.Sprintf("%s reads %s up to offset %d", t, e.Split, e.To)
	case trace.Sealed:
		return fmt.Sprintf("%s seals %s", t, rangeOf(e))
	case trace.Delivered:
		return fmt.Sprintf("%s handles %s", t, rangeOf(e))
	case trace.Dropped:
		return fmt.Sprintf("%s drops %s: it has that", t, rangeOf(e))
	default: // told by another
	}
	return ""
}

func (r *Run) eventTime(e *Event, t string) string {
	switch e.Kind {
	case trace.WatermarkSaid:
		return fmt.Sprintf("%s says that no record of %s is older than %s", t, e.Split, eventTime(e.At))
	case trace.WatermarkSeen:
		return fmt.Sprintf("%s sees watermark %s", t, eventTime(e.At))
	case trace.TimerSet:
		return fmt.Sprintf("%s sets a timer of %s at %s", t, e.Contents, eventTime(e.At))
	case trace.TimerCancelled:
		return fmt.Sprintf("%s cancels the timer of %s at %s", t, e.Contents, eventTime(e.At))
	case trace.TimerFired:
		return fmt.Sprintf("%s: the timer of %s at %s fires", t, e.Contents, eventTime(e.At))
	case trace.TimerAwaited:
		return fmt.Sprintf("%s asks to be woken at %d", t, e.At)
	case trace.RecordLate:
		return fmt.Sprintf("%s gives up %s as too late", t, e.Contents)
	default: // told by another
	}
	return ""
}

func eventTime(at int64) string {
	switch at {
	case trace.NoTime:
		return "none"
	case trace.EndOfTime:
		return "the end"
	}
	return fmt.Sprint(at)
}

func (r *Run) protocol(e *Event, t string) string {
	switch e.Kind {
	case trace.BarrierSent:
		return fmt.Sprintf("%s puts barrier %s on %s, %s", t, e.Epoch, e.Channel, e.Way)
	case trace.BarrierReceived:
		return fmt.Sprintf("%s gets barrier %s from %s", t, e.Epoch, e.Channel)
	case trace.ChannelBlocked:
		return fmt.Sprintf("%s blocks %s", t, e.Channel)
	case trace.ChannelUnblocked:
		return fmt.Sprintf("%s unblocks %s", t, e.Channel)
	case trace.SnapshotBegun:
		return fmt.Sprintf("%s takes snapshot %s", t, e.Epoch) + r.offset(e)
	case trace.PositionIn:
		return fmt.Sprintf("%s has received %s=%d", t, e.Channel, e.To)
	case trace.PositionOut:
		return fmt.Sprintf("%s has sent %s=%d", t, e.Channel, e.To)
	case trace.PositionSplit:
		return fmt.Sprintf("%s has read %s=%d", t, e.Split, e.To)
	case trace.CapturedIn:
		return fmt.Sprintf("%s captures input %s for %s", t, rangeOf(e), e.Epoch)
	case trace.CapturedOut:
		return fmt.Sprintf("%s captures output %s for %s", t, rangeOf(e), e.Epoch)
	case trace.SnapshotWriting:
		return fmt.Sprintf("%s writes %s", t, e.Key)
	case trace.SnapshotStored:
		return fmt.Sprintf("%s has stored %s", t, e.Epoch)
	case trace.SnapshotFailed:
		return fmt.Sprintf("%s gives snapshot %s up: %s", t, e.Epoch, e.Text)
	case trace.CommitAsked:
		return fmt.Sprintf("%s may commit up to %s", t, e.Epoch)
	case trace.Forced:
		return fmt.Sprintf("%s must take %s before it delivers", t, e.Epoch)
	default: // told by another
	}
	return ""
}

func (r *Run) offset(e *Event) string {
	if !r.isSource(e) {
		return ""
	}
	return fmt.Sprintf(" at offset %d", e.From)
}

func (r *Run) life(e *Event, t string) string {
	switch e.Kind {
	case trace.TaskStarting:
		from := e.Key
		if from == "" {
			from = "nothing"
		}
		return fmt.Sprintf("%s starts as %s from %s", t, e.Attempt, from)
	case trace.TaskRestored:
		return fmt.Sprintf("%s is restored", t) + r.offset(e)
	case trace.SplitTaken:
		return fmt.Sprintf("%s reads %s from offset %d", t, e.Split, e.To)
	case trace.Injected:
		from := map[trace.Way]string{trace.FromInput: "captured input", trace.FromOutput: "captured output", trace.FromLog: "the log"}[e.Way]
		return fmt.Sprintf("%s gets back %s from %s", t, rangeOf(e), from)
	case trace.TaskReady:
		return t + " is ready"
	case trace.TaskDrained:
		return t + " has drained"
	case trace.TaskLeft:
		return t + " leaves"
	case trace.TaskFailed:
		return fmt.Sprintf("%s fails: %s", t, e.Text)
	default: // told by another
	}
	return ""
}

func (r *Run) coordinator(e *Event, t string) string {
	switch e.Kind {
	case trace.Triggered:
		return fmt.Sprintf("coordinator triggers %s", e.Epoch)
	case trace.Acked:
		return fmt.Sprintf("coordinator counts %s of %s", e.Epoch, t)
	case trace.AllAcked:
		return fmt.Sprintf("coordinator has all of %s", e.Epoch)
	case trace.Completed:
		return fmt.Sprintf("coordinator completes %s", e.Epoch)
	case trace.Aborted:
		return fmt.Sprintf("coordinator gives %s up: %s", e.Epoch, e.Text)
	case trace.TimedOut:
		return fmt.Sprintf("coordinator: %s takes too long", e.Epoch)
	case trace.Declined:
		if e.Task == trace.Coordinator {
			return "coordinator takes no " + e.Text
		}
		return fmt.Sprintf("coordinator hears that %s cannot store %s: %s", t, e.Epoch, e.Text)
	case trace.FailedOver:
		return fmt.Sprintf("coordinator restarts the job: %s", e.Text)
	case trace.FellBack:
		return fmt.Sprintf("coordinator passes over %s, which is damaged", e.Epoch)
	case trace.Stopped:
		return fmt.Sprintf("coordinator stops the job; it can go on from %s", e.Epoch)
	case trace.Subsumed:
		return fmt.Sprintf("coordinator retains %s no longer", e.Epoch)
	case trace.LineAdvanced:
		return fmt.Sprintf("coordinator: the line of a total failure passes %s of %s", e.Epoch, t)
	case trace.PlanDurable:
		return fmt.Sprintf("coordinator: plan %s is durable", e.Attempt)
	case trace.PlanExecuted:
		text := e.Text
		if e.Epoch != 0 {
			text += " from " + e.Epoch.String()
		}
		return fmt.Sprintf("coordinator executes %s: %s", e.Attempt, text)
	case trace.JobDone:
		return "the job is done"
	case trace.Saved:
		return fmt.Sprintf("savepoint %s is complete", e.Epoch)
	case trace.Rescaled:
		return fmt.Sprintf("the job goes on with %d tasks: %s", e.To, e.Text)
	case trace.CoordinatorCrashed:
		return "the coordinator crashes"
	case trace.CoordinatorStarted:
		return strings.TrimSuffix("a coordinator starts "+e.Text, " ")
	default: // told by another
	}
	return ""
}

// outside tells what happens to storage, to the sink store, and the faults.
func (r *Run) outside(e *Event, t string) string {
	who := "the coordinator"
	if e.Task != trace.Coordinator {
		if who = t; e.Attempt != 0 {
			who = fmt.Sprintf("%s (%s)", t, e.Attempt)
		}
	}
	switch e.Kind {
	case trace.StoreIssued, trace.ExtIssued:
		return fmt.Sprintf("%s asks: %s", who, what(e))
	case trace.StoreApplied:
		return fmt.Sprintf("storage: %s of %s takes effect", what(e), who)
	case trace.ExtApplied:
		return fmt.Sprintf("sink store: %s of %s takes effect", what(e), who)
	case trace.StoreDone, trace.ExtDone:
		return fmt.Sprintf("%s of %s: %s", what(e), who, e.Outcome)
	case trace.OutputCommitted:
		if e.Epoch == 0 {
			return fmt.Sprintf("visible: %d rows: %s", e.To, e.Contents)
		}
		return fmt.Sprintf("visible with %s of %s: %d rows: %s", e.Epoch, t, e.To, e.Contents)
	case trace.FaultInjected:
		return "fault: " + e.Text
	case trace.WorkerCrashed:
		return fmt.Sprintf("worker %d crashes", e.Worker)
	case trace.WorkerRestarted:
		return fmt.Sprintf("worker %d is back", e.Worker)
	default: // told by another
	}
	return ""
}

// what names an operation.
func what(e *Event) string {
	s := e.Op.String()
	switch e.Kind {
	case trace.ExtIssued, trace.ExtApplied, trace.ExtDone:
		if e.Epoch != 0 {
			s += " " + e.Epoch.String()
		}
		if e.To > 0 {
			s += fmt.Sprintf(", %d rows", e.To)
		}
	default:
		s += " " + e.Key
	}
	return s
}

func rangeOf(e *Event) string {
	at := fmt.Sprintf("%s#%d", e.Channel, e.To)
	if e.To != e.From+1 {
		at = fmt.Sprintf("%s#%d..%d", e.Channel, e.From+1, e.To)
	}
	if e.Contents == "" {
		return at
	}
	return at + " " + e.Contents
}

// Label is an event in the few letters that fit into a picture; "": its mark says enough.
func (r *Run) Label(i int) string {
	e := &r.Events[i]
	switch e.Kind {
	case trace.Sealed, trace.Delivered, trace.Dropped:
		return fmt.Sprintf("%s#%d", e.Channel, e.To)
	case trace.BarrierSent, trace.BarrierReceived:
		return "barrier " + e.Epoch.String()
	case trace.SnapshotBegun:
		return "snap " + e.Epoch.String()
	case trace.SnapshotStored:
		return "stored " + e.Epoch.String()
	case trace.SnapshotFailed:
		return "gave up " + e.Epoch.String()
	case trace.TaskStarting:
		return "start " + e.Attempt.String()
	case trace.TaskRestored:
		return "restored"
	case trace.TaskFailed:
		return "fails"
	case trace.TaskLeft:
		return "leaves"
	case trace.CommitAsked:
		return "may commit " + e.Epoch.String()
	case trace.Triggered:
		return "trigger " + e.Epoch.String()
	case trace.Acked:
		return "ack " + e.Task.String()
	case trace.AllAcked:
		return "all of " + e.Epoch.String()
	case trace.Completed:
		return "complete " + e.Epoch.String()
	case trace.Aborted:
		return "abort " + e.Epoch.String()
	case trace.TimedOut:
		return "time out " + e.Epoch.String()
	case trace.Declined:
		return "decline " + e.Epoch.String()
	case trace.FailedOver:
		return "fail over"
	case trace.FellBack:
		return "pass over " + e.Epoch.String()
	case trace.Stopped:
		return "stop"
	case trace.PlanDurable:
		return "plan " + e.Attempt.String()
	case trace.PlanExecuted:
		return "execute " + e.Attempt.String()
	case trace.JobDone:
		return "done"
	case trace.Saved:
		return "saved " + e.Epoch.String()
	case trace.Rescaled:
		return strings.Trim(e.Text, "()")
	case trace.CoordinatorCrashed:
		return "crash"
	case trace.WorkerCrashed:
		return fmt.Sprintf("crash w%d", e.Worker)
	case trace.WorkerRestarted:
		return fmt.Sprintf("w%d back", e.Worker)
	case trace.FaultInjected:
		return strings.Trim(e.Text, "()")
	case trace.StoreApplied, trace.ExtApplied:
		if r.notes[i] != "" {
			return r.effectLabel(e) + ", late"
		}
		return r.effectLabel(e)
	case trace.StoreDone, trace.ExtDone:
		if e.Outcome != trace.OK {
			return e.Op.String() + " " + e.Outcome.String()
		}
	case trace.CapturedIn, trace.CapturedOut, trace.Injected:
		return fmt.Sprintf("%s %s#%d", map[trace.Kind]string{trace.CapturedIn: "capture", trace.CapturedOut: "capture", trace.Injected: "back"}[e.Kind], e.Channel, e.To)
	case trace.OutputCommitted:
		return fmt.Sprintf("visible: %d", e.To)
	default: // its mark says enough
	}
	return ""
}

func (r *Run) effectLabel(e *Event) string {
	if e.Kind == trace.StoreApplied {
		return e.Op.String() + " " + e.Key
	}
	s := e.Op.String()
	if e.Epoch != 0 {
		s += " " + e.Epoch.String()
	}
	s += " " + e.Task.String()
	if e.Attempt != 0 {
		s += " " + e.Attempt.String()
	}
	return s
}

// When returns the time of an event for people.
func (r *Run) When(i int) string {
	return fmt.Sprintf("%.3f ms", float64(r.Events[i].Time)/float64(time.Millisecond))
}
