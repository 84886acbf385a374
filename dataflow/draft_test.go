package dataflow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/state"
	"weir/trace"
)

// TestDraftsAreWrittenInOrder: a later one is whole first, and waits.
func TestDraftsAreWrittenInOrder(t *testing.T) {
	r := middle(t, nil)
	first, second := r.p.k.Begin(e1, 0), r.p.k.Begin(e2, e1)
	second.Seal()
	for k := range r.moves {
		r.transfer(k)
	}
	if len(r.ops) != 0 {
		t.Fatalf("written: %v; the first is not sealed", r.done)
	}
	first.Seal()
	k, op := the(r, r.ops)
	r.want("written first", op.Key, "snap/t2/1.1")
	// An unknown outcome is repeated under the same ticket, and only then the next.
	delete(r.ops, k)
	r.step(Event{Kind: EvStored, Ticket: k, Result: state.Result{Status: state.Failed, Err: errors.New("timeout")}})
	again, op := the(r, r.ops)
	if again != k || op.Key != "snap/t2/1.1" {
		t.Errorf("repeated: %s under ticket %d, want %d", op.Key, again, k)
	}
	r.settle()
	r.want("protocol", strings.Join(r.p.log, ", "), "stored 1.1, stored 1.2")
}

// TestRecordingEnds at the barrier of the round or a later one, and at the end of the stream.
func TestRecordingEnds(t *testing.T) {
	for name, last := range map[string]func(r *rig){
		"its barrier":           func(r *rig) { r.barrier(1, e2, 0) },
		"a later barrier":       func(r *rig) { r.barrier(1, e2+1, 0) },
		"the end of the stream": func(r *rig) { r.item(1, EndStream, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			r := middle(t, nil)
			r.arrive(1, 1, "a") // queued
			d := r.p.k.Begin(e2, 0)
			d.Record(1)
			d.Seal()
			r.settle()
			r.barrier(1, e1, 0) // of an older round
			r.arrive(1, 2, "b")
			r.arrive(0, 1, "z") // another input
			r.item(1, EndData, 3)
			r.turns()
			r.settle()
			if r.disk.Do(state.Op{Kind: state.OpGet, Key: "snap/t2/1.2"}).Status == state.OK {
				t.Fatal("written before the recording was over")
			}
			last(r)
			r.settle()
			s := r.stored("snap/t2/1.2")
			var got []string
			for _, c := range s.In {
				got = append(got, fmt.Sprintf("%d: %s", c.Channel, render(c.Buffer)))
			}
			r.want("captured", strings.Join(got, ", "), "1: 1 a, 1: 2 b, 1: 3 end")
			if s.Delivered[1] != 0 {
				t.Errorf("delivered %d at the instant, want 0", s.Delivered[1])
			}
			if len(r.recycled) != 1 {
				t.Errorf("%d buffers recycled; those in the draft must not be", len(r.recycled))
			}
		})
	}
}

