package timers

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"weir/state"
)

// TestOrderAgainstSlice: the order is a sorted slice.
func TestOrderAgainstSlice(t *testing.T) {
	type entry struct {
		at  int64
		key string
	}
	order := func(a, b entry) int { return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.key, b.key)) }
	rapid.Check(t, func(t *rapid.T) {
		groups := state.GroupRange{Lo: 3, Hi: 7}
		q := newOrder(groups)
		var twin []entry
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			e := entry{rapid.Int64Range(-3, 3).Draw(t, "at"), string(rapid.SliceOfN(rapid.ByteRange('a', 'd'), 0, 2).Draw(t, "key"))}
			in := groups.Lo + uint16(len(e.key)*2+int(strings.Count(e.key, "a")))%4
			i, found := slices.BinarySearchFunc(twin, e, order)
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1, 2:
				key := []byte(e.key)
				if _, added := q.add(in, Timer{At: e.at, Key: key}); added == found {
					t.Fatalf("add %v is %v, it was there: %v", e, added, found)
				}
				clear(key) // it is borrowed
				if !found {
					twin = slices.Insert(twin, i, e)
				}
			case 3:
				if _, removed := q.remove(in, Timer{At: e.at, Key: []byte(e.key)}); removed != found {
					t.Fatalf("remove %v is %v, it was there: %v", e, removed, found)
				}
				if found {
					twin = slices.Delete(twin, i, i+1)
				}
			case 4:
				if len(twin) > 0 {
					q.pop()
					twin = twin[1:]
				}
			}
			first, _, ok := q.first()
			if ok != (len(twin) > 0) || ok && (entry{first.At, string(first.Key)}) != twin[0] {
				t.Fatalf("the first timer is (%d, %q), %v, want that of %v", first.At, first.Key, ok, twin)
			}
			bytes := int64(0)
			for _, e := range twin {
				bytes += 8 + int64(len(e.key))
			}
			if q.n != len(twin) || q.bytes != bytes {
				t.Fatalf("%d timers of %d bytes, want %d of %d", q.n, q.bytes, len(twin), bytes)
			}
		}
	})
}
