package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"weir/id"
)

// AppendElement appends one list element with its length before it. The value
// of a KindList key is the concatenation of its framed elements.
func AppendElement(dst, elem []byte) []byte { return AppendBytes(dst, elem) }

// NextElement splits the first element off src. Both results alias src. The
// list ends when rest is empty; an empty or damaged src is an error that wraps
// ErrCorrupt.
func NextElement(src []byte) (elem, rest []byte, err error) {
	size, n := binary.Uvarint(src)
	if n <= 0 || size > uint64(len(src)-n) {
		return nil, nil, fmt.Errorf("%w: list element cut off: %d bytes left", ErrCorrupt, len(src))
	}
	end := n + int(size)
	return src[n:end:end], src[end:], nil
}

// AppendEntry appends one entry of a channel log: n items, the first at
// position seq, so that it covers (seq-1, seq+n-1], and their bytes.
func AppendEntry(dst []byte, seq id.Seq, n uint32, payload []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(seq))
	dst = binary.AppendUvarint(dst, uint64(n))
	return AppendBytes(dst, payload)
}

// NextEntry splits the first entry off src. payload and rest alias src. The
// log ends when rest is empty; an empty or damaged src is an error that wraps
// ErrCorrupt.
func NextEntry(src []byte) (seq id.Seq, n uint32, payload, rest []byte, err error) {
	r := Reader{src: src}
	seq = id.Seq(r.Uvarint())
	items := r.Uvarint()
	if items > math.MaxUint32 {
		r.Fail("%d items in a log entry", items)
	}
	payload = r.Bytes()
	if r.err != nil {
		return 0, 0, nil, nil, fmt.Errorf("log entry: %w", r.err)
	}
	return seq, uint32(items), payload, r.Rest(), nil
}

// fileRefMinBytes is the least that an encoded FileRef takes.
const fileRefMinBytes = 1 + 1 + 1 + 8 + 1

// AppendHandle appends the encoding of h.
func AppendHandle(dst []byte, h Handle) []byte {
	dst = AppendString(dst, h.Backend)
	dst = binary.LittleEndian.AppendUint16(dst, h.Version)
	dst = AppendBytes(dst, h.Inline)
	dst = AppendBytes(dst, h.Operator)
	dst = binary.AppendUvarint(dst, uint64(len(h.Files)))
	for i := range h.Files {
		f := &h.Files[i]
		dst = AppendString(dst, f.Name)
		dst = AppendString(dst, f.Local)
		dst = binary.AppendUvarint(dst, uint64(f.Size))
		dst = binary.LittleEndian.AppendUint64(dst, f.Sum)
		shared := byte(0)
		if f.Shared {
			shared = 1
		}
		dst = append(dst, shared)
	}
	dst = binary.AppendUvarint(dst, uint64(h.Bytes))
	return binary.AppendUvarint(dst, uint64(h.Changed))
}

// DecodeHandle reads one handle from the front of src. Inline, Operator and
// rest alias src. Damaged input is an error that wraps ErrCorrupt. The encoding has no
// checksum of its own: the object that holds it has one.
func DecodeHandle(src []byte) (h Handle, rest []byte, err error) {
	r := Reader{src: src}
	if err := h.Decode(&r); err != nil {
		return Handle{}, nil, err
	}
	return h, r.Rest(), nil
}

// Decode reads the next handle from r, as DecodeHandle does, in the place of h,
// whose memory is used again.
func (h *Handle) Decode(r *Reader) error {
	files := h.Files
	*h = Handle{Backend: again(h.Backend, r.Bytes()), Version: r.Uint16()}
	if b := r.Bytes(); len(b) > 0 {
		h.Inline = b
	}
	if b := r.Bytes(); len(b) > 0 {
		h.Operator = b
	}
	if n := r.Count(fileRefMinBytes); n > 0 {
		h.Files = slices.Grow(files[:0], n)[:n]
	}
	for i := range h.Files {
		h.Files[i].decode(r)
	}
	h.Bytes, h.Changed = r.Size(), r.Size()
	if r.err != nil {
		return fmt.Errorf("state handle: %w", r.err)
	}
	return nil
}

func (f *FileRef) decode(r *Reader) {
	*f = FileRef{Name: again(f.Name, r.Bytes()), Local: again(f.Local, r.Bytes()), Size: r.Size(), Sum: r.Uint64()}
	switch b := r.Byte(); b {
	case 0:
	case 1:
		f.Shared = true
	default:
		r.Fail("flag %d of file %q", b, f.Name)
	}
}

// again returns b as a string: old, if that is what it says.
func again(old string, b []byte) string {
	if old == string(b) {
		return old
	}
	return string(b)
}
