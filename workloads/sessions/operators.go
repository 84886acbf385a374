package sessions

import (
	"encoding/binary"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

const (
	recordBytes = 24
	rowBytes    = 48
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

// keyHash is the hash of a record's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec[8:])) }

// total is what a session keeps of its records.
type total struct{ count, sum, last uint64 }

var totals = &state.StructCodec[total]{
	ID: "session-total/1", Size: 24,
	Write: func(dst []byte, t total) []byte {
		dst = binary.LittleEndian.AppendUint64(dst, t.count)
		dst = binary.LittleEndian.AppendUint64(dst, t.sum)
		return binary.LittleEndian.AppendUint64(dst, t.last)
	},
	Read: func(r *state.Reader) total { return total{r.Uint64(), r.Uint64(), r.Uint64()} },
}

func (t total) with(o total) total {
	return total{t.count + o.count, t.sum + o.sum, max(t.last, o.last)}
}

// windows returns the operator.
func (s settings) windows() dataflow.Operator {
	return &operators.SessionAggregate[total]{
		State: "sessions", Gap: s.gap, Lateness: s.lateness, Acc: totals,
		Read: func(dst, rec []byte) ([]byte, int64) {
			return append(dst, rec[8:16]...), int64(binary.LittleEndian.Uint64(rec[16:]))
		},
		Add: func(t total, rec []byte) total {
			seq := binary.LittleEndian.Uint64(rec)
			return t.with(total{1, seq, seq})
		},
		Merge: total.with,
		Row: func(dst, key []byte, start, end int64, t total) []byte {
			dst = append(dst, key...)
			for _, v := range [...]uint64{uint64(start), uint64(end), t.count, t.sum, t.last} {
				dst = binary.LittleEndian.AppendUint64(dst, v)
			}
			return dst
		},
	}
}
