// Package localcopy keeps copies of the files of a task's snapshots on the disk of its
// worker, so that the task, if it starts again there, need not read them from
// checkpoint storage.
//
// # What a copy is worth
//
// The snapshot object always comes from checkpoint storage, and says what each file of the
// snapshot is called, how long it is, and what it sums to. A copy is known by the name
// that its file has in storage, which is never used twice, and is taken if it has that
// length and that sum. So no copy needs to be synced, no list of copies needs to be kept,
// and it does not matter who else writes into the directory: what is missing, torn, of another
// snapshot or of another job is not taken, and the file is read from storage. That is counted
// ([state.CopyCounts]), and otherwise nobody hears of it: an error of the local disk is never
// one of the task.
//
// # How long it is kept
//
// Copies of the newest complete snapshot stay, as do those of all that began since, and
// those of the snapshot that the task was restored from until there is a newer one. What else
// is in the directory goes when a snapshot has been written, off the processing path.
package localcopy

import (
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/state"
)

// Config says where the copies of one task are.
type Config struct {
	FS  any    // of the worker: a vfs.FS
	Dir string // of the task, and of all its incarnations; made when it is needed
	// Stale is a deliberate mistake: a copy is known by the number of its file, which
	// another incarnation gives to another one, and nobody looks at what is in it.
	Stale bool
}

// Store is a store whose snapshots are copied, and which is restored from copies. It is used as
// the store within it is.
type Store struct {
	state.Store
	shelf  *shelf
	counts state.CopyCounts
}

var _ state.Store = (*Store)(nil)

// Wrap returns the store s, which has not been used, with copies of its snapshots. It fails
// without a file system.
func Wrap(s state.Store, c Config) (*Store, error) {
	fs, ok := c.FS.(vfs.FS)
	if !ok {
		return nil, fmt.Errorf("local copies of snapshots need a file system, and the worker has none (%T): give it a vfs.FS", c.FS)
	}
	return &Store{Store: s, shelf: newShelf(fs, c)}, nil
}

// Counts returns what came of the files of the restore. Call it when that has ended.
func (s *Store) Counts() state.CopyCounts { return s.counts }

// Snapshot begins a snapshot, of which copies will be kept.
func (s *Store) Snapshot(r state.SnapshotRequest) (state.Capture, error) {
	c, err := s.Store.Snapshot(r)
	if err != nil {
		return nil, err
	}
	return &capture{Capture: c, shelf: s.shelf, epoch: r.Epoch}, nil
}

// Restore restores from copies what there is of them, and the rest from storage.
func (s *Store) Restore(handles []state.Handle) (state.Transfer, error) {
	t, err := s.Store.Restore(handles)
	if err != nil {
		return nil, err
	}
	r := &restore{inner: t, shelf: s.shelf, counts: &s.counts, files: map[string]state.FileRef{}, remote: map[string]bool{}, own: len(handles) == 1}
	r.adopter, _ = t.(state.Adopter)
	for _, h := range handles {
		for _, f := range h.Files {
			r.files[f.Name] = f
			if r.own {
				s.shelf.restored = append(s.shelf.restored, f.Name)
			}
		}
	}
	return r, nil
}

// Release lets go of the copies of snapshots before base.
func (s *Store) Release(base id.Epoch) {
	s.Store.Release(base)
	s.shelf.release(base)
}

// shelf is the directory. Captures use it on other goroutines than the task; release, which is
// called on the processing path, does not wait for the disk.
type shelf struct {
	fs    vfs.FS
	dir   string
	stale bool
	disk  sync.Mutex // held by who changes the directory
	made  bool

	mu       sync.Mutex            // of what follows
	present  map[string]bool       // local names of the files that are there, as far as this incarnation knows
	held     map[id.Epoch][]string // names in storage of the files of snapshots that are written
	underway map[string]int        // and of files of those that are not, each with how many
	restored []string              // and of the snapshot that the task was restored from
}

func newShelf(fs vfs.FS, c Config) *shelf {
	s := &shelf{fs: fs, dir: c.Dir, stale: c.Stale, present: map[string]bool{}, held: map[id.Epoch][]string{}, underway: map[string]int{}}
	names, err := fs.List(c.Dir)
	s.made = err == nil
	for _, n := range names {
		s.present[n] = true
	}
	return s
}

// release: no snapshot before base is needed any more, and base is complete.
func (s *shelf) release(base id.Epoch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range s.held { //det:unordered each goes or stays by itself
		if e < base {
			delete(s.held, e)
		}
	}
	if s.held[base] != nil {
		s.restored = nil
	}
}
