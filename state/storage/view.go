package storage

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
)

// View reads the storage that a Dir has left in a directory, and leaves it as it is:
// nothing is made, locked, mended or synced, so that a directory of another job, a
// copy, or one without write permission can be looked at. It may be used while a job
// uses the directory; what it sees then may be gone the next moment.
//
// OpGet of a damaged object is Corrupt, and Data is its content as far as it stands
// there, unverified, for those who save what can be saved. Operations other than
// OpGet and OpList are Refused. Safe for concurrent use.
type View struct{ dir Dir }

// OpenView opens the storage in directory root, which must be there.
func OpenView(fsys vfs.FS, root string) (*View, error) {
	info, err := fsys.Stat(root)
	if err == nil && !info.IsDir() {
		err = errors.New("it is a file; name a directory")
	}
	if err != nil {
		return nil, fmt.Errorf("checkpoint directory %q cannot be read: %w", root, err)
	}
	return &View{Dir{fs: fsys, root: root, view: true, dirs: map[string]*directory{}}}, nil
}

// IsStorage reports whether a directory has been used by a Dir.
func IsStorage(fsys vfs.FS, root string) bool {
	info, err := fsys.Stat(fsys.PathJoin(root, fenceDir))
	return err == nil && info.IsDir()
}

// KeyOfPath returns the part of a storage key that a file or directory name stands
// for; false: the name is not ours.
func KeyOfPath(name string) (part string, ok bool) { return unescape(name) }

// PathOfKey returns the path of an object or prefix below the directory of a Dir.
func PathOfKey(key string) string {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return filepath.Join(parts...)
}

// Do carries one operation out.
func (v *View) Do(op state.Op) state.Result {
	if err := checkKey(op); err != nil {
		return refuse(op, "%w", err)
	}
	switch op.Kind {
	case state.OpList:
		return v.dir.list(op)
	case state.OpGet:
		r := v.dir.get(op)
		if r.Status == state.Corrupt {
			r.Data = v.content(op)
		}
		return r
	default:
		return refuse(op, "%w", errors.New("the storage is open for reading only"))
	}
}

// content returns what stands in the file of a damaged object.
func (v *View) content(op state.Op) []byte {
	_, path := v.dir.locate(op.Key, objectSuffix)
	file, err := v.dir.readFile(path)
	if err != nil || len(file) < objectExtra {
		return nil
	}
	return file[objectHeader : len(file)-objectTrailer]
}
