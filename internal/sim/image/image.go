// Package image hashes what a value holds, whatever its type: fields that are not
// exported, what pointers point to, maps without their order. Two values with one
// image hold the same, as far as can be seen.
//
// # What is not seen
//
// Of a function only which one it is, not what it has captured. Whoever compares
// images of what keeps closures adds what the closures have been told. Memory that
// is kept for later, between the length and the capacity of a slice, is not looked at,
// nor are the fields that [Hasher] is told to leave out.
//
// The method is that of model checkers of real code, which hash the memory of the
// program itself: Musuvathi, Park, Chou, Engler and Dill, CMC (OSDI 2002).
package image

import (
	"math"
	"math/bits"
	"reflect"
	"slices"
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// Hasher makes images. It is used by one goroutine at a time. An image is worth
// something within one process only.
type Hasher struct {
	// Opaque says which types are not looked into; nil: none.
	Opaque func(t reflect.Type) bool
	// Fields are fields that are left out, as "package.Type.field": scratch memory, histories.
	Fields map[string]bool
	// Logical, if not nil, is asked about every pointer: it may return a hash that
	// stands for all that is behind it.
	Logical func(pointer any) (sum uint64, ok bool)

	plans map[reflect.Type]*plan
	seen  map[visit]uint64
	h     uint64
}

// visit is one pointer that was followed: a struct and its first field have one address.
type visit struct {
	at unsafe.Pointer
	of reflect.Type
}

// plan is what to do with a type, worked out once.
type plan struct {
	name    uint64
	opaque  bool
	fields  []int   // of a struct, and their plans
	of      []*plan // of its fields, or of the elements, the value or the target
	ring    bool    // a struct that is a queue in a ring: see ring
	bytes   bool    // a slice or an array of bytes
	logical bool    // a pointer that Logical may know
}

// Sum returns the image of what the pointers point to.
func (h *Hasher) Sum(pointers ...any) uint64 {
	if h.plans == nil {
		h.plans, h.seen = map[reflect.Type]*plan{}, map[visit]uint64{}
	}
	clear(h.seen)
	h.h = 0
	for _, p := range pointers {
		h.dynamic(reflect.ValueOf(p))
	}
	return h.h
}

func (h *Hasher) mix(v uint64) {
	hi, lo := bits.Mul64(h.h^v^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	h.h = hi ^ lo ^ bits.RotateLeft64(h.h, 23)
}

func (h *Hasher) plan(t reflect.Type) *plan {
	if p := h.plans[t]; p != nil {
		return p
	}
	p := &plan{name: xxhash.Sum64String(t.String())}
	h.plans[t] = p
	p.opaque = h.Opaque != nil && h.Opaque(t)
	switch t.Kind() {
	case reflect.Struct:
		p.ring = isRing(t)
		for i := range t.NumField() {
			if f := t.Field(i); !h.Fields[t.String()+"."+f.Name] {
				p.fields, p.of = append(p.fields, i), append(p.of, h.plan(f.Type))
			}
		}
	case reflect.Slice, reflect.Array:
		p.bytes = t.Elem().Kind() == reflect.Uint8
		p.of = []*plan{h.plan(t.Elem())}
	case reflect.Pointer:
		p.logical = h.Logical != nil
		p.of = []*plan{h.plan(t.Elem())}
	case reflect.Map:
		p.of = []*plan{h.plan(t.Key()), h.plan(t.Elem())}
	default:
	}
	return p
}

// dynamic is for a value whose type only the value tells.
func (h *Hasher) dynamic(v reflect.Value) {
	if !v.IsValid() {
		h.mix(1)
		return
	}
	p := h.plan(v.Type())
	h.mix(p.name)
	h.value(v, p)
}

func (h *Hasher) value(v reflect.Value, p *plan) {
	if p.opaque {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			h.mix(3)
		} else {
			h.mix(2)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		h.mix(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		h.mix(v.Uint())
	case reflect.Float32, reflect.Float64:
		h.mix(math.Float64bits(v.Float()))
	case reflect.String:
		h.mix(xxhash.Sum64String(v.String()))
	case reflect.Slice, reflect.Array:
		h.list(v, p)
	case reflect.Map:
		h.table(v, p)
	case reflect.Pointer:
		h.pointer(v, p)
	case reflect.Interface:
		h.dynamic(v.Elem())
	case reflect.Func:
		h.mix(uint64(v.Pointer()))
	case reflect.Struct:
		h.fields(v, p)
	default: // channels and the like: there are none in what is deterministic
		h.mix(p.name)
	}
}

func (h *Hasher) list(v reflect.Value, p *plan) {
	h.mix(uint64(v.Len()))
	if p.bytes && (v.Kind() == reflect.Slice || v.CanAddr()) {
		h.mix(xxhash.Sum64(v.Bytes()))
		return
	}
	for i := range v.Len() {
		h.value(v.Index(i), p.of[0])
	}
}

// table hashes entries in the order of the images of their keys.
func (h *Hasher) table(v reflect.Value, p *plan) {
	h.mix(uint64(v.Len()))
	if v.Len() == 0 {
		return
	}
	before := h.h
	type entry struct {
		key   uint64
		value reflect.Value
	}
	entries := make([]entry, 0, v.Len())
	for i := v.MapRange(); i.Next(); {
		h.h = 0
		h.value(i.Key(), p.of[0])
		entries = append(entries, entry{h.h, i.Value()})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.key < b.key {
			return -1
		}
		return 1
	})
	h.h = before
	for _, e := range entries {
		h.mix(e.key)
		h.value(e.value, p.of[1])
	}
}

func (h *Hasher) pointer(v reflect.Value, p *plan) {
	if v.IsNil() {
		h.mix(4)
		return
	}
	at := visit{v.UnsafePointer(), v.Type()}
	if n, ok := h.seen[at]; ok {
		h.mix(n)
		return
	}
	h.seen[at] = uint64(len(h.seen)) + 5
	if p.logical {
		if sum, ok := h.Logical(reflect.NewAt(v.Type().Elem(), v.UnsafePointer()).Interface()); ok {
			h.mix(sum)
			return
		}
	}
	h.value(v.Elem(), p.of[0])
}

func (h *Hasher) fields(v reflect.Value, p *plan) {
	if p.ring {
		h.ring(v, p)
		return
	}
	for k, i := range p.fields {
		h.value(v.Field(i), p.of[k])
	}
}

// isRing recognizes a queue that keeps its elements in a ring, or in an array while
// they are few: where in the ring it begins means nothing.
func isRing(t reflect.Type) bool {
	if t.NumField() != 4 {
		return false
	}
	for i, name := range [...]string{"ring", "head", "n", "few"} {
		if t.Field(i).Name != name {
			return false
		}
	}
	return true
}

func (h *Hasher) ring(v reflect.Value, p *plan) {
	slots := v.Field(0)
	if slots.IsNil() {
		slots = v.Field(3)
	}
	head, n := int(v.Field(1).Int()), int(v.Field(2).Int())
	h.mix(uint64(n))
	for i := range n {
		h.value(slots.Index((head+i)&(slots.Len()-1)), p.of[0].of[0])
	}
}
