package check

import (
	"encoding/binary"
	"testing"

	"weir/id"
	"weir/trace"
)

func TestOffsetsAreContiguous(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 3)
	w.offset[0]++
	w.emit(0, 1)
	mustFire(t, w.c.Finish(End{Time: w.now}), "task t0: the source handed out offsets (4, 5] of split s0 where it stood at 3", Conservation, Progress)
}

func TestSplitsAreHandedOutInFull(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.emit(0, worldRecords)
	w.flow()
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	mustFire(t, w.end(), "split s1 handed out up to offset 5 of 120", Conservation, Effect, Output)
}

func TestEpochsAreUsedOnce(t *testing.T) {
	w := newWorld(t)
	w.begun(2, epoch(1, 2))
	w.begun(2, epoch(1, 2))
	mustFire(t, w.c.Finish(End{Time: w.now}), "an epoch is used once", Conservation, Progress)
}

func TestSnapshotHasTheOffsetOfItsSource(t *testing.T) {
	w := newWorld(t)
	w.offset[0] = 7
	w.begun(0, epoch(1, 1))
	mustFire(t, w.c.Finish(End{Time: w.now}), "offset 7 of split s0, the source stands at 0", Conservation, Progress)
}

func TestPositionsGrow(t *testing.T) {
	w := newWorld(t)
	w.emit(0, 3)
	w.sealed[0]--
	w.seal(0, 4)
	mustFire(t, w.c.Finish(End{Time: w.now}), "channel c0: positions (1, 2] sealed behind position 2", Conservation, Progress)
}

func TestChannelsEndEmpty(t *testing.T) {
	w := newWorld(t)
	w.middle()
	w.emit(0, worldRecords)
	w.emit(1, worldRecords)
	for ch := range w.queue[:4] {
		w.deliver(id.ChannelID(ch), worldRecords)
	}
	w.deliver(4, worldRecords)
	w.deliver(5, 100)
	left := len(w.queue[5])
	w.snapshot(epoch(1, 2))
	w.complete(epoch(1, 2))
	r := w.end()
	mustFire(t, r, "channel c5: the job ended with 120 items sent and", Conservation, Output)
	if r.Losses != left {
		t.Errorf("%d losses, %d rows on the channel", r.Losses, left)
	}
}

func TestDamagedAndForeignRecords(t *testing.T) {
	w := newWorld(t)
	w.tell(trace.Event{Kind: trace.Delivered, Task: 2, Channel: 0, To: 1, Data: []byte{9, 1}})
	mustFire(t, w.c.Finish(End{Time: w.now}), "records are damaged", Conservation, Progress)
	w = newWorld(t)
	rec := binary.LittleEndian.AppendUint32([]byte{4}, worldRecords)
	w.tell(trace.Event{Kind: trace.Delivered, Task: 2, Channel: 0, To: 1, Data: rec})
	mustFire(t, w.c.Finish(End{Time: w.now}), "record 240, but the input has 240", Conservation, Progress)
}

// TestASplitHasOneReader: two tasks of a plan take the same split.
func TestASplitHasOneReader(t *testing.T) {
	w := newWorld(t)
	w.tell(trace.Event{Kind: trace.SplitTaken, Task: 1, Channel: trace.NoChannel, Split: 0})
	mustFire(t, w.c.Finish(End{Time: w.now}), "task t1: it takes split s0, which t0 (source[0]) reads", Conservation, Progress)
}

// TestOnlyWhoTookASplitReadsIt: a source hands out records of another one's split.
func TestOnlyWhoTookASplitReadsIt(t *testing.T) {
	w := newWorld(t)
	w.tell(trace.Event{Kind: trace.Emitted, Task: 1, Channel: trace.NoChannel, Split: 0, To: 1})
	mustFire(t, w.c.Finish(End{Time: w.now}), "emitted of split s0, which the task has not taken", Conservation, Progress)
	w = newWorld(t)
	w.tell(trace.Event{Kind: trace.Emitted, Task: 1, Channel: trace.NoChannel, Split: 7, To: 1})
	mustFire(t, w.c.Finish(End{Time: w.now}), "split s7 is read; the input has 2", Conservation, Progress)
	w = newWorld(t)
	w.tell(trace.Event{Kind: trace.SplitTaken, Task: 1, Channel: trace.NoChannel, Split: 7})
	mustFire(t, w.c.Finish(End{Time: w.now}), "it takes split s7; the input has 2", Conservation, Progress)
}
