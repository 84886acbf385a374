// The commit oracle: recovery never goes behind output that is visible, and
// nothing becomes visible that could still be rolled back: each transaction once,
// of the surviving history, and only when its snapshot can no longer be lost. No
// transaction is left open. Who lets a job go back behind a damaged checkpoint has that
// recovery go behind it.
//
// Without rounds it computes the line of a total failure itself (stable), and holds
// what the code under test says of it against that.
//
// Behind a change of the graph the transactions of former sinks keep their names: each
// stands or falls with the history of its own graph.
//
// It does not verify the rows (output). Where tasks restart alone it believes
// LineAdvanced: only the algorithm knows from when on a stored snapshot counts.
// So it does where nobody says what belongs to which snapshot.

package check

import (
	"slices"

	"weir/id"
	"weir/state"
	"weir/trace"
)

type commit struct {
	judge
	base   id.Epoch // of the newest plan
	sinks  []transactions
	former [][]transactions // by graph that is over, then by its tasks
	// records are the epochs of checkpoints whose record has landed, readable, and is not deleted:
	// what happens to its bytes later takes nothing back of what was promised.
	records map[id.Epoch]bool
}

// transactions are those of one task.
type transactions struct {
	visible []id.Epoch
	at      int64      // time at which the last of them became so
	asked   []id.Epoch // whose commit was issued
	line    id.Epoch   // newest snapshot that LineAdvanced named
}

func newCommit(j judge) watcher {
	return &commit{judge: j, sinks: make([]transactions, len(j.x.Tasks)), records: map[id.Epoch]bool{}}
}

func (o *commit) Reshape() {
	o.former = append(o.former, o.sinks)
	o.sinks = make([]transactions, len(o.tasks))
}

func (o *commit) Wants() trace.Mask {
	var more trace.Mask
	if o.hasRecords() {
		more = kinds(trace.StoreApplied)
	}
	return more | kinds(trace.OutputCommitted, trace.ExtIssued, trace.LineAdvanced, trace.PlanExecuted, trace.TaskRestored)
}

func (o *commit) Reset() {
	o.base, o.former = 0, nil
	if x := o.x.Origin; x != nil {
		o.former = append(o.former, make([]transactions, len(x.Tasks)))
	}
	clear(o.records)
	for i := range o.sinks {
		t := &o.sinks[i]
		*t = transactions{visible: t.visible[:0], asked: t.asked[:0]}
	}
}

// Finish: a job that has ended leaves no transaction open. A reader of committed rows
// would wait for it for ever.
func (o *commit) Finish(End) {
	if !o.done || o.x.Open == nil {
		return
	}
	names := len(o.sinks)
	for _, sinks := range o.former {
		names = max(names, len(sinks))
	}
	for t := range id.TaskID(names) {
		for _, e := range o.x.Open(t, nil) {
			o.violate(t, e, "the job has ended, and its transaction is open for ever: nobody has committed or aborted it")
		}
	}
}

func (o *commit) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.PlanExecuted:
		o.base = e.Epoch
	case trace.LineAdvanced:
		t := &o.sinks[e.Task]
		t.line = max(t.line, e.Epoch)
		o.advanced(e)
	case trace.OutputCommitted:
		o.becameVisible(e)
	case trace.ExtIssued:
		o.issued(e)
	case trace.TaskRestored:
		o.restored(e)
	case trace.StoreApplied:
		o.applied(e)
	default: // not asked for
	}
}

// hasRecords reports that checkpoints have records that can be read.
func (o *commit) hasRecords() bool {
	return o.x.Coordinated && o.x.Storage != nil && o.x.Layout.RecordKey != nil && o.x.Layout.EpochOf != nil
}

// applied watches records come and go.
func (o *commit) applied(e *trace.Event) {
	if e.Op != trace.Create && e.Op != trace.Delete {
		return
	}
	epoch, ok := o.x.Layout.EpochOf(e.Key)
	switch {
	case !ok || epoch.Index() == 0 || o.x.Layout.RecordKey(epoch) != e.Key:
	case e.Op == trace.Delete:
		delete(o.records, epoch)
	case o.readable(epoch):
		o.records[epoch] = true
	}
}

// advanced: what can never be rolled back is on the line of a total failure now or
// behind it.
func (o *commit) advanced(e *trace.Event) {
	if o.x.hasLine() && !o.passed(e.Task, e.Epoch) {
		o.violate(e.Task, e.Epoch, "the recovery line is said to have reached epoch %s; the newest consistent one of all that can be restored stands at %s", e.Epoch, o.lineEpoch(e.Task))
	}
}

// passed reports that the line has reached epoch e of a task.
func (o *commit) passed(t id.TaskID, e id.Epoch) bool { return o.lineEpoch(t) >= e }

