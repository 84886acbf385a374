package state

import (
	"encoding/binary"
	"fmt"
)

var kindNames = [...]string{"", "value", "list", "map", "reducing", "timers", "aggregating"}

// String returns the name of the kind, for example "list".
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// ofValues is d as a state of one value per key: KindValue unless it says otherwise.
func (d Descriptor) ofValues() (Descriptor, error) {
	switch d.Kind {
	case 0:
		d.Kind = KindValue
	case KindValue, KindReducing, KindAggregating:
	default:
		return d, fmt.Errorf("state %q: a %s is opened as one of values", d.Name, d.Kind)
	}
	return d, nil
}

// Validate reports what is wrong with a descriptor in itself.
func (d Descriptor) Validate() error {
	switch {
	case d.Name == "":
		return fmt.Errorf("state without a name: give every keyed state a name that stays the same across restarts")
	case d.Kind < KindValue || d.Kind > KindAggregating:
		return fmt.Errorf("state %q: unknown %s", d.Name, d.Kind)
	case d.FixedSize < 0:
		return fmt.Errorf("state %q: fixed size %d is negative; 0 means that it varies", d.Name, d.FixedSize)
	case d.TTL.Clock != 0 && d.Kind == KindTimers:
		return fmt.Errorf("state %q: timers do not expire, they fire", d.Name)
	case d.FixedSize > 0 && (d.Kind == KindList || d.Kind == KindMap || d.Kind == KindTimers):
		return fmt.Errorf("state %q: a %s has no fixed size; only value, reducing and aggregating state may", d.Name, d.Kind)
	}
	if err := d.TTL.Validate(); err != nil {
		return fmt.Errorf("state %q: %w", d.Name, err)
	}
	return nil
}

// AppendDescriptor appends what a snapshot says of a state: name (bytes), kind (1
// byte), codec (bytes), fixed size, the clock of its TTL (1 byte), and if there is
// one the duration. Numbers are varints, bytes have their length before them.
func AppendDescriptor(dst []byte, d Descriptor) []byte {
	dst = AppendString(dst, d.Name)
	dst = append(dst, byte(d.Kind))
	dst = AppendString(dst, d.Codec)
	dst = binary.AppendUvarint(dst, uint64(d.FixedSize))
	dst = append(dst, byte(d.TTL.Clock))
	if d.TTL.Clock != 0 {
		dst = binary.AppendUvarint(dst, uint64(d.TTL.Duration))
	}
	return dst
}

// MinDescriptorBytes is the least that AppendDescriptor appends.
const MinDescriptorBytes = 5

// ReadDescriptor is the inverse of AppendDescriptor. A descriptor that is not valid
// is damage.
func ReadDescriptor(r *Reader) Descriptor {
	d := Descriptor{Name: string(r.Bytes()), Kind: Kind(r.Byte()), Codec: string(r.Bytes()), FixedSize: int(r.Size())}
	if d.TTL.Clock = Clock(r.Byte()); d.TTL.Clock != 0 {
		d.TTL.Duration = r.Size()
	}
	if err := d.Validate(); err != nil && r.err == nil {
		r.Fail("%v", err)
	}
	return d
}

// CheckStored compares what the job declares with what a snapshot holds under
// the same name; a difference is an error that wraps ErrIncompatible.
func (d Descriptor) CheckStored(stored Descriptor) error {
	declared := d
	declared.TTL, stored.TTL = TTL{Clock: d.TTL.Clock}, TTL{Clock: stored.TTL.Clock}
	if declared == stored {
		return nil
	}
	return fmt.Errorf("%w: state %q: the job declares %s, the snapshot holds %s; run the version that wrote it, or give the state a new name",
		ErrIncompatible, d.Name, d.shape(), stored.shape())
}

func (d Descriptor) shape() string {
	expires := ""
	if d.TTL.Clock != 0 {
		expires = fmt.Sprintf(", expiring by %s", d.TTL.Clock)
	}
	if d.FixedSize > 0 {
		return fmt.Sprintf("a %s of codec %q (%d bytes)%s", d.Kind, d.Codec, d.FixedSize, expires)
	}
	return fmt.Sprintf("a %s of codec %q (size varies)%s", d.Kind, d.Codec, expires)
}
