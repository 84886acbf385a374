package pebblestate

import (
	"bytes"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble writes table files from a goroutine of its own while it reads others,
// and which blocks it reads depends on a cache that other stores fill too. So
// that the operations of a deterministic store have one order, its table files
// are written in one piece when they are closed, and read in one when they are
// opened.

// wholeWriter collects what is written to a file.
type wholeWriter struct {
	scratchFile
	data []byte
}

func (w *wholeWriter) Write(p []byte) (int, error) {
	w.data = append(w.data, p...)
	return len(p), nil
}

// Close writes the file.
func (w *wholeWriter) Close() error {
	_, err := w.File.Write(w.data)
	return errors.Join(err, w.File.Close())
}

// wholeReader has a file's content.
type wholeReader struct {
	vfs.File
	bytes.Reader
}

func readWhole(f vfs.File) (vfs.File, error) {
	info, err := f.Stat()
	if err == nil {
		data := make([]byte, info.Size())
		if _, err = io.ReadFull(f, data); err == nil {
			r := &wholeReader{File: f}
			r.Reset(data)
			return r, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

func (r *wholeReader) Read(p []byte) (int, error)               { return r.Reader.Read(p) }
func (r *wholeReader) ReadAt(p []byte, off int64) (int, error)  { return r.Reader.ReadAt(p, off) }
func (r *wholeReader) WriteAt(p []byte, off int64) (int, error) { return r.File.WriteAt(p, off) }
func (r *wholeReader) Fd() uintptr                              { return vfs.InvalidFd }
func (r *wholeReader) Prefetch(int64, int64) error              { return nil }
