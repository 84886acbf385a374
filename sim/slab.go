package sim

import "weir/dataflow"

// slab holds things that events refer to by index, and reuses the places.
type slab[T any] struct {
	items []T
	free  []int32
}

func (l *slab[T]) reset() {
	clear(l.items)
	l.items, l.free = l.items[:0], l.free[:0]
}

func (l *slab[T]) put(v T) int32 {
	if n := len(l.free); n > 0 {
		i := l.free[n-1]
		l.free = l.free[:n-1]
		l.items[i] = v
		return i
	}
	l.items = append(l.items, v)
	return int32(len(l.items) - 1)
}

// underWay returns how many things there are.
func (l *slab[T]) underWay() int { return len(l.items) - len(l.free) }

func (l *slab[T]) take(i int32) T {
	v := l.items[i]
	var zero T
	l.items[i] = zero
	l.free = append(l.free, i)
	return v
}

// pool recycles buffers, across runs too.
type pool struct {
	free   []*dataflow.Buffer
	poison bool
	bytes  int // room in a new buffer
}

const (
	poolBuffers = 4096 // kept at most
	poolBytes   = 1024 // room of a new buffer at most; it grows to what it needs
	poisonByte  = 0xdb
)

func (p *pool) reset(batchBytes int, poison bool) {
	p.bytes, p.poison = min(batchBytes, poolBytes), poison
}

func (p *pool) get() *dataflow.Buffer {
	n := len(p.free)
	if n == 0 {
		return &dataflow.Buffer{Watermark: dataflow.NoWatermark, Data: make([]byte, 0, p.bytes)}
	}
	b := p.free[n-1]
	p.free = p.free[:n-1]
	*b = dataflow.Buffer{Watermark: dataflow.NoWatermark, Data: b.Data[:0]}
	return b
}

// spare takes a buffer that was lost on its way, unless others hold it.
func (p *pool) spare(b *dataflow.Buffer) {
	if b != nil && !b.Shared {
		p.put(b)
	}
}

func (p *pool) put(b *dataflow.Buffer) {
	if p.poison {
		data := b.Data[:cap(b.Data)]
		for i := range data {
			data[i] = poisonByte
		}
		b.Item, b.N, b.Records, b.Seq = dataflow.Item(poisonByte), -1, -1, 1<<63
	}
	if len(p.free) < poolBuffers {
		p.free = append(p.free, b)
	}
}
