package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// readFile reads a file of a campaign. Whoever reads a named pipe or a device
// may wait for ever, so anything but a regular file is an error that names it.
func readFile(path string) ([]byte, error) {
	if err := regular(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// regular returns an error if path is not a regular file or a link to one; it
// wraps fs.ErrNotExist if there is nothing.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file (%s): remove it, or restore the file", path, info.Mode().Type())
	}
	return nil
}

// Vacant returns an error if dir holds a campaign, or what is left of one.
func Vacant(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err == nil {
		return fmt.Errorf("%s already holds results: continue them with --resume or choose another id", dir)
	}
	samples := filepath.Join(dir, SamplesFile)
	info, err := os.Stat(samples)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("create results: %w", err)
	case !info.Mode().IsRegular():
		return regular(samples)
	case info.Size() > 0:
		return fmt.Errorf("%s holds samples without a %s: restore it, or choose another id", dir, ManifestFile)
	}
	return nil
}
