package external_test

import (
	"testing"

	"weir/dataflow"
	"weir/external"
	"weir/id"
)

// TestCrashAndAbort: a crash loses the writes that no pre-commit has claimed, an abort
// the pre-committed transactions too; what is committed stays.
func TestCrashAndAbort(t *testing.T) {
	s, err := external.OpenStore(external.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	row := dataflow.AppendRecord(nil, []byte("r"))
	do := func(want dataflow.ExtStatus, op dataflow.ExtOp) {
		t.Helper()
		op.Attempt = 1
		if got := s.Do(op); got != want {
			t.Fatalf("%s of %s: %v, want %v", op.Kind, op.Txn, got, want)
		}
	}
	epoch := func(n uint32) id.Epoch { return id.MakeEpoch(1, n) }
	write := func(n uint64) dataflow.ExtOp {
		return dataflow.ExtOp{Kind: dataflow.ExtWrite, Number: n, Rows: row, Count: 1}
	}
	prepare := func(e id.Epoch, from, to uint64) dataflow.ExtOp {
		return dataflow.ExtOp{Kind: dataflow.ExtPreCommit, Txn: e, From: from, Number: to}
	}
	commit := func(e id.Epoch) dataflow.ExtOp { return dataflow.ExtOp{Kind: dataflow.ExtCommit, Txn: e} }

	do(dataflow.ExtOK, write(1))
	do(dataflow.ExtOK, prepare(epoch(1), 0, 1))
	do(dataflow.ExtOK, write(2))
	s.Crash()
	do(dataflow.ExtAbsent, prepare(epoch(2), 1, 2))
	do(dataflow.ExtOK, commit(epoch(1)))
	do(dataflow.ExtOK, write(2))
	do(dataflow.ExtOK, prepare(epoch(3), 1, 2))
	if ended := s.Abort(); len(ended) == 0 || len(s.Abort()) != 0 {
		t.Error("an abort that ends something says so, and only that one")
	}
	do(dataflow.ExtAbsent, commit(epoch(3)))
	do(dataflow.ExtOK, commit(epoch(1)))
}
