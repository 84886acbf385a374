package dataflow

import (
	"encoding/binary"
	"fmt"
	"slices"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// split is one split of a source and how far it is read.
type split struct {
	index     int // in its vertex
	offset    id.Offset
	watermark int64
	ended     bool
}

// Splits returns how many splits a source reads.
func (t *Task) Splits() int { return len(t.splits) }

// Split returns split number i of a source, from 0: its index in its vertex, how
// far it was handed out, and whether it has records left.
func (t *Task) Split(i int) (index int, at id.Offset, unread bool) {
	s := &t.splits[i]
	return s.index, s.offset, !s.ended
}

// takeSplits begins splits where offsets say, or at 0.
func (t *Task) takeSplits(splits []int, offsets []id.Offset) error {
	for i, index := range splits {
		s := SplitHeader{Split: index, Watermark: NoWatermark}
		if t.restore.plan.Resume && i < len(offsets) {
			s.Offset = offsets[i]
		}
		if err := t.takeSplit(s); err != nil {
			return err
		}
	}
	return nil
}

// restoreSplits goes on with the splits of a snapshot, which must be those of the plan.
func (t *Task) restoreSplits(planned []int, snap []SplitHeader) error {
	same := len(planned) == len(snap)
	for i := range snap {
		same = same && planned[i] == snap[i].Split
	}
	if !same {
		return fmt.Errorf("the plan gives it splits %v, the snapshot has the offsets of %v", planned, indexes(snap))
	}
	for i, s := range snap {
		if t.cfg.Mutant == MutantSwapSplitOffsets {
			s.Offset = snap[(i+1)%len(snap)].Offset
		}
		if err := t.takeSplit(s); err != nil {
			return err
		}
	}
	return nil
}

func indexes(splits []SplitHeader) (all []int) {
	for i := range splits {
		all = append(all, splits[i].Split)
	}
	return all
}

func (t *Task) takeSplit(s SplitHeader) error {
	if t.source == nil || s.Split < 0 || s.Split >= t.info.Splits {
		return fmt.Errorf("split %d is for a source that has it; this one has %d: the graph has changed", s.Split, t.info.Splits)
	}
	if err := t.source.Seek(s.Split, s.Offset); err != nil {
		return err
	}
	t.splits = append(t.splits, split{s.Split, s.Offset, s.Watermark, s.Ended})
	t.offset += s.Offset
	if !s.Ended {
		t.unread++
	}
	t.lastSplit = len(t.splits) - 1 // the first one is next
	return nil
}

// splitHeaders appends what a snapshot says of the splits.
func (t *Task) splitHeaders(all []SplitHeader) []SplitHeader {
	all = slices.Grow(all, len(t.splits))
	for i := range t.splits {
		s := &t.splits[i]
		all = append(all, SplitHeader{s.index, s.offset, s.watermark, s.ended})
	}
	return all
}

func (t *Task) observeSplits(k trace.Kind, e id.Epoch) {
	if !t.mask.Has(k) {
		return
	}
	for i := range t.splits {
		s := &t.splits[i]
		t.event = trace.Event{Kind: k, Channel: trace.NoChannel, Epoch: e, Split: t.splitID(s), To: uint64(s.offset)}
		t.send()
	}
}

func (t *Task) splitID(s *split) id.SplitID { return t.info.FirstSplit + id.SplitID(s.index) }

// sourceTurn emits a batch of one split; a source without any left ends.
func (t *Task) sourceTurn(most, of int) {
	if t.unread > 0 && !t.read(most, of) {
		return
	}
	done := t.unread == 0
	if done {
		t.advanceWatermark(EndOfTime)
	}
	if t.phase == failed { // a timer or watermark handler gave up
		return
	}
	t.endTurn()
	if done {
		t.endOfInput()
	}
	if t.afterer != nil && t.phase == running {
		t.afterer.After(-1)
	}
	if t.phase == running && !t.ended && t.offset >= t.limit {
		t.proto.AtLimit()
	}
}

// read emits a batch of one split; false: the task has failed.
func (t *Task) read(most, of int) bool {
	s := t.pickSplit(of)
	if s == nil {
		return false
	}
	n := t.batchSize(most)
	b, err := t.source.Emit(s.index, n)
	if err != nil {
		t.fail(err)
		return false
	}
	if b.Records > 0 {
		t.handedOut(s, id.Offset(b.Records))
	}
	if b.Watermark != NoWatermark {
		t.said(s, b.Watermark)
	}
	if b.Done {
		s.ended = true
		t.unread--
		t.said(s, EndOfTime)
	}
	s.watermark = max(s.watermark, b.Watermark)
	t.advanceWatermark(t.lowestSplit())
	return t.phase != failed
}

// said reports what the source has said of the event time in a split.
func (t *Task) said(s *split, wm int64) {
	if t.mask.Has(trace.WatermarkSaid) {
		t.event = trace.Event{Kind: trace.WatermarkSaid, Channel: trace.NoChannel, Split: t.splitID(s), At: wm}
		t.send()
	}
}

// batchSize is how many records the source is asked for.
func (t *Task) batchSize(most int) int {
	n := t.cfg.SourceBatch
	if most > 0 {
		n = min(n, most)
	}
	if v, ok := t.recall(EmitCount); ok {
		n = int(v)
	}
	if room := t.limit - t.offset; room < id.Offset(n) {
		n = int(room)
	}
	t.chosen(EmitCount, uint64(n)) // before anything of the turn is sealed, and known downstream
	return n
}

func (t *Task) handedOut(s *split, n id.Offset) {
	from := s.offset
	s.offset += n
	t.offset += n
	t.host.HandedOut(t.splitID(s), from, s.offset)
	if t.mask.Has(trace.Emitted) {
		t.event = trace.Event{Kind: trace.Emitted, Channel: trace.NoChannel, Split: t.splitID(s), From: uint64(from), To: uint64(s.offset)}
		t.send()
	}
}

// lowestSplit is the watermark of the source: the lowest of the splits that have
// records left. One that has said nothing yet holds it back.
func (t *Task) lowestSplit() int64 {
	low, silent := int64(EndOfTime), false
	for i := range t.splits {
		switch s := &t.splits[i]; {
		case s.ended && t.cfg.Mutant != MutantEndedSplitHolds:
		case s.watermark == NoWatermark:
			silent = true
		default:
			low = min(low, s.watermark)
		}
	}
	if silent && (low == EndOfTime || t.cfg.Mutant != MutantIgnoreSilentSplit) {
		return NoWatermark
	}
	return low
}

// pickSplit chooses the split to read: of those that have records left the next
// one after the last, or another that the driver draws, or number of-1 if of > 0.
// nil: a choice is not one that there is, and the task has failed.
func (t *Task) pickSplit(of int) *split {
	if t.unread == 1 {
		t.lastSplit = t.unreadAfter(0)
		return &t.splits[t.lastSplit]
	}
	i := of - 1
	if v, ok := t.recall(PickSplit); ok {
		i = int(min(v, uint64(len(t.splits))))
	} else if of == 0 {
		i = t.unreadAfter(t.host.Draw(PickSplit, t.unread))
	}
	if i >= len(t.splits) || t.splits[i].ended {
		t.fail(fmt.Errorf("split number %d is named as the one to read; there are %d, and it has no records left", i, len(t.splits)))
		return nil
	}
	t.lastSplit = i
	t.chosen(PickSplit, uint64(i))
	return &t.splits[i]
}

// unreadAfter is the n-th split with records left after the one read last, from 0.
func (t *Task) unreadAfter(n int) int {
	i := t.lastSplit
	for ; n >= 0; n-- {
		for i = (i + 1) % len(t.splits); t.splits[i].ended; {
			i = (i + 1) % len(t.splits)
		}
	}
	return i
}

func appendSplits(b []byte, splits []SplitHeader) []byte {
	b = appendUvarint(b, uint64(len(splits)))
	for i := range splits {
		s := &splits[i]
		b = appendUvarint(appendUvarint(b, uint64(s.Split)), uint64(s.Offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(s.Watermark))
		b = append(b, byte(flags(s.Ended, false)))
	}
	return b
}

// readSplits appends the splits of a header.
func readSplits(r *state.Reader, splits []SplitHeader) []SplitHeader {
	const least = 11 // bytes that a split takes
	for range r.Count(least) {
		splits = append(splits, SplitHeader{int(r.Size()), id.Offset(r.Uvarint()), int64(r.Uint64()), r.Byte() != 0})
	}
	return splits
}
