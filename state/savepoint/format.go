package savepoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// Version is the version of the format that this package writes, and the only one
// that it reads.
const Version = 1

const (
	manifestMagic = "WEIRSAVE"
	indexMagic    = "WEIRSIDX"
	dataMagic     = "WEIRSDAT"
	magicBytes    = len(manifestMagic)
	headerBytes   = magicBytes + 2
	sumBytes      = 8
)

// ManifestName is the name of a manifest below its root.
const ManifestName = "manifest"

// key returns the storage key of an object below a root, which may be empty.
func key(root, name string) string {
	if root == "" {
		return name
	}
	return root + "/" + name
}

// ManifestKey is the storage key of the manifest of a savepoint.
func ManifestKey(root string) string { return key(root, ManifestName) }

// IndexKey is the storage key of a task's index.
func IndexKey(root string, t id.TaskID) string { return key(root, "t"+strconv.Itoa(int(t))) }

// DataKey is the storage key of a task's n-th data object, from 0.
func DataKey(root string, t id.TaskID, n int) string {
	return IndexKey(root, t) + "-" + strconv.Itoa(n)
}

func appendHeader(dst []byte, magic string) []byte {
	return binary.LittleEndian.AppendUint16(append(dst, magic...), Version)
}

// appendSum appends the checksum of everything before it.
func appendSum(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, xxhash.Sum64(b)) }

// open checks what manifest and index have in common, and returns what is between
// header and checksum. Every version has both where they are, so that a flipped bit
// in the version is told from another version.
func open(src []byte, magic, what string) (*state.Reader, error) {
	if len(src) < headerBytes+sumBytes || string(src[:magicBytes]) != magic {
		return nil, fmt.Errorf("%w: this is no %s of a savepoint (%d bytes)", state.ErrCorrupt, what, len(src))
	}
	body := len(src) - sumBytes
	if sum, want := xxhash.Sum64(src[:body]), binary.LittleEndian.Uint64(src[body:]); sum != want {
		return nil, fmt.Errorf("%w: checksum %016x of the %s instead of %016x", state.ErrCorrupt, sum, what, want)
	}
	if v := binary.LittleEndian.Uint16(src[magicBytes:]); v != Version {
		return nil, fmt.Errorf("%w: %s of a savepoint of format version %d, this program reads version %d: use the version of the program that wrote it", state.ErrIncompatible, what, v, Version)
	}
	return state.NewReader(src[headerBytes:body]), nil
}

// checkData checks the header of a data object. Its version is that of the index
// that names it.
func checkData(src []byte) error {
	if !bytes.HasPrefix(src, appendHeader(nil, dataMagic)) {
		return fmt.Errorf("%w: it does not begin as data of a savepoint of format version %d", state.ErrCorrupt, Version)
	}
	return nil
}
