package state

import (
	"encoding/binary"
	"fmt"
)

// TimersDescriptor returns the descriptor of the timers called name.
func TimersDescriptor(name string) Descriptor {
	return Descriptor{Name: name, Kind: KindTimers, Codec: "timer/1"}
}

// CheckTable refuses what Store.Table does not open.
func (d Descriptor) CheckTable() error {
	if d.Kind == KindTimers {
		return fmt.Errorf("state %q: timers are no table: open them with Store.Timers", d.Name)
	}
	return d.Validate()
}

// AppendTime appends a time as eight bytes that order as times do.
func AppendTime(dst []byte, at int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(at)^1<<63)
}

// TimeOf is the inverse of AppendTime, of the first eight bytes of b.
func TimeOf(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) }

// SumTimer is SumEntry for a timer: its key, its time as the field, no value.
func SumTimer(name string, at int64, key []byte) uint64 {
	var field [8]byte
	return SumEntry(name, key, AppendTime(field[:0], at), nil)
}
