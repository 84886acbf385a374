package sinks

import (
	"cmp"
	"slices"

	"weir/dataflow"
	"weir/id"
)

// ChunkBytes is the size above which rows of an open transaction are handed to
// the external store.
const ChunkBytes = 1 << 20

// The mistakes of sinks that commit.
const (
	// MutantFirstCommitMarksAll: the first of several commits that is answered marks
	// all that are under way as done.
	MutantFirstCommitMarksAll dataflow.Mutant = "first-commit-marks-all"
	// MutantEmptyIsPending: a transaction without rows is committed, which the store has
	// never heard of.
	MutantEmptyIsPending dataflow.Mutant = "empty-is-pending"
	// MutantRestoredNotCommitted: what was pending in the restored snapshot is not
	// taken over, and aborted.
	MutantRestoredNotCommitted dataflow.Mutant = "restored-not-committed"
)

// TwoPhase writes rows in one transaction per snapshot of its task. Rows
// are collected in the open transaction; every Chunk bytes they go to the store
// as an ExtWrite. Seal pre-commits: from then on the transaction is pending and
// part of every snapshot until its commit is acknowledged. A transaction
// without rows is neither pre-committed nor committed.
type TwoPhase struct {
	// Chunk replaces ChunkBytes unless it is 0.
	Chunk int

	mutant  dataflow.Mutant
	rows    rows
	number  uint64 // of the last ExtWrite
	sealed  uint64 // last ExtWrite that belongs to a sealed transaction
	ops     []dataflow.ExtOp
	pending []pendingTxn // by epoch
}

// pendingTxn is a transaction sealed and not known committed.
type pendingTxn struct {
	epoch      id.Epoch
	committing bool // its commit is under way
}

// Open does nothing: what must survive is in the snapshot by Pending.
func (s *TwoPhase) Open(*dataflow.Context) error { return nil }

// Process adds the rows of b to the open transaction.
func (s *TwoPhase) Process(_ int, b *dataflow.Buffer) error {
	s.rows.add(b)
	if chunk := cmp.Or(s.Chunk, ChunkBytes); len(s.rows.data) >= chunk {
		s.number++
		op := dataflow.ExtOp{Kind: dataflow.ExtWrite, Number: s.number}
		op.Rows, op.Count = s.rows.take()
		s.ops = append(s.ops, op)
	}
	return nil
}

// Finish does nothing: the last snapshot seals what is left.
func (s *TwoPhase) Finish() error { return nil }

// Flush returns the writes of the turn. The slice is valid until the next call.
func (s *TwoPhase) Flush() []dataflow.ExtOp {
	ops := s.ops
	s.ops = s.ops[:0]
	return ops
}

// Seal closes the open transaction as that of e, if it has rows.
func (s *TwoPhase) Seal(e id.Epoch) (op dataflow.ExtOp, ok bool) {
	if s.rows.count == 0 && s.number == s.sealed {
		if s.mutant == MutantEmptyIsPending {
			s.pending = append(s.pending, pendingTxn{epoch: e})
		}
		return op, false
	}
	op = dataflow.ExtOp{Kind: dataflow.ExtPreCommit, Txn: e, From: s.sealed, Number: s.number}
	op.Rows, op.Count = s.rows.take()
	s.sealed = s.number
	s.pending = append(s.pending, pendingTxn{epoch: e})
	return op, true
}

// Commit returns the commits of all pending transactions up to e that are not
// under way. The slice is valid until the next call of Flush or Commit.
func (s *TwoPhase) Commit(e id.Epoch) []dataflow.ExtOp {
	var ops []dataflow.ExtOp
	for i := range s.pending {
		if p := &s.pending[i]; p.epoch <= e && !p.committing {
			p.committing = true
			ops = append(ops, dataflow.ExtOp{Kind: dataflow.ExtCommit, Txn: p.epoch})
		}
	}
	return ops
}

// Committed forgets transaction e: it is visible for good.
func (s *TwoPhase) Committed(e id.Epoch) {
	s.pending = slices.DeleteFunc(s.pending, func(p pendingTxn) bool {
		return p.epoch == e || s.mutant == MutantFirstCommitMarksAll && p.committing
	})
}

// Pending appends the epochs of the transactions sealed and not known committed.
func (s *TwoPhase) Pending(dst []id.Epoch) []id.Epoch {
	for i := range s.pending {
		dst = append(dst, s.pending[i].epoch)
	}
	return dst
}

// Recover takes the pending transactions of the restored snapshot over and
// aborts all others of this task.
func (s *TwoPhase) Recover(_ id.Attempt, pending []id.Epoch) (dataflow.ExtOp, error) {
	s.pending = s.pending[:0]
	if s.mutant == MutantRestoredNotCommitted {
		return dataflow.ExtOp{Kind: dataflow.ExtRecover}, nil
	}
	for _, e := range pending {
		s.pending = append(s.pending, pendingTxn{epoch: e})
	}
	return dataflow.ExtOp{Kind: dataflow.ExtRecover, Keep: slices.Clone(pending)}, nil
}
