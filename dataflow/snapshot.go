package dataflow

import (
	"encoding/binary"
	"errors"
	"fmt"

	"weir/dataflow/id"
	"weir/state"
)

// SnapshotVersion is the version of the snapshot object's format.
const SnapshotVersion = 1

const snapshotMagic = "WEIRSNAP"

// Header is what a snapshot says without its contents.
type Header struct {
	Epoch     id.Epoch
	Attempt   id.Attempt // of the incarnation that took it
	Base      id.Epoch   // snapshot whose files it may refer to, 0 = none
	Offset    id.Offset  // source
	Watermark int64
	Drained   bool
	Sum       uint64 // logical state, if Config.CheckState
	Delivered []id.Seq
	Sealed    []id.Seq
	Inputs    []InputHeader
	Pending   []id.Epoch // sink transactions sealed and not known committed
	Save      []byte     // the algorithm's section
}

// InputHeader is the state of one input at the instant.
type InputHeader struct {
	Watermark   int64
	Ended, Gone bool
}

// Snapshot is a decoded snapshot object.
type Snapshot struct {
	Job, Task string // names, for the check that it is ours
	Index     int
	Header
	List    []byte
	Timers  []byte
	Handle  state.Handle
	In, Out []CapturedBuffer
}

// CapturedBuffer is one in-flight buffer of a snapshot with its input or output.
type CapturedBuffer struct {
	Channel int
	Buffer  *Buffer
}

var errSnapshot = errors.New("snapshot object is damaged")

func (d *Draft) encode() []byte {
	t := d.t
	handle := d.capture.Handle()
	b := make([]byte, 0, 192+len(t.job)+len(t.info.Name)+20*len(d.head.Delivered)+10*len(d.head.Sealed)+10*len(d.head.Pending)+
		len(d.head.Save)+len(d.list)+len(d.timers)+len(handle.Inline)+64*len(handle.Files)+int(d.bytesIn+d.bytesOut)+48*(len(d.in)+len(d.out)))
	b = append(b, snapshotMagic...)
	b = append(b, SnapshotVersion, 0)
	b = AppendRecord(b, []byte(t.job))
	b = AppendRecord(b, []byte(t.info.Name))
	b = appendUvarint(b, uint64(t.info.Index))
	h := &d.head
	for _, v := range [...]uint64{uint64(h.Epoch), uint64(h.Attempt), uint64(h.Base), uint64(h.Offset), uint64(h.Watermark), h.Sum, flags(h.Drained, false)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = appendUvarint(b, uint64(len(h.Delivered)))
	for i, s := range h.Delivered {
		b = appendUvarint(b, uint64(s))
		b = binary.LittleEndian.AppendUint64(b, uint64(h.Inputs[i].Watermark))
		b = append(b, byte(flags(h.Inputs[i].Ended, h.Inputs[i].Gone)))
	}
	b = appendUvarint(b, uint64(len(h.Sealed)))
	for _, s := range h.Sealed {
		b = appendUvarint(b, uint64(s))
	}
	b = appendUvarint(b, uint64(len(h.Pending)))
	for _, e := range h.Pending {
		b = appendUvarint(b, uint64(e))
	}
	b = AppendRecord(b, h.Save)
	b = AppendRecord(b, d.list)
	b = AppendRecord(b, d.timers)
	b = appendCaptured(b, d.in)
	b = appendCaptured(b, d.out)
	return state.AppendHandle(b, handle)
}

func flags(a, b bool) uint64 {
	var f uint64
	if a {
		f |= 1
	}
	if b {
		f |= 2
	}
	return f
}

func appendCaptured(b []byte, cs []captured) []byte {
	b = appendUvarint(b, uint64(len(cs)))
	for _, c := range cs {
		b = appendUvarint(b, uint64(c.channel))
		b = state.AppendEntry(b, c.b.Seq, uint32(c.b.N), EncodeBuffer(nil, c.b))
	}
	return b
}

// EncodeBuffer appends a numbered buffer as it is captured and logged; its
// position travels beside it.
func EncodeBuffer(dst []byte, b *Buffer) []byte {
	dst = append(dst, byte(b.Item), b.Op)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.Epoch))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(b.Watermark))
	dst = binary.LittleEndian.AppendUint64(dst, b.Sum)
	dst = appendUvarint(dst, uint64(b.Records))
	dst = AppendRecord(dst, b.Stamp)
	return append(dst, b.Data...)
}

