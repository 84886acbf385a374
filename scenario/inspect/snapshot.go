package inspect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/catalog"
	"weir/state/savepoint"
)

// Config says where snapshots are read, and what they do not say themselves.
type Config struct {
	FS vfs.FS
	// Scratch is a directory for the local files of backends that keep some; what is
	// written there is removed again.
	Scratch string
	// Groups is the number of key groups of the job, for checkpoints. 0: as many as
	// state.DefaultGroups.
	Groups int
	// Settings are those of the backends that read.
	Settings catalog.Settings
	// Mutant is a deliberate mistake of a Reader: MutantQueryHalfWritten.
	Mutant dataflow.Mutant
}

func (c *Config) groups() int {
	if c.Groups > 0 {
		return c.Groups
	}
	return state.DefaultGroups
}

// Snapshot is a checkpoint or a savepoint, opened.
type Snapshot struct {
	Found
	Groups    int
	Operators []*Operator // in the order of the job's graph
}

// Operator is one operator with its tasks, by instance.
type Operator struct {
	Name  string
	Tasks []*Task
}

// Task is the share of one task.
type Task struct {
	savepoint.Task
	Object  string // storage key of its snapshot object or index
	Bytes   int64  // of all its objects
	Backend string // that wrote it; "" in a savepoint
	// InFlight is the number of captured buffers, Records of the records in them.
	InFlight, Records int
	// Left: the task had left before the checkpoint, and its last snapshot stands for it.
	Left bool
	// Damage is why the object itself cannot be read.
	Damage error

	ahead  bool // some of its key groups are ahead of the task in event time
	source source
}

// source reads the states of a task.
type source interface {
	// open returns what can be read, and how to let go of it. Without lost everything
	// must be readable; with it, what is not is left out and told to lost.
	open(lost func(Loss)) (c state.Content, closed func() error, err error)
	// verify reads everything and tells what is wrong.
	verify(r *Report)
}

// Loss is a part of a task's state that cannot be read.
type Loss struct {
	Operator string
	Instance int
	State    string // "": all of them
	Groups   savepoint.Groups
	Object   string // storage key
	Err      error
}

// lost is the loss of an object of the task, with all that it held.
func (t *Task) lost(object string, err error) Loss {
	return Loss{Operator: t.Operator, Instance: t.Instance, Object: object, Err: err}
}

// Name returns the task's name, for example "count[1]".
func (t *Task) Name() string { return fmt.Sprintf("%s[%d]", t.Operator, t.Instance) }

// Open returns the states of the task, all of them readable, and how to let go of
// them. The caller reads them by one goroutine.
func (t *Task) Open() (c state.Content, closed func() error, err error) {
	if t.Damage != nil {
		return nil, nil, t.Damage
	}
	return t.source.open(nil)
}

// Salvage is Open for a damaged share: what cannot be read is left out and told to lost.
func (t *Task) Salvage(lost func(Loss)) (c state.Content, closed func() error, err error) {
	if t.Damage != nil {
		lost(t.lost(t.Object, t.Damage))
		return nothing{}, func() error { return nil }, nil
	}
	return t.source.open(lost)
}

// nothing is the content of a share of which nothing is left.
type nothing struct{}

func (nothing) States() []state.Descriptor                  { return nil }
func (nothing) Entries(string, func(state.KeyedEntry) bool) {}
func (nothing) Err() error                                  { return nil }

// Open opens the snapshot that a path means: PATH of a savepoint, PATH@EPOCH of a
// checkpoint, or PATH of a storage, for its newest complete checkpoint, or of one
// that holds nothing but one savepoint.
func Open(cfg Config, path string) (*Snapshot, error) {
	f, err := choose(cfg.FS, path)
	if err != nil {
		return nil, err
	}
	if f.Kind == Savepoint {
		return openSavepoint(f)
	}
	return openCheckpoint(&cfg, f)
}

// choose picks what a path means.
func choose(fsys vfs.FS, path string) (*Found, error) {
	dir, epoch := path, id.Epoch(0)
	if i := strings.LastIndexByte(path, '@'); i >= 0 {
		if e, err := id.ParseEpoch(path[i+1:]); err == nil {
			dir, epoch = path[:i], e
		}
	}
	all, err := List(fsys, dir)
	if err != nil {
		return nil, err
	}
	var found *Found
	var known []string
	for i := range all {
		f := &all[i]
		known = append(known, f.Path)
		switch {
		case epoch != 0 && f.Epoch == epoch:
			return f, nil
		case epoch == 0 && better(f, found):
			found = f
		}
	}
	switch {
	case found != nil:
		return found, nil
	case len(all) == 0:
		return nil, fmt.Errorf("%q holds neither a checkpoint nor a savepoint", dir)
	case epoch != 0:
		return nil, fmt.Errorf("%q has no snapshot of epoch %v; it has %s", dir, epoch, strings.Join(known, ", "))
	}
	return nil, errors.New("no snapshot")
}

// better orders what a path without an epoch may mean: what is complete, then checkpoints
// with a record, then the newest.
func better(a, than *Found) bool {
	switch {
	case than == nil:
		return true
	case a.Complete != than.Complete:
		return a.Complete
	case a.Kind != than.Kind:
		return a.Kind == Checkpoint
	}
	return a.Epoch > than.Epoch
}

// Operator returns the operator called name; the error lists those there are.
func (s *Snapshot) Operator(name string) (*Operator, error) {
	var known []string
	for _, o := range s.Operators {
		if o.Name == name {
			return o, nil
		}
		known = append(known, o.Name)
	}
	return nil, fmt.Errorf("%s has no operator %q; known: %s", s.Path, name, strings.Join(known, ", "))
}

// top is the storage key of the record or the manifest; "": there is none.
func (s *Snapshot) top() string {
	switch {
	case s.Kind == Savepoint:
		return savepoint.ManifestKey(s.root)
	case s.parts == nil:
		return (&coordinator.Record{Epoch: s.Epoch}).Key()
	}
	return ""
}

// Tasks returns all tasks in the order of the graph.
func (s *Snapshot) Tasks() []*Task {
	var all []*Task
	for _, o := range s.Operators {
		all = append(all, o.Tasks...)
	}
	return all
}

// InMemory is a Config whose local files are in memory.
func InMemory() Config { return Config{FS: vfs.NewMem(), Scratch: "/scratch"} }
