package external

import (
	"encoding/binary"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// firstOp is the operation that the journal calls 1.
const firstOp = trace.ExtAppend

// appendOp appends an operation as the head of a journal record; its rows are the body.
func appendOp(dst []byte, op *dataflow.ExtOp) []byte {
	dst = append(dst, byte(op.Kind-firstOp)+1)
	for _, v := range [...]uint64{uint64(op.Task), uint64(op.Attempt), uint64(op.Txn), op.Number, op.From, uint64(op.Count), uint64(len(op.Keep))} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, e := range op.Keep {
		dst = binary.AppendUvarint(dst, uint64(e))
	}
	return dst
}

// maxTask bounds task numbers read back: the store keeps its tasks in a slice.
const maxTask = 1 << 20

func decodeOp(head []byte) (op dataflow.ExtOp, err error) {
	r := state.NewReader(head)
	kind := r.Byte()
	task := r.Uvarint()
	if op.Kind = dataflow.ExtKind(kind-1) + firstOp; kind == 0 || op.Kind >= trace.Ops || task > maxTask {
		r.Fail("operation %d of task %d", kind, task)
	}
	op.Task, op.Attempt, op.Txn = id.TaskID(task), id.Attempt(r.Uvarint()), id.Epoch(r.Uvarint())
	op.Number, op.From, op.Count = r.Uvarint(), r.Uvarint(), int(r.Size())
	op.Keep = make([]id.Epoch, r.Count(1))
	for i := range op.Keep {
		op.Keep[i] = id.Epoch(r.Uvarint())
	}
	return op, r.Done()
}
