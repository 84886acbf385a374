package sinks

import (
	"bytes"
	"slices"

	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/trace"
)

// MutantLateCommittables: a committer takes a committable from before a snapshot
// that it has sealed for one that was committed with it. Where barriers overtake
// data, rows are lost (apache/iceberg 15846).
const MutantLateCommittables dataflow.Mutant = "late-committables"

// MutantSealBeforeStaged: a writer's snapshot does not wait for the rows that it
// says were handed on.
const MutantSealBeforeStaged dataflow.Mutant = "seal-before-staged"

// MutantSealOneShort: a writer's snapshot does not wait for the last of the operations by which
// it has staged rows.
const MutantSealOneShort dataflow.Mutant = "seal-one-short"

// Writer is the first half of a sink of two vertices: it stages the rows of each
// buffer in the store, and hands a committable that names them to the committer,
// in band. Committables are thus data like any other: whatever an algorithm
// captures of channels holds them.
type Writer struct {
	hasty  bool // MutantSealBeforeStaged
	short  bool // MutantSealOneShort
	out    *dataflow.Output
	task   id.TaskID
	ctx    *dataflow.Context
	number uint64
	since  id.Epoch
	ops    []dataflow.ExtOp
	record []byte
}

// Open finds the way to the committer.
func (s *Writer) Open(c *dataflow.Context) error {
	s.ctx, s.out, s.task = c, c.Out(0), c.Info().ID
	return nil
}

// Process stages the rows of b.
func (s *Writer) Process(_ int, b *dataflow.Buffer) error {
	s.number++
	s.ops = append(s.ops, dataflow.ExtOp{Kind: trace.Stage, Number: s.number, Rows: bytes.Clone(b.Data), Count: int(b.Records)})
	c := external.Committable{Task: s.task, Attempt: s.ctx.Attempt(), Number: s.number, Since: s.since}
	s.record = c.Append(s.record[:0])
	s.out.Emit(s.record)
	return nil
}

// Finish does nothing: every row is staged.
func (s *Writer) Finish() error { return nil }

// Flush returns what stages the turn's rows. The slice is valid until the next call.
func (s *Writer) Flush() []dataflow.ExtOp {
	ops := s.ops
	s.ops = s.ops[:0]
	return ops
}

// Seal asks the store whether everything staged so far is there: a snapshot that
// says it was handed on must not be stored before.
func (s *Writer) Seal(e id.Epoch) (dataflow.ExtOp, bool) {
	s.since = e
	n := s.number
	if s.short && n > 0 {
		n--
	}
	return dataflow.ExtOp{Kind: dataflow.ExtPreCommit, From: n, Number: n}, n > 0 && !s.hasty
}

// Commit has nothing to do: the committer commits.
func (s *Writer) Commit(id.Epoch) []dataflow.ExtOp { return nil }

// Committed is never called.
func (s *Writer) Committed(id.Epoch) {}

// Pending appends nothing.
func (s *Writer) Pending(dst []id.Epoch) []id.Epoch { return dst }

// Recover fences older attempts.
func (s *Writer) Recover(id.Attempt, []id.Epoch) (dataflow.ExtOp, error) {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover}, nil
}

// Committer is the second half: it keeps committables in its snapshots and has
// the store publish those of a snapshot that is complete, in one step. Each belongs
// to the snapshot that the committer itself takes next, whenever it was written.
type Committer struct {
	naive  bool // MutantLateCommittables
	sealed id.Epoch
	ledger ledger
}

// Open declares the committables as operator state.
func (s *Committer) Open(c *dataflow.Context) error {
	s.ledger.openState(c)
	return nil
}

// Process takes committables.
func (s *Committer) Process(_ int, b *dataflow.Buffer) error {
	if !s.naive {
		s.ledger.open.add(b)
		return nil
	}
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		c, err := external.DecodeCommittable(rec)
		if err != nil {
			return err
		}
		if c.Since >= s.sealed {
			s.ledger.open.add(&dataflow.Buffer{Data: dataflow.AppendRecord(nil, rec), Records: 1})
		}
	}
	return nil
}

// Finish does nothing: the last snapshot seals what is left.
func (s *Committer) Finish() error { return nil }

// Flush has nothing to write.
func (s *Committer) Flush() []dataflow.ExtOp { return nil }

// Seal makes the committables so far those of e.
func (s *Committer) Seal(e id.Epoch) (op dataflow.ExtOp, ok bool) {
	s.ledger.seal(e)
	s.sealed = e
	return op, false
}

// Commit returns what publishes the committables of all snapshots up to e.
func (s *Committer) Commit(e id.Epoch) []dataflow.ExtOp { return s.ledger.due(e, trace.Publish) }

// Committed forgets the committables of e.
func (s *Committer) Committed(e id.Epoch) { s.ledger.done(e) }

// Pending appends the epochs whose committables are not known published.
func (s *Committer) Pending(dst []id.Epoch) []id.Epoch { return s.ledger.pending(dst) }

// Recover takes the committables of the restored snapshot over and fences older
// attempts.
func (s *Committer) Recover(_ id.Attempt, pending []id.Epoch) (dataflow.ExtOp, error) {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover}, s.ledger.restore(pending)
}

// addCommitters puts a committer of one task behind every sink vertex of g, which
// becomes a writer.
func addCommitters(g *dataflow.Graph, committer func() dataflow.Operator) {
	for v := range slices.Clone(g.Vertices) {
		if g.Vertices[v].Role != dataflow.RoleSink {
			continue
		}
		g.Vertices[v].Role = dataflow.RoleWriter
		g.Vertices = append(g.Vertices, dataflow.Vertex{Name: g.Vertices[v].Name + "-committer", Parallelism: 1, Role: dataflow.RoleSink, New: committer})
		g.Edges = append(g.Edges, dataflow.Edge{From: v, To: len(g.Vertices) - 1, Partitioning: dataflow.Rebalance})
	}
}
