package recording

import (
	"encoding/binary"
	"errors"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// The parts of an event that a kind does not use are zero and cost a byte.
const (
	hasBuffer = 1 << iota
	hasPlan
	hasData
	hasResult
	hasErr
)

func appendEvent(b []byte, ev *dataflow.Event) []byte {
	var has byte
	if ev.Buffer != nil {
		has |= hasBuffer
	}
	if ev.Plan != nil {
		has |= hasPlan
	}
	if len(ev.Data) > 0 {
		has |= hasData
	}
	if ev.Result.Status != 0 {
		has |= hasResult
	}
	if ev.Err != nil {
		has |= hasErr
	}
	b = append(b, byte(ev.Kind), byte(ev.Ext), has)
	for _, v := range [...]uint64{uint64(ev.Port), uint64(ev.N), uint64(ev.Seq), uint64(ev.Ticket), uint64(ev.Attempt), uint64(len(ev.Offsets))} {
		b = binary.AppendUvarint(b, v)
	}
	for _, o := range ev.Offsets {
		b = binary.AppendUvarint(b, uint64(o))
	}
	if has&hasBuffer != 0 {
		b = appendBuffer(b, ev.Buffer)
	}
	if has&hasPlan != 0 {
		b = dataflow.AppendTaskPlan(b, ev.Plan)
	}
	if has&hasData != 0 {
		b = state.AppendBytes(b, ev.Data)
	}
	if has&hasResult != 0 {
		b = appendResult(b, &ev.Result)
	}
	if has&hasErr != 0 {
		b = state.AppendString(b, ev.Err.Error())
	}
	return b
}

func readEvent(r *state.Reader) *dataflow.Event {
	ev := &dataflow.Event{Kind: dataflow.EventKind(r.Byte()), Ext: dataflow.ExtStatus(r.Byte())}
	has := r.Byte()
	ev.Port, ev.N = int(r.Uvarint()), int(r.Uvarint())
	ev.Seq, ev.Ticket = id.Seq(r.Uvarint()), id.Ticket(r.Uvarint())
	ev.Attempt = id.Attempt(r.Uvarint())
	for range r.Count(1) {
		ev.Offsets = append(ev.Offsets, id.Offset(r.Uvarint()))
	}
	if has&hasBuffer != 0 {
		ev.Buffer = readBuffer(r)
	}
	if has&hasPlan != 0 {
		plan := dataflow.ReadTaskPlan(r)
		ev.Plan = &plan
	}
	if has&hasData != 0 {
		ev.Data = r.Bytes()
	}
	if has&hasResult != 0 {
		ev.Result = readResult(r)
	}
	if has&hasErr != 0 {
		ev.Err = errors.New(string(r.Bytes()))
	}
	return ev
}

func bits(flags ...bool) byte {
	var b byte
	for i, f := range flags {
		if f {
			b |= 1 << i
		}
	}
	return b
}

func appendBuffer(b []byte, x *dataflow.Buffer) []byte {
	b = append(b, byte(x.Item), x.Op, bits(x.Over, x.Injected, x.Shared, x.Stamp != nil))
	for _, v := range [...]uint64{uint64(x.Epoch), uint64(x.Seq), uint64(x.N), uint64(x.Records)} {
		b = binary.AppendUvarint(b, v)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(x.Watermark))
	b = binary.LittleEndian.AppendUint64(b, x.Sum)
	b = state.AppendBytes(b, x.Stamp)
	return state.AppendBytes(b, x.Data)
}

func readBuffer(r *state.Reader) *dataflow.Buffer {
	x := &dataflow.Buffer{Item: dataflow.Item(r.Byte()), Op: r.Byte()}
	f := r.Byte()
	x.Over, x.Injected, x.Shared = f&1 != 0, f&2 != 0, f&4 != 0
	x.Epoch, x.Seq = id.Epoch(r.Uvarint()), id.Seq(r.Uvarint())
	x.N, x.Records = int32(r.Uvarint()), int32(r.Uvarint())
	x.Watermark, x.Sum = int64(r.Uint64()), r.Uint64()
	if stamp := r.Bytes(); f&8 != 0 {
		x.Stamp = stamp
	}
	x.Data = r.Bytes()
	return x
}

func appendResult(b []byte, x *state.Result) []byte {
	b = append(b, byte(x.Status), bits(x.Err != nil))
	if x.Err != nil {
		b = state.AppendString(b, x.Err.Error())
	}
	b = state.AppendBytes(b, x.Data)
	b = binary.AppendUvarint(b, uint64(len(x.List)))
	for i := range x.List {
		b = state.AppendString(b, x.List[i].Key)
		b = binary.AppendUvarint(b, uint64(x.List[i].Size))
	}
	return b
}

func readResult(r *state.Reader) state.Result {
	x := state.Result{Status: state.Status(r.Byte())}
	if r.Byte() != 0 {
		x.Err = errors.New(string(r.Bytes()))
	}
	if data := r.Bytes(); len(data) > 0 {
		x.Data = data
	}
	for range r.Count(2) {
		x.List = append(x.List, state.Entry{Key: string(r.Bytes()), Size: r.Size()})
	}
	return x
}
