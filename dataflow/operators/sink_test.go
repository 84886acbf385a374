package operators_test

import (
	"bytes"
	"slices"
	"testing"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
)

func buffer(rows ...string) *dataflow.Buffer {
	b := &dataflow.Buffer{}
	for _, r := range rows {
		b.Data = dataflow.AppendRecord(b.Data, []byte(r))
		b.Records++
	}
	return b
}

func process(t *testing.T, s dataflow.Sink, b *dataflow.Buffer) {
	t.Helper()
	if err := s.Process(0, b); err != nil {
		t.Fatal(err)
	}
}

func kinds(ops []dataflow.ExtOp) (ks []dataflow.ExtKind) {
	for _, op := range ops {
		ks = append(ks, op.Kind)
	}
	return ks
}

func TestTwoPhaseSink(t *testing.T) {
	s := &operators.TwoPhaseSink{}
	if op, ok := s.Recover(1, nil); !ok || op.Kind != dataflow.ExtRecover || len(op.Keep) != 0 {
		t.Fatalf("recovery of the first attempt: %+v", op)
	}
	if op, ok := s.Seal(1); ok || len(s.Pending(nil)) != 0 {
		t.Fatalf("a transaction without rows is sealed: %+v", op)
	}
	process(t, s, buffer("a", "b"))
	if ops := s.Flush(); len(ops) != 0 {
		t.Fatalf("a small transaction is streamed: %v", kinds(ops))
	}
	op, ok := s.Seal(2)
	if !ok || op.Kind != dataflow.ExtPreCommit || op.Txn != 2 || op.Count != 2 || !bytes.Equal(op.Rows, buffer("a", "b").Data) {
		t.Fatalf("seal: %+v", op)
	}
	process(t, s, buffer("c"))
	if !bytes.Equal(op.Rows, buffer("a", "b").Data) {
		t.Fatal("rows behind the seal changed what was sealed")
	}
	op, ok = s.Seal(4)
	if !ok || op.Txn != 4 || op.Count != 1 || !slices.Equal(s.Pending(nil), []id.Epoch{2, 4}) {
		t.Fatalf("second seal: %+v, pending %v", op, s.Pending(nil))
	}
	if ops := s.Commit(3); len(ops) != 1 || ops[0].Txn != 2 || ops[0].Kind != dataflow.ExtCommit {
		t.Fatalf("commit of 3: %+v", ops)
	}
	if ops := s.Commit(4); len(ops) != 1 || ops[0].Txn != 4 {
		t.Fatalf("commit of 4 while that of 2 is under way: %+v", ops)
	}
	s.Committed(2)
	if got := s.Pending(nil); !slices.Equal(got, []id.Epoch{4}) {
		t.Fatalf("pending %v", got)
	}
	if ops := s.Commit(9); len(ops) != 0 {
		t.Fatalf("commits are issued twice: %+v", ops)
	}
}

func TestTwoPhaseSinkAfterRecovery(t *testing.T) {
	s := &operators.TwoPhaseSink{}
	if op, ok := s.Recover(5, []id.Epoch{2, 4}); !ok || !slices.Equal(op.Keep, []id.Epoch{2, 4}) {
		t.Fatalf("recovery: %+v", op)
	}
	if got := s.Pending(nil); !slices.Equal(got, []id.Epoch{2, 4}) {
		t.Fatalf("pending %v", got)
	}
	if ops := s.Commit(2); len(ops) != 1 || ops[0].Txn != 2 {
		t.Fatalf("restored transaction: %+v", ops)
	}
	s.Committed(2)
	s.Committed(2)
	if got := s.Pending(nil); !slices.Equal(got, []id.Epoch{4}) {
		t.Fatalf("pending %v", got)
	}
}

func TestTwoPhaseSinkStreams(t *testing.T) {
	s := &operators.TwoPhaseSink{}
	big := buffer(string(make([]byte, operators.ChunkBytes/2)))
	var writes []dataflow.ExtOp
	for range 5 {
		process(t, s, big)
		writes = append(writes, slices.Clone(s.Flush())...)
	}
	if len(writes) != 2 || writes[0].Number != 1 || writes[1].Number != 2 || writes[0].Kind != dataflow.ExtWrite || writes[1].Count != 2 {
		t.Fatalf("%d writes", len(writes))
	}
	op, ok := s.Seal(7)
	if !ok || op.From != 0 || op.Number != 2 || op.Count != 1 {
		t.Fatalf("seal: from %d, number %d, %d rows", op.From, op.Number, op.Count)
	}
	process(t, s, big)
	process(t, s, big)
	s.Flush()
	if op, ok = s.Seal(8); !ok || op.From != 2 || op.Number != 3 || op.Count != 0 {
		t.Fatalf("a transaction of streamed rows alone: %v, from %d, number %d, %d rows", ok, op.From, op.Number, op.Count)
	}
	if _, ok = s.Seal(9); ok {
		t.Error("a transaction without rows is sealed")
	}
}

func TestAppendSink(t *testing.T) {
	s := &operators.AppendSink{}
	if op, ok := s.Recover(3, nil); !ok || op.Kind != dataflow.ExtRecover {
		t.Fatalf("recovery: %+v", op)
	}
	if _, ok := s.Seal(1); ok || len(s.Flush()) != 0 {
		t.Fatal("something to write before the first row")
	}
	for n := uint64(1); n <= 3; n++ {
		process(t, s, buffer("a"))
		process(t, s, buffer("b", "c"))
		ops := s.Flush()
		if len(ops) != 1 || ops[0].Kind != dataflow.ExtAppend || ops[0].Number != n || ops[0].Count != 3 {
			t.Fatalf("turn %d: %+v", n, ops)
		}
		if len(s.Flush()) != 0 {
			t.Fatal("rows are appended twice")
		}
	}
	if op, ok := s.Seal(2); !ok || op.Txn != 0 || op.Number != 3 {
		t.Errorf("a snapshot must wait for what was appended: %+v", op)
	}
	if len(s.Commit(2)) != 0 || len(s.Pending(nil)) != 0 {
		t.Error("there is something to commit")
	}
}

// TestAbandonedSnapshotKeepsItsTransaction: the transaction of a snapshot that
// was given up is committed with the next one, though its pre-commit fails first.
func TestAbandonedSnapshotKeepsItsTransaction(t *testing.T) {
	w := newWorkload(t, "keyedcount")
	w.Small()
	d := newDriver(t, graph(t, w, 2, twoPhaseSink))
	d.start(0, false)
	d.runTo(60)
	d.failEvery = 1 // no pre-commit arrives; every second would, but not the first
	for i := range d.tasks {
		d.protos[i].kernel.Begin(id.MakeEpoch(1, 1), 0).Seal()
		d.protos[i].kernel.Abandon(id.MakeEpoch(1, 1))
	}
	d.failEvery = 0
	compare(t, w, d.finish())
}
