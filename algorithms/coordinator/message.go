package coordinator

import (
	"encoding/binary"
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// MessageKind is what a message between coordinator and task says. Families of
// algorithms and single ones have kinds of their own beside these.
type MessageKind string

// The kinds that every algorithm with snapshots uses.
const (
	Complete MessageKind = "complete" // to a task: Epoch can never be rolled back, commit; Base may be forgotten below
	Ack      MessageKind = "ack"      // from a task: Epoch is durable: Stored
	Decline  MessageKind = "decline"  // from a task: Epoch cannot be stored: Text
)

// Message is one message between coordinator and task.
type Message struct {
	Kind   MessageKind
	Epoch  id.Epoch
	Base   id.Epoch
	Text   string
	Stored *dataflow.Stored // with Ack; elsewhere positions in its Header, or nil
}

// Encode returns the bytes of m.
func (m *Message) Encode() []byte {
	b := make([]byte, 0, 32+len(m.Kind)+len(m.Text)+m.partSize())
	b = state.AppendString(b, string(m.Kind))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Epoch))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Base))
	b = state.AppendString(b, m.Text)
	if m.Stored == nil {
		return append(b, 0)
	}
	return appendPart(append(b, 1), PartOf(m.Stored))
}

// partSize is about how many bytes the part of the message takes.
func (m *Message) partSize() int {
	if m.Stored == nil {
		return 0
	}
	return partSize(len(m.Stored.Ref), len(m.Stored.Header.Delivered)+len(m.Stored.Header.Sealed), len(m.Stored.Files))
}

func partSize(ref, positions, files int) int { return 40 + ref + 4*positions + 64*files }

// DecodeMessage is the inverse of Encode; part is what PartOf says of Stored.
// Kinds of the caller's own that are frequent cost no memory if they are named.
func DecodeMessage(src []byte, kinds ...MessageKind) (m Message, part Part, err error) {
	r := state.NewReader(src)
	m.Kind, m.Epoch, m.Base = kindOf(r.Bytes(), kinds), id.Epoch(r.Uint64()), id.Epoch(r.Uint64())
	m.Text = string(r.Bytes())
	if r.Byte() != 0 {
		part = readPart(r, make([]id.Seq, 0, 8))
	}
	if err := r.Done(); err != nil {
		return m, part, fmt.Errorf("message between coordinator and task: %w", err)
	}
	return m, part, nil
}

// kindOf returns the kind that is called name.
func kindOf(name []byte, kinds []MessageKind) MessageKind {
	switch string(name) {
	case string(Complete):
		return Complete
	case string(Ack):
		return Ack
	}
	for _, k := range kinds {
		if string(name) == string(k) {
			return k
		}
	}
	return MessageKind(name)
}

// Part is one task's share of a checkpoint: where it is and what it consists of.
type Part struct {
	Ref       dataflow.Ref
	Epoch     id.Epoch
	Drained   bool
	Left      bool // the task had left: its last snapshot is carried over
	Size      int64
	State     int64
	Changed   int64
	InBytes   int64
	OutBytes  int64
	Delivered []id.Seq
	Sealed    []id.Seq
	Files     []state.FileRef
}

// PartOf returns the share that s describes.
func PartOf(s *dataflow.Stored) Part {
	h := &s.Header
	return Part{
		Ref: s.Ref, Epoch: h.Epoch, Drained: h.Drained, Size: s.Size, State: s.State, Changed: s.Changed,
		InBytes: s.InBytes, OutBytes: s.OutByte, Delivered: h.Delivered, Sealed: h.Sealed, Files: s.Files,
	}
}

func appendPart(b []byte, p Part) []byte {
	b = state.AppendString(b, string(p.Ref))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Epoch))
	var f byte
	if p.Drained {
		f |= 1
	}
	if p.Left {
		f |= 2
	}
	b = append(b, f)
	for _, v := range [...]int64{p.Size, p.State, p.Changed, p.InBytes, p.OutBytes} {
		b = binary.AppendUvarint(b, uint64(v))
	}
	b = appendSeqs(b, p.Delivered)
	b = appendSeqs(b, p.Sealed)
	return state.AppendHandle(b, state.Handle{Files: p.Files})
}

func appendSeqs(b []byte, ss []id.Seq) []byte {
	b = binary.AppendUvarint(b, uint64(len(ss)))
	for _, s := range ss {
		b = binary.AppendUvarint(b, uint64(s))
	}
	return b
}

// readPart reads a share; its positions come to stand in room, if there is enough.
func readPart(r *state.Reader, room []id.Seq) (p Part) {
	p.Ref, p.Epoch = dataflow.Ref(r.Bytes()), id.Epoch(r.Uint64())
	f := r.Byte()
	p.Drained, p.Left = f&1 != 0, f&2 != 0
	for _, v := range [...]*int64{&p.Size, &p.State, &p.Changed, &p.InBytes, &p.OutBytes} {
		*v = r.Size()
	}
	positions := readSeqs(r, room)
	n := len(positions)
	positions = readSeqs(r, positions)
	p.Delivered, p.Sealed = positions[:n:n], positions[n:]
	h, rest, err := state.DecodeHandle(r.Rest())
	if err != nil {
		r.Fail("files of a part: %v", err)
		return p
	}
	*r = *state.NewReader(rest)
	p.Files = h.Files
	return p
}

// readSeqs appends positions.
func readSeqs(r *state.Reader, to []id.Seq) []id.Seq {
	n := r.Count(1)
	to = slices.Grow(to, n)
	for range n {
		to = append(to, id.Seq(r.Uvarint()))
	}
	return to
}
