package storage

import (
	"errors"
	"io/fs"
	"strings"

	"weir/id"
	"weir/state"
)

// fence records durably that attempts below op.Attempt may not append to logs
// below a prefix.
func (d *Dir) fence(op state.Op) state.Result {
	dir := d.fs.PathJoin(d.root, fenceDir)
	err := d.mark(dir, fenceName(op.Key, op.Attempt))
	if err == nil {
		err = d.removeMarks(dir, func(name string) bool {
			prefix, a, isFence := parseFenceName(name)
			return isFence && prefix == op.Key && a < op.Attempt
		})
	}
	if err == nil {
		err = d.readFences()
	}
	if err != nil {
		return d.fail(op, err)
	}
	return ok()
}

// mark makes an empty file exist durably; the name is what it says.
func (d *Dir) mark(dir, name string) error {
	path := d.fs.PathJoin(dir, name)
	f, err := d.fs.Create(path, writeCategory)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return d.syncDir(dir)
}

// removeMarks removes files that a mark has replaced. If the removal is lost,
// the older mark stands beside the newer one, which is harmless.
func (d *Dir) removeMarks(dir string, old func(name string) bool) error {
	names, err := d.fs.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if old(name) {
			if err := d.fs.Remove(d.fs.PathJoin(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// readFences looks which fences stand, those of other processes included.
func (d *Dir) readFences() error {
	names, err := d.fs.List(d.fs.PathJoin(d.root, fenceDir))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		if prefix, a, isFence := parseFenceName(name); isFence {
			d.addFence(fence{prefix, a})
		}
	}
	return nil
}

func (d *Dir) addFence(f fence) {
	for i := range d.fences {
		if d.fences[i].prefix == f.prefix {
			d.fences[i].attempt = max(d.fences[i].attempt, f.attempt)
			return
		}
	}
	d.fences = append(d.fences, f)
}

// fenceOf returns the lowest attempt that may append to a log, as far as known.
func (d *Dir) fenceOf(key string) id.Attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	var lowest id.Attempt
	for _, f := range d.fences {
		if strings.HasPrefix(key, f.prefix) {
			lowest = max(lowest, f.attempt)
		}
	}
	return lowest
}
