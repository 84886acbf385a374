package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
)

// An object file is a header, the content and the checksum of header, key and
// content. The header is the magic, the version (2 bytes), 6 bytes of zero and
// the length of the content (8 bytes), all little-endian.
const (
	objectMagic   = "weirobj\n"
	objectVersion = 1
	objectHeader  = 24
	objectTrailer = 8
	objectExtra   = objectHeader + objectTrailer
)

// writeCategory attributes our writes in statistics of the file system.
const writeCategory vfs.DiskWriteCategory = "weir-checkpoint"

// locate returns the file of an object and its directory.
func (d *Dir) locate(key, suffix string) (dir, path string) {
	dir = d.root
	for {
		part, rest, more := strings.Cut(key, "/")
		if !more {
			return dir, d.fs.PathJoin(dir, escape(part)+suffix)
		}
		dir, key = d.fs.PathJoin(dir, escape(part)), rest
	}
}

func (d *Dir) put(op state.Op) state.Result {
	dir, path := d.locate(op.Key, objectSuffix)
	if err := d.ensure(dir); err != nil {
		return d.fail(op, err)
	}
	temp, err := d.writeTemp(op)
	if err != nil {
		return d.fail(op, err)
	}
	if err := d.fs.Rename(temp, path); err != nil {
		_ = d.fs.Remove(temp)
		return d.fail(op, err)
	}
	if err := d.syncDir(dir); err != nil {
		return d.fail(op, err)
	}
	return ok()
}

func (d *Dir) create(op state.Op) state.Result {
	dir, path := d.locate(op.Key, objectSuffix)
	if err := d.ensure(dir); err != nil {
		return d.fail(op, err)
	}
	if r := d.compare(op, dir, path); r.Status != state.NotFound {
		return r
	}
	temp, err := d.writeTemp(op)
	if err != nil {
		return d.fail(op, err)
	}
	err = d.fs.Link(temp, path)
	_ = d.fs.Remove(temp) // if it stays it is cleared at the next start
	if errors.Is(err, fs.ErrExist) {
		return d.compare(op, dir, path)
	}
	if err == nil {
		err = d.syncDir(dir)
	}
	if err != nil {
		return d.fail(op, err)
	}
	return ok()
}

// compare decides a conditional create by what stands there. Whose-ever it is,
// it is made durable before anybody is told.
func (d *Dir) compare(op state.Op, dir, path string) state.Result {
	r := d.read(op, path)
	if r.Status != state.OK {
		return r
	}
	if err := d.syncDir(dir); err != nil {
		return d.fail(op, err)
	}
	if !bytes.Equal(r.Data, op.Data) {
		return state.Result{Status: state.Lost, Data: r.Data}
	}
	return ok()
}

func (d *Dir) get(op state.Op) state.Result {
	_, path := d.locate(op.Key, objectSuffix)
	return d.read(op, path)
}

func (d *Dir) remove(op state.Op) state.Result {
	dir, path := d.locate(op.Key, objectSuffix)
	if err := d.fs.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.fail(op, err)
	}
	// An earlier removal whose sync failed may be all that is left to do.
	if err := d.syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.fail(op, err)
	}
	return ok()
}

var chunks = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// writeTemp writes and syncs the file of an object under a temporary name.
func (d *Dir) writeTemp(op state.Op) (path string, err error) {
	path = d.tempPath()
	f, err := d.fs.Create(path, writeCategory)
	if err != nil {
		return "", err
	}
	err = writeObject(f, op)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = d.fs.Remove(path)
	}
	return path, err
}

// writeObject copies through a buffer because a vfs.File may change what it is
// given to write, and Data belongs to others.
func writeObject(f io.Writer, op state.Op) error {
	chunk := chunks.Get().(*[256 << 10]byte)
	defer chunks.Put(chunk)
	buf := append(chunk[:0], objectMagic...)
	buf = binary.LittleEndian.AppendUint16(buf, objectVersion)
	buf = append(buf, 0, 0, 0, 0, 0, 0)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(len(op.Data)))
	sum := objectSum(buf, op.Key, op.Data)
	for data := op.Data; ; {
		n := min(len(data), len(chunk)-len(buf))
		buf, data = append(buf, data[:n]...), data[n:]
		if len(data) == 0 && len(buf)+objectTrailer <= len(chunk) {
			_, err := f.Write(binary.LittleEndian.AppendUint64(buf, sum))
			return err
		}
		if _, err := f.Write(buf); err != nil {
			return err
		}
		buf = chunk[:0]
	}
}

