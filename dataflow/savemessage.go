package dataflow

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"weir/id"
	"weir/state"
	"weir/state/savepoint"
)

// SaveKind is what a message about a savepoint says.
type SaveKind uint8

// The kinds.
const (
	SaveProbe   SaveKind = iota + 1 // to a task: a savepoint is to be taken; say where you stand
	SaveWrite                       // to a task: the channels are empty; write your share below Root
	SaveOver                        // to a task: go on
	SaveStands                      // from a task: the positions of its channels, and whether output is not committed yet
	SaveWritten                     // from a task: its share is durable, and what its sink had is pre-committed
	SaveRefused                     // from a task: it cannot: Text
)

// SaveMessage is a message about a savepoint between the coordinator and the kernel of a
// task, which no algorithm sees.
type SaveMessage struct {
	Kind              SaveKind
	Epoch             id.Epoch // of the savepoint
	Root              string
	Delivered, Sealed []id.Seq
	// Open: the sink has operations under way, or transactions that are not known to be committed.
	Open  bool
	Taken id.Epoch // the number under which the task's sink has sealed what it had
	Part  savepoint.PartRef
	Text  string
}

// saveMagic begins every such message; no message of an algorithm begins with a zero.
var saveMagic = []byte("\x00save")

// IsSaveMessage reports whether a message is about a savepoint.
func IsSaveMessage(data []byte) bool { return bytes.HasPrefix(data, saveMagic) }

// Encode returns the bytes of the message.
func (m *SaveMessage) Encode() []byte {
	b := append(bytes.Clone(saveMagic), byte(m.Kind), byte(flags(m.Open, false)))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Epoch))
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Taken))
	b = state.AppendString(b, m.Root)
	b = state.AppendString(b, m.Text)
	for _, at := range [...][]id.Seq{m.Delivered, m.Sealed} {
		b = binary.AppendUvarint(b, uint64(len(at)))
		for _, s := range at {
			b = binary.AppendUvarint(b, uint64(s))
		}
	}
	b = binary.AppendUvarint(b, uint64(m.Part.Task))
	b = binary.AppendUvarint(b, uint64(m.Part.Size))
	return binary.LittleEndian.AppendUint64(b, m.Part.Sum)
}

// DecodeSaveMessage is the inverse of Encode.
func DecodeSaveMessage(data []byte) (m SaveMessage, err error) {
	r := state.NewReader(data)
	r.Raw(len(saveMagic))
	m.Kind, m.Open = SaveKind(r.Byte()), r.Byte()&1 != 0
	m.Epoch, m.Taken = id.Epoch(r.Uint64()), id.Epoch(r.Uint64())
	m.Root, m.Text = string(r.Bytes()), string(r.Bytes())
	for _, at := range [...]*[]id.Seq{&m.Delivered, &m.Sealed} {
		for range r.Count(1) {
			*at = append(*at, id.Seq(r.Uvarint()))
		}
	}
	m.Part = savepoint.PartRef{Task: id.TaskID(r.Size()), Size: r.Size(), Sum: r.Uint64()}
	if err := r.Done(); err != nil {
		return m, fmt.Errorf("message about a savepoint: %w", err)
	}
	return m, nil
}
