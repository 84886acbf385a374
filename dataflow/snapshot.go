package dataflow

import (
	"encoding/binary"
	"fmt"
	"slices"

	"weir/id"
	"weir/state"
)

// SnapshotVersion is the version of the snapshot object's format. Objects without
// Header.Ahead, which is all that it has added, are of the version before, which is read too.
const (
	SnapshotVersion = 7
	withoutAhead    = 6
)

const snapshotMagic = "WEIRSNAP"

// Header is what a snapshot says without its contents.
type Header struct {
	Epoch     id.Epoch
	Attempt   id.Attempt    // of the incarnation that took it
	Base      id.Epoch      // snapshot whose files it may refer to, 0 = none
	Splits    []SplitHeader // of a source
	Watermark int64
	// Firing: the watermark is under way, timers up to it are left in the state.
	// Positions count the buffer that brought it as delivered. Advancing: the
	// operator and the outputs are still to be told of it.
	Firing, Advancing bool
	Drained           bool
	Sum               uint64 // logical state, if Config.CheckState
	Delivered         []id.Seq
	Sealed            []id.Seq
	Inputs            []InputHeader
	Pending           []id.Epoch // sink transactions sealed and not known committed
	// Rotation is the next receiver of each Rebalance edge: a replay sends every
	// record where it went before.
	Rotation []uint32
	// Finished are the key groups for which Finish was called before the parallelism
	// of the operator changed.
	Finished []state.GroupRange
	// Ahead are the key groups for which event time had come further, at their owner of
	// before the parallelism changed, than Watermark. They are in order and do not overlap.
	Ahead []GroupsAhead
	Loop  LoopHeader
	Save  []byte // the algorithm's section
}

// SplitHeader is the state of one split of a source at the instant.
type SplitHeader struct {
	Split     int // index in its vertex
	Offset    id.Offset
	Watermark int64
	Ended     bool
}

// InputHeader is the state of one input at the instant.
type InputHeader struct {
	Watermark   int64
	Ended, Gone bool
	// Awaits: the end of what the sender has sent again from an older shape is to come.
	// Waits: it has come, and others of the same edge await theirs.
	Awaits, Waits bool
	Waves         InputWaves
	// Beyond is what was delivered out of order; nil: nothing, as on every FIFO channel.
	Beyond *Beyond
}

// Snapshot is a decoded snapshot object.
type Snapshot struct {
	Job, Task string // names, for the check that it is ours
	Index     int
	Header
	// InEdges and OutEdges say what the channels of In and Out are.
	InEdges, OutEdges []EdgeHeader

	Handle  state.Handle
	In, Out []CapturedBuffer
}

// CapturedBuffer is one in-flight buffer of a snapshot with its input or output.
type CapturedBuffer struct {
	Channel int
	Buffer  *Buffer
}

