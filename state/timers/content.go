package timers

import "weir/state"

// Entries calls f for every timer as an entry of keyed state, in order of (group,
// time, key), until f returns false.
func (s *Queue) Entries(f func(e state.KeyedEntry) bool) {
	var field [TimeBytes]byte
	s.Range(func(at int64, k state.Key) bool {
		return f(state.KeyedEntry{Group: k.Group, Key: k.Bytes, Field: state.AppendTime(field[:0], at)})
	})
}

// Load sets the timer that an entry is.
func (s *Queue) Load(e state.KeyedEntry) { s.Set(state.TimeOf(e.Field), e.KeyOf()) }

// Unload cancels the timer that an entry is.
func (s *Queue) Unload(e state.KeyedEntry) { s.Cancel(state.TimeOf(e.Field), e.KeyOf()) }
