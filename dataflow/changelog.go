package dataflow

import (
	"weir/id"
	"weir/state"
	"weir/state/changelog"
)

// keepLog returns the store with a log of its changes, if there shall be one: where checkpoints are
// job-wide, so that one coordinator knows which of them may be gone back to.
func (t *Task) keepLog(s state.Store, p Properties) (state.Store, error) {
	c := &t.cfg.Checkpoint
	if !c.Changelog || !p.HasRounds() {
		return s, nil
	}
	log, err := changelog.Wrap(s, changelog.Config{
		Groups: t.info.Groups, SegmentBytes: c.ChangelogSegment,
		Gap: t.cfg.Mutant == MutantChangelogGap, Late: t.cfg.Mutant == MutantChangelogLate, Forgets: t.cfg.Mutant == MutantChangelogForgets, Group: t.cfg.Mutant == MutantChangelogGroup,
	})
	if err != nil {
		return s, err
	}
	t.log.Store = log
	return log, nil
}

// logging is the log of the task's changes.
type logging struct {
	*changelog.Store     // nil: there is none
	under            int // streams that the driver carries out
}

// began hears in which attempt the task runs. Names of what is written between snapshots are under
// its last epoch: what cleans up behind a round that was given up does not reach them, what
// cleans up behind the attempt does.
func (l *logging) began(t id.TaskID, a id.Attempt) {
	if l.Store == nil {
		return
	}
	prefix, _ := namesOf(t, id.MakeEpoch(a, id.MaxIndex))
	l.Begin(prefix)
}

// stream has the driver write what the log has to be written between snapshots.
func (t *Task) stream() {
	if t.log.Store == nil || t.phase != running || t.drained || t.saving.write != nil {
		return
	}
	for x := t.log.Stream(); x != nil; x = t.log.Stream() {
		t.log.under++
		t.transfers++
		t.host.Transfer(t.ticket(&effect{kind: effectStream, stream: x}), x)
	}
}

// streamed hears that a stream has ended. If it has failed the next snapshot tries again, and tells.
func (t *Task) streamed(x *changelog.Stream) {
	x.Discard()
	t.log.under--
	t.transfers--
	t.writeShare()
	t.tryLeave()
}
