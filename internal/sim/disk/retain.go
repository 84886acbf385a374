package disk

import "github.com/cockroachdb/pebble/v2/vfs"

// Retaining returns the same file system with one difference: Remove of a
// table, log, manifest or options file succeeds and does nothing. RemoveAll removes all there is.
//
// It is what a simulated Pebble store must be opened on. Pebble deletes its
// obsolete files on a goroutine of its own, at moments that no seed decides,
// and an external package cannot replace its Cleaner; on this view nothing that
// happens in the background changes the volume. The obsolete files stay until the
// store's directory is removed, and Pebble ignores them, as it does after a crash.
func (f *FS) Retaining() vfs.FS { return retaining{f} }

type retaining struct{ *FS }

// Remove does nothing to files that Pebble removes in the background.
func (r retaining) Remove(name string) error {
	switch RoleOf(name) {
	case RoleTable, RoleLog, RoleManifest, RoleOptions:
		return nil
	default:
		return r.FS.Remove(name)
	}
}