func objectSum(header []byte, key string, data []byte) uint64 {
	var h xxhash.Digest
	h.Reset()
	_, _ = h.Write(header)
	_, _ = h.WriteString(key)
	_, _ = h.Write(data)
	return h.Sum64()
}

// readFile reads a whole file.
func (d *Dir) readFile(path string) ([]byte, error) {
	f, err := d.fs.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return nil, err
	}
	data, err := readAll(f)
	return data, errors.Join(err, f.Close())
}

func readAll(f vfs.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // it shrank; what checks the content will notice
	}
	return data[:n], err
}

// read reads and verifies an object.
func (d *Dir) read(op state.Op, path string) state.Result {
	file, err := d.readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state.Result{Status: state.NotFound}
	}
	if err != nil {
		return d.fail(op, err)
	}
	data, err := decodeObject(file, op.Key)
	var other *versionError
	if errors.As(err, &other) {
		return refuse(op, "file %q: %w", path, err)
	}
	if err != nil {
		return corrupt(op, "file %q is damaged: %v; put back a copy of it, or go on from an earlier checkpoint", path, err)
	}
	return state.Result{Status: state.OK, Data: data}
}

// versionError says that a file is sound but of another version.
type versionError struct{ got, want uint16 }

func (e *versionError) Error() string {
	return fmt.Sprintf("format version %d, but this program reads version %d; use the version of the program that wrote it", e.got, e.want)
}

// decodeObject checks a file. Every version keeps its checksum in the last
// eight bytes, so a flipped bit in the version is told from another version.
func decodeObject(file []byte, key string) ([]byte, error) {
	if len(file) < objectExtra {
		return nil, fmt.Errorf("%d bytes are too few, it was cut off", len(file))
	}
	header, data := file[:objectHeader], file[objectHeader:len(file)-objectTrailer]
	sum := objectSum(header, key, data)
	want := binary.LittleEndian.Uint64(file[len(file)-objectTrailer:])
	version := binary.LittleEndian.Uint16(header[len(objectMagic):])
	switch size := binary.LittleEndian.Uint64(header[16:]); {
	case string(header[:len(objectMagic)]) != objectMagic:
		return nil, errors.New("it does not begin as an object of a checkpoint")
	case sum == want && version != objectVersion:
		return nil, &versionError{version, objectVersion}
	case sum == want:
		return data, nil
	case size != uint64(len(data)):
		return nil, fmt.Errorf("%d bytes of content instead of %d, it was cut off", len(data), size)
	}
	return nil, fmt.Errorf("checksum %016x instead of %016x", sum, want)
}

// list returns the objects below a prefix, having made them durable.
func (d *Dir) list(op state.Op) state.Result {
	base := op.Key[:strings.LastIndexByte(op.Key, '/')+1]
	dir := d.root
	for part := range strings.SplitSeq(strings.TrimSuffix(base, "/"), "/") {
		if part != "" {
			dir = d.fs.PathJoin(dir, escape(part))
		}
	}
	r := ok()
	if err := d.walk(&r.List, dir, base, op.Key); err != nil {
		return d.fail(op, err)
	}
	slices.SortFunc(r.List, func(a, b state.Entry) int { return strings.Compare(a.Key, b.Key) })
	return r
}

// walk adds the objects in dir and below whose keys, which begin with base, have the prefix.
func (d *Dir) walk(list *[]state.Entry, dir, base, prefix string) error {
	names, err := d.fs.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.syncDir(dir)
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		stem, isObject := strings.CutSuffix(name, objectSuffix)
		part, ours := unescape(stem)
		key := base + part
		switch {
		case !ours || strings.HasSuffix(name, logSuffix):
		case isObject && strings.HasPrefix(key, prefix):
			err = d.addEntry(list, d.fs.PathJoin(dir, name), key)
		case !isObject && (strings.HasPrefix(key+"/", prefix) || strings.HasPrefix(prefix, key+"/")):
			err = d.walkInto(list, d.fs.PathJoin(dir, name), key+"/", prefix)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) walkInto(list *[]state.Entry, path, base, prefix string) error {
	info, err := d.fs.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	return d.walk(list, path, base, prefix)
}

func (d *Dir) addEntry(list *[]state.Entry, path, key string) error {
	info, err := d.fs.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err == nil {
		*list = append(*list, state.Entry{Key: key, Size: max(0, info.Size()-objectExtra)})
	}
	return err
}