// DecodeBuffer is the inverse of EncodeBuffer; the buffer aliases src and
// checks that its records are whole.
func DecodeBuffer(seq id.Seq, n uint32, src []byte) (*Buffer, error) {
	r := reader{src: src}
	b := &Buffer{Shared: true, Injected: true, Seq: seq, N: int32(n)}
	b.Item, b.Op = Item(r.byte()), r.byte()
	b.Epoch, b.Watermark, b.Sum = id.Epoch(r.u64()), int64(r.u64()), r.u64()
	records := r.uvarint()
	b.Stamp = r.bytes()
	if r.err != nil {
		return nil, r.err
	}
	b.Data = r.src
	rest := b.Data
	for i := uint64(0); i < records; i++ {
		var rec []byte
		if rec, rest = NextRecord(rest); rec == nil {
			return nil, errSnapshot
		}
	}
	if len(rest) > 0 && b.Item == Data || b.Item > EndData || records > uint64(n) {
		return nil, errSnapshot
	}
	b.Records = int32(records)
	return b, nil
}

// DecodeSnapshot reads a snapshot object. The result aliases src.
func DecodeSnapshot(src []byte) (*Snapshot, error) {
	if len(src) < 10 || string(src[:8]) != snapshotMagic {
		return nil, fmt.Errorf("this is no snapshot object of weir")
	}
	if v := int(src[8]) | int(src[9])<<8; v != SnapshotVersion {
		return nil, fmt.Errorf("snapshot format version %d: this program reads version %d; restore with the program that wrote it", v, SnapshotVersion)
	}
	r := reader{src: src[10:]}
	s := &Snapshot{Job: string(r.bytes()), Task: string(r.bytes()), Index: int(r.uvarint())}
	h := &s.Header
	h.Epoch, h.Attempt, h.Base, h.Offset = id.Epoch(r.u64()), id.Attempt(r.u64()), id.Epoch(r.u64()), id.Offset(r.u64())
	h.Watermark, h.Sum = int64(r.u64()), r.u64()
	h.Drained = r.u64()&1 != 0
	if n := r.count(); n > 0 {
		h.Delivered, h.Inputs = make([]id.Seq, n), make([]InputHeader, n)
	}
	for i := range h.Delivered {
		h.Delivered[i] = id.Seq(r.uvarint())
		h.Inputs[i].Watermark = int64(r.u64())
		f := r.byte()
		h.Inputs[i].Ended, h.Inputs[i].Gone = f&1 != 0, f&2 != 0
	}
	if n := r.count(); n > 0 {
		h.Sealed = make([]id.Seq, n)
	}
	for i := range h.Sealed {
		h.Sealed[i] = id.Seq(r.uvarint())
	}
	for range r.count() {
		h.Pending = append(h.Pending, id.Epoch(r.uvarint()))
	}
	h.Save, s.List, s.Timers = r.bytes(), r.bytes(), r.bytes()
	s.In = r.captured(len(h.Delivered))
	s.Out = r.captured(len(h.Sealed))
	if r.err != nil {
		return nil, r.err
	}
	var err error
	if s.Handle, _, err = state.DecodeHandle(r.src); err != nil {
		return nil, err
	}
	return s, nil
}

// reader decodes with a sticky error.
type reader struct {
	src []byte
	err error
}

func (r *reader) fail() {
	r.err = errSnapshot
	r.src = nil
}

func (r *reader) byte() byte {
	if len(r.src) < 1 {
		r.fail()
		return 0
	}
	v := r.src[0]
	r.src = r.src[1:]
	return v
}

func (r *reader) u64() uint64 {
	if len(r.src) < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.src)
	r.src = r.src[8:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.src)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.src = r.src[n:]
	return v
}

// count reads a number of elements, each at least one byte long.
func (r *reader) count() uint64 {
	n := r.uvarint()
	if n > uint64(len(r.src)) {
		r.fail()
		return 0
	}
	return n
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.src)) {
		r.fail()
		return nil
	}
	v := r.src[:n:n]
	r.src = r.src[n:]
	return v
}

func (r *reader) captured(channels int) []CapturedBuffer {
	var out []CapturedBuffer
	for range r.count() {
		c := r.uvarint()
		seq, n, payload, rest, err := state.NextEntry(r.src)
		if err != nil || c >= uint64(channels) {
			r.fail()
			return nil
		}
		r.src = rest
		b, err := DecodeBuffer(seq, n, payload)
		if err != nil {
			r.fail()
			return nil
		}
		out = append(out, CapturedBuffer{int(c), b})
	}
	return out
}
