package stories

import (
	"fmt"
	"strings"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// narrator turns events into lines.
type narrator struct {
	s *Story
	// A snapshot is one line: its positions are collected first.
	snapshot, in, out, splits string
}

// Wants everything.
func (n *narrator) Wants() trace.Mask { return trace.Everything }

// Observe adds a line for e.
func (n *narrator) Observe(e *trace.Event) {
	s := n.s
	t := e.Task.String()
	switch e.Kind {
	case trace.SnapshotBegun:
		n.flush()
		n.snapshot = fmt.Sprintf("%s takes snapshot %s", t, e.Epoch)
		if s.tasks[e.Task].info.Role == dataflow.RoleSource {
			n.snapshot += fmt.Sprintf(" at offset %d", e.From)
		}
		return
	case trace.PositionIn:
		n.in += fmt.Sprintf(" %s=%d", e.Channel, e.To)
		return
	case trace.PositionOut:
		n.out += fmt.Sprintf(" %s=%d", e.Channel, e.To)
		return
	case trace.PositionSplit:
		if s.shape.hasSplits() {
			n.splits += fmt.Sprintf(" %s=%d", e.Split, e.To)
		}
		return
	default: // told below
	}
	n.flush()
	if !n.path(e, t) && !n.protocol(e, t) {
		n.coordinator(e)
	}
}

func (n *narrator) flush() {
	if n.snapshot == "" {
		return
	}
	text := n.snapshot
	if n.splits != "" {
		text += ": read" + n.splits
	}
	if n.in != "" {
		text += ", received" + n.in
	}
	if n.out != "" {
		text += ", sent" + n.out
	}
	n.snapshot, n.in, n.out, n.splits = "", "", "", ""
	n.s.act("%s", text)
}

// path tells the data path, in full only.
func (n *narrator) path(e *trace.Event, t string) bool {
	s := n.s
	switch e.Kind {
	case trace.Emitted: // what it seals says as much
	case trace.WatermarkSaid, trace.WatermarkSeen, trace.TimerSet, trace.TimerCancelled, trace.TimerFired, trace.TimerAwaited, trace.RecordLate: // stories are not about event time
	case trace.Sealed:
		s.detail("%s seals %s", t, rangeOf(e))
	case trace.Delivered:
		s.detail("%s handles %s", t, rangeOf(e))
	case trace.Dropped:
		s.tell("%s drops %s: it has that", t, rangeOf(e))
	default:
		return false
	}
	return true
}

func (n *narrator) protocol(e *trace.Event, t string) bool {
	s := n.s
	switch e.Kind {
	case trace.BarrierSent:
		s.act("%s puts barrier %s on %s, %s", t, e.Epoch, e.Channel, e.Way)
	case trace.BarrierReceived:
		s.act("%s gets barrier %s from %s", t, e.Epoch, e.Channel)
	case trace.ChannelBlocked:
		s.act("%s blocks %s", t, e.Channel)
	case trace.ChannelUnblocked:
		s.act("%s unblocks %s", t, e.Channel)
	case trace.CapturedIn:
		s.act("%s captures input %s for %s", t, rangeOf(e), e.Epoch)
	case trace.CapturedOut:
		s.act("%s captures output %s for %s", t, rangeOf(e), e.Epoch)
	case trace.SnapshotWriting:
		s.detail("%s writes %s", t, e.Key)
	case trace.SnapshotStored:
		s.act("%s has stored %s", t, e.Epoch)
	case trace.SnapshotFailed:
		s.tell("%s gives snapshot %s up: %s", t, e.Epoch, e.Text)
	case trace.TaskStarting:
		from := e.Key
		if from == "" {
			from = "nothing"
		}
		s.tell("%s starts as %s from %s", t, e.Attempt, from)
	case trace.TaskRestored:
		text := ""
		if s.tasks[e.Task].info.Role == dataflow.RoleSource {
			text = fmt.Sprintf(" at offset %d", e.From)
		}
		if e.Epoch != 0 || e.From != 0 {
			s.act("%s is restored%s", t, text)
		}
	case trace.SplitTaken:
		if s.shape.hasSplits() {
			s.act("%s reads %s from offset %d", t, e.Split, e.To)
		}
	case trace.Injected:
		s.tell("%s gets back %s from %s", t, rangeOf(e), map[trace.Way]string{trace.FromInput: "captured input", trace.FromOutput: "captured output", trace.FromLog: "the log"}[e.Way])
	case trace.TaskReady:
		s.detail("%s is ready", t)
	case trace.TaskDrained:
		s.act("%s has drained", t)
	case trace.TaskLeft:
		s.tell("%s leaves", t)
	case trace.CommitAsked:
		s.act("%s may commit up to %s", t, e.Epoch)
	case trace.TaskFailed:
		s.tell("%s fails: %s", t, e.Text)
	default:
		return false
	}
	return true
}

func (n *narrator) coordinator(e *trace.Event) {
	s := n.s
	switch e.Kind {
	case trace.Triggered:
		s.act("coordinator triggers %s", e.Epoch)
	case trace.Acked:
		s.act("coordinator counts %s of %s", e.Epoch, e.Task)
	case trace.AllAcked:
		s.act("coordinator has all of %s", e.Epoch)
	case trace.Completed:
		s.tell("coordinator completes %s", e.Epoch)
	case trace.Aborted:
		s.tell("coordinator gives %s up: %s", e.Epoch, e.Text)
	case trace.TimedOut, trace.Declined, trace.FellBack:
		if e.Task == trace.Coordinator && e.Kind == trace.Declined {
			s.tell("coordinator takes no %s", e.Text)
		} // what is given up for the others says so
	case trace.FailedOver:
		s.tell("coordinator restarts the job: %s", e.Text)
	case trace.Stopped:
		s.tell("coordinator stops the job")
	case trace.Subsumed:
		s.tell("coordinator retains %s no longer", e.Epoch)
	case trace.Forced:
		s.act("%s must take %s before it delivers", e.Task, e.Epoch)
	case trace.LineAdvanced:
		s.act("coordinator: the line of a total failure passes %s of %s", e.Epoch, e.Task)
	case trace.PlanDurable:
		s.act("coordinator: plan %s is durable", e.Attempt)
	case trace.PlanExecuted:
		text := e.Text
		if e.Epoch != 0 {
			text += " from " + e.Epoch.String()
		}
		s.tell("coordinator executes %s: %s", e.Attempt, text)
	case trace.JobDone:
		s.tell("the job is done")
	case trace.Saved:
		s.tell("savepoint %s is complete", e.Epoch)
	case trace.Rescaled:
		s.tell("the job goes on with %d tasks: %s", e.To, e.Text)
	default:
		s.tell("%s %s %s %s", e.Kind, e.Task, e.Epoch, e.Words())
	}
}

// committed tells what a read-committed reader sees.
func (n *narrator) committed(t id.TaskID, txn id.Epoch, rows []byte, _ int) {
	if txn == 0 {
		n.s.tell("visible: %s", contents(rows))
		return
	}
	n.s.tell("visible with %s of %s: %s", txn, t, contents(rows))
}

func rangeOf(e *trace.Event) string {
	at := fmt.Sprintf("%s#%d", e.Channel, e.To)
	if e.To != e.From+1 {
		at = fmt.Sprintf("%s#%d..%d", e.Channel, e.From+1, e.To)
	}
	return at + " " + contents(e.Data)
}

// contents renders framed records.
func contents(data []byte) string {
	var all []string
	for rec, rest := dataflow.NextRecord(data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		all = append(all, string(rec))
	}
	if len(all) == 0 {
		return "(end of data)"
	}
	return strings.Join(all, " ")
}

// describe renders a buffer on the wire.
func describe(b *dataflow.Buffer) string {
	switch b.Item {
	case dataflow.EndStream:
		return "end of stream"
	case dataflow.Control:
		return "barrier " + b.Epoch.String()
	default:
		at := fmt.Sprintf("#%d", b.Seq)
		if b.N > 1 {
			at += fmt.Sprintf("..%d", b.Last())
		}
		return at + " " + contents(b.Data)
	}
}

func (m *message) String() string {
	switch m.kind {
	case isReady:
		return fmt.Sprintf("ready for %s", m.attempt)
	case hasLeft:
		return "left"
	case said:
	}
	d, part, err := coordinator.DecodeMessage(m.data)
	if err != nil {
		return err.Error()
	}
	text := string(d.Kind)
	switch {
	case d.Epoch != 0:
		text += " " + d.Epoch.String()
	case len(part.Delivered)+len(part.Sealed) > 0:
		text += fmt.Sprintf(" received %v sent %v", part.Delivered, part.Sealed)
	}
	if d.Text != "" {
		text += ": " + d.Text
	}
	return text
}
