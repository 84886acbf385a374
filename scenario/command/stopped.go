package command

import (
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/live"
	"weir/scenario"
	"weir/scenario/inspect"
	"weir/state/storage"
)

// stops reports that the job is to be stopped in the middle.
func (f *runFlags) stops() bool { return f.stop || f.stopSaved }

// stoppedWith says of a job that was stopped with a savepoint where that is, and how another one goes
// on from it with the same output.
func (f *runFlags) stoppedWith(s *summary, cfg *scenario.Config, res *live.Result, output string) error {
	if res.Savepoint == 0 {
		return nil
	}
	s.StoppedWith = 1
	dir := filepath.Join(f.storage, "checkpoints")
	v, err := storage.OpenView(vfs.Default, dir)
	if err != nil {
		return err
	}
	at, err := inspect.TakenAt(v, dir, res.Savepoint)
	if err != nil {
		return err
	}
	next := *cfg
	next.From, next.Faults = &scenario.From{Path: at.Path, OutputPath: output}, scenario.RandomFaults
	s.Savepoint, s.Resume = at.Path, next.Command(f.seed)+" --driver live"
	return nil
}
