package dataflow

import "math/bits"

// inputSet is the set of inputs that could be served: a task with hundreds of
// inputs finds the next one in a few words instead of asking each of them.
type inputSet struct {
	words []uint64
	n     int // members
}

func newInputSet(inputs int) inputSet { return inputSet{words: make([]uint64, (inputs+63)/64)} }

// emptied returns the empty set in the memory of s.
func (s *inputSet) emptied() inputSet {
	clear(s.words)
	return inputSet{words: s.words}
}

// add puts input i in; it must not be a member.
func (s *inputSet) add(i int) {
	s.words[i>>6] |= 1 << (i & 63)
	s.n++
}

// remove takes input i out; it must be a member.
func (s *inputSet) remove(i int) {
	s.words[i>>6] &^= 1 << (i & 63)
	s.n--
}

// after returns the member that comes k members behind the first one after
// input i, going round; k must be below n.
func (s *inputSet) after(i, k int) int {
	start := i + 1
	w := start >> 6
	if w < len(s.words) {
		if m, ok := nth(s.words[w]&^(1<<(start&63)-1), &k); ok {
			return w<<6 + m
		}
	}
	for j := w + 1; j < len(s.words); j++ {
		if m, ok := nth(s.words[j], &k); ok {
			return j<<6 + m
		}
	}
	for j := range s.words {
		if m, ok := nth(s.words[j], &k); ok {
			return j<<6 + m
		}
	}
	panic("dataflow: an input was asked for that no set holds")
}

// nth returns the k-th bit that is set in w, from the lowest; if w has fewer, it
// takes their number off k.
func nth(w uint64, k *int) (bit int, ok bool) {
	if c := bits.OnesCount64(w); *k >= c {
		*k -= c
		return 0, false
	}
	for range *k {
		w &= w - 1
	}
	return bits.TrailingZeros64(w), true
}
