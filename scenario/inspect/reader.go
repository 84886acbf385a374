package inspect

import (
	"errors"
	"fmt"
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Errors of a Reader, beside dataflow.ErrUnknownState.
var (
	// ErrNoCheckpoint: none is complete yet.
	ErrNoCheckpoint = errors.New("no checkpoint is complete yet")
	// ErrOvertaken: newer checkpoints have completed, and the older ones were deleted, faster
	// than one of them could be read.
	ErrOvertaken = errors.New("every checkpoint was deleted before it was read: retain more of them, or take them less often")
	// ErrUnknownOperator is wrapped by an error that lists the operators.
	ErrUnknownOperator = errors.New("unknown operator")
)

// Under is what a checkpoint has under one key. Entries are the caller's.
type Under struct {
	Task    string // that had it, as Task.Name gives it
	Entries []state.KeyedEntry
}

// Reader looks keys up in the newest complete checkpoint of a running job, in its files,
// whatever backend wrote them. It keeps what it has restored as long as that checkpoint
// is the newest: memory, or local files, of the tasks asked for. Not safe for concurrent use.
//
// It holds back no deletion, and needs none held back. Objects never change and no name is used
// twice, so that what it reads is of one checkpoint or not there; then that checkpoint was let
// go, for which a newer one had to be complete, and it begins again with that.
type Reader struct {
	cfg     Config
	storage state.Storage
	newest  func() (dataflow.Complete, error)
	at      dataflow.Complete
	of      *Snapshot
	open    map[*Task]state.Store
}

// NewReader returns a reader of a job's checkpoint storage. newest says which checkpoint the
// coordinator has last called complete, before the first deletion of what that has replaced; a
// zero one: none.
func NewReader(cfg Config, st state.Storage, newest func() (dataflow.Complete, error)) *Reader {
	return &Reader{cfg: cfg, storage: st, newest: newest, open: map[*Task]state.Store{}}
}

// overtakings are how often a reader begins again.
const overtakings = 8

// Lookup reads what a keyed state of an operator has under keys: all of one checkpoint, which
// it names.
func (r *Reader) Lookup(operator, name string, keys []state.Key) (dataflow.Complete, state.Descriptor, []Under, error) {
	at, err := r.newest()
	if r.cfg.Mutant == MutantQueryHalfWritten {
		at, err = r.halfWritten()
	}
	for range overtakings {
		if err == nil && at.None() {
			err = ErrNoCheckpoint
		}
		if err != nil {
			return at, state.Descriptor{}, nil, err
		}
		d, found, failed := r.lookup(at, operator, name, keys)
		if failed == nil || !isMissing(failed) {
			return at, d, found, failed
		}
		last := at
		if at, err = r.newest(); err == nil && at.Equal(&last) {
			return at, d, nil, failed // nothing has replaced it: it is damaged
		}
	}
	return at, state.Descriptor{}, nil, ErrOvertaken
}

// MutantQueryHalfWritten: the snapshots of a round count as a checkpoint without its record.
const MutantQueryHalfWritten dataflow.Mutant = "query-half-written"

// halfWritten returns the newest round of which something is stored.
func (r *Reader) halfWritten() (at dataflow.Complete, err error) {
	res := r.storage.Do(state.Op{Kind: state.OpList, Key: coordinator.SnapshotPrefix})
	for _, row := range res.List {
		if e, ok := coordinator.EpochOfKey(row.Key); ok {
			at.Epoch = max(at.Epoch, e)
		}
	}
	return at, res.Err
}

// isMissing reports that an object is not there.
func isMissing(err error) bool {
	var op *state.OpError
	return errors.As(err, &op) && op.Status == state.NotFound
}

// lookup reads from one checkpoint.
func (r *Reader) lookup(at dataflow.Complete, operator, name string, keys []state.Key) (d state.Descriptor, found []Under, err error) {
	o, err := r.operator(at, operator)
	if err != nil {
		return d, nil, err
	}
	found = make([]Under, len(keys))
	for i, t := range o.Tasks {
		var own []int
		for k := range keys {
			if g := keys[k].Group; g >= t.Groups.Lo && g < t.Groups.Hi {
				own = append(own, k)
			}
		}
		if own == nil && (d.Name != "" || i < len(o.Tasks)-1) { // somebody has to say whether there is such a state
			continue
		}
		store, err := r.restored(t)
		if err != nil {
			return d, nil, err
		}
		if d, err = dataflow.StateOf(operator, store.States(), name); err != nil {
			return d, nil, err
		}
		for _, k := range own {
			found[k] = Under{Task: t.Name(), Entries: entriesUnder(store, name, keys[k])}
		}
		if err := store.Err(); err != nil {
			return d, nil, err
		}
	}
	return d, found, nil
}

// entriesUnder returns copies of the entries under a key.
func entriesUnder(s state.Store, name string, k state.Key) (all []state.KeyedEntry) {
	s.Lookup(name, k, func(e state.KeyedEntry) bool {
		all = append(all, state.KeyedEntry{Group: e.Group, Key: k.Bytes, Field: slices.Clone(e.Field), Value: slices.Clone(e.Value)})
		return true
	})
	return all
}

// operator returns an operator of a checkpoint, which becomes the one that is open.
func (r *Reader) operator(at dataflow.Complete, name string) (*Operator, error) {
	if r.of == nil || !r.at.Equal(&at) {
		if err := r.Close(); err != nil {
			return nil, err
		}
		s, err := openCheckpoint(&r.cfg, r.foundOf(at))
		if err != nil {
			return nil, err
		}
		for _, t := range s.Tasks() {
			if t.Damage != nil && at.Line != nil { // which operators there are, the snapshots of a line say
				return nil, t.Damage
			}
		}
		r.at, r.of = at, s
	}
	o, err := r.of.Operator(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownOperator, err)
	}
	return o, nil
}

