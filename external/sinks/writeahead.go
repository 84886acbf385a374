package sinks

import (
	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// WriteAhead keeps rows in its snapshots and writes them when the snapshot is
// complete, once per transaction whatever is repeated. The store needs no
// transactions of its own, and a snapshot is as large as the rows it holds back.
type WriteAhead struct{ ledger ledger }

// Open declares the rows as operator state.
func (s *WriteAhead) Open(c *dataflow.Context) error {
	s.ledger.openState(c)
	return nil
}

// Process takes the rows of b.
func (s *WriteAhead) Process(_ int, b *dataflow.Buffer) error {
	s.ledger.open.add(b)
	return nil
}

// Finish does nothing: the last snapshot seals what is left.
func (s *WriteAhead) Finish() error { return nil }

// Flush has nothing to write.
func (s *WriteAhead) Flush() []dataflow.ExtOp { return nil }

// Seal makes the rows so far those of e. Nothing must succeed outside first.
func (s *WriteAhead) Seal(e id.Epoch) (op dataflow.ExtOp, ok bool) {
	s.ledger.seal(e)
	return op, false
}

// Commit returns what writes the rows of all snapshots up to e.
func (s *WriteAhead) Commit(e id.Epoch) []dataflow.ExtOp { return s.ledger.due(e, trace.Insert) }

// Committed forgets the rows of e: they are visible for good.
func (s *WriteAhead) Committed(e id.Epoch) { s.ledger.done(e) }

// Pending appends the epochs whose rows are not known written.
func (s *WriteAhead) Pending(dst []id.Epoch) []id.Epoch { return s.ledger.pending(dst) }

// Recover takes the rows of the restored snapshot over and fences older
// attempts, whose writes may still be under way.
func (s *WriteAhead) Recover(_ id.Attempt, pending []id.Epoch) (dataflow.ExtOp, error) {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover}, s.ledger.restore(pending)
}
