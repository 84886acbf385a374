package state

import "fmt"

// Typed says by which codec the items of a list are encoded. A list that another
// version of the job has filled by another codec is refused: the error wraps
// ErrIncompatible. It may be called again.
func (l *OperatorList) Typed(codec string) error { return l.Evolving(codec, nil) }

// Evolving is Typed for items that have versions in front, or hold values that have; e says
// how they are read. Nil: they have none.
func (l *OperatorList) Evolving(codec string, e Evolution) error {
	declared := OperatorList{Name: l.Name, Mode: l.Mode, Codec: codec, evolution: e}
	if e != nil {
		declared.Schemas = e.Schemas()
	}
	if err := declared.over(l); err != nil {
		return err
	}
	l.Codec, l.Schemas, l.evolution = declared.Codec, declared.Schemas, declared.evolution
	return nil
}

// over is Descriptor.Over for a list: what is declared, or held by a task, takes over the schemas
// of what a snapshot holds.
func (l *OperatorList) over(stored *OperatorList) error {
	switch {
	case stored.Codec == "" || l.Codec == stored.Codec && l.Schemas == stored.Schemas:
		return nil
	case l.evolution != nil && stored.Schemas != "" && unversioned(l.Codec) == unversioned(stored.Codec):
		if _, err := judge(l.evolution, stored.Schemas); err != nil {
			return fmt.Errorf("operator list %q: %w; run the version that wrote it, or one that reads both", l.Name, err)
		}
	case l.Codec == "":
		l.Codec = stored.Codec
	case l.Codec != stored.Codec || (l.Schemas == "") != (stored.Schemas == ""):
		return fmt.Errorf("%w: operator list %q holds items of codec %q%s and is opened with %q%s", ErrIncompatible, l.Name, stored.Codec, versions(stored.Schemas), l.Codec, versions(l.Schemas))
	}
	var err error
	if l.Schemas, err = l.Schemas.merge(stored.Schemas); err != nil {
		return fmt.Errorf("operator list %q: %w", l.Name, err)
	}
	return nil
}

// Migrate has all items of versions that are not written any more stored anew, and the schemas
// of those are gone: lists are small, and a write takes everything along. What Evolving is
// said of stands in each item behind a framed key, if any (keys 1), or is all of it (0).
func (l *OperatorList) Migrate(keys int) {
	if l.evolution == nil || l.Schemas == l.evolution.Schemas() {
		return
	}
	for at, item := range l.Items {
		value := item
		for range keys {
			_, rest, err := NextElement(value)
			if err != nil {
				panic(fmt.Sprintf("state: operator list %q: %v", l.Name, err))
			}
			value = rest
		}
		if out, changed := l.evolution.Rewrite(append([]byte(nil), item[:len(item)-len(value)]...), value); changed {
			l.Items[at] = out
		}
	}
	l.Schemas = l.evolution.Schemas()
}

func versions(s Schemas) string {
	if s == "" {
		return ""
	}
	return " with versions"
}

// Items is a list of operator state as values of V. Like the list it belongs to
// one goroutine.
type Items[V any] struct {
	list  *OperatorList
	codec Codec[V]
}

// ItemsOf returns a list as values of a codec. Errors are those of Typed.
func ItemsOf[V any](l *OperatorList, c Codec[V]) (Items[V], error) {
	c, evolution := Bind(c)
	return Items[V]{l, c}, l.Evolving(c.Name(), evolution)
}

// Len returns the number of items.
func (i Items[V]) Len() int { return len(i.list.Items) }

// At returns an item.
func (i Items[V]) At(at int) V { return decode(i.codec, i.list.Items[at]) }

// Set replaces an item.
func (i Items[V]) Set(at int, v V) {
	i.list.Migrate(0)
	i.list.Items[at] = i.codec.Append(i.list.Items[at][:0], v)
}

// Add adds an item behind the last.
func (i Items[V]) Add(v V) {
	i.list.Migrate(0)
	i.list.Items = append(i.list.Items, i.codec.Append(nil, v))
}

// Clear removes all items.
func (i Items[V]) Clear() { i.list.Items = nil }
