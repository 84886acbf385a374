package dataflow

import "weir/id"

// queue is a ring of buffers. The first few stand in it; if they are more it grows
// to what it once needed and stays there. It must not be copied while it holds any.
type queue struct {
	ring    []*Buffer // length is a power of two; nil: few is all
	head, n int32
	few     [4]*Buffer
}

// emptied returns an empty queue in the memory of q.
func (q *queue) emptied() queue {
	clear(q.ring)
	return queue{ring: q.ring}
}

// slots is where the buffers stand.
func (q *queue) slots() []*Buffer {
	if q.ring == nil {
		return q.few[:]
	}
	return q.ring
}

// slot is the place of the i-th buffer.
func (q *queue) slot(i int) **Buffer {
	s := q.slots()
	return &s[(int(q.head)+i)&(len(s)-1)]
}

func (q *queue) len() int { return int(q.n) }

func (q *queue) at(i int) *Buffer { return *q.slot(i) }

func (q *queue) set(i int, b *Buffer) { *q.slot(i) = b }

func (q *queue) grow() {
	next := make([]*Buffer, 2*len(q.slots()))
	for i := range int(q.n) {
		next[i] = q.at(i)
	}
	q.few = [4]*Buffer{}
	q.ring, q.head = next, 0
}

func (q *queue) push(b *Buffer) {
	if int(q.n) == len(q.slots()) {
		q.grow()
	}
	*q.slot(int(q.n)) = b
	q.n++
}

// insert puts b at position i, moving what stands there and behind it back.
func (q *queue) insert(i int, b *Buffer) {
	q.push(b)
	for k := int(q.n) - 1; k > i; k-- {
		q.set(k, q.at(k-1))
	}
	q.set(i, b)
}

func (q *queue) pop() *Buffer {
	s := q.slots()
	first := &s[int(q.head)&(len(s)-1)]
	b := *first
	*first = nil
	q.head = (q.head + 1) & int32(len(s)-1)
	q.n--
	return b
}

// remove takes out what stands at position i.
func (q *queue) remove(i int) *Buffer {
	b := q.at(i)
	for k := i; k > 0; k-- {
		q.set(k, q.at(k-1))
	}
	q.pop()
	return b
}

// control returns where the control item of epoch e stands, -1 if there is none.
func (q *queue) control(e id.Epoch) int {
	for i := range q.len() {
		if b := q.at(i); b.Item == Control && b.Epoch == e {
			return i
		}
	}
	return -1
}

func (q *queue) clear() {
	for q.n > 0 {
		q.pop()
	}
}

// surrender empties the queue and calls f with what nobody shares.
func (q *queue) surrender(f func(*Buffer)) {
	for q.n > 0 {
		if b := q.pop(); !b.Shared {
			f(b)
		}
	}
}
