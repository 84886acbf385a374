package inspect

import (
	"path/filepath"

	"weir/algorithms/coordinator"
	"weir/id"
	"weir/state"
	"weir/state/storage"
)

// Taken is a savepoint that a running job has taken.
type Taken struct {
	Path  string // of its directory
	Bytes int64  // of all its files
}

// TakenAt finds savepoint e of a job whose checkpoint storage st stands in dir.
func TakenAt(st state.Storage, dir string, e id.Epoch) (Taken, error) {
	root := coordinator.SavepointRoot(e)
	op := state.Op{Kind: state.OpList, Key: root + "/"}
	r := st.Do(op)
	if r.Status != state.OK {
		return Taken{}, &state.OpError{Kind: op.Kind, Key: op.Key, Status: r.Status, Err: r.Err}
	}
	t := Taken{Path: filepath.Join(dir, storage.PathOfKey(root))}
	for _, x := range r.List {
		t.Bytes += x.Size
	}
	return t, nil
}
