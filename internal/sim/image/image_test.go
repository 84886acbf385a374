package image

import (
	"reflect"
	"testing"
)

type inner struct {
	name string
	n    int
}

type holder struct {
	list    []*inner
	table   map[string]*inner
	any     any
	self    *holder
	scratch []byte
	f       func()
	q       queue
}

type queue struct {
	ring    []*inner
	head, n int32
	few     [4]*inner
}

func hold() *holder {
	h := &holder{
		list: []*inner{{"a", 1}, {"b", 2}}, table: map[string]*inner{"x": {"x", 1}, "y": {"y", 2}, "z": {"z", 3}}, any: inner{"any", 1},
	}
	h.self = h
	h.q.few[0], h.q.n = &inner{"q", 1}, 1
	return h
}

// TestEqualContents: copies have one image, whatever the order of a map, where a
// ring begins, or what stands in fields that are left out.
func TestEqualContents(t *testing.T) {
	h := &Hasher{Fields: map[string]bool{"image.holder.scratch": true}}
	want := h.Sum(hold())
	for i := range 20 {
		x := hold()
		x.scratch = []byte("other")
		x.q = queue{head: 3, n: 1}
		if x.q.few[3] = (&inner{"q", 1}); i%2 == 1 { // as one that has grown
			x.q.ring, x.q.few = append(make([]*inner, 0, 4), x.q.few[:]...), [4]*inner{}
		}
		x.list = append(x.list, nil)[:2]
		if got := h.Sum(x); got != want {
			t.Fatalf("%016x and %016x", got, want)
		}
	}
}

// TestEveryDifferenceShows: each of these changes the image.
func TestEveryDifferenceShows(t *testing.T) {
	h := &Hasher{}
	want := h.Sum(hold())
	for i, change := range []func(x *holder){
		func(x *holder) { x.list[1].n++ },
		func(x *holder) { x.list = x.list[:1] },
		func(x *holder) { x.list[0], x.list[1] = x.list[1], x.list[0] },
		func(x *holder) { x.table["x"].name = "w" },
		func(x *holder) { delete(x.table, "y") },
		func(x *holder) { x.table["v"] = nil },
		func(x *holder) { x.table["x"], x.table["y"] = x.table["y"], x.table["x"] },
		func(x *holder) { x.any = &inner{"any", 1} },
		func(x *holder) { x.any = nil },
		func(x *holder) { x.self = nil },
		func(x *holder) { x.scratch = []byte{0} },
		func(x *holder) { x.f = func() {} },
		func(x *holder) { x.q.few[0].n = 2 },
		func(x *holder) { x.q.n = 0 },
	} {
		x := hold()
		if change(x); h.Sum(x) == want {
			t.Errorf("change %d is not seen", i)
		}
	}
}

// TestLogicalAndOpaque: a pointer can be known by what it stands for, and a type not
// be looked into.
func TestLogicalAndOpaque(t *testing.T) {
	h := &Hasher{
		Opaque: func(t reflect.Type) bool { return t == reflect.TypeFor[queue]() },
		Logical: func(p any) (uint64, bool) {
			if x, ok := p.(*inner); ok {
				return uint64(len(x.name)), true
			}
			return 0, false
		},
	}
	want := h.Sum(hold())
	x := hold()
	x.list[0].name, x.list[0].n, x.q.n = "c", 9, 0
	if h.Sum(x) != want {
		t.Error("what is behind the pointers is looked at")
	}
	x.list[0].name = "cc"
	if h.Sum(x) == want {
		t.Error("what the pointers stand for is not looked at")
	}
}
