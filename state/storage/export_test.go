package storage

import (
	"encoding/binary"
	"strings"
)

// OtherVersion returns a sound file, as path would hold it in another format version.
func OtherVersion(path string, version uint16) []byte {
	if strings.HasSuffix(path, segmentSuffix) {
		_, h := newSegment("c", 1, 1)
		binary.LittleEndian.PutUint16(h[8:], version)
		binary.LittleEndian.PutUint64(h[24:], objectSum(h[:24], "c", nil))
		return h
	}
	h := append(make([]byte, 0, 64), objectMagic...)
	h = binary.LittleEndian.AppendUint16(h, version)
	h = append(h, make([]byte, objectHeader-len(h))...)
	return binary.LittleEndian.AppendUint64(h, objectSum(h, "a", nil))
}
