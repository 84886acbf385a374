package pebblestate

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/pebble/v2/record"
)

// TestAppendRecord compares the framing with Pebble's, around the ends of blocks.
func TestAppendRecord(t *testing.T) {
	const whole = manifestBlock - chunkHeader
	for _, n := range []int{0, 1, whole - 1, whole, whole + 1, 2*whole - 1, 2 * whole, 2*whole + 1, 100_000} {
		edit := make([]byte, n)
		for i := range edit {
			edit[i] = byte(i * 7)
		}
		var want bytes.Buffer
		w := record.NewWriter(&want)
		if _, err := w.WriteRecord(edit); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(appendRecord(nil, edit), want.Bytes()) {
			t.Errorf("a record of %d bytes is framed otherwise than by Pebble", n)
		}
	}
}
