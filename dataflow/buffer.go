package dataflow

import (
	"math"

	"weir/id"
)

// Item is what a buffer carries.
type Item uint8

const (
	// Data is a batch of encoded records, with a watermark behind them or without.
	Data Item = iota
	// EndData says that no more records come; the channel stays open for control
	// items. Numbered, captured and logged like data.
	EndData
	// EndStream says that the sender has left; it counts as every later barrier.
	// Not numbered, never captured, never logged.
	EndStream
	// Control is an item of the algorithm (a barrier, a marker). Never captured.
	Control
	// Wave asks round a loop whether anything moves there still. Numbered, captured
	// and logged like data; its Epoch is the number of waves in a row without a record.
	Wave
	// SentAgain stands behind what a sender of a job that goes on with another shape has
	// sent again. Numbered, captured and logged like data.
	SentAgain
)

// NoWatermark marks a buffer without a watermark; EndOfTime is the watermark
// behind the last record.
const (
	NoWatermark = math.MinInt64
	EndOfTime   = math.MaxInt64
)

// Buffer is the message of the model: the unit of transfer, capture, logging
// and decision. It is a batch of records or exactly one control item, and it is
// immutable once sealed: queues, wires, drafts and logs share it.
type Buffer struct {
	Item     Item
	Op       uint8 // Control: the algorithm's own kind
	Over     bool  // Control: overtakes what is queued; unnumbered
	Injected bool  // put back into an input from a snapshot or a log: returns no credit
	Shared   bool  // held by a draft or a log too: never recycled
	Epoch    id.Epoch
	// Seq is the position of the first numbered item. Records and the watermark
	// count one each, an in-band control item, a Wave, SentAgain and EndData one.
	Seq id.Seq
	// N is the number of numbered items; 0 for overtaking items and EndStream.
	N int32
	// Records is the number of records in Data.
	Records   int32
	Watermark int64  // NoWatermark: none. It stands behind the records.
	Stamp     []byte // the algorithm's piggyback
	Data      []byte // records in the framing of AppendRecord; Control: payload
	// Sum is the content hash, set when sealed if the job hashes contents.
	Sum uint64
}

// Last returns the position of the last numbered item; only when N > 0.
func (b *Buffer) Last() id.Seq { return b.Seq + id.Seq(b.N) - 1 }

// carried reports whether b is channel state: data, their end, what is asked round a
// loop, and what keeps senders in order. Algorithms capture and log that and nothing else.
func (b *Buffer) carried() bool {
	return b.Item == Data || b.Item == EndData || b.Item == Wave || b.Item == SentAgain
}

// numbered reports whether b has a position.
func (b *Buffer) numbered() bool { return b.N > 0 }

// behind returns what of b stands behind position known, which is before its
// last: b, or a copy without the known records, since others may hold b.
func (b *Buffer) behind(known id.Seq) *Buffer {
	if b.Seq > known {
		return b
	}
	c := *b
	for s := b.Seq; s <= known; s++ {
		_, c.Data = NextRecord(c.Data)
		c.Records--
		c.N--
	}
	c.Seq, c.Shared = known+1, true
	return &c
}

// AppendRecord appends one record in the framing of Buffer.Data: its length as
// a uvarint, then its bytes.
func AppendRecord(dst, rec []byte) []byte {
	n := len(rec)
	if n < 0x80 {
		dst = append(dst, byte(n))
	} else {
		dst = appendUvarint(dst, uint64(n))
	}
	return append(dst, rec...)
}

// add appends rec to Data as AppendRecord does. Where there is room only the length
// changes: storing the pointer anew, for every record, is what the write barrier of a
// collection under way costs most for.
func (b *Buffer) add(rec []byte) {
	n, at := len(rec), len(b.Data)
	if n >= 0x80 || cap(b.Data)-at <= n {
		b.Data = AppendRecord(b.Data, rec)
		return
	}
	b.Data = b.Data[:at+1+n]
	b.Data[at] = byte(n)
	copy(b.Data[at+1:], rec)
}

func appendUvarint(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// NextRecord returns the first record of data and what follows it. It returns
// nil, nil when data is empty or damaged; buffers are checked when they enter a
// task, so operators need not tell the two apart.
func NextRecord(data []byte) (rec, rest []byte) {
	if len(data) == 0 {
		return nil, nil
	}
	n := int(data[0])
	if n < 0x80 {
		if n < len(data) {
			return data[1 : 1+n : 1+n], data[1+n:]
		}
		return nil, nil
	}
	return nextLongRecord(data)
}

func nextLongRecord(data []byte) (rec, rest []byte) {
	var n uint64
	for i := 0; i < len(data) && i < 5; i++ {
		n |= uint64(data[i]&0x7f) << (7 * i)
		if data[i] < 0x80 {
			if uint64(len(data)-i-1) < n {
				return nil, nil
			}
			return data[i+1 : i+1+int(n) : i+1+int(n)], data[i+1+int(n):]
		}
	}
	return nil, nil
}