// stored decodes an object in storage.
func (r *rig) stored(key string) *Snapshot {
	r.t.Helper()
	res := r.disk.Do(state.Op{Kind: state.OpGet, Key: key})
	if res.Status != state.OK {
		r.t.Fatalf("%s: %s", key, res.Status)
	}
	s, err := DecodeSnapshot(res.Data)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// TestQueuedBarrierEndsACapture: what stands behind a queued barrier is not of the round.
func TestQueuedBarrierEndsACapture(t *testing.T) {
	r := middle(t, nil)
	r.arrive(1, 1, "a")
	r.barrier(1, e1, 2)
	r.arrive(1, 3, "b")
	d := r.p.k.Begin(e1, 0)
	d.Record(1)
	d.Queued(0)
	d.Seal()
	r.settle()
	if s := r.stored("snap/t2/1.1"); len(s.In) != 1 || render(s.In[0].Buffer) != "1 a" {
		t.Errorf("captured %v, want 1 a", s.In)
	}
}

func TestAbandon(t *testing.T) {
	r := middle(t, nil)
	first := r.p.k.Begin(e1, 0)
	first.Record(0)
	first.Seal()
	r.p.k.Begin(e2, 0).Seal()
	for k := range r.moves {
		r.transfer(k)
	}
	r.p.k.Abandon(e1)
	r.settle()
	r.want("protocol", strings.Join(r.p.log, ", "), "stored 1.2")
	r.arrive(0, 1, "a")
	if len(first.in) != 0 {
		t.Error("a draft that was given up still records")
	}
	// Given up while its object is under way: the outcome means nothing.
	r.p.k.Begin(e2+1, 0).Seal()
	k, _ := the(r, r.moves)
	r.transfer(k)
	r.p.k.Abandon(e2 + 1)
	r.settle()
	r.want("protocol", strings.Join(r.p.log, ", "), "stored 1.2")
	// Sealed when it is given up already: nothing comes of it.
	late := r.p.k.Begin(e2+2, 0)
	r.p.k.Abandon(e2 + 2)
	late.Seal()
	r.settle()
	r.want("protocol", strings.Join(r.p.log, ", "), "stored 1.2")
	if rows := r.disk.Do(state.Op{Kind: state.OpList, Key: "snap/t2/1.4"}).List; len(rows) > 0 {
		t.Errorf("stored: %v", rows)
	}
}

// TestRefusedSnapshotIsDeclined: the storage's reason reaches the protocol.
func TestRefusedSnapshotIsDeclined(t *testing.T) {
	r := middle(t, nil)
	r.disk.Reset(16) // no object above 16 bytes
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	if len(r.p.log) != 1 || !strings.HasPrefix(r.p.log[0], "failed 1.1: snapshot 1.1: storage: put \"snap/t2/1.1\": refused") ||
		!strings.Contains(r.p.log[0], "more than the 16 bytes that an object in coordinator memory may have") {
		t.Errorf("protocol: %q", r.p.log)
	}
	if r.failure != nil {
		t.Errorf("the task gives up: %v", r.failure)
	}
}

func newVault(t *testing.T) (*rig, *vault) {
	t.Helper()
	op := &vault{}
	r := newRig(t, "sink", op, nil)
	r.start(1, TaskPlan{})
	return r, op
}

// TestPreCommit comes before the draft is written, and is repeated until answered.
func TestPreCommit(t *testing.T) {
	r, _ := newVault(t)
	r.p.k.Begin(e1, 0).Seal()
	for k := range r.moves {
		r.transfer(k)
	}
	if len(r.ops) != 0 {
		t.Fatal("the draft is written before its transaction is pre-committed")
	}
	for range 3 {
		k, op := the(r, r.exts)
		if op.Kind != ExtPreCommit || op.Txn != e1 || op.Task != r.info.ID || op.Attempt != 1 {
			t.Fatalf("the operation is %+v", op)
		}
		r.external(k, ExtFailed)
	}
	r.settle()
	if s := r.stored("snap/t3/1.1"); len(s.Pending) != 1 || s.Pending[0] != e1 {
		t.Errorf("pending in the snapshot: %v, want 1.1", s.Pending)
	}
	// Given up, the pre-commit still has to be answered: a later draft names it.
	r.p.k.Begin(e2, 0).Seal()
	for k := range r.moves {
		r.transfer(k)
	}
	r.p.k.Abandon(e2)
	r.p.k.Begin(e2+1, 0).Seal()
	for k := range r.moves {
		r.transfer(k)
	}
	for k, op := range r.exts {
		if op.Txn == e2+1 {
			r.external(k, ExtOK)
		}
	}
	if len(r.ops) != 0 {
		t.Error("a draft is written that names a transaction whose pre-commit is not answered")
	}
	r.settle()
	if s := r.stored("snap/t3/1.3"); len(s.Pending) != 3 {
		t.Errorf("pending in the snapshot: %v, want 1.1 1.2 1.3", s.Pending)
	}
}

func TestSinkThatIsFencedOrLost(t *testing.T) {
	for _, c := range []struct {
		kind   ExtKind
		status ExtStatus
		want   string
	}{
		{ExtPreCommit, ExtFenced, "pre-commit of 1.1: fenced by a newer attempt"},
		{ExtPreCommit, ExtAbsent, "pre-commit of 1.1: the external store has lost rows"},
		{ExtCommit, ExtFenced, "the external store has fenced this attempt"},
		{ExtCommit, ExtAbsent, "does not know a transaction that must be committed: output is lost"},
		{ExtRecover, ExtFenced, "recovery of the sink: fenced by a newer attempt"},
	} {
		op := &vault{}
		r := newRig(t, "sink", op, nil)
		r.step(Event{Kind: EvStart, Attempt: 1, Plan: &TaskPlan{}})
		if c.kind != ExtRecover {
			r.settle()
			r.p.k.Begin(e1, 0).Seal()
			if c.kind == ExtCommit {
				r.settle()
				r.p.k.Commit(e1)
			}
		}
		k, op1 := the(r, r.exts)
		if op1.Kind != c.kind {
			t.Fatalf("operation %d, want %d", op1.Kind, c.kind)
		}
		r.external(k, c.status)
		r.fails(c.want)
		if c.status == ExtAbsent && c.kind == ExtCommit && !errors.Is(r.failure, ErrLostOutput) {
			t.Error("lost output is not recognizable")
		}
		if r.saw(trace.TaskFailed) != 1 {
			t.Error("nothing is said about the failure")
		}
	}
}

// TestCommitIsRepeatedAndWaitedFor: a task leaves only when its commits are
// through and its drafts stored.
func TestCommitIsRepeatedAndWaitedFor(t *testing.T) {
	r, op := newVault(t)
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	r.p.k.Commit(e1)
	r.p.k.Finish()
	k, _ := the(r, r.exts)
	r.external(k, ExtFailed)
	if r.left || len(op.pending) != 1 {
		t.Error("the task leaves with a commit unanswered")
	}
	r.p.k.Begin(e2, 0).Seal()
	for k, op := range r.exts {
		if op.Kind == ExtCommit {
			r.external(k, ExtOK)
		}
	}
	if r.left {
		t.Error("the task leaves with a draft not stored")
	}
	r.settle()
	if !r.left || len(op.pending) != 1 || op.pending[0] != e2 {
		t.Errorf("left: %v, pending %v, want 1.2 alone", r.left, op.pending)
	}
}

func TestRewind(t *testing.T) {
	r := middle(t, nil)
	r.connect(0)
	r.arrive(0, 1, "a")
	r.turns()
	m := r.p.k.Mark(0)
	r.arrive(0, 2, "b")
	r.item(0, EndData, 3)
	r.item(1, EndData, 1)
	r.turns()
	if !r.p.k.IsDrained() || m.Ended() {
		t.Fatal("the task must have drained behind the mark")
	}
	d := r.p.k.Begin(e1, 0)
	d.Rewind(0, m)
	d.Seal()
	r.settle()
	s := r.stored("snap/t2/1.1")
	if s.Delivered[0] != 1 || s.Inputs[0].Ended || s.Drained {
		t.Errorf("delivered %d, ended %v, drained %v; what comes again has not come", s.Delivered[0], s.Inputs[0].Ended, s.Drained)
	}
	if s.Delivered[1] != 1 || !s.Inputs[1].Ended {
		t.Error("the other input was rewound too")
	}
}