func (d *Draft) encode() []byte {
	t := d.t
	handle := d.capture.Handle()
	b := make([]byte, 0, 192+len(t.job)+len(t.info.Name)+20*len(d.head.Delivered)+10*len(d.head.Sealed)+10*len(d.head.Pending)+
		len(t.edgeSection())+len(d.head.Save)+len(handle.Inline)+len(handle.Operator)+64*len(handle.Files)+int(d.bytesIn+d.bytesOut)+48*(len(d.in)+len(d.out)))
	b = append(b, snapshotMagic...)
	version := byte(withoutAhead)
	if len(d.head.Ahead) > 0 {
		version = SnapshotVersion
	}
	b = append(b, version, 0)
	b = AppendRecord(b, []byte(t.job))
	b = AppendRecord(b, []byte(t.info.Name))
	b = appendUvarint(b, uint64(t.info.Index))
	h := &d.head
	for _, v := range [...]uint64{uint64(h.Epoch), uint64(h.Attempt), uint64(h.Base), uint64(h.Watermark), h.Sum, flags(h.Drained, h.Firing) | flags(false, h.Advancing)<<1} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = appendSplits(b, h.Splits)
	b = appendUvarint(b, uint64(len(h.Delivered)))
	for i, s := range h.Delivered {
		b = appendUvarint(b, uint64(s))
		b = binary.LittleEndian.AppendUint64(b, uint64(h.Inputs[i].Watermark))
		b = appendInputFlags(b, &h.Inputs[i])
	}
	b = appendUvarint(b, uint64(len(h.Sealed)))
	for _, s := range h.Sealed {
		b = appendUvarint(b, uint64(s))
	}
	b = appendUvarint(b, uint64(len(h.Pending)))
	for _, e := range h.Pending {
		b = appendUvarint(b, uint64(e))
	}
	b = appendUvarint(b, uint64(len(h.Rotation)))
	for _, n := range h.Rotation {
		b = appendUvarint(b, uint64(n))
	}
	b = appendGroups(b, h.Finished)
	if version == SnapshotVersion {
		b = appendAhead(b, h.Ahead)
	}
	b = appendLoop(b, &h.Loop)
	b = AppendRecord(b, h.Save)
	b = append(b, t.edgeSection()...)
	b = t.appendCaptured(b, d.in)
	b = t.appendCaptured(b, d.out)
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

const (
	flagBeyond = 4
	flagWaves  = 8
	flagAwaits = 16
	flagWaits  = 32
)

func appendInputFlags(b []byte, in *InputHeader) []byte {
	f := byte(flags(in.Ended, in.Gone) | flags(in.Awaits, in.Waits)*flagAwaits)
	if in.Beyond != nil {
		f |= flagBeyond
	}
	if in.Waves.Seen == 0 {
		b = append(b, f)
	} else {
		b = appendUvarint(appendUvarint(append(b, f|flagWaves), uint64(in.Waves.Seen)), uint64(in.Waves.Quiet))
	}
	if in.Beyond == nil {
		return b
	}
	b = appendUvarint(b, uint64(in.Beyond.EndAt))
	b = appendUvarint(b, uint64(len(in.Beyond.Delivered)))
	for _, s := range in.Beyond.Delivered {
		b = appendUvarint(appendUvarint(b, uint64(s.From)), uint64(s.To))
	}
	b = appendUvarint(b, uint64(len(in.Beyond.Held)))
	for _, h := range in.Beyond.Held {
		b = binary.LittleEndian.AppendUint64(appendUvarint(b, uint64(h.At)), uint64(h.Watermark))
	}
	return b
}

func readInputFlags(r *state.Reader, upTo id.Seq, in *InputHeader) {
	f := r.Byte()
	in.Ended, in.Gone, in.Awaits, in.Waits = f&1 != 0, f&2 != 0, f&flagAwaits != 0, f&flagWaits != 0
	if f&flagWaves != 0 {
		in.Waves = InputWaves{Seen: uint32(r.Uvarint()), Quiet: uint32(r.Uvarint())}
	}
	if f&flagBeyond == 0 {
		return
	}
	in.Beyond = &Beyond{EndAt: id.Seq(r.Uvarint())}
	for range r.Count(2) {
		s := Span{From: id.Seq(r.Uvarint()), To: id.Seq(r.Uvarint())}
		if s.From <= upTo || s.From >= s.To {
			r.Fail("positions (%d, %d] behind %d", s.From, s.To, upTo)
			return
		}
		upTo = s.To
		in.Beyond.Delivered = append(in.Beyond.Delivered, s)
	}
	for range r.Count(9) {
		in.Beyond.Held = append(in.Beyond.Held, HeldWatermark{At: id.Seq(r.Uvarint()), Watermark: int64(r.Uint64())})
	}
}

func (t *Task) appendCaptured(b []byte, cs []captured) []byte {
	b = appendUvarint(b, uint64(len(cs)))
	for _, c := range cs {
		b = appendUvarint(b, uint64(c.channel))
		t.encoded = EncodeBuffer(t.encoded[:0], c.b)
		b = state.AppendEntry(b, c.b.Seq, uint32(c.b.N), t.encoded)
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

// DecodeBuffer is the inverse of EncodeBuffer; the buffer aliases src. It checks
// that the records are whole and take as many positions as n says.
func DecodeBuffer(seq id.Seq, n uint32, src []byte) (*Buffer, error) {
	r := state.NewReader(src)
	b := &Buffer{Shared: true, Seq: seq, N: int32(n)}
	b.Item, b.Op = Item(r.Byte()), r.Byte()
	b.Epoch, b.Watermark, b.Sum = id.Epoch(r.Uint64()), int64(r.Uint64()), r.Uint64()
	b.Records = int32(r.Count(1))
	b.Stamp = r.Bytes()
	if r.Err() != nil {
		return nil, fmt.Errorf("buffer: %w", r.Err())
	}
	b.Data = r.Rest()
	rest := b.Data
	for range b.Records {
		var rec []byte
		if rec, rest = NextRecord(rest); rec == nil {
			return nil, fmt.Errorf("buffer: %w: a record is cut short", state.ErrCorrupt)
		}
	}
	positions := b.Records
	if b.Watermark != NoWatermark || b.carried() && b.Item != Data {
		positions++
	}
	whole := b.Item == Data || b.carried() && positions == 1
	if !whole || len(rest) > 0 || positions != b.N || positions == 0 || seq == 0 {
		return nil, fmt.Errorf("buffer: %w: item %d with %d records, %d bytes behind them and %d positions from %d", state.ErrCorrupt, b.Item, b.Records, len(rest), n, seq)
	}
	return b, nil
}

// DecodeSnapshot reads a snapshot object. The result aliases src. Its errors
// wrap state.ErrCorrupt or state.ErrIncompatible.
func DecodeSnapshot(src []byte) (*Snapshot, error) {
	s := &Snapshot{}
	if err := s.Decode(src); err != nil {
		return nil, err
	}
	return s, nil
}

// Decode is DecodeSnapshot in the place of s, whose memory is used again: who
// only looks at many snapshots needs no memory for each. After an error s is of
// no meaning.
func (s *Snapshot) Decode(src []byte) error {
	if len(src) < 10 || string(src[:8]) != snapshotMagic {
		return fmt.Errorf("this is no snapshot object of weir: %w", state.ErrCorrupt)
	}
	version := int(src[8]) | int(src[9])<<8
	if version != SnapshotVersion && version != withoutAhead {
		return fmt.Errorf("snapshot of format version %d, this program reads %d and %d: restore with the program that wrote it: %w", version, withoutAhead, SnapshotVersion, state.ErrIncompatible)
	}
	r := state.NewReader(src[10:])
	s.Job, s.Task, s.Index = again(s.Job, r.Bytes()), again(s.Task, r.Bytes()), int(r.Size())
	readHeader(r, &s.Header, version)
	s.Save = r.Bytes()
	s.InEdges, s.OutEdges = readEdges(r, s.InEdges), readEdges(r, s.OutEdges)
	s.In = readCaptured(r, len(s.Delivered), s.In[:0])
	s.Out = readCaptured(r, len(s.Sealed), s.Out[:0])
	if r.Err() == nil {
		if err := s.Handle.Decode(r); err != nil {
			return fmt.Errorf("snapshot object: %w", err)
		}
	}
	if err := r.Done(); err != nil {
		return fmt.Errorf("snapshot object: %w", err)
	}
	return nil
}

// again returns b as a string: old, if that is what it says.
func again(old string, b []byte) string {
	if old == string(b) {
		return old
	}
	return string(b)
}

// readHeader reads a header of a version in the place of h.
func readHeader(r *state.Reader, h *Header, version int) {
	*h = Header{Delivered: h.Delivered[:0], Sealed: h.Sealed[:0], Inputs: h.Inputs[:0], Pending: h.Pending[:0], Rotation: h.Rotation[:0], Splits: h.Splits[:0]}
	h.Epoch, h.Attempt, h.Base = id.Epoch(r.Uint64()), id.Attempt(r.Uint64()), id.Epoch(r.Uint64())
	h.Watermark, h.Sum = int64(r.Uint64()), r.Uint64()
	f := r.Uint64()
	h.Drained, h.Firing, h.Advancing = f&1 != 0, f&2 != 0, f&4 != 0
	h.Splits = readSplits(r, h.Splits)
	if n := r.Count(10); n > 0 {
		h.Delivered, h.Inputs = slices.Grow(h.Delivered, n), slices.Grow(h.Inputs, n)
		for range n {
			at, in := id.Seq(r.Uvarint()), InputHeader{Watermark: int64(r.Uint64())}
			readInputFlags(r, at, &in)
			h.Delivered, h.Inputs = append(h.Delivered, at), append(h.Inputs, in)
		}
	}
	n := r.Count(1)
	h.Sealed = slices.Grow(h.Sealed, n)
	for range n {
		h.Sealed = append(h.Sealed, id.Seq(r.Uvarint()))
	}
	for range r.Count(1) {
		h.Pending = append(h.Pending, id.Epoch(r.Uvarint()))
	}
	for range r.Count(1) {
		h.Rotation = append(h.Rotation, uint32(r.Uvarint()))
	}
	h.Finished = readGroups(r)
	if version == SnapshotVersion {
		h.Ahead = readAhead(r)
	}
	h.Loop.Sent, h.Loop.Quiet = uint32(r.Uvarint()), uint32(r.Uvarint())
	l := r.Byte()
	h.Loop.Moved, h.Loop.Ended = l&1 != 0, l&2 != 0
}

func appendGroups(b []byte, ranges []state.GroupRange) []byte {
	b = appendUvarint(b, uint64(len(ranges)))
	for _, g := range ranges {
		b = appendUvarint(appendUvarint(b, uint64(g.Lo)), uint64(g.Hi))
	}
	return b
}

func readGroups(r *state.Reader) (ranges []state.GroupRange) {
	const least = 2 // bytes that a range takes
	for range r.Count(least) {
		ranges = append(ranges, state.GroupRange{Lo: uint16(r.Uvarint()), Hi: uint16(r.Uvarint())})
	}
	return ranges
}

func appendLoop(b []byte, l *LoopHeader) []byte {
	b = appendUvarint(appendUvarint(b, uint64(l.Sent)), uint64(l.Quiet))
	return append(b, byte(flags(l.Moved, l.Ended)))
}

// readCaptured appends the captured buffers of one side to out.
func readCaptured(r *state.Reader, channels int, out []CapturedBuffer) []CapturedBuffer {
	const least = 30 // bytes that a captured buffer takes
	for range r.Count(least) {
		c := r.Uvarint()
		seq, n, payload, rest, err := state.NextEntry(r.Rest())
		var b *Buffer
		if err == nil {
			b, err = DecodeBuffer(seq, n, payload)
		}
		if err == nil && c >= uint64(channels) {
			err = fmt.Errorf("channel %d of %d", c, channels)
		}
		if err != nil {
			r.Fail("captured buffer: %v", err)
			return nil
		}
		*r = *state.NewReader(rest)
		out = append(out, CapturedBuffer{int(c), b})
	}
	return out
}
