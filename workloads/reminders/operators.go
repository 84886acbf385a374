package reminders

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

const (
	recordBytes = 24
	rowBytes    = 32
	keyBytes    = 8
	fieldBytes  = 16 // time in order, sequence

	step   = 10 // of event time, from record to record
	jitter = 50 // how far a record may be behind that
)

// open returns a split: records with the hash of their key.
func (s *settings) open(index, of int) (operators.Partition, error) {
	var rec [recordBytes]byte
	emit := func(seq uint64, out *dataflow.Output) {
		key := s.key(seq)
		binary.LittleEndian.PutUint64(rec[:], seq)
		binary.LittleEndian.PutUint64(rec[8:], key)
		binary.LittleEndian.PutUint64(rec[16:], uint64(s.time(seq)))
		out.EmitHashed(state.HashUint64(key), rec[:])
	}
	return &operators.Numbered{Index: index, Of: of, Records: s.numEvents, Emit: emit, Promise: promised}, nil
}

// promised is the watermark in front of a record.
func promised(seq uint64) int64 { return int64(seq)*step - jitter }

// keyHash is the hash of a record's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec[8:])) }

// reminder keeps what is due by key and time.
type reminder struct {
	settings settings
	ctx      *dataflow.Context
	out      *dataflow.Output
	due      state.MapTable // key -> (time, sequence) -> hop
	field    [fieldBytes]byte
	row      [rowBytes]byte
	seqs     []due
}

// due is one reminder that a timer has found.
type due struct {
	seq uint64
	hop byte
}

// Open opens the keyed state.
func (r *reminder) Open(ctx *dataflow.Context) (err error) {
	r.ctx, r.out = ctx, ctx.Out(0)
	r.due, err = state.OpenMapTable(ctx.Store(), state.Descriptor{Name: "due", Codec: "time,seq/1->hop/1"})
	return err
}

// Process asks for the first reminder of each record.
func (r *reminder) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if len(rec) != recordBytes {
			return fmt.Errorf("reminders: a record of %d bytes; they have %d", len(rec), recordBytes)
		}
		seq, at := binary.LittleEndian.Uint64(rec), int64(binary.LittleEndian.Uint64(rec[16:]))
		r.remind(at-r.settings.lag(seq), rec[8:8+keyBytes], due{seq, 0})
	}
	return nil
}

func (r *reminder) remind(at int64, key []byte, d due) {
	field := binary.LittleEndian.AppendUint64(state.AppendTime(r.field[:0], at), d.seq)
	r.due.MapPut(r.ctx.Key(key), field, []byte{d.hop})
	r.ctx.Timer(at, key)
}

// OnTimer makes the rows of what is due and asks for the next reminders.
func (r *reminder) OnTimer(at int64, key []byte) error {
	k := r.ctx.Key(key)
	r.seqs = r.seqs[:0]
	r.due.MapRange(k, func(field, value []byte) bool {
		if t := state.TimeOf(field); t != at {
			return t < at
		}
		r.seqs = append(r.seqs, due{binary.LittleEndian.Uint64(field[8:]), value[0]})
		return true
	})
	if len(r.seqs) == 0 {
		r.emit(due{seq: ^uint64(0)}, key, at)
	}
	for _, d := range r.seqs {
		r.emit(d, key, at)
		r.due.MapDelete(k, binary.LittleEndian.AppendUint64(state.AppendTime(r.field[:0], at), d.seq))
		if next := d.hop + 1; int64(next) < r.settings.hops {
			r.remind(at+r.settings.gap(d.seq, next), key, due{d.seq, next})
		}
	}
	return nil
}

func (r *reminder) emit(d due, key []byte, at int64) {
	binary.LittleEndian.PutUint64(r.row[:], d.seq)
	binary.LittleEndian.PutUint64(r.row[8:], uint64(d.hop))
	copy(r.row[16:], key)
	binary.LittleEndian.PutUint64(r.row[24:], uint64(at))
	r.out.Emit(r.row[:])
}

// Finish has nothing left: the watermark at the end of the input has made everything due.
func (r *reminder) Finish() error { return nil }
