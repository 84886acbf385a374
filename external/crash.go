package external

import (
	"weir/dataflow"
	"weir/id"
)

// Crash makes a store in memory lose what a store with a file system would lose if it
// were killed and opened again: writes that no pre-commit has claimed.
func (s *Store) Crash() {
	for i := range s.m.tasks {
		s.m.tasks[i].loseWrites()
	}
}

// Abort ends every transaction that is not committed, as a store does whose
// transactions have timed out: their rows are gone, and pre-commits and commits of
// them are ExtAbsent. It names them, as tasks do that miss one: those pre-committed by
// writer and epoch, others by their writer. Only for a store in memory.
func (s *Store) Abort() (ended []string) {
	for i := range s.m.tasks {
		t := &s.m.tasks[i]
		if t.loseWrites() {
			ended = append(ended, dataflow.RowsOf(id.TaskID(i)))
		}
		for k := range t.open {
			t.release(t.open[k].chunks)
			ended = append(ended, dataflow.TransactionOf(id.TaskID(i), t.open[k].epoch))
		}
		clear(t.open)
		t.open = t.open[:0]
	}
	return ended
}

// loseWrites forgets the writes that belong to no transaction yet; false: there are none.
func (t *taskState) loseWrites() bool {
	any := false
	for i := range t.sessions {
		x := &t.sessions[i]
		x.reopened = true
		if len(x.writes) == 0 {
			continue
		}
		any = true
		x.upTo, x.above = min(x.upTo, x.writes[0].number-1), nil
		clear(x.writes)
		x.writes = x.writes[:0]
	}
	return any
}
