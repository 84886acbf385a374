package dataflow

import (
	"weir/state"
	"weir/state/localcopy"
)

// keepCopies returns the store with copies of its snapshots in env.Copies, if there shall be any.
func (t *Task) keepCopies(s state.Store, env *Env) (state.Store, error) {
	if !t.cfg.Checkpoint.LocalRecovery || env.Copies == "" {
		return s, nil
	}
	copies, err := localcopy.Wrap(s, localcopy.Config{FS: env.FS, Dir: env.Copies, Stale: t.cfg.Mutant == MutantLocalStale})
	if err != nil {
		return s, err
	}
	t.copies = copies
	return copies, nil
}

// CopyCounts returns what came of the local copies when the incarnation was restored; zero if
// it was not, or without copies. Call it between steps, after the restore, or after Close.
func (t *Task) CopyCounts() state.CopyCounts {
	if t.copies == nil {
		return state.CopyCounts{}
	}
	return t.copies.Counts()
}
