package live

import (
	"sync"
	"sync/atomic"
)

// mailbox is a queue with many senders and one receiver, which takes all there
// is at once. Posting never blocks; it wakes the receiver only when that sleeps.
type mailbox[T any] struct {
	mu     sync.Mutex
	items  []T
	asleep bool
	closed bool
	full   atomic.Bool   // items is not empty; read without the lock
	wake   chan struct{} // capacity 1
}

func newMailbox[T any]() *mailbox[T] { return &mailbox[T]{wake: make(chan struct{}, 1)} }

// post appends vs. After close it drops them.
func (m *mailbox[T]) post(vs ...T) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return
	}
	m.items = append(m.items, vs...)
	m.full.Store(true)
	rouse := m.asleep
	m.asleep = false
	m.mu.Unlock()
	if rouse {
		m.wake <- struct{}{}
	}
}

// waiting reports whether take would return something.
func (m *mailbox[T]) waiting() bool { return m.full.Load() }

// take returns everything posted so far and keeps spare, emptied, for what
// comes next.
func (m *mailbox[T]) take(spare []T) []T {
	m.mu.Lock()
	items := m.items
	m.items = spare[:0]
	m.full.Store(false)
	m.mu.Unlock()
	return items
}

// sleep returns when something is posted, when until (of clock a) has passed,
// or now and then for no reason.
func (m *mailbox[T]) sleep(a *alarm, until int64) {
	m.mu.Lock()
	if len(m.items) > 0 {
		m.mu.Unlock()
		return
	}
	m.asleep = true
	m.mu.Unlock()
	if until == never {
		<-m.wake
		return
	}
	if !a.arm(until) {
		m.rise()
		return
	}
	select {
	case <-m.wake:
	case <-a.bell.ring():
		a.rang()
		m.rise()
	}
}

// rise ends a sleep that no post has ended, and swallows the wakeup of one
// that came in the same moment.
func (m *mailbox[T]) rise() {
	m.mu.Lock()
	late := !m.asleep
	m.asleep = false
	m.mu.Unlock()
	if late {
		<-m.wake
	}
}

// close drops what is queued and everything posted later.
func (m *mailbox[T]) close() {
	m.mu.Lock()
	m.closed = true
	m.items = nil
	m.mu.Unlock()
}
