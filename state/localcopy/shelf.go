package localcopy

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/state"
)

// local is what the copy of a file in storage is called. No name ends as those of a
// database do, whose files a simulated disk keeps from being removed.
func (s *shelf) local(name string) string {
	if s.stale {
		return "copy" + name[strings.LastIndexByte(name, '-'):]
	}
	return strings.ReplaceAll(name, "/", "_") + ".copy"
}

func (s *shelf) path(name string) string { return s.fs.PathJoin(s.dir, s.local(name)) }

// has reports whether there is a copy of a file, whatever it is worth.
func (s *shelf) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.present[s.local(name)]
}

// keep writes a copy. One that cannot be written is missing later, and no more.
func (s *shelf) keep(name string, data []byte) {
	s.put(name, func(path string) error {
		f, err := s.fs.Create(path, vfs.WriteCategoryUnspecified)
		if err != nil {
			return err
		}
		buf := make([]byte, min(len(data), pieceBytes)) // a file may change what it is given
		for err == nil && len(data) > 0 {
			n := copy(buf, data)
			_, err = f.Write(buf[:n])
			data = data[n:]
		}
		return errors.Join(err, f.Close())
	})
}

// link makes a local file a copy too.
func (s *shelf) link(name, from string) {
	s.put(name, func(path string) error { return s.fs.Link(from, path) })
}

// pieceBytes are written and read at once.
const pieceBytes = 256 << 10

func (s *shelf) put(name string, write func(path string) error) {
	s.disk.Lock()
	defer s.disk.Unlock()
	if s.has(name) {
		return
	}
	if !s.made {
		s.made = s.fs.MkdirAll(s.dir, 0o755) == nil
	}
	path := s.path(name)
	if err := write(path); err != nil {
		_ = s.fs.Remove(path) // what is left of it would not be taken
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.present[s.local(name)] = true
}

// drop removes a copy.
func (s *shelf) drop(name string) {
	s.disk.Lock()
	defer s.disk.Unlock()
	s.remove(s.local(name))
}

func (s *shelf) remove(local string) {
	_ = s.fs.Remove(s.fs.PathJoin(s.dir, local)) // what stays is found by the next incarnation
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.present, local)
}

// check returns an error if the copy of a file is not the file.
func (s *shelf) check(f *state.FileRef) error {
	return s.read(f, func([]byte) {})
}

// content returns the copy of a file.
func (s *shelf) content(f *state.FileRef) ([]byte, error) {
	data := make([]byte, 0, f.Size)
	err := s.read(f, func(p []byte) { data = append(data, p...) })
	return data, err
}

// read gives the copy of a file to take, piece by piece; the error says why it is not the file.
func (s *shelf) read(f *state.FileRef, take func(p []byte)) (err error) {
	file, err := s.fs.Open(s.path(f.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.Size && !s.stale {
		return fmt.Errorf("%d bytes, the checkpoint says %d", info.Size(), f.Size)
	}
	var sum xxhash.Digest
	sum.Reset()
	buf := make([]byte, min(info.Size(), pieceBytes))
	for left := info.Size(); left > 0; {
		n, err := io.ReadFull(file, buf[:min(left, int64(len(buf)))])
		if err != nil {
			return err
		}
		_, _ = sum.Write(buf[:n]) // never fails
		take(buf[:n])
		left -= int64(n)
	}
	if sum.Sum64() != f.Sum && !s.stale {
		return fmt.Errorf("checksum %016x, the checkpoint says %016x", sum.Sum64(), f.Sum)
	}
	return nil
}

// writing says that a snapshot that is being written has a file.
func (s *shelf) writing(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underway[name]++
}

// written ends that for the files begun by a snapshot, of which files is what it has, or nil if
// it was given up; then all that nothing needs any more goes.
func (s *shelf) written(e id.Epoch, begun []string, files []state.FileRef) {
	s.disk.Lock()
	defer s.disk.Unlock()
	for _, local := range s.settle(e, begun, files) {
		s.remove(local)
	}
}

// settle returns the copies that nothing needs, in order.
func (s *shelf) settle(e id.Epoch, begun []string, files []state.FileRef) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range begun {
		if s.underway[name]--; s.underway[name] == 0 {
			delete(s.underway, name)
		}
	}
	if files != nil {
		names := make([]string, len(files))
		for i := range files {
			names[i] = files[i].Name
		}
		s.held[e] = names
	}
	return s.unneeded()
}

func (s *shelf) unneeded() (gone []string) {
	needed := map[string]bool{}
	for _, names := range s.held { //det:unordered makes a set
		for _, n := range names {
			needed[s.local(n)] = true
		}
	}
	for _, n := range s.restored {
		needed[s.local(n)] = true
	}
	for n := range s.underway { //det:unordered makes a set
		needed[s.local(n)] = true
	}
	for local := range s.present { //det:unordered sorted below
		if !needed[local] {
			gone = append(gone, local)
		}
	}
	slices.Sort(gone)
	return gone
}
