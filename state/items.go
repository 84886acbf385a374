package state

import "fmt"

// Typed says by which codec the items of a list are encoded. A list that another
// version of the job has filled by another codec is refused: the error wraps
// ErrIncompatible. It may be called again.
func (l *OperatorList) Typed(codec string) error {
	if l.Codec != "" && l.Codec != codec {
		return fmt.Errorf("%w: operator list %q holds items of codec %q and is opened with %q", ErrIncompatible, l.Name, l.Codec, codec)
	}
	l.Codec = codec
	return nil
}

// Items is a list of operator state as values of V. Like the list it belongs to
// one goroutine.
type Items[V any] struct {
	list  *OperatorList
	codec Codec[V]
}

// ItemsOf returns a list as values of a codec. Errors are those of Typed.
func ItemsOf[V any](l *OperatorList, c Codec[V]) (Items[V], error) {
	return Items[V]{l, c}, l.Typed(c.Name())
}

// Len returns the number of items.
func (i Items[V]) Len() int { return len(i.list.Items) }

// At returns an item.
func (i Items[V]) At(at int) V { return decode(i.codec, i.list.Items[at]) }

// Set replaces an item.
func (i Items[V]) Set(at int, v V) {
	i.list.Items[at] = i.codec.Append(i.list.Items[at][:0], v)
}

// Add adds an item behind the last.
func (i Items[V]) Add(v V) { i.list.Items = append(i.list.Items, i.codec.Append(nil, v)) }

// Clear removes all items.
func (i Items[V]) Clear() { i.list.Items = nil }
