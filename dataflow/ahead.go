package dataflow

import (
	"encoding/binary"

	"weir/state"
)

// Event time where a job goes on with another shape. A task begins at the lowest watermark
// of its formers, so that no timer is late and no promise of a sender that was behind is
// broken. But for a key group whose owner was ahead of that, event time has been: windows are
// closed and dropped, and a record for them is too late. So the task knows how far the
// former owner of each of its key groups had come, in its snapshots too, until it has come
// there itself.

// GroupsAhead is a range of key groups with the event time that their owner of an older
// shape had reached.
type GroupsAhead struct {
	state.GroupRange
	Watermark int64
}

// aheadOf returns the key groups of the task whose former owner was ahead of the
// watermark, or knew them to be ahead of its own.
func (t *Task) aheadOf(r *restoring) (ahead []GroupsAhead) {
	if !t.ctx.keyed || t.cfg.Mutant == MutantAheadForgotten {
		return nil
	}
	var all []GroupsAhead
	r.own(func(f *Former, s *Snapshot) {
		all = append(all, GroupsAhead{state.GroupsOf(f.Index, f.Parallelism, t.info.NumGroups), s.Watermark})
		all = append(all, s.Ahead...)
	})
	for g := t.info.Groups.Lo; g < t.info.Groups.Hi; g++ {
		at := latestOf(all, g, t.watermark)
		n := len(ahead)
		switch {
		case at == t.watermark:
		case n > 0 && ahead[n-1].Hi == g && ahead[n-1].Watermark == at:
			ahead[n-1].Hi = g + 1
		default:
			ahead = append(ahead, GroupsAhead{state.GroupRange{Lo: g, Hi: g + 1}, at})
		}
	}
	return ahead
}

// latestOf returns the latest event time among at and those of the ranges with a group.
func latestOf(ranges []GroupsAhead, group uint16, at int64) int64 {
	for i := range ranges {
		if x := &ranges[i]; x.Lo <= group && group < x.Hi {
			at = max(at, x.Watermark)
		}
	}
	return at
}

// aheadAt returns the event time reached for a key group.
func (t *Task) aheadAt(group uint16) int64 { return latestOf(t.ahead, group, t.watermark) }

// passAhead forgets the key groups that the watermark has come up to.
func (t *Task) passAhead() {
	var left []GroupsAhead
	for _, x := range t.ahead {
		if x.Watermark > t.watermark {
			left = append(left, x)
		}
	}
	t.ahead = left
}

func appendAhead(b []byte, ahead []GroupsAhead) []byte {
	b = appendUvarint(b, uint64(len(ahead)))
	for _, x := range ahead {
		b = appendUvarint(appendUvarint(b, uint64(x.Lo)), uint64(x.Hi))
		b = binary.LittleEndian.AppendUint64(b, uint64(x.Watermark))
	}
	return b
}

func readAhead(r *state.Reader) (ahead []GroupsAhead) {
	const least = 10 // bytes that a range takes
	for range r.Count(least) {
		ahead = append(ahead, GroupsAhead{state.GroupRange{Lo: uint16(r.Uvarint()), Hi: uint16(r.Uvarint())}, int64(r.Uint64())})
	}
	return ahead
}
