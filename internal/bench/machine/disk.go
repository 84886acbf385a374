package machine

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"weir/results"
)

// Sizes of the probe of a directory.
const (
	probeSyncs     = 200
	probeTime      = 1500 * time.Millisecond // for the syncs
	probeBlock     = 4 << 10
	probeChunk     = 1 << 20
	probeMegabytes = 64
)

// Probe measures the disk under a directory: appends of 4 KiB each synced, and
// 64 MiB written and synced, then read back from the cache. The directory is
// made if it does not exist.
func Probe(dir string) (results.Disk, error) {
	var d results.Disk
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return d, fmt.Errorf("probe: %w; name a directory that can be made with --dir", err)
	}
	d.FileSystem, d.MountOptions = mountOf(dir)
	f, err := os.CreateTemp(dir, "probe-*")
	if err != nil {
		return d, fmt.Errorf("probe: %w; name a writable directory with --dir", err)
	}
	err = errors.Join(probeSync(f, &d), probeBandwidth(f, &d))
	if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return d, fmt.Errorf("probe of %s: %w", dir, err)
	}
	return d, nil
}

func probeSync(f *os.File, d *results.Disk) error {
	block := make([]byte, probeBlock)
	_, _ = rand.Read(block) // never fails
	var took []float64
	for began := time.Now(); len(took) < probeSyncs && time.Since(began) < probeTime; {
		at := time.Now()
		if _, err := f.Write(block); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		took = append(took, float64(time.Since(at).Nanoseconds())/1e6)
	}
	slices.Sort(took)
	d.FsyncP50MS, d.FsyncP99MS = took[len(took)/2], took[len(took)*99/100]
	return nil
}

func probeBandwidth(f *os.File, d *results.Disk) error {
	chunk := make([]byte, probeChunk)
	_, _ = rand.Read(chunk) // never fails
	began := time.Now()
	for i := range probeMegabytes {
		if _, err := f.WriteAt(chunk, int64(i)*probeChunk); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	d.WriteBytesPerSecond = probeMegabytes * probeChunk / time.Since(began).Seconds()
	began = time.Now()
	for i := range probeMegabytes {
		if _, err := f.ReadAt(chunk, int64(i)*probeChunk); err != nil {
			return err
		}
	}
	d.ReadBytesPerSecond = probeMegabytes * probeChunk / time.Since(began).Seconds()
	return nil
}

// mountOf returns the file system of a directory and how it is mounted.
func mountOf(dir string) (kind, options string) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return "", ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", ""
	}
	longest := -1
	for line := range strings.Lines(string(data)) {
		before, after, ok := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 6 || len(g) < 3 {
			continue
		}
		if point := f[4]; isBelow(path, point) && len(point) >= longest {
			longest, kind, options = len(point), g[0], f[5]+" "+g[2]
		}
	}
	return kind, options
}

func isBelow(path, point string) bool {
	return path == point || point == "/" || strings.HasPrefix(path, point+"/")
}

// FreeBytes returns the room left in the file system of a directory that
// exists.
func FreeBytes(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("room in %s: %w", dir, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
