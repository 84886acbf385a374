package timers

import (
	"errors"
	"slices"
	"testing"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// TestEveryFlipWithARightChecksum flips every bit of a manifest's part and of a
// segment, and lets the checksums say that all is well: what is refused is refused
// as corrupt, and nothing panics.
func TestEveryFlipWithARightChecksum(t *testing.T) {
	groups := state.GroupRange{Lo: 0, Hi: 128}
	q := New(groups, Sizes{Inline: -1, Segment: 1 << 20, Segments: 8})
	for n := range 10 {
		q.Set(int64(n), loadKey(n))
	}
	var objects [][]byte
	take := func(epoch int) *Part {
		c := q.Snapshot(id.Epoch(epoch), id.Epoch(epoch-1))
		for {
			put, done := c.Next(func() string { return "segment" })
			if put != nil {
				objects = append(objects, put.Data)
			}
			if done {
				return c.Part()
			}
		}
	}
	take(1)
	q.Pop(3)
	q.Cancel(5, loadKey(5))
	q.Set(0, loadKey(0))
	part := take(2)
	manifest, files := part.Append(nil), part.Files()
	if len(files) != 2 {
		t.Fatalf("%d segments, want two", len(files))
	}
	restore := func(manifest []byte, objects [][]byte) error {
		r := state.NewReader(manifest)
		p := DecodePart(r)
		if err := r.Done(); err != nil || p.Segments() != len(files) {
			return err
		}
		refs := slices.Clone(files)
		for i := range refs {
			refs[i].Size, refs[i].Sum = int64(len(objects[i])), xxhash.Sum64(objects[i])
		}
		p.Place(refs)
		load := New(groups, Usual).Restore(p, groups, 9)
		for i := range refs {
			if err := load.Arrived(i, objects[i]); err != nil {
				return err
			}
		}
		for {
			if idle, err := load.Step(); idle || err != nil {
				return err
			}
		}
	}
	if err := restore(manifest, objects); err != nil {
		t.Fatal(err)
	}
	refused := 0
	flip := func(of []byte, what string) {
		for at := range of {
			for bit := range 8 {
				of[at] ^= 1 << bit
				err := restore(manifest, objects)
				of[at] ^= 1 << bit
				if err == nil {
					continue
				}
				refused++
				if !errors.Is(err, state.ErrCorrupt) {
					t.Errorf("%s, byte %d, bit %d: %v does not wrap ErrCorrupt", what, at, bit, err)
				}
			}
		}
	}
	flip(manifest, "manifest")
	flip(objects[0], "first segment")
	flip(objects[1], "second segment")
	if refused == 0 {
		t.Error("nothing was refused: the test is blind")
	}
	for n := range objects[1] { // cut off everywhere
		if err := restore(manifest, [][]byte{objects[0], objects[1][:n]}); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("cut off at %d: %v", n, err)
		}
	}
}
