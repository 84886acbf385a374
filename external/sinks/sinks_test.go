package sinks_test

import (
	"bytes"
	"slices"
	"testing"

	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/state"
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

func TestTwoPhase(t *testing.T) {
	s := &sinks.TwoPhase{}
	if op, err := s.Recover(1, nil); err != nil || op.Kind != dataflow.ExtRecover || len(op.Keep) != 0 {
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

func TestTwoPhaseAfterRecovery(t *testing.T) {
	s := &sinks.TwoPhase{}
	if op, err := s.Recover(5, []id.Epoch{2, 4}); err != nil || !slices.Equal(op.Keep, []id.Epoch{2, 4}) {
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

func TestTwoPhaseStreams(t *testing.T) {
	s := &sinks.TwoPhase{}
	big := buffer(string(make([]byte, sinks.ChunkBytes/2)))
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

func TestAppend(t *testing.T) {
	s := &sinks.Append{}
	if op, err := s.Recover(3, nil); err != nil || op.Kind != dataflow.ExtRecover {
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

// TestLedger: rows stay in operator state until their write is answered, and come
// back with the snapshot that names them.
func TestLedger(t *testing.T) {
	l := &state.OperatorList{}
	a := sinks.NewWriteAhead(l)
	process(t, a, buffer("a", "b"))
	if _, ok := a.Seal(2); ok || len(a.Flush()) != 0 || len(l.Items) != 1 {
		t.Fatalf("sealed: an operation outside, or %d items", len(l.Items))
	}
	process(t, a, buffer("c"))
	a.Seal(4)
	b := sinks.NewWriteAhead(&state.OperatorList{Items: slices.Clone(l.Items)})
	if _, err := b.Recover(5, []id.Epoch{2, 4}); err != nil {
		t.Fatal(err)
	}
	ops := b.Commit(2)
	if len(ops) != 1 || ops[0].Txn != 2 || ops[0].Count != 2 || !bytes.Equal(ops[0].Rows, buffer("a", "b").Data) {
		t.Fatalf("restored: %+v", ops)
	}
	b.Committed(2)
	if got := b.Pending(nil); !slices.Equal(got, []id.Epoch{4}) || len(b.Commit(2)) != 0 {
		t.Fatalf("pending %v", got)
	}
	if _, err := sinks.NewWriteAhead(&state.OperatorList{Items: l.Items}).Recover(5, []id.Epoch{2}); err == nil {
		t.Error("rows that the snapshot does not name are taken over")
	}
}

// TestUpsert: a store keeps the highest version of each key, whoever writes it and
// however often.
func TestUpsert(t *testing.T) {
	store, err := external.OpenStore(external.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	upsert, err := sinks.Lookup("upsert")
	if err != nil {
		t.Fatal(err)
	}
	key := func(row []byte) ([]byte, uint64) { return row[:1], uint64(row[1]) }
	for attempt := id.Attempt(1); attempt <= 2; attempt++ {
		s := upsert.New(sinks.Config{Key: key})
		op, err := s.Recover(attempt, nil)
		if err != nil {
			t.Fatal(err)
		}
		ops := []dataflow.ExtOp{op}
		for _, rows := range [][]string{{"a1", "b1"}, {"a3"}, {"a2", "b2"}} {
			process(t, s, buffer(rows...))
			ops = append(ops, slices.Clone(s.Flush())...)
		}
		for _, op := range ops {
			op.Attempt = attempt
			if got := store.Do(op); got != dataflow.ExtOK {
				t.Errorf("%s: %v", op.Kind, got)
			}
		}
	}
	var seen []string
	if err := store.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		seen = append(seen, string(row))
		return nil
	}); err != nil || !slices.Equal(seen, []string{"a1", "b1", "a3", "b2"}) {
		t.Errorf("became visible: %v, %v", seen, err)
	}
}
