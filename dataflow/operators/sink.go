package operators

import (
	"cmp"
	"slices"

	"weir/dataflow"
	"weir/id"
)

// rows collects whole input buffers: rows travel in the framing of
// dataflow.AppendRecord from the last operator to the external store.
type rows struct {
	data  []byte
	count int
	last  int // bytes taken last, as a guess for the next
}

func (r *rows) add(b *dataflow.Buffer) {
	if r.data == nil {
		r.data = make([]byte, 0, max(len(b.Data), r.last))
	}
	r.data = append(r.data, b.Data...)
	r.count += int(b.Records)
}

// take hands the rows over: the bytes are immutable from now on.
func (r *rows) take() (data []byte, count int) {
	data, count = r.data, r.count
	r.last = len(data)
	r.data, r.count = nil, 0
	return data, count
}

// AppendSink makes rows visible in the external store at the end of the turn
// that brought them. There is no transaction: what a restored job produces
// again becomes visible again.
type AppendSink struct {
	rows   rows
	number uint64
	ops    [1]dataflow.ExtOp
}

// Open does nothing: the sink has no state.
func (s *AppendSink) Open(*dataflow.Context) error { return nil }

// Process takes the rows of b.
func (s *AppendSink) Process(_ int, b *dataflow.Buffer) error {
	s.rows.add(b)
	return nil
}

// Finish does nothing: the end of the turn flushes.
func (s *AppendSink) Finish() error { return nil }

// Flush appends the rows of the turn, if any.
func (s *AppendSink) Flush() []dataflow.ExtOp {
	if s.rows.count == 0 {
		return nil
	}
	s.number++
	op := dataflow.ExtOp{Kind: dataflow.ExtAppend, Number: s.number}
	op.Rows, op.Count = s.rows.take()
	s.ops[0] = op
	return s.ops[:]
}

// Seal asks the store whether everything appended so far is there: a snapshot
// must not be stored before the output that precedes it, or a crash in between
// would lose that output.
func (s *AppendSink) Seal(id.Epoch) (dataflow.ExtOp, bool) {
	return dataflow.ExtOp{Kind: dataflow.ExtPreCommit, From: s.number, Number: s.number}, s.number > 0
}

// Commit has nothing to do.
func (s *AppendSink) Commit(id.Epoch) []dataflow.ExtOp { return nil }

// Committed is never called.
func (s *AppendSink) Committed(id.Epoch) {}

// Pending appends nothing.
func (s *AppendSink) Pending(dst []id.Epoch) []id.Epoch { return dst }

// Recover fences older attempts, so that an append of theirs that is still
// under way cannot land among this attempt's rows.
func (s *AppendSink) Recover(id.Attempt, []id.Epoch) (dataflow.ExtOp, bool) {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover}, true
}

// ChunkBytes is the size above which rows of an open transaction are handed to
// the external store.
const ChunkBytes = 1 << 20

// TwoPhaseSink writes rows in one transaction per snapshot of its task. Rows
// are collected in the open transaction; every Chunk bytes they go to the store
// as an ExtWrite. Seal pre-commits: from then on the transaction is pending and
// part of every snapshot until its commit is acknowledged. A transaction
// without rows is neither pre-committed nor committed.
type TwoPhaseSink struct {
	// Chunk replaces ChunkBytes unless it is 0.
	Chunk int

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
func (s *TwoPhaseSink) Open(*dataflow.Context) error { return nil }

// Process adds the rows of b to the open transaction.
func (s *TwoPhaseSink) Process(_ int, b *dataflow.Buffer) error {
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
func (s *TwoPhaseSink) Finish() error { return nil }

// Flush returns the writes of the turn. The slice is valid until the next call.
func (s *TwoPhaseSink) Flush() []dataflow.ExtOp {
	ops := s.ops
	s.ops = s.ops[:0]
	return ops
}

// Seal closes the open transaction as that of e, if it has rows.
func (s *TwoPhaseSink) Seal(e id.Epoch) (op dataflow.ExtOp, ok bool) {
	if s.rows.count == 0 && s.number == s.sealed {
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
func (s *TwoPhaseSink) Commit(e id.Epoch) []dataflow.ExtOp {
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
func (s *TwoPhaseSink) Committed(e id.Epoch) {
	s.pending = slices.DeleteFunc(s.pending, func(p pendingTxn) bool { return p.epoch == e })
}

// Pending appends the epochs of the transactions sealed and not known committed.
func (s *TwoPhaseSink) Pending(dst []id.Epoch) []id.Epoch {
	for i := range s.pending {
		dst = append(dst, s.pending[i].epoch)
	}
	return dst
}

// Recover takes the pending transactions of the restored snapshot over and
// aborts all others of this task.
func (s *TwoPhaseSink) Recover(_ id.Attempt, pending []id.Epoch) (op dataflow.ExtOp, ok bool) {
	s.pending = s.pending[:0]
	for _, e := range pending {
		s.pending = append(s.pending, pendingTxn{epoch: e})
	}
	return dataflow.ExtOp{Kind: dataflow.ExtRecover, Keep: slices.Clone(pending)}, true
}
