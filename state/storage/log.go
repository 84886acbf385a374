package storage

import (
	"errors"
	"fmt"
	"slices"

	"weir/id"
	"weir/state"
)

// logEntry is one entry of a log: where its positions and its bytes are.
type logEntry struct {
	first, last id.Seq
	attempt     id.Attempt
	frame       []byte   // in the framing of state.AppendEntry
	size        int      // of frame, bytes
	damaged     bool     // Memory: a fault has flipped a bit of frame
	segment     *segment // Dir: the file it is in, and frame is nil
}

// logIndex is the logical content of one log.
type logIndex struct {
	attempt id.Attempt // highest that has appended
	trimmed id.Seq     // positions up to here are forgotten
	entries []logEntry // disjoint, by position
}

// parseRun splits the data of an append into its entries, which must cover
// exactly (from, to].
func parseRun(dst []logEntry, data []byte, from, to id.Seq, a id.Attempt) ([]logEntry, error) {
	next := from + 1
	for rest := data; len(rest) > 0; {
		src := rest
		seq, n, _, after, err := state.NextEntry(src)
		if err != nil {
			return dst, err
		}
		if seq != next || n == 0 {
			return dst, fmt.Errorf("an entry at position %d with %d items where position %d comes next; entries must follow each other from position %d without a gap", seq, n, next, from+1)
		}
		rest, next = after, seq+id.Seq(n)
		size := len(src) - len(after)
		dst = append(dst, logEntry{first: seq, last: next - 1, attempt: a, frame: src[:size:size], size: size})
	}
	if next != to+1 {
		return dst, fmt.Errorf("the entries end at position %d, the operation says %d; To must be the last position of Data", next-1, to)
	}
	return dst, nil
}

// find returns the index of the first entry that ends at or behind pos.
func (l *logIndex) find(pos id.Seq) int {
	if n := len(l.entries); n == 0 || l.entries[n-1].last < pos {
		return n
	}
	i, _ := slices.BinarySearchFunc(l.entries, pos, func(e logEntry, pos id.Seq) int {
		if e.last < pos {
			return -1
		}
		return 1
	})
	return i
}

// errStraddle says that an append would have to split an entry.
var errStraddle = errors.New("entries cannot be split; append whole buffers, and branch off between them")

// cut removes what attempt a abandons by branching off at from.
func (l *logIndex) cut(a id.Attempt, from id.Seq) error {
	i := l.find(from + 1)
	for _, e := range l.entries[i:] {
		if e.attempt < a && e.first <= from {
			return fmt.Errorf("attempt %d branches off at position %d, inside the entry of positions %d to %d: %w", a, from, e.first, e.last, errStraddle)
		}
	}
	kept := slices.DeleteFunc(l.entries[i:], func(e logEntry) bool { return e.attempt < a })
	l.entries = l.entries[:i+len(kept)]
	l.attempt = max(l.attempt, a)
	return nil
}

// missing reports whether e is to be added: false if its positions are there or forgotten.
func (l *logIndex) missing(e *logEntry) (bool, error) {
	if e.last <= l.trimmed {
		return false, nil
	}
	i := l.find(e.first)
	if i == len(l.entries) || l.entries[i].first > e.last {
		return true, nil
	}
	if there := &l.entries[i]; there.first > e.first || there.last < e.last {
		return false, fmt.Errorf("positions %d to %d overlap the entry of positions %d to %d: %w", e.first, e.last, there.first, there.last, errStraddle)
	}
	return false, nil
}

// add inserts an entry that missing has found to be missing.
func (l *logIndex) add(e logEntry) {
	l.entries = slices.Insert(l.entries, l.find(e.first), e)
}

// covering returns the entries that overlap (from, to], or false if a position is missing.
func (l *logIndex) covering(from, to id.Seq) ([]logEntry, bool) {
	if from >= to {
		return nil, true
	}
	i := l.find(from + 1)
	j, next := i, from+1
	for ; j < len(l.entries) && next <= to && l.entries[j].first <= next; j++ {
		next = l.entries[j].last + 1
	}
	return l.entries[i:j], next > to
}

// trim forgets the entries that end at or before to.
func (l *logIndex) trim(to id.Seq) {
	if to > l.trimmed {
		l.trimmed = to
		l.entries = slices.Delete(l.entries, 0, l.find(to+1))
	}
}
