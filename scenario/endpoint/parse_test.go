package endpoint

import (
	"net/url"
	"testing"

	"weir/state"
)

// TestKeysAreGroupedByTheirPart: a number is two keys, each in its own group, or all in those
// of what by= may mean.
func TestKeysAreGroupedByTheirPart(t *testing.T) {
	const groups = 128
	digits, number := state.KeyOf([]byte("5"), groups), state.KeyOf([]byte{5, 0, 0, 0, 0, 0, 0, 0}, groups)
	q, err := parse(url.Values{"key": {"5", "a"}}, groups)
	if err != nil || len(q.keys) != 3 || q.keys[0].Group != digits.Group || q.keys[1].Group != number.Group || q.of[1] != 0 || q.of[2] != 1 {
		t.Fatalf("%+v, %v", q, err)
	}
	q, err = parse(url.Values{"key": {"0x0102"}, "by": {"5"}}, groups)
	if err != nil || len(q.keys) != 2 || q.keys[0].Group != digits.Group || q.keys[1].Group != number.Group || q.keys[0].Hash != state.HashBytes([]byte{1, 2}) {
		t.Fatalf("%+v, %v", q, err)
	}
}