// lineEpoch returns the epoch of a task's part of the line, 0: the beginning.
func (o *commit) lineEpoch(t id.TaskID) id.Epoch {
	if p := o.lineOf(t); p != none {
		return o.snapshots[p].epoch
	}
	return 0
}

func (o *commit) becameVisible(e *trace.Event) {
	if o.x.AtOnce || e.Epoch == 0 {
		return
	}
	t, x := o.named(e)
	if t == nil {
		o.violate(e.Task, e.Epoch, "output became visible of a task that the graph did not have")
		return
	}
	if slices.Contains(x.visible, e.Epoch) {
		if x.visible[len(x.visible)-1] == e.Epoch && x.at == e.Time {
			return // more rows of a large transaction
		}
		o.violate(e.Task, e.Epoch, "the rows of the transaction became visible a second time")
		return
	}
	x.visible, x.at = append(x.visible, e.Epoch), e.Time
	if o.ofOrigin(e.Epoch) {
		if !o.x.Origin.names(e.Task, e.Epoch) {
			o.violate(e.Task, e.Epoch, "output became visible that was made before the job began, and its savepoint does not name it")
		}
		return
	}
	p := o.find(t, e.Epoch)
	switch {
	case p == none:
		o.violate(e.Task, e.Epoch, "output became visible for which there is no snapshot")
	case !o.survives(&o.snapshots[p], t.segment):
		o.violate(e.Task, e.Epoch, "output of a history that was rolled back became visible: its transaction should have been aborted")
	case !o.irrevocable(e.Epoch, t, p):
		o.violate(e.Task, e.Epoch, "output became visible before its checkpoint was durable: a crash now would produce it again")
	}
}

// named returns the task and the transactions that a transaction's name belongs to, nil:
// no task. A name is of the graph that its epoch is of.
func (o *commit) named(e *trace.Event) (*task, *transactions) {
	tasks, sinks := o.tasks, o.sinks
	if n := o.legOf(e.Epoch); n < len(o.legs) {
		tasks, sinks = o.legs[n].tasks, o.former[n]
	}
	if int(e.Task) >= len(tasks) {
		return nil, nil
	}
	return &tasks[e.Task], &sinks[e.Task]
}

// irrevocable reports whether nothing can roll snapshot p of t back any more.
func (o *commit) irrevocable(e id.Epoch, t *task, p int32) bool {
	switch n := o.snapshots[p].task; {
	case o.over && o.isCompleted(e):
		return true // nobody runs the job again
	case o.x.hasLine():
		return o.passed(n, e) // a snapshot that is only stored may still be rolled back
	case !o.x.Coordinated:
		return o.sinks[n].line >= e
	}
	if o.x.Storage == nil || o.x.Layout.RecordKey == nil {
		return o.isCompleted(e)
	}
	if i := len(o.completed); i > 0 && o.completed[i-1] > e {
		return true // subsumed by a newer one
	}
	if t.restored != none && o.snapshots[t.restored].epoch >= e {
		return true
	}
	if o.base >= e && o.durable(o.base) {
		return true // a recovery has begun that does not go behind it
	}
	return o.durable(e)
}

// durable reports whether the record of a checkpoint has landed, and is there.
func (o *commit) durable(e id.Epoch) bool { return o.records[e] || o.readable(e) }

func (o *commit) readable(e id.Epoch) bool {
	return o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: o.x.Layout.RecordKey(e)}).Status == state.OK
}

// restored: recovery never goes behind visible output.
func (o *commit) restored(e *trace.Event) {
	t := &o.tasks[e.Task]
	if o.x.AtOnce || o.report.FellBack > 0 || e.Epoch != 0 && t.restored == none && !t.made {
		return
	}
	newest, at := o.sinks[e.Task].newest(), e.Epoch
	if o.legOf(e.Epoch) < len(o.legs) {
		if !t.made {
			at = o.base // a task that had left has an older share in it
		}
		if x := o.x.Origin; x != nil {
			at = max(at, x.Epoch) // the beginning
		}
		for _, sinks := range o.former {
			for i := range sinks {
				newest = max(newest, sinks[i].newest())
			}
		}
	}
	if newest > at {
		o.violate(e.Task, e.Epoch, "restored from epoch %s although the output of epoch %s is visible: what lies between will be produced again", e.Epoch, newest)
	}
}

// newest returns the newest epoch that is visible, 0: none is.
func (t *transactions) newest() (e id.Epoch) {
	for _, x := range t.visible {
		e = max(e, x)
	}
	return e
}

// issued counts commits that are asked for again.
func (o *commit) issued(e *trace.Event) {
	if e.Op != trace.Commit && e.Op != trace.Insert && e.Op != trace.Publish {
		return
	}
	_, t := o.named(e)
	if t == nil {
		return // becameVisible says so if it comes to that
	}
	if slices.Contains(t.asked, e.Epoch) {
		o.report.CommitsRetried++
		return
	}
	t.asked = append(t.asked, e.Epoch)
}
