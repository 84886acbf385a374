package sinks

import (
	"encoding/binary"

	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// Upsert makes rows visible at the end of the turn that brought them, each as a
// value of a key: the store keeps the one of the highest version, whatever comes
// when and how often. Values that a rollback takes back are seen until the newer
// ones come; at the end every key has its final one, if what is made again is the
// same.
type Upsert struct {
	key    func(row []byte) (key []byte, version uint64)
	data   []byte // an entry per row: key, version, row
	count  int
	entry  []byte
	number uint64
	ops    [1]dataflow.ExtOp
}

// Open does nothing: the sink has no state.
func (s *Upsert) Open(*dataflow.Context) error { return nil }

// Process takes the rows of b with their keys.
func (s *Upsert) Process(_ int, b *dataflow.Buffer) error {
	for row, rest := dataflow.NextRecord(b.Data); row != nil; row, rest = dataflow.NextRecord(rest) {
		key, version := s.key(row)
		s.entry = binary.AppendUvarint(s.entry[:0], version)
		s.entry = binary.AppendUvarint(s.entry, uint64(len(key)))
		s.entry = append(append(s.entry, key...), row...)
		s.data = dataflow.AppendRecord(s.data, s.entry)
		s.count++
	}
	return nil
}

// Finish does nothing: the end of the turn flushes.
func (s *Upsert) Finish() error { return nil }

// Flush upserts the rows of the turn, if any.
func (s *Upsert) Flush() []dataflow.ExtOp {
	if s.count == 0 {
		return nil
	}
	s.number++
	s.ops[0] = dataflow.ExtOp{Kind: trace.Upsert, Number: s.number, Rows: s.data, Count: s.count}
	s.data, s.count = nil, 0
	return s.ops[:]
}

// Seal asks the store whether everything so far is there, as Append does.
func (s *Upsert) Seal(id.Epoch) (dataflow.ExtOp, bool) {
	return dataflow.ExtOp{Kind: dataflow.ExtPreCommit, From: s.number, Number: s.number}, s.number > 0
}

// Commit has nothing to do.
func (s *Upsert) Commit(id.Epoch) []dataflow.ExtOp { return nil }

// Committed is never called.
func (s *Upsert) Committed(id.Epoch) {}

// Pending appends nothing.
func (s *Upsert) Pending(dst []id.Epoch) []id.Epoch { return dst }

// Recover fences older attempts: what they have under way would be harmless, but
// a store that is asked to fence fences.
func (s *Upsert) Recover(id.Attempt, []id.Epoch) (dataflow.ExtOp, error) {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover}, nil
}
