package dataflow

import (
	"fmt"
	"slices"
	"strings"
)

// Waits says in words what the task waits for, for a report on a job that
// stands still. It changes nothing.
func (t *Task) Waits() string {
	switch t.phase {
	case created:
		return "has not begun"
	case restoringPhase:
		return fmt.Sprintf("restores: %d operations under way", len(t.pending.tickets))
	case left:
		return "has left"
	case failed:
		return "has failed"
	case running:
	}
	parts := t.waitsToRun(nil)
	for _, d := range t.drafts {
		parts = append(parts, d.waits())
	}
	if t.extCount > 0 {
		parts = append(parts, fmt.Sprintf("%d operations on the external store under way", t.extCount))
	}
	return strings.Join(parts, "; ")
}

// waitsToRun says why the task takes no turn.
func (t *Task) waitsToRun(parts []string) []string {
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch {
	case t.Runnable():
		add("can take a turn")
	case t.paused:
		add("its algorithm holds it")
	case t.saving.held() || t.saving.reading():
		add("a savepoint holds it")
	case t.clockHeld && t.clockDue && !t.ended:
		add("its algorithm holds timers of the clock that are due")
	case t.parked:
		add("waits for another input than those that have something")
	}
	for i := range t.outputs {
		switch o := &t.outputs[i]; {
		case !o.connected:
			add("%s is not connected", o.ID)
		case o.isFull:
			add("waits for room on %s (%d queued, %d credits)", o.ID, o.q.len(), o.credit)
		}
	}
	for i := range t.inputs {
		switch in := &t.inputs[i]; {
		case in.blocked&byOrder != 0:
			add("%s waits for what others send again (%d queued)", in.ID, in.q.len())
		case in.blocked != 0:
			add("%s is blocked (%d queued)", in.ID, in.q.len())
		case !t.ended && !in.ended && in.q.len() == 0:
			add("nothing comes on %s after #%d", in.ID, in.arrived)
		}
	}
	switch {
	case t.finishing:
		add("leaves when what it has begun is done")
	case t.drained:
		add("has drained and waits for the checkpoint that lets it leave")
	}
	return parts
}

// waits says what keeps the draft from being stored.
func (d *Draft) waits() string {
	var parts []string
	for i := range d.t.inputs {
		in := &d.t.inputs[i]
		for _, r := range in.recorders {
			if r == d {
				parts = append(parts, "the barrier on "+in.ID.String())
			}
		}
	}
	for i := range d.t.outputs {
		if o := &d.t.outputs[i]; slices.Contains(o.waiting, d) {
			parts = append(parts, "its barrier to leave the queue of "+o.ID.String())
		}
	}
	switch {
	case d.writing:
		parts = append(parts, "its put")
	case !d.uploaded:
		parts = append(parts, "its state being uploaded")
	case d.t.preCommitting(d.head.Epoch):
		parts = append(parts, "the pre-commit of the sink")
	case !d.sealed:
		parts = append(parts, "its algorithm to seal it")
	case len(parts) == 0:
		parts = append(parts, "the snapshot before it")
	}
	return fmt.Sprintf("snapshot %s waits for %s", d.head.Epoch, strings.Join(parts, " and "))
}
