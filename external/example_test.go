package external_test

import (
	"fmt"

	"weir/dataflow"
	"weir/external"
	"weir/id"
)

func ExampleStore() {
	s, err := external.OpenStore(external.StoreConfig{}) // in memory
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := dataflow.AppendRecord(nil, []byte("a row"))
	s.DoBatch([]dataflow.ExtOp{
		{Kind: dataflow.ExtRecover, Task: 4, Attempt: 1},
		{Kind: dataflow.ExtPreCommit, Task: 4, Attempt: 1, Txn: id.MakeEpoch(1, 1), Rows: rows, Count: 1},
		{Kind: dataflow.ExtCommit, Task: 4, Attempt: 1, Txn: id.MakeEpoch(1, 1)},
	}, nil)
	err = s.Committed(func(task id.TaskID, txn id.Epoch, row []byte) error {
		fmt.Printf("%s %s %s\n", task, txn, row)
		return nil
	})
	fmt.Println(err, s.Do(dataflow.ExtOp{Kind: dataflow.ExtCommit, Task: 4, Attempt: 0}) == dataflow.ExtFenced)
	// Output:
	// t4 1.1 a row
	// <nil> true
}
