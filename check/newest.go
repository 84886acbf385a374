package check

import "bytes"

// Newest is a table of values of keys as its reader sees it in the end: of each
// key the row of the highest version, whatever came when and how often.
// Not safe for concurrent use.
type Newest map[string]value

// value is the newest row of a key.
type value struct {
	version uint64
	row     []byte
}

// Take keeps row, which is not copied, unless its key has a row of this version or
// a higher one; it reports whether it did.
func (n Newest) Take(key []byte, version uint64, row []byte) bool {
	if old, ok := n[string(key)]; ok && old.version >= version {
		return false
	}
	n[string(key)] = value{version, row}
	return true
}

// Rows appends the rows, in no order.
func (n Newest) Rows(dst [][]byte) [][]byte {
	for _, v := range n { //det:unordered whoever compares them sorts them
		dst = append(dst, v.row)
	}
	return dst
}

// Distinct drops rows that are there already from a sorted list, in place: a table
// keeps equal values of one key once.
func Distinct(rows [][]byte) [][]byte {
	kept := rows[:0]
	for i, row := range rows {
		if i == 0 || !bytes.Equal(row, rows[i-1]) {
			kept = append(kept, row)
		}
	}
	return kept
}
