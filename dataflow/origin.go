package dataflow

import (
	"encoding/binary"
	"fmt"

	"weir/id"
	"weir/state"
	"weir/state/savepoint"
	"weir/trace"
)

// Origin is the savepoint that a job begins from whose checkpoint storage holds nothing of it
// yet. One that has begun goes on from what it has stored itself.
type Origin struct {
	Root string // of the savepoint, in checkpoint storage: see package savepoint
	// Renamed are operators that have another name in the savepoint.
	Renamed []Renamed
	// Dropped are operators of the savepoint that the job does without: what they hold is lost.
	Dropped []string
	// After is the newest attempt that the external store knows, if the job writes to one in which
	// others have written: it is asked by whoever starts the job, and the attempts of the job are above.
	// Those of the savepoint alone do not say it: somebody may have begun after it was taken.
	After id.Attempt
	// Claimed: the savepoint is the job's, which deletes it when it goes back to it no more.
	// Otherwise nothing of it is ever deleted.
	Claimed bool
}

// Renamed says what an operator of a savepoint is called now.
type Renamed struct{ From, To string }

// Saved is what a task begins with in the place of nothing: what a savepoint holds of an
// operator and of the key groups that the task owns, whoever wrote it.
type Saved struct {
	Root     string
	Operator string   // its name in the savepoint; "": it is new and begins empty
	Epoch    id.Epoch // of the savepoint
	Names    int      // of the tasks of the job that wrote it: their numbers are below
	Claimed  bool     // Origin.Claimed
	// Sealed are the transactions that it names, of all tasks: whoever begins commits them.
	Sealed []Sealed
}

// Sealed is a transaction of a savepoint, under the name of the task that sealed it.
type Sealed struct {
	Task  id.TaskID
	Epoch id.Epoch
}

// UpTo is the newest of the savepoint and of what it has sealed: a task may have numbers of its own.
func (s *Saved) UpTo() id.Epoch {
	e := s.Epoch
	for _, x := range s.Sealed {
		e = max(e, x.Epoch)
	}
	return e
}

func appendSaved(b []byte, s *Saved) []byte {
	b = state.AppendString(b, s.Root)
	b = state.AppendString(b, s.Operator)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Epoch))
	b = binary.AppendUvarint(b, uint64(s.Names))
	b = append(b, byte(flags(s.Claimed, false)))
	b = binary.AppendUvarint(b, uint64(len(s.Sealed)))
	for _, x := range s.Sealed {
		b = binary.LittleEndian.AppendUint64(binary.AppendUvarint(b, uint64(x.Task)), uint64(x.Epoch))
	}
	return b
}

func readSaved(r *state.Reader) *Saved {
	s := &Saved{Root: string(r.Bytes()), Operator: string(r.Bytes()), Epoch: id.Epoch(r.Uint64()), Names: int(r.Size()), Claimed: r.Byte()&1 != 0}
	const least = 9 // bytes that one takes
	for range r.Count(least) {
		s.Sealed = append(s.Sealed, Sealed{id.TaskID(r.Size()), id.Epoch(r.Uint64())})
	}
	return s
}

// spareSealed has a recovery of the sink leave alone what a savepoint has sealed under the task's name:
// that is for whoever takes the place of the task that did, which may be late.
func (t *Task) spareSealed(op *ExtOp) {
	if t.restore.plan.Saved == nil {
		return
	}
	for _, x := range t.restore.plan.Saved.Sealed {
		if x.Task == t.info.ID {
			op.Keep = append(op.Keep, x.Epoch)
		}
	}
}

// beginsFromSaved reports that the task is to restore its share of a savepoint. Where a job
// goes on without its state only the splits of sources do not begin at 0.
func (t *Task) beginsFromSaved() bool {
	p := &t.restore.plan
	return p.Ref == "" && len(p.Former) == 0 && p.Saved != nil && p.Saved.Operator != "" && (t.source != nil || !p.Resume)
}

// readManifest fetches the manifest of the savepoint.
func (t *Task) readManifest() {
	op := state.Op{Kind: state.OpGet, Key: savepoint.ManifestKey(t.restore.plan.Saved.Root)}
	t.host.Store(t.ticket(&effect{kind: effectRestoreGet, op: op}), op)
}

// manifestRead begins to restore what the savepoint holds for the task.
func (t *Task) manifestRead(data []byte) {
	r := t.restore
	saved := r.plan.Saved
	m, err := savepoint.DecodeManifest(data)
	if err == nil && m.Epoch != saved.Epoch {
		err = fmt.Errorf("%w: it is of epoch %s, and the job has begun from %s", state.ErrCorrupt, m.Epoch, saved.Epoch)
	}
	if err != nil {
		err = &savepoint.Damage{File: savepoint.ManifestKey(saved.Root), Holds: "the whole savepoint", Err: err}
	} else {
		r.savepoint, err = savepoint.NewRestore(saved.Root, m, saved.Operator, savepoint.Target{
			Store: t.store, Groups: t.info.Groups, Instance: t.info.Index, Instances: t.info.Parallelism,
		})
	}
	if err != nil {
		t.failFor(trace.Unreadable, fmt.Errorf("restore: %w", err))
		return
	}
	t.host.Transfer(t.ticket(&effect{kind: effectRestoreTransfer}), r.savepoint)
}

// savedRead takes over what the old tasks of the operator had beside keyed state, as if they
// were former instances of another shape that have nothing under way. Of as many
// instances as before each goes on from its own, but for the splits, which are dealt out anew.
func (t *Task) savedRead() error {
	r := t.restore
	tasks := r.savepoint.Tasks()
	for i := range tasks {
		s := &tasks[i]
		if len(tasks) == t.info.Parallelism && t.source == nil && s.Instance != t.info.Index {
			continue
		}
		r.plan.Former = append(r.plan.Former, Former{
			Ref: Ref(savepoint.IndexKey(r.plan.Saved.Root, s.ID)), Task: s.ID, Name: s.Operator, Index: s.Instance, Parallelism: s.Instances,
		})
		x := &Snapshot{Task: s.Operator, Index: s.Instance, Handle: state.Handle{Operator: s.Own}}
		x.Epoch, x.Watermark, x.Drained, x.Pending, x.Finished = r.plan.Saved.Epoch, s.Watermark, s.Drained, s.Pending, s.Finished
		for _, p := range s.Splits {
			x.Splits = append(x.Splits, SplitHeader{p.Split, max(p.Offset, t.resumedAt(p.Split)), p.Watermark, p.Ended})
		}
		r.formers = append(r.formers, x)
	}
	r.plan.Stable = r.plan.Saved.UpTo()
	return t.formerSplits()
}

// resumedAt returns how far the source log has handed out a split, where the job goes on from there.
func (t *Task) resumedAt(split int) id.Offset {
	r := t.restore
	for i, s := range r.plan.Splits {
		if s == split && r.plan.Resume && i < len(r.offsets) {
			return r.offsets[i]
		}
	}
	return 0
}
