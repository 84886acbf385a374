package external

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// What a store does with its log, and what only users of one that has a log ask it.
// The simulator keeps its store in memory.

// logName is what the files of the log begin with.
const logName = "transactions"

// IsStore reports whether there is a store in a directory; nothing is written.
func IsStore(fs vfs.FS, dir string) (bool, error) {
	last, err := (&journal{fs: fs, dir: dir, name: logName}).lastSegment()
	return last > 0, err
}

// openLog opens the log and carries out what it holds.
func (s *Store) openLog() error {
	log, err := openJournal(s.c.FS, s.c.Dir, logName, s.replay)
	if err != nil {
		return fmt.Errorf("external store: %w", err)
	}
	s.log = log
	for t := range s.m.tasks {
		for i := range s.m.tasks[t].sessions {
			s.m.tasks[t].sessions[i].reopened = true
		}
	}
	s.durable = len(s.m.visible)
	s.stats.LogBytes = log.size
	return nil
}

// replay carries out again what the log holds.
func (s *Store) replay(head []byte, b body, load func() ([]byte, error)) error {
	op, err := decodeOp(head)
	if err != nil {
		return err
	}
	if reads(op.Kind) {
		if op.Rows, err = load(); err != nil {
			return err
		}
	}
	if o := s.m.apply(&op, chunk{body: b, count: op.Count}); !o.changed {
		return fmt.Errorf("%w: operation %s of task %s changes nothing when it is repeated: this log was written with another mutant", state.ErrIncompatible, op.Kind, op.Task)
	}
	return nil
}

// reads reports whether applying an operation looks into its rows.
func reads(k dataflow.ExtKind) bool { return k == trace.Publish || k == trace.Upsert }

// nextInLog says where the log will have the rows of op.
func (s *Store) nextInLog(op *dataflow.ExtOp, c *chunk) {
	s.head = appendOp(s.head[:0], op)
	c.body = s.log.next(s.head, op.Rows)
}

// appendToLog writes op where nextInLog said.
func (s *Store) appendToLog(op *dataflow.ExtOp, c *chunk) {
	s.log.append(s.head, op.Rows, c.body)
	s.stats.LogBytes = s.log.size
	s.dirty = s.dirty || op.Kind != dataflow.ExtWrite
}

// syncLog makes durable what operations have written.
func (s *Store) syncLog() {
	if s.dirty && s.err == nil {
		s.stats.Syncs++
		s.err = s.log.sync()
		s.dirty = false
	}
}

// load reads the rows of a chunk back.
func (s *Store) load(c *chunk) ([]byte, error) {
	if c.body.size == 0 {
		return nil, nil
	}
	if s.log == nil { // closed
		return nil, s.err
	}
	rows, err := s.log.load(s.rows, c.body)
	if err == nil {
		s.rows = rows
	}
	return rows, err
}

// Committed calls visit for every visible row in commit order, as a
// read-committed reader sees them: what was written but is not durable yet is
// not among them. row is borrowed. An error of visit ends the walk and is
// returned.
func (s *Store) Committed(visit func(task id.TaskID, txn id.Epoch, row []byte) error) error {
	for i := range s.m.visible[:s.durable] {
		v := &s.m.visible[i]
		rows := v.data
		if rows == nil {
			var err error
			if rows, err = s.load(&v.chunk); err != nil {
				return fmt.Errorf("external store: %w", err)
			}
		}
		n := 0
		for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
			if err := visit(v.task, v.txn, row); err != nil {
				return err
			}
			n++
		}
		if n != v.count {
			return fmt.Errorf("%w: external store: task %s, transaction %s: %d rows, its writer counted %d", state.ErrCorrupt, v.task, v.txn, n, v.count)
		}
	}
	return nil
}

// Pending appends the transactions of a task that are pre-committed and neither
// committed nor aborted.
func (s *Store) Pending(task id.TaskID, dst []id.Epoch) []id.Epoch {
	if int(task) < len(s.m.tasks) {
		for _, x := range s.m.tasks[task].open {
			dst = append(dst, x.epoch)
		}
	}
	return dst
}

// Stats returns what the store has done since it was opened.
func (s *Store) Stats() StoreStats { return s.stats }

// Err returns the disk's first failure.
func (s *Store) Err() error { return s.err }

// Close releases the log. What was acknowledged is durable already.
func (s *Store) Close() error {
	if s.log == nil {
		return nil
	}
	log := s.log
	s.log, s.err = nil, errors.New("external store: closed")
	return log.close()
}
