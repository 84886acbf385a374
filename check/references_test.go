package check

import "testing"

// TestReferencesOfTheSameBytes: an object is decoded again as soon as its bytes
// stand elsewhere, even if they are equal.
func TestReferencesOfTheSameBytes(t *testing.T) {
	decoded := 0
	l := &Layout{References: func(_ string, data []byte) ([]string, error) {
		decoded++
		return []string{string(data)}, nil
	}}
	r := references{of: map[string]reference{}}
	read := func(data []byte, want int) {
		t.Helper()
		keys, err := r.read(l, "chk/1.1", data)
		if err != nil || len(keys) != 1 || keys[0] != string(data) || decoded != want {
			t.Errorf("%q, %v after %d decodings, want %q after %d", keys, err, decoded, data, want)
		}
	}
	first := []byte("files/a")
	read(first, 1)
	read(first, 1)
	read([]byte("files/a"), 2)
	read([]byte("files/b"), 3)
	read(nil, 4)
	read(nil, 5)
}
