package dataflow

import (
	"encoding/binary"

	"weir/id"
	"weir/state"
)

// AppendTaskPlan appends the encoding of p, as it stands in durable plans and in recordings.
func AppendTaskPlan(b []byte, p *TaskPlan) []byte {
	f := byte(p.Mode)
	if p.Resume {
		f |= 2
	}
	if p.Left {
		f |= 4
	}
	if p.Saved != nil {
		f |= 8
	}
	b = append(b, f)
	b = state.AppendString(b, string(p.Ref))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Stable))
	b = binary.AppendUvarint(b, uint64(len(p.Splits)))
	for _, s := range p.Splits {
		b = binary.AppendUvarint(b, uint64(s))
	}
	b = binary.AppendUvarint(b, uint64(len(p.Inject)))
	for i := range p.Inject {
		l := &p.Inject[i]
		b = binary.AppendUvarint(b, uint64(l.In))
		b = state.AppendString(b, l.Log)
		b = binary.AppendUvarint(b, uint64(l.From))
		b = binary.AppendUvarint(b, uint64(l.To))
	}
	b = appendFormers(b, p.Former)
	b = binary.AppendUvarint(b, uint64(len(p.Vanished)))
	for _, n := range p.Vanished {
		b = binary.AppendUvarint(b, uint64(n))
	}
	if p.Saved != nil {
		b = appendSaved(b, p.Saved)
	}
	return state.AppendBytes(b, p.Data)
}

// LeastTaskPlan is how many bytes a task plan takes at least.
const LeastTaskPlan = 15

// ReadTaskPlan is the inverse of AppendTaskPlan. Data aliases what r reads; empty lists are nil.
func ReadTaskPlan(r *state.Reader) (p TaskPlan) {
	f := r.Byte()
	p.Mode, p.Resume, p.Left = Mode(f&1), f&2 != 0, f&4 != 0
	p.Ref, p.Stable = Ref(r.Bytes()), id.Epoch(r.Uint64())
	for range r.Count(1) {
		p.Splits = append(p.Splits, int(r.Size()))
	}
	for range r.Count(4) {
		p.Inject = append(p.Inject, LogRange{In: int(r.Size()), Log: string(r.Bytes()), From: id.Seq(r.Uvarint()), To: id.Seq(r.Uvarint())})
	}
	p.Former = readFormers(r)
	for range r.Count(1) {
		p.Vanished = append(p.Vanished, id.TaskID(r.Size()))
	}
	if f&8 != 0 {
		p.Saved = readSaved(r)
	}
	p.Data = r.Bytes()
	return p
}

func appendFormers(b []byte, formers []Former) []byte {
	b = binary.AppendUvarint(b, uint64(len(formers)))
	for i := range formers {
		f := &formers[i]
		b = state.AppendString(b, string(f.Ref))
		b = state.AppendString(b, f.Name)
		for _, v := range [...]int{int(f.Task), f.Index, f.Parallelism} {
			b = binary.AppendUvarint(b, uint64(v))
		}
		b = append(b, byte(flags(f.Receiver, f.Left)))
	}
	return b
}

func readFormers(r *state.Reader) (formers []Former) {
	const least = 6 // bytes that one takes
	for range r.Count(least) {
		f := Former{Ref: Ref(r.Bytes()), Name: string(r.Bytes())}
		f.Task, f.Index, f.Parallelism = id.TaskID(r.Size()), int(r.Size()), int(r.Size())
		set := r.Byte()
		f.Receiver, f.Left = set&1 != 0, set&2 != 0
		formers = append(formers, f)
	}
	return formers
}
