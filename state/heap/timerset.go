package heap

import (
	"weir/state"
	"weir/state/timers"
)

// timerSet is a set of timers. It is stored by package timers, in segments of its
// own; every other state is written as a whole.
type timerSet struct {
	d state.Descriptor
	*timers.Queue
}

func (t *timerSet) declared(state.Descriptor)    {}
func (t *timerSet) descriptor() state.Descriptor { return t.d }
func (t *timerSet) logicalBytes() int64          { return t.Bytes() }
func (t *timerSet) sum() uint64                  { return t.Sum(t.d.Name) }
