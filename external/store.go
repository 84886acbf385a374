package external

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// The mistakes of the sink store.
const (
	MutantKeepForeignTxn dataflow.Mutant = "keep-foreign-transaction" // recovery keeps the transactions it should abort
	MutantNoFence        dataflow.Mutant = "no-fence"                 // older attempts are not fenced
	MutantLateRecovery   dataflow.Mutant = "late-recovery"            // a recovery that lands again aborts what its own attempt has pre-committed
	MutantNothingAborted dataflow.Mutant = "nothing-aborted"          // recovery leaves the transactions open that it should abort
)

// StoreConfig says where a store keeps what it knows.
type StoreConfig struct {
	FS  vfs.FS // nil: in memory, nothing is written
	Dir string // of the transaction log; made if it does not exist
	// Mutant switches a deliberate mistake on: MutantKeepForeignTxn makes the
	// transactions visible that a recovery should abort; MutantNothingAborted leaves them open; MutantLateRecovery aborts
	// those of its own attempt too; MutantNoFence ignores attempts.
	// Others mean nothing here.
	Mutant dataflow.Mutant
	// OnCommit is called for every run of rows that becomes visible, once that is
	// durable, in commit order and before Do returns. A large transaction comes
	// in several calls. txn is 0 for appended rows; rows are in the framing of
	// dataflow.AppendRecord and borrowed. Nil: nobody looks.
	OnCommit func(task id.TaskID, txn id.Epoch, rows []byte, count int)
}

// Store is a transactional store for the rows of sinks: per task, rows become
// visible at once (ExtAppend), or when the transaction that holds them is
// committed. Attempts are fenced per task. An operation answered ExtOK is
// durable, ExtWrite excepted: a write lost in a crash of the store turns the
// pre-commit that builds on it into ExtAbsent.
//
// With a file system the rows stand in the transaction log only; memory grows
// by about a hundred bytes per operation.
type Store struct {
	c       StoreConfig
	m       machine
	log     *journal
	durable int // visible chunks that are durable and reported
	dirty   bool
	err     error
	head    []byte
	rows    []byte
	stats   StoreStats
}

// StoreStats counts what a store has done since it was opened.
type StoreStats struct {
	Operations  int64
	Rows        int64 // made visible
	Bytes       int64 // of them, in their framing
	Syncs       int64
	LogBytes    int64 // written to the transaction log
	Repetitions int64 // operations that had been carried out already
}

// OpenStore opens a store: with a file system, as the acknowledged operations
// have left it. A damaged log is an error that wraps state.ErrCorrupt and names
// the file; unacknowledged bytes at its end are cut off.
func OpenStore(c StoreConfig) (*Store, error) {
	s := &Store{c: c}
	s.m.keepForeign = c.Mutant == MutantKeepForeignTxn
	s.m.noFence = c.Mutant == MutantNoFence
	s.m.abortOwn, s.m.abortNone = c.Mutant == MutantLateRecovery, c.Mutant == MutantNothingAborted
	if c.FS == nil {
		return s, nil
	}
	log, err := openJournal(c.FS, c.Dir, "transactions", s.replay)
	if err != nil {
		return nil, fmt.Errorf("external store: %w", err)
	}
	s.log = log
	for t := range s.m.tasks {
		for i := range s.m.tasks[t].sessions {
			s.m.tasks[t].sessions[i].reopened = true
		}
	}
	s.durable = len(s.m.visible)
	s.stats.LogBytes = log.size
	return s, nil
}

// Reset forgets everything: the store is as OpenStore returned it. Only for a
// store in memory, whose rows of before it lets go of.
func (s *Store) Reset() {
	s.m.reset()
	s.durable, s.err, s.stats = 0, nil, StoreStats{}
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

// Do carries one operation out.
func (s *Store) Do(op dataflow.ExtOp) dataflow.ExtStatus {
	var status [1]dataflow.ExtStatus
	return s.DoBatch([]dataflow.ExtOp{op}, status[:0])[0]
}

// DoBatch carries operations out in their order, with one sync for all, and
// appends their outcomes to dst. After a failure of the disk all are ExtFailed
// until the store is opened again; Err has the cause. Rows are not kept longer
// than the call, except by a store in memory.
func (s *Store) DoBatch(ops []dataflow.ExtOp, dst []dataflow.ExtStatus) []dataflow.ExtStatus {
	first := len(dst)
	for i := range ops {
		dst = append(dst, s.do(&ops[i]))
	}
	s.stats.Operations += int64(len(ops))
	if s.dirty && s.err == nil {
		s.stats.Syncs++
		s.err = s.log.sync()
		s.dirty = false
	}
	if s.err == nil {
		s.err = s.report()
	}
	if s.err != nil {
		for i := range ops {
			dst[first+i] = dataflow.ExtFailed
		}
	}
	return dst
}

func (s *Store) do(op *dataflow.ExtOp) dataflow.ExtStatus {
	if s.err != nil {
		return dataflow.ExtFailed
	}
	c := chunk{count: op.Count}
	if s.log != nil {
		s.head = appendOp(s.head[:0], op)
		c.body = s.log.next(s.head, op.Rows)
	} else {
		c.data = op.Rows
	}
	o := s.m.apply(op, c)
	if !o.changed {
		if o.status == dataflow.ExtOK {
			s.stats.Repetitions++
		}
		return o.status
	}
	if s.log != nil {
		s.log.append(s.head, op.Rows, c.body)
		s.stats.LogBytes = s.log.size
		s.dirty = s.dirty || op.Kind != dataflow.ExtWrite
	}
	return o.status
}

// report shows what has become visible to the observer.
func (s *Store) report() error {
	for ; s.durable < len(s.m.visible); s.durable++ {
		v := &s.m.visible[s.durable]
		s.stats.Rows += int64(v.count)
		s.stats.Bytes += int64(v.size())
		if s.c.OnCommit == nil {
			continue
		}
		rows, err := s.load(&v.chunk)
		if err != nil {
			return fmt.Errorf("external store: rows of a committed transaction: %w", err)
		}
		s.c.OnCommit(v.task, v.txn, rows, v.count)
	}
	return nil
}

func (c *chunk) size() int {
	if c.data != nil {
		return len(c.data)
	}
	return c.body.size
}

func (s *Store) load(c *chunk) ([]byte, error) {
	if c.data != nil || c.body.size == 0 {
		return c.data, nil
	}
	if s.log == nil {
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
		rows, err := s.load(&v.chunk)
		if err != nil {
			return fmt.Errorf("external store: %w", err)
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
