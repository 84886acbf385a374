package dataflow

import (
	"errors"
	"fmt"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// What the instances of a sink had sealed in another shape stands outside under the names
// of their tasks, which mean something else now. Each is settled by the task that takes its
// place, before that is ready: older attempts are fenced, what the base checkpoint does not
// name is aborted, and what it names is committed, as it can never be rolled back. So no
// snapshot of the new shape has anything of it.

// recoverSink begins to recover the task's own name, and to abort what vanished tasks have
// left.
func (t *Task) recoverSink() error {
	var pending []id.Epoch
	if snap := t.restore.snap; snap != nil {
		pending = snap.Pending
	}
	own, err := t.sink.Recover(t.attempt, pending)
	if err != nil {
		return err
	}
	t.spareSealed(&own)
	t.settleOne(t.info.ID, own, nil)
	t.settleVanished(own)
	return nil
}

// settleFormers begins to settle what the former instances have left, and to recover the task's
// own name.
func (t *Task) settleFormers() error {
	r := t.restore
	own, err := t.sink.Recover(t.attempt, nil)
	if err != nil {
		return err
	}
	// In an older shape the name may have been another writer's: what the base checkpoint
	// covers is for whoever settles that.
	if r.savepoint == nil {
		own.Txn = r.plan.Stable
	}
	t.spareSealed(&own)
	t.settleOne(t.info.ID, own, nil)
	t.settleVanished(own)
	for i := range r.plan.Former {
		f := &r.plan.Former[i]
		if !t.succeeds(f) || t.cfg.Mutant == MutantVanishedForgotten && f.Index >= t.info.Parallelism {
			continue
		}
		heir, err := t.heir(f, r.formers[i])
		if err != nil {
			return fmt.Errorf("%s: %w", f.Ref, err)
		}
		op, err := heir.Recover(t.attempt, r.formers[i].Pending)
		if err == nil && r.savepoint != nil {
			err = takesOver(heir, r.formers[i].Pending)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Ref, err)
		}
		if r.savepoint != nil && t.graph.writes(f.Task) {
			t.commitFormer(f.Task, heir)
			continue
		}
		t.settleOne(f.Task, op, heir)
	}
	return nil
}

// commitFormer commits what a savepoint names under a name that a sink of this job has by now. That
// one fences, and spares what the savepoint covers; it may go on while this one begins again.
func (t *Task) commitFormer(name id.TaskID, heir Sink) {
	for _, op := range heir.Commit(t.restore.plan.Stable) {
		t.settleOne(name, op, nil)
	}
}

// takesOver refuses a sink that does not know what to do with the transactions of a
// savepoint, as one of another kind: it would abort them.
func takesOver(heir Sink, pending []id.Epoch) error {
	if taken := heir.Pending(nil); len(taken) < len(pending) {
		return fmt.Errorf("%d transactions are sealed and not known to be committed, and this sink takes over %d of them: begin with the kind of sink that wrote the savepoint: %w", len(pending), len(taken), state.ErrIncompatible)
	}
	return nil
}

// settleVanished aborts what was left under names of other shapes that no snapshot tells of.
func (t *Task) settleVanished(own ExtOp) {
	own.Keep, own.Txn = nil, t.restore.plan.Stable
	for _, name := range t.restore.plan.Vanished {
		t.settleOne(name, own, nil)
	}
}

// settleOne issues an operation in the name of a task. When it is done, heir, if there is
// one, commits.
func (t *Task) settleOne(name id.TaskID, op ExtOp, heir Sink) {
	op.Task, op.Attempt = name, t.attempt
	t.restore.unsettled++
	t.host.External(t.ticket(&effect{kind: effectSettle, ext: op, heir: heir}), op)
}

// writes reports whether a task of the graph writes to the external store.
func (g *Graph) writes(name id.TaskID) bool {
	first := id.TaskID(0)
	for i := range g.Vertices {
		v := &g.Vertices[i]
		first += id.TaskID(v.Parallelism)
		if name < first {
			return v.Role == RoleSink || v.Role == RoleWriter
		}
	}
	return false
}

// settled takes the outcome of an operation of settleOne. The last one is what resuming
// waits for.
func (t *Task) settled(e *effect, s ExtStatus) {
	switch s {
	case ExtFailed:
		t.host.External(t.ticket(e), e.ext)
		return
	case ExtFenced:
		t.failFor(trace.FencedOff, errors.New("recovery of the sink: fenced by a newer attempt"))
		return
	case ExtAbsent:
		t.failFor(trace.OutputLost, lostOutput(e.ext.Task, e.ext.Txn))
		return
	case ExtOK:
	}
	if e.heir != nil {
		for _, op := range e.heir.Commit(t.restore.plan.Stable) {
			t.settleOne(e.ext.Task, op, nil)
		}
	}
	if t.restore.unsettled--; t.restore.unsettled == 0 {
		t.resume()
	}
}

// heir makes the operator that settles what a former instance has left: one of the same
// vertex, with that instance's lists and in its name.
func (t *Task) heir(f *Former, s *Snapshot) (Sink, error) {
	info := *t.info
	info.ID, info.Index, info.Parallelism, info.Inputs, info.Outputs = f.Task, f.Index, f.Parallelism, nil, nil
	estate := &estate{lists: state.NewOperatorState(state.Open{Task: f.Task, Instance: f.Index, Instances: f.Parallelism})}
	former := &Task{job: t.job, graph: t.graph, info: &info, cfg: t.cfg, host: t.host, attempt: t.attempt, watermark: NoWatermark, shown: unseen, store: estate}
	former.op = t.graph.Vertices[info.Vertex].New()
	former.sink, _ = former.op.(Sink)
	former.ctx.t = former
	if err := former.op.Open(&former.ctx); err != nil {
		return nil, err
	}
	if former.ctx.err != nil {
		return nil, former.ctx.err
	}
	return former.sink, estate.lists.RestoreOperator([]state.Handle{s.Handle})
}

// estate is the store of an heir: lists and nothing else. A Context gives no tables of the
// store of a vertex that is not keyed, and no sink is.
type estate struct {
	state.Store
	lists state.OperatorState
}

// List returns a list of the former instance.
func (e *estate) List(name string, mode state.Redistribution) (*state.OperatorList, error) {
	return e.lists.List(name, mode)
}
