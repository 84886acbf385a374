package sinks

import (
	"weir/dataflow"
	"weir/id"
)

// Append makes rows visible in the external store at the end of the turn
// that brought them. There is no transaction: what a restored job produces
// again becomes visible again.
type Append struct {
	rows   rows
	number uint64
	ops    [1]dataflow.ExtOp
}

// Open does nothing: the sink has no state.
func (s *Append) Open(*dataflow.Context) error { return nil }

// Process takes the rows of b.
func (s *Append) Process(_ int, b *dataflow.Buffer) error {
	s.rows.add(b)
	return nil
}

// Finish does nothing: the end of the turn flushes.
func (s *Append) Finish() error { return nil }

// Flush appends the rows of the turn, if any.
func (s *Append) Flush() []dataflow.ExtOp {
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
func (s *Append) Seal(id.Epoch) (dataflow.ExtOp, bool) {
	return dataflow.ExtOp{Kind: dataflow.ExtPreCommit, From: s.number, Number: s.number}, s.number > 0
}

// Commit has nothing to do.
func (s *Append) Commit(id.Epoch) []dataflow.ExtOp { return nil }

// Committed is never called.
func (s *Append) Committed(id.Epoch) {}

// Pending appends nothing.
func (s *Append) Pending(dst []id.Epoch) []id.Epoch { return dst }

// Recover fences older attempts, so that an append of theirs that is still
// under way cannot land among this attempt's rows.
func (s *Append) Recover(id.Attempt, []id.Epoch) (dataflow.ExtOp, error) {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover}, nil
}
