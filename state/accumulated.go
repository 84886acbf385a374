package state

// Reducing is one V per key to which further ones are merged.
type Reducing[V any] struct {
	value *Value[V]
	merge func(old, v V) V
}

// OpenReducing opens the state called name, of KindReducing. merge must be
// associative and have no effect besides its result.
func OpenReducing[V any](s Store, name string, c Codec[V], merge func(old, v V) V, ttl ...TTL) (*Reducing[V], error) {
	v, err := openValue(s, KindReducing, name, c, ttl)
	if err != nil {
		return nil, err
	}
	return &Reducing[V]{value: v, merge: merge}, nil
}

// Table returns the state at the level of bytes.
func (r *Reducing[V]) Table() ValueTable { return r.value.table }

// Add merges v into the value of k; the first v is taken as it is.
func (r *Reducing[V]) Add(k Key, v V) {
	if r.value.fixed != nil {
		slot, fresh := r.value.fixed.Update(k)
		if !fresh {
			v = r.merge(decode(r.value.codec, slot), v)
		}
		fill(r.value.codec, slot, v)
		return
	}
	if old, ok := r.value.Get(k); ok {
		v = r.merge(old, v)
	}
	r.value.Set(k, v)
}

// Get returns the merged value of k.
func (r *Reducing[V]) Get(k Key) (value V, ok bool) { return r.value.Get(k) }

// Delete removes k.
func (r *Reducing[V]) Delete(k Key) { r.value.Delete(k) }

// Aggregator is how an Aggregating state takes values of type In into an
// accumulator, and what it makes of one. The functions have no effect besides their
// results.
type Aggregator[In, Acc, Out any] struct {
	Create func() Acc              // the accumulator of nothing
	Add    func(acc Acc, v In) Acc // acc with v in it
	Merge  func(a, b Acc) Acc      // what both hold: associative
	Result func(acc Acc) Out
}

// Aggregating is one accumulator per key, which is what is stored: In and Out may
// change from version to version, Acc is the codec's.
type Aggregating[In, Acc, Out any] struct {
	acc *Value[Acc]
	of  Aggregator[In, Acc, Out]
}

// OpenAggregating opens the state called name, of KindAggregating. The codec is that
// of the accumulator.
func OpenAggregating[In, Acc, Out any](s Store, name string, c Codec[Acc], of Aggregator[In, Acc, Out], ttl ...TTL) (*Aggregating[In, Acc, Out], error) {
	acc, err := openValue(s, KindAggregating, name, c, ttl)
	if err != nil {
		return nil, err
	}
	return &Aggregating[In, Acc, Out]{acc: acc, of: of}, nil
}

// Table returns the accumulators at the level of bytes.
func (a *Aggregating[In, Acc, Out]) Table() ValueTable { return a.acc.table }

// Add takes v into the accumulator of k.
func (a *Aggregating[In, Acc, Out]) Add(k Key, v In) {
	acc, ok := a.acc.Get(k)
	if !ok {
		acc = a.of.Create()
	}
	a.acc.Set(k, a.of.Add(acc, v))
}

// Merge takes an accumulator that was made elsewhere into that of k.
func (a *Aggregating[In, Acc, Out]) Merge(k Key, other Acc) {
	if acc, ok := a.acc.Get(k); ok {
		other = a.of.Merge(acc, other)
	}
	a.acc.Set(k, other)
}

// Get returns the result for k; ok is false, and the result zero, if nothing was added.
func (a *Aggregating[In, Acc, Out]) Get(k Key) (result Out, ok bool) {
	acc, ok := a.acc.Get(k)
	if !ok {
		return result, false
	}
	return a.of.Result(acc), true
}

// Delete removes k.
func (a *Aggregating[In, Acc, Out]) Delete(k Key) { a.acc.Delete(k) }
