package disk

import "strings"

// Op is a kind of operation on a volume.
type Op uint8

// The operations that are counted and that a Fault is asked about. Closing a
// handle is neither.
const (
	OpCreate    Op = iota // FS.Create
	OpOpen                // FS.Open
	OpOpenWrite           // FS.OpenReadWrite
	OpOpenDir             // FS.OpenDir
	OpReuse               // FS.ReuseForWrite, by its new name
	OpLink                // FS.Link, by its new name
	OpRename              // FS.Rename, by its new name
	OpRemove              // FS.Remove, and each file and directory under FS.RemoveAll
	OpMkdir               // FS.MkdirAll
	OpList                // FS.List
	OpStat                // FS.Stat
	OpLock                // FS.Lock
	OpRead                // File.Read and File.ReadAt
	OpWrite               // File.Write and File.WriteAt
	OpSync                // File.Sync and File.SyncData on a file
	OpSyncDir             // File.Sync and File.SyncData on a directory
	NumOps                // the number of kinds
)

var opNames = [NumOps]string{
	"create", "open", "open-write", "open-dir", "reuse", "link", "rename", "remove",
	"mkdir", "list", "stat", "lock", "read", "write", "sync", "sync-dir",
}

// String returns the name of the operation, for example "sync-dir".
func (o Op) String() string { return nameOf(opNames[:], int(o)) }

// ParseOp is the inverse of Op.String; ok is false for an unknown name.
func ParseOp(name string) (op Op, ok bool) {
	i, ok := indexOf(opNames[:], name)
	return Op(i), ok
}

// Role is what a file is for. Faults are drawn by operation and role, never by
// byte counts, because the sizes of Pebble's metadata are not reproducible.
type Role uint8

// The roles.
const (
	RoleOther    Role = iota // anything else, directories and lock files among it
	RoleLog                  // *.log
	RoleTable                // *.sst, *.blob
	RoleManifest             // MANIFEST-*
	RoleCurrent              // CURRENT and marker.*: which manifest and format are in force
	RoleOptions              // OPTIONS-*
	RoleTemp                 // *.tmp, *.dbtmp, temporary.*: to be renamed
	NumRoles                 // the number of roles
)

var roleNames = [NumRoles]string{"other", "log", "table", "manifest", "current", "options", "temp"}

// String returns the name of the role, for example "manifest".
func (r Role) String() string { return nameOf(roleNames[:], int(r)) }

// ParseRole is the inverse of Role.String; ok is false for an unknown name.
func ParseRole(name string) (role Role, ok bool) {
	i, ok := indexOf(roleNames[:], name)
	return Role(i), ok
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}

func indexOf(names []string, name string) (int, bool) {
	for i, n := range names {
		if n == name {
			return i, true
		}
	}
	return 0, false
}

// RoleOf derives the role of a file from the last element of its path.
func RoleOf(path string) Role {
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case strings.HasSuffix(name, ".sst"), strings.HasSuffix(name, ".blob"):
		return RoleTable
	case strings.HasSuffix(name, ".tmp"), strings.HasSuffix(name, ".dbtmp"), strings.HasPrefix(name, "temporary."):
		return RoleTemp
	case strings.HasSuffix(name, ".log"):
		return RoleLog
	case strings.HasPrefix(name, "MANIFEST-"):
		return RoleManifest
	case name == "CURRENT", strings.HasPrefix(name, "marker."):
		return RoleCurrent
	case strings.HasPrefix(name, "OPTIONS-"):
		return RoleOptions
	}
	return RoleOther
}
