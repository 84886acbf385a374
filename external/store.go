package external

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/dataflow"
	"weir/id"
)

// The mistakes of the sink store.
const (
	MutantKeepForeignTxn          dataflow.Mutant = "keep-foreign-transaction"   // recovery keeps the transactions it should abort
	MutantNoFence                 dataflow.Mutant = "no-fence"                   // older attempts are not fenced
	MutantRepeatedPreCommitAdds   dataflow.Mutant = "repeated-pre-commit-adds"   // a pre-commit that is repeated adds its rows once more
	MutantRepeatedCommitTakesNext dataflow.Mutant = "repeated-commit-takes-next" // a commit that is repeated commits the writer's next transaction
	MutantAbortOwn                dataflow.Mutant = "abort-own-transaction"      // a recovery that lands late aborts what its attempt has pre-committed since
	MutantNothingAborted          dataflow.Mutant = "nothing-aborted"            // recovery leaves the transactions open that it should abort
)

// StoreConfig says where a store keeps what it knows.
type StoreConfig struct {
	FS  vfs.FS // nil: in memory, nothing is written
	Dir string // of the transaction log; made if it does not exist
	// Mutant switches a deliberate mistake on: one of this package, others mean
	// nothing here.
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
	s.m.mutant = c.Mutant
	if c.FS == nil {
		return s, nil
	}
	if err := s.openLog(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reset forgets everything: the store is as OpenStore returned it. Only for a
// store in memory, whose rows of before it lets go of.
func (s *Store) Reset() {
	s.m.reset()
	s.durable, s.err, s.stats = 0, nil, StoreStats{}
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
	if s.log != nil {
		s.syncLog()
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
		s.nextInLog(op, &c)
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
		s.appendToLog(op, &c)
	}
	return o.status
}

// report shows what has become visible to the observer.
func (s *Store) report() error {
	for ; s.durable < len(s.m.visible); s.durable++ {
		v := &s.m.visible[s.durable]
		s.stats.Rows += int64(v.count)
		s.stats.Bytes += int64(len(v.data) + v.body.size) // one of them is 0
		if s.c.OnCommit == nil {
			continue
		}
		rows := v.data
		if rows == nil && s.log != nil {
			var err error
			if rows, err = s.load(&v.chunk); err != nil {
				return fmt.Errorf("external store: rows of a committed transaction: %w", err)
			}
		}
		s.c.OnCommit(v.task, v.txn, rows, v.count)
	}
	return nil
}
