package dataflow

import "weir/id"

// queue is a ring of buffers that grows to what it once needed and stays there.
type queue struct {
	ring []*Buffer // length is a power of two
	head int
	n    int
}

func (q *queue) len() int { return q.n }

func (q *queue) at(i int) *Buffer { return q.ring[(q.head+i)&(len(q.ring)-1)] }

func (q *queue) set(i int, b *Buffer) { q.ring[(q.head+i)&(len(q.ring)-1)] = b }

func (q *queue) grow() {
	next := make([]*Buffer, max(8, 2*len(q.ring)))
	for i := range q.n {
		next[i] = q.at(i)
	}
	q.ring, q.head = next, 0
}

func (q *queue) push(b *Buffer) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = b
	q.n++
}

// insert puts b at position i, moving what stands there and behind it back.
func (q *queue) insert(i int, b *Buffer) {
	q.push(b)
	mask := len(q.ring) - 1
	for k := q.n - 1; k > i; k-- {
		q.ring[(q.head+k)&mask] = q.ring[(q.head+k-1)&mask]
	}
	q.ring[(q.head+i)&mask] = b
}

func (q *queue) pop() *Buffer {
	b := q.ring[q.head]
	q.ring[q.head] = nil
	q.head = (q.head + 1) & (len(q.ring) - 1)
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
	for i := range q.n {
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
