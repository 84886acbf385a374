package inspect

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
	"weir/state/storage"
)

// place is a part of a storage: what stands below a prefix.
type place struct {
	path    string // of the storage's directory
	prefix  string // "" or with a slash at the end
	storage state.Storage
}

// named returns how users name what stands below a key of the place.
func (p *place) named(fsys vfs.FS, root string) string {
	if root == "" {
		return p.path
	}
	return fsys.PathJoin(append([]string{p.path}, strings.Split(root, "/")...)...)
}

// places finds the storages that a path means: the one that it is, the one that it
// is within, or those directly below it, as live jobs leave them.
func places(fsys vfs.FS, path string) ([]place, error) {
	if _, err := fsys.Stat(path); err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w", path, err)
	}
	prefix := ""
	for dir := path; ; {
		if storage.IsStorage(fsys, dir) {
			p, err := openPlace(fsys, dir, prefix)
			return []place{p}, err
		}
		part, ours := storage.KeyOfPath(fsys.PathBase(dir))
		up := fsys.PathDir(dir)
		if !ours || up == dir {
			break
		}
		dir, prefix = up, part+"/"+prefix
	}
	names, err := fsys.List(path)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be read: %w", path, err)
	}
	var all []place
	for _, name := range names {
		if dir := fsys.PathJoin(path, name); storage.IsStorage(fsys, dir) {
			p, err := openPlace(fsys, dir, "")
			if err != nil {
				return nil, err
			}
			all = append(all, p)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%q is no checkpoint storage, nor within one, nor is one directly below it: name the directory that a job was given for its checkpoints, or a savepoint", path)
	}
	return all, nil
}

func openPlace(fsys vfs.FS, dir, prefix string) (place, error) {
	v, err := storage.OpenView(fsys, dir)
	return place{dir, prefix, v}, err
}

// list returns the objects of the place.
func (p *place) list() ([]state.Entry, error) {
	r := p.storage.Do(state.Op{Kind: state.OpList, Key: p.prefix})
	if r.Status != state.OK {
		return nil, &state.OpError{Kind: state.OpList, Key: p.prefix, Status: r.Status, Err: r.Err}
	}
	return r.List, nil
}

func get(st state.Storage, key string) ([]byte, error) {
	r := st.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK {
		return nil, &state.OpError{Kind: state.OpGet, Key: key, Status: r.Status, Err: r.Err}
	}
	return r.Data, nil
}