// foundOf is a complete checkpoint as a listing would have found it.
func (r *Reader) foundOf(at dataflow.Complete) *Found {
	if r.cfg.Mutant == MutantQueryHalfWritten && at.Epoch != 0 {
		return r.unrecorded(at)
	}
	f := &Found{Kind: Checkpoint, Path: "checkpoint " + at.Name(), Epoch: at.Epoch, Complete: true, place: place{storage: r.storage}}
	for t, e := range at.Line {
		f.parts = append(f.parts, string(dataflow.SnapshotKey(id.TaskID(t), e)))
	}
	return f
}

// unrecorded is what there is of a round.
func (r *Reader) unrecorded(at dataflow.Complete) *Found {
	f := &Found{Kind: Checkpoint, Path: "checkpoint " + at.Name(), Epoch: at.Epoch, place: place{storage: r.storage}, parts: []string{}}
	res := r.storage.Do(state.Op{Kind: state.OpList, Key: coordinator.SnapshotPrefix})
	for _, row := range res.List {
		if e, ok := coordinator.EpochOfKey(row.Key); ok && e == at.Epoch {
			f.parts = append(f.parts, row.Key)
		}
	}
	return f
}

// restored returns the store of a task of the checkpoint that is open.
func (r *Reader) restored(t *Task) (state.Store, error) {
	if s := r.open[t]; s != nil {
		return s, nil
	}
	if t.Damage != nil {
		return nil, t.Damage
	}
	s, err := t.source.(*stored).restore(t.Groups)
	if err != nil {
		return nil, err
	}
	r.open[t] = s
	return s, nil
}

// Close lets go of what is restored. The reader can be used again.
func (r *Reader) Close() error {
	var err error
	for _, s := range r.open { //det:unordered each is closed
		err = errors.Join(err, s.Close())
	}
	clear(r.open)
	r.of = nil
	return err
}
