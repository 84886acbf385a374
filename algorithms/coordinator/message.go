package coordinator

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// MessageKind is what a message between coordinator and task says.
type MessageKind uint8

const (
	// To tasks.
	Trigger  MessageKind = iota + 1 // begin Epoch, incremental against Base, if no input will bring it
	Complete                        // Epoch is true: commit; Base may be forgotten below
	Abort                           // Epoch is given up
	Pause                           // uncoordinated: stop, make the log durable, report positions
	// To the coordinator.
	Ack      // Epoch is durable: Stored
	Decline  // Epoch cannot be stored: Text
	Drained  // the last record is processed
	Leaving  // the task takes no round above Epoch any more
	Position // uncoordinated: live positions in Stored.Header
)

// Message is one message between coordinator and task.
type Message struct {
	Kind   MessageKind
	Epoch  id.Epoch
	Base   id.Epoch
	Text   string
	Stored dataflow.Stored // Ack, Position
}

// Encode returns the bytes of m.
func (m *Message) Encode() []byte {
	b := make([]byte, 0, 24+len(m.Text)+m.partSize())
	b = append(b, byte(m.Kind))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Epoch))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Base))
	b = state.AppendString(b, m.Text)
	if m.Kind == Ack || m.Kind == Position {
		b = appendPart(b, PartOf(&m.Stored))
	}
	return b
}

// partSize is about how many bytes the part of the message takes.
func (m *Message) partSize() int {
	if m.Kind != Ack && m.Kind != Position {
		return 0
	}
	return partSize(len(m.Stored.Ref), len(m.Stored.Header.Delivered)+len(m.Stored.Header.Sealed), len(m.Stored.Files))
}

func partSize(ref, positions, files int) int { return 40 + ref + 4*positions + 64*files }

// DecodeMessage is the inverse of Encode.
func DecodeMessage(src []byte) (m Message, part Part, err error) {
	r := state.NewReader(src)
	m.Kind, m.Epoch, m.Base = MessageKind(r.Byte()), id.Epoch(r.Uint64()), id.Epoch(r.Uint64())
	m.Text = string(r.Bytes())
	if m.Kind == Ack || m.Kind == Position {
		part = readPart(r, make([]id.Seq, 0, 8))
	}
	if err := r.Done(); err != nil {
		return m, part, fmt.Errorf("message between coordinator and task: %w", err)
	}
	return m, part, nil
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
	for range r.Count(1) {
		to = append(to, id.Seq(r.Uvarint()))
	}
	return to
}
