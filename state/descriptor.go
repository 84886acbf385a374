package state

import (
	"encoding/binary"
	"fmt"
	"strings"
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
	case d.FixedSize > 0 && d.Schemas != "":
		return fmt.Errorf("state %q: values of several versions have no fixed size", d.Name)
	case d.Kind == KindTimers && d.Schemas != "":
		return fmt.Errorf("state %q: timers have no values, and so no schemas", d.Name)
	case d.FixedSize > 0 && (d.Kind == KindList || d.Kind == KindMap || d.Kind == KindTimers):
		return fmt.Errorf("state %q: a %s has no fixed size; only value, reducing and aggregating state may", d.Name, d.Kind)
	}
	if err := d.TTL.Validate(); err != nil {
		return fmt.Errorf("state %q: %w", d.Name, err)
	}
	return nil
}

// hasSchemas is set in the byte of the kind if schemas follow.
const hasSchemas = 0x80

// AppendDescriptor appends what a snapshot says of a state: name (bytes), kind (1
// byte), codec (bytes), fixed size, the clock of its TTL (1 byte), if there is
// one the duration, and if its values have versions (kind + 128) their schemas (bytes).
// Numbers are varints, bytes have their length before them.
func AppendDescriptor(dst []byte, d Descriptor) []byte {
	kind := byte(d.Kind)
	if d.Schemas != "" {
		kind |= hasSchemas
	}
	dst = AppendString(dst, d.Name)
	dst = append(dst, kind)
	dst = AppendString(dst, d.Codec)
	dst = binary.AppendUvarint(dst, uint64(d.FixedSize))
	dst = append(dst, byte(d.TTL.Clock))
	if d.TTL.Clock != 0 {
		dst = binary.AppendUvarint(dst, uint64(d.TTL.Duration))
	}
	if d.Schemas != "" {
		dst = AppendString(dst, string(d.Schemas))
	}
	return dst
}

// MinDescriptorBytes is the least that AppendDescriptor appends.
const MinDescriptorBytes = 5

// ReadDescriptor is the inverse of AppendDescriptor. A descriptor that is not valid
// is damage.
func ReadDescriptor(r *Reader) Descriptor {
	name, kind := string(r.Bytes()), r.Byte()
	d := Descriptor{Name: name, Kind: Kind(kind &^ hasSchemas), Codec: string(r.Bytes()), FixedSize: int(r.Size())}
	if d.TTL.Clock = Clock(r.Byte()); d.TTL.Clock != 0 {
		d.TTL.Duration = r.Size()
	}
	if kind&hasSchemas != 0 {
		d.Schemas = readSchemas(r)
	}
	if err := d.Validate(); err != nil && r.err == nil {
		r.Fail("%v", err)
	}
	return d
}

// Over returns d as a state is that a store has, where it is opened as d over what a
// snapshot holds: with the schemas of both. d may also be what another snapshot of the job
// holds. This is where it is decided whether what is stored goes with what is declared:
// a difference is an error that wraps ErrIncompatible.
func (d Descriptor) Over(stored Descriptor) (Descriptor, error) {
	if !d.goesWith(stored) {
		return d, fmt.Errorf("%w: state %q: the job declares %s, the snapshot holds %s; %s",
			ErrIncompatible, d.Name, d.shape(), stored.shape(), d.advice(stored))
	}
	if d.Evolution != nil {
		if _, err := judge(d.Evolution, stored.Schemas); err != nil {
			return d, fmt.Errorf("state %q: %w; run the version that wrote it, or one that reads both", d.Name, err)
		}
	}
	var err error
	if d.Schemas, err = d.Schemas.merge(stored.Schemas); err != nil {
		return d, fmt.Errorf("state %q: %w", d.Name, err)
	}
	return d, nil
}

// goesWith compares what must be the same: of values that have versions the name of the
// codec alone.
func (d Descriptor) goesWith(stored Descriptor) bool {
	if d.Evolution != nil && stored.Schemas != "" {
		d.Codec, stored.Codec = unversioned(d.Codec), unversioned(stored.Codec)
		d.Schemas, stored.Schemas = "", ""
	}
	if d.Schemas != "" && stored.Schemas != "" {
		d.Schemas, stored.Schemas = "", ""
	}
	d.TTL, stored.TTL = TTL{Clock: d.TTL.Clock}, TTL{Clock: stored.TTL.Clock}
	d.Evolution, stored.Evolution = nil, nil
	return d == stored
}

// unversioned is the name of a codec, of a map those of both.
func unversioned(codec string) string {
	if i := strings.LastIndexByte(codec, '/'); i >= 0 {
		return codec[:i]
	}
	return codec
}

func (d Descriptor) advice(stored Descriptor) string {
	switch {
	case d.Schemas != "" && stored.Schemas == "" && d.Kind == stored.Kind:
		return "values that were stored without versions cannot be told from others: give the state a new name"
	case stored.Schemas != "" && d.Schemas == "" && d.Kind == stored.Kind:
		return "its values have versions in front: open it with a codec that has versions"
	}
	return "run the version that wrote it, or give the state a new name"
}

func (d Descriptor) shape() string {
	also := ""
	if d.Schemas != "" {
		also = ", with versions"
	}
	if d.TTL.Clock != 0 {
		also += fmt.Sprintf(", expiring by %s", d.TTL.Clock)
	}
	if d.FixedSize > 0 {
		return fmt.Sprintf("a %s of codec %q (%d bytes)%s", d.Kind, d.Codec, d.FixedSize, also)
	}
	return fmt.Sprintf("a %s of codec %q (size varies)%s", d.Kind, d.Codec, also)
}
