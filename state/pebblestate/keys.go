package pebblestate

import (
	"bytes"
	"encoding/binary"
)

// A database key is the number of the table (1 byte), the key group (2 bytes,
// big-endian) and the key: as it is where nothing follows, and for map states
// with zero bytes escaped and a terminator, so that fields can follow and keys
// still order bytewise. Timers have a number and no keys.
const (
	keyHeader  = 3
	maxTables  = 255
	maxKeySize = 1<<16 - 1
)

func appendKeyHeader(dst []byte, table uint8, group uint16) []byte {
	return binary.BigEndian.AppendUint16(append(dst, table), group)
}

func appendKey(dst []byte, table uint8, group uint16, key []byte) []byte {
	return append(appendKeyHeader(dst, table, group), key...)
}

// appendMapKey appends what all fields of a key begin with.
func appendMapKey(dst []byte, table uint8, group uint16, key []byte) []byte {
	dst = appendKeyHeader(dst, table, group)
	for {
		i := bytes.IndexByte(key, 0)
		if i < 0 {
			return append(append(dst, key...), 0, 1)
		}
		dst = append(append(dst, key[:i]...), 0, 0xff)
		key = key[i+1:]
	}
}

// splitMapKey is the inverse of appendMapKey: it appends the key to dst and
// returns the length of the prefix, behind which the field stands; 0 if the
// database key is malformed.
func splitMapKey(dst, dbKey []byte) (key []byte, prefix int) {
	for i := keyHeader; i+1 < len(dbKey); i++ {
		if dbKey[i] != 0 {
			dst = append(dst, dbKey[i])
			continue
		}
		i++
		switch dbKey[i] {
		case 0xff:
			dst = append(dst, 0)
		case 1:
			return dst, i + 1
		default:
			return nil, 0
		}
	}
	return nil, 0
}

func groupOf(dbKey []byte) uint16 { return binary.BigEndian.Uint16(dbKey[1:]) }

// upperBound returns the least key above all that begin with a prefix, which
// must not be all 0xff.
func upperBound(dst, prefix []byte) []byte {
	dst = append(dst, prefix...)
	for i := len(dst) - 1; i >= 0; i-- {
		if dst[i]++; dst[i] != 0 {
			return dst[:i+1]
		}
	}
	return dst[:0]
}

// tableBounds returns the range of database keys of a table.
func tableBounds(table uint8) (lower, upper []byte) { return []byte{table}, []byte{table + 1} }
