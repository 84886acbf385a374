package storage

import (
	"iter"
	"slices"

	"weir/id"
)

// Objects ranges over all objects by key. The bytes are the stored ones, not
// verified and not to be modified. No operation may be carried out meanwhile.
func (m *Memory) Objects() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for i := range m.objects {
			if !yield(m.objects[i].key, m.objects[i].data) {
				return
			}
		}
	}
}

// Log describes one channel log.
type Log struct {
	Key     string
	Attempt id.Attempt // highest that has appended
	Trimmed id.Seq     // positions up to here are forgotten
	entries []logEntry
}

// LogEntry is one entry of a log: positions (First-1, Last], the attempt that
// wrote it, and its bytes in the framing of state.AppendEntry.
type LogEntry struct {
	First, Last id.Seq
	Attempt     id.Attempt
	Frame       []byte
}

// Entries ranges over the entries by position.
func (l Log) Entries() iter.Seq[LogEntry] {
	return func(yield func(LogEntry) bool) {
		for i := range l.entries {
			e := &l.entries[i]
			if !yield(LogEntry{e.first, e.last, e.attempt, e.frame}) {
				return
			}
		}
	}
}

// Logs ranges over all logs by key, under the same rule as Objects.
func (m *Memory) Logs() iter.Seq[Log] {
	return func(yield func(Log) bool) {
		for i := range m.logs {
			l := &m.logs[i]
			if !yield(Log{l.key, l.attempt, l.trimmed, l.entries}) {
				return
			}
		}
	}
}

// LogLengths ranges over all logs by key with the number of their entries.
func (m *Memory) LogLengths() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := range m.logs {
			if !yield(m.logs[i].key, len(m.logs[i].entries)) {
				return
			}
		}
	}
}

// LogStart returns the last position of the first entry of a log; false: it has none.
func (m *Memory) LogStart(key string) (last uint64, ok bool) {
	i, found := m.findLog(key)
	if !found || len(m.logs[i].entries) == 0 {
		return 0, false
	}
	return uint64(m.logs[i].entries[0].last), true
}

// Len returns the number of objects and the sum of their sizes in bytes; logs not counted.
func (m *Memory) Len() (objects int, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.objects), m.size
}

// Corrupt flips one bit of an object, or of the newest entry of a log, as a fault:
// reading it is Corrupt from now on. The bit is taken modulo the size. It reports
// whether there is such an object or entry, with at least one byte.
func (m *Memory) Corrupt(key string, bit int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, found := m.find(key)
	if !found {
		return m.corruptLog(key, bit)
	}
	if len(m.objects[i].data) == 0 || bit < 0 {
		return false
	}
	data := slices.Clone(m.objects[i].data) // what was given is immutable
	bit %= 8 * len(data)
	data[bit/8] ^= 1 << (bit % 8)
	m.objects[i].data = data
	return true
}

// corruptLog damages the newest entry of a log. Entries have no checksums here, so
// that it is noted beside the flipped bit what a checksum would say.
func (m *Memory) corruptLog(key string, bit int) bool {
	i, found := m.findLog(key)
	if !found || len(m.logs[i].entries) == 0 || bit < 0 {
		return false
	}
	e := &m.logs[i].entries[len(m.logs[i].entries)-1]
	frame := slices.Clone(e.frame)
	bit %= 8 * len(frame)
	frame[bit/8] ^= 1 << (bit % 8)
	e.frame, e.damaged = frame, true
	return true
}

// Truncate cuts an object to its first n bytes, as a fault: reading it is
// Corrupt from now on. It reports whether there is such an object with more
// than n bytes.
func (m *Memory) Truncate(key string, n int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, found := m.find(key)
	if !found || n < 0 || n >= len(m.objects[i].data) {
		return false
	}
	m.size -= int64(len(m.objects[i].data) - n)
	m.objects[i].data = m.objects[i].data[:n:n]
	return true
}
