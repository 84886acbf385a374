package external

import (
	"cmp"
	"slices"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// machine is the state of a Store: what its operations do, without where the
// rows stand. Applying the operations that changed something again, in the same
// order, gives the same state.
type machine struct {
	mutant   dataflow.Mutant
	tasks    []taskState       // by TaskID
	visible  []visible         // in commit order
	versions map[string]uint64 // of upserted keys; their rows are held in memory
}

// chunk is a run of rows: in memory, or in the journal.
type chunk struct {
	data  []byte
	body  body
	count int
}

// visible is a chunk that a read-committed reader sees.
type visible struct {
	task id.TaskID
	txn  id.Epoch
	chunk
}

// taskState is what the store knows of one writer.
type taskState struct {
	fence    id.Attempt // attempts below are refused
	sessions []session  // by attempt
	staged   []staged   // and not published
	open     []txn      // pre-committed, in that order
	done     []id.Epoch // committed, ascending
	free     [][]chunk  // of transactions that are open no longer
}

// reset forgets everything and keeps the room.
func (m *machine) reset() {
	for i := range m.tasks {
		t := &m.tasks[i]
		for k := range t.open {
			t.release(t.open[k].chunks)
		}
		clear(t.sessions)
		clear(t.staged)
		clear(t.open)
		*t = taskState{sessions: t.sessions[:0], staged: t.staged[:0], open: t.open[:0], done: t.done[:0], free: t.free}
	}
	clear(m.visible)
	m.visible = m.visible[:0]
	clear(m.versions)
}

// chunks returns an empty list for the chunks of a transaction.
func (t *taskState) chunks() []chunk {
	n := len(t.free)
	if n == 0 {
		return nil
	}
	c := t.free[n-1]
	t.free = t.free[:n-1]
	return c
}

// release takes the list of a transaction back that is open no longer.
func (t *taskState) release(c []chunk) {
	if cap(c) > 0 {
		clear(c)
		t.free = append(t.free, c[:0])
	}
}

// txn is a pre-committed transaction.
type txn struct {
	epoch   id.Epoch
	attempt id.Attempt
	chunks  []chunk
}

// session is the numbering of one attempt's writes and appends.
type session struct {
	attempt id.Attempt
	upTo    uint64   // numbers 1..upTo have arrived
	above   []uint64 // others that have, ascending
	writes  []write  // not claimed by a transaction, by number
	// reopened: the store was reopened since, and may have lost writes that it
	// had acknowledged.
	reopened bool
}

type write struct {
	number uint64
	chunk  chunk
}

// outcome says what an operation did.
type outcome struct {
	status  dataflow.ExtStatus
	changed bool // it must be in the journal
}

func (m *machine) task(t id.TaskID) *taskState {
	for int(t) >= len(m.tasks) {
		m.tasks = append(m.tasks, taskState{})
	}
	return &m.tasks[t]
}

// apply carries op out; its rows stand in c.
func (m *machine) apply(op *dataflow.ExtOp, c chunk) outcome {
	t := m.task(op.Task)
	if op.Attempt < t.fence {
		if m.mutant != MutantNoFence {
			return outcome{dataflow.ExtFenced, false}
		}
		// A store that does not fence does not know attempts.
	}
	switch op.Kind {
	case dataflow.ExtAppend:
		if !t.session(op.Attempt).arrive(op.Number) {
			return outcome{dataflow.ExtOK, false}
		}
		m.visible = append(m.visible, visible{op.Task, 0, c})
		return outcome{dataflow.ExtOK, true}
	case dataflow.ExtWrite:
		s := t.session(op.Attempt)
		if !s.arrive(op.Number) {
			return outcome{dataflow.ExtOK, false}
		}
		at, _ := slices.BinarySearchFunc(s.writes, op.Number, func(w write, n uint64) int { return cmp.Compare(w.number, n) })
		if s.writes == nil {
			s.writes = make([]write, 0, 8)
		}
		s.writes = slices.Insert(s.writes, at, write{op.Number, c})
		return outcome{dataflow.ExtOK, true}
	case dataflow.ExtPreCommit:
		return m.preCommit(t, op, c)
	case dataflow.ExtCommit:
		return m.commit(t, op)
	case dataflow.ExtRecover:
		return m.recover(t, op)
	case trace.Upsert:
		if !t.session(op.Attempt).arrive(op.Number) {
			return outcome{dataflow.ExtOK, false}
		}
		if newer := m.upsert(op.Rows); newer.count > 0 {
			m.visible = append(m.visible, visible{op.Task, 0, newer})
		}
		return outcome{dataflow.ExtOK, true}
	case trace.Stage:
		return t.stage(op, c)
	case trace.Publish:
		return m.publishStaged(op)
	case trace.Insert:
		if !t.finish(op.Txn) {
			return outcome{dataflow.ExtOK, false}
		}
		m.visible = append(m.visible, visible{op.Task, op.Txn, c})
		return outcome{dataflow.ExtOK, true}
	}
	return outcome{dataflow.ExtAbsent, false}
}

// upsert returns the rows of entries that are newer than what their keys have.
func (m *machine) upsert(entries []byte) (newer chunk) {
	if m.versions == nil {
		m.versions = map[string]uint64{}
	}
	newer.data = []byte{} // in memory, if there are any
	for entry, rest := dataflow.NextRecord(entries); entry != nil; entry, rest = dataflow.NextRecord(rest) {
		r := state.NewReader(entry)
		version, size := r.Uvarint(), r.Count(1)
		if r.Err() != nil {
			continue // no sink writes such an entry: there is no row
		}
		tail := r.Rest()
		key, row := tail[:size], tail[size:]
		if old, ok := m.versions[string(key)]; ok && old >= version {
			continue
		}
		m.versions[string(key)] = version
		newer.data = dataflow.AppendRecord(newer.data, row)
		newer.count++
	}
	return newer
}

// session returns the numbering of an attempt.
func (t *taskState) session(a id.Attempt) *session {
	at, ok := slices.BinarySearchFunc(t.sessions, a, func(s session, a id.Attempt) int { return cmp.Compare(s.attempt, a) })
	if !ok {
		t.sessions = slices.Insert(t.sessions, at, session{attempt: a})
	}
	return &t.sessions[at]
}

// arrive notes a number and reports whether it is new.
func (s *session) arrive(n uint64) bool {
	if n == s.upTo+1 && len(s.above) == 0 {
		s.upTo = n
		return true
	}
	if n <= s.upTo {
		return false
	}
	at, ok := slices.BinarySearch(s.above, n)
	if ok {
		return false
	}
	s.above = slices.Insert(s.above, at, n)
	k := 0
	for k < len(s.above) && s.above[k] == s.upTo+1 {
		s.upTo++
		k++
	}
	s.above = slices.Delete(s.above, 0, k)
	return true
}

func (t *taskState) find(e id.Epoch) int {
	return slices.IndexFunc(t.open, func(x txn) bool { return x.epoch == e })
}

func (t *taskState) committed(e id.Epoch) bool {
	_, ok := slices.BinarySearch(t.done, e)
	return ok
}

// finish notes that transaction e is visible and reports whether it was not.
func (t *taskState) finish(e id.Epoch) bool {
	at, ok := slices.BinarySearch(t.done, e)
	if !ok {
		t.done = slices.Insert(t.done, at, e)
	}
	return !ok
}

func (m *machine) preCommit(t *taskState, op *dataflow.ExtOp, c chunk) outcome {
	if op.Txn != 0 && (t.find(op.Txn) >= 0 || t.committed(op.Txn)) {
		if i := t.find(op.Txn); m.mutant == MutantRepeatedPreCommitAdds && i >= 0 && c.count > 0 {
			t.open[i].chunks = append(t.open[i].chunks, c)
			return outcome{dataflow.ExtOK, true}
		}
		return outcome{dataflow.ExtOK, false}
	}
	s := t.session(op.Attempt)
	switch {
	case s.upTo < op.Number && s.reopened && op.Txn != 0:
		return outcome{dataflow.ExtAbsent, false}
	case s.upTo < op.Number:
		return outcome{dataflow.ExtFailed, false}
	case op.Txn == 0:
		return outcome{dataflow.ExtOK, false}
	}
	x := txn{epoch: op.Txn, attempt: op.Attempt, chunks: t.chunks()}
	kept := s.writes[:0]
	for _, w := range s.writes {
		if w.number > op.From && w.number <= op.Number {
			x.chunks = append(x.chunks, w.chunk)
		} else {
			kept = append(kept, w)
		}
	}
	clear(s.writes[len(kept):])
	s.writes = kept
	if c.count > 0 {
		x.chunks = append(x.chunks, c)
	}
	t.open = append(t.open, x)
	return outcome{dataflow.ExtOK, true}
}

func (m *machine) commit(t *taskState, op *dataflow.ExtOp) outcome {
	i := t.find(op.Txn)
	if i < 0 {
		switch {
		case !t.committed(op.Txn):
			return outcome{dataflow.ExtAbsent, false}
		case m.mutant == MutantRepeatedCommitTakesNext && len(t.open) > 0:
			i = 0
		default:
			return outcome{dataflow.ExtOK, false}
		}
	}
	m.publish(op.Task, t, i)
	return outcome{dataflow.ExtOK, true}
}

// publish makes the i-th pre-committed transaction visible.
func (m *machine) publish(task id.TaskID, t *taskState, i int) {
	x := t.open[i]
	t.open = slices.Delete(t.open, i, i+1)
	t.finish(x.epoch)
	for _, c := range x.chunks {
		m.visible = append(m.visible, visible{task, x.epoch, c})
	}
	t.release(x.chunks)
}

// recover fences attempts below op.Attempt and aborts what they left open and
// is not to be kept. What the attempt itself has pre-committed stays: the
// operation may be a repetition that comes late.
func (m *machine) recover(t *taskState, op *dataflow.ExtOp) outcome {
	changed := op.Attempt > t.fence
	t.fence = max(t.fence, op.Attempt)
	old := t.sessions
	t.sessions = slices.DeleteFunc(old, func(s session) bool { return s.attempt < op.Attempt })
	t.session(op.Attempt)
	for i := 0; i < len(t.open); {
		x := &t.open[i]
		switch {
		case x.epoch <= op.Txn, slices.Contains(op.Keep, x.epoch), x.attempt >= op.Attempt && m.mutant != MutantNoFence && m.mutant != MutantAbortOwn, m.mutant == MutantNothingAborted:
			i++
		case m.mutant == MutantKeepForeignTxn:
			m.publish(op.Task, t, i)
			changed = true
		default:
			t.release(x.chunks)
			t.open = slices.Delete(t.open, i, i+1)
			changed = true
		}
	}
	return outcome{dataflow.ExtOK, changed}
}
