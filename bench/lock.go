package bench

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrInUse: another campaign is using a directory.
var ErrInUse = errors.New("in use by another campaign")

// lockDir keeps other campaigns out of a directory until the file that it
// returns is closed, or this process has ended.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("directory of the campaign: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("directory %s is %w: wait for its end, or name another one", dir, ErrInUse)
		}
		return nil, fmt.Errorf("lock directory %s: %w", dir, err)
	}
	return f, nil
}

// lock takes the directories of the campaign, which exist.
func (c *Campaign) lock(dirs ...string) error {
	for _, dir := range dirs {
		f, err := lockDir(dir)
		if err != nil {
			return err
		}
		c.locks = append(c.locks, f)
	}
	return nil
}

func (c *Campaign) unlock() {
	for _, f := range c.locks {
		_ = f.Close()
	}
	c.locks = nil
}
