package dataflow

import (
	"bytes"
	"fmt"
	"slices"

	"weir/state"
)

// BroadcastState is a map of operator state that every instance of a vertex holds
// alike: each learns the same from its Broadcast inputs. So only while a buffer of
// such an input is processed may it be changed; a change at any other time fails the
// task. Instances get what is broadcast by different senders in different orders: what
// is in the map must not depend on it.
//
// Rescaling gives every new instance the map of one of the old ones. It is for
// little: a snapshot has all of it, in every instance. Values may have versions
// (state.Versioned), keys may not.
type BroadcastState[K, V any] struct {
	t      *Task
	list   *state.OperatorList // an item per key, in order: key with its length, value
	keys   state.Codec[K]
	values state.Codec[V]
	key    []byte // scratch
}

// OpenBroadcast opens the broadcast state called name, in Operator.Open. Its name is
// one among those of Context.List.
func OpenBroadcast[K, V any](c *Context, name string, keys state.Codec[K], values state.Codec[V]) (*BroadcastState[K, V], error) {
	l, err := c.t.store.List(name, state.Broadcast)
	values, evolution := state.Bind(values)
	if err == nil {
		err = l.Evolving(keys.Name()+"->"+values.Name(), evolution)
	}
	if err != nil {
		return nil, err
	}
	c.t.broadcasts = append(c.t.broadcasts, l)
	return &BroadcastState[K, V]{t: c.t, list: l, keys: keys, values: values}, nil
}

// Len returns the number of keys.
func (b *BroadcastState[K, V]) Len() int { return len(b.list.Items) }

// Get returns the value of k.
func (b *BroadcastState[K, V]) Get(k K) (value V, ok bool) {
	at, ok := b.find(k)
	if !ok {
		return value, false
	}
	_, value = b.entry(b.list.Items[at])
	return value, true
}

// Each calls f for every key in order of the encoding of keys until f returns
// false. f must not change the state.
func (b *BroadcastState[K, V]) Each(f func(k K, v V) bool) {
	for _, item := range b.list.Items {
		if k, v := b.entry(item); !f(k, v) {
			return
		}
	}
}

// Put sets the value of k.
func (b *BroadcastState[K, V]) Put(k K, v V) {
	if !b.writable() {
		return
	}
	b.list.Migrate(1)
	at, there := b.find(k)
	item := b.values.Append(state.AppendBytes(nil, b.key), v)
	if there {
		b.list.Items[at] = item
	} else {
		b.list.Items = slices.Insert(b.list.Items, at, item)
	}
}

// Delete removes k.
func (b *BroadcastState[K, V]) Delete(k K) {
	if !b.writable() {
		return
	}
	if at, there := b.find(k); there {
		b.list.Items = slices.Delete(b.list.Items, at, at+1)
	}
}

// writable fails the task if what the operator has is not what all instances have.
func (b *BroadcastState[K, V]) writable() bool {
	if b.t.serving == Broadcast {
		return true
	}
	b.t.fail(fmt.Errorf("%T of vertex %s changes the broadcast state %q while no buffer of a Broadcast input is processed: the other instances would not do the same", b.t.op, b.t.info.Name, b.list.Name))
	return false
}

// find returns where k is, or would be.
func (b *BroadcastState[K, V]) find(k K) (at int, there bool) {
	b.key = b.keys.Append(b.key[:0], k)
	return slices.BinarySearchFunc(b.list.Items, b.key, func(item, key []byte) int {
		of, _, err := state.NextElement(item)
		if err != nil {
			b.t.fail(b.damaged(err))
		}
		return bytes.Compare(of, key)
	})
}

func (b *BroadcastState[K, V]) entry(item []byte) (k K, v V) {
	key, value, err := state.NextElement(item)
	if err == nil {
		k, err = b.keys.Decode(key)
	}
	if err == nil {
		v, err = b.values.Decode(value)
	}
	if err != nil {
		b.t.fail(b.damaged(err))
	}
	return k, v
}

func (b *BroadcastState[K, V]) damaged(err error) error {
	return fmt.Errorf("broadcast state %q: %w", b.list.Name, err)
}

// forgetBroadcast makes the mistake MutantForgetBroadcast.
func (t *Task) forgetBroadcast() {
	if t.cfg.Mutant == MutantForgetBroadcast && t.restored {
		for _, l := range t.broadcasts {
			l.Items = nil
		}
	}
}
