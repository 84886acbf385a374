package state

import "fmt"

var kindNames = [...]string{"", "value", "list", "map", "reducing", "timers"}

// String returns the name of the kind, for example "list".
func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Validate reports what is wrong with a descriptor in itself.
func (d Descriptor) Validate() error {
	switch {
	case d.Name == "":
		return fmt.Errorf("state without a name: give every keyed state a name that stays the same across restarts")
	case d.Kind < KindValue || d.Kind > KindTimers:
		return fmt.Errorf("state %q: unknown %s", d.Name, d.Kind)
	case d.FixedSize < 0:
		return fmt.Errorf("state %q: fixed size %d is negative; 0 means that it varies", d.Name, d.FixedSize)
	case d.FixedSize > 0 && (d.Kind == KindList || d.Kind == KindMap || d.Kind == KindTimers):
		return fmt.Errorf("state %q: a %s has no fixed size; only value and reducing state may", d.Name, d.Kind)
	}
	return nil
}

// CheckStored compares what the job declares with what a snapshot holds under
// the same name; a difference is an error that wraps ErrIncompatible.
func (d Descriptor) CheckStored(stored Descriptor) error {
	if d == stored {
		return nil
	}
	return fmt.Errorf("%w: state %q: the job declares %s, the snapshot holds %s; run the version that wrote it, or give the state a new name",
		ErrIncompatible, d.Name, d.shape(), stored.shape())
}

func (d Descriptor) shape() string {
	if d.FixedSize > 0 {
		return fmt.Sprintf("a %s of codec %q (%d bytes)", d.Kind, d.Codec, d.FixedSize)
	}
	return fmt.Sprintf("a %s of codec %q (size varies)", d.Kind, d.Codec)
}
