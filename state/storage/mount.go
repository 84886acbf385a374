package storage

import (
	"errors"
	"strings"

	"weir/state"
)

// Mounted is a storage below whose prefix At another one shows: what a job has been
// given to read, and not to own. Below it only OpGet and OpList get through, and OpDelete
// if Deletes is set. Listings of a shorter prefix do not show what is below it. Safe for
// concurrent use if both are.
type Mounted struct {
	state.Storage
	At      string // without a slash at the end
	Below   state.Storage
	Root    string // of what is shown, in Below; "": all
	Deletes bool
}

// Do carries one operation out.
func (m *Mounted) Do(op state.Op) state.Result {
	rest, ok := strings.CutPrefix(op.Key, m.At+"/")
	if !ok {
		return m.Storage.Do(op)
	}
	if op.Kind != state.OpGet && op.Kind != state.OpList && (op.Kind != state.OpDelete || !m.Deletes) {
		return refuse(op, "%w", errors.New("it is another job's, which may be read only"))
	}
	prefix := m.Root
	if prefix != "" {
		prefix += "/"
	}
	op.Key = prefix + rest
	r := m.Below.Do(op)
	if op.Kind == state.OpList {
		list := make([]state.Entry, len(r.List))
		for i, e := range r.List {
			list[i] = state.Entry{Key: m.At + "/" + strings.TrimPrefix(e.Key, prefix), Size: e.Size}
		}
		r.List = list
	}
	return r
}
