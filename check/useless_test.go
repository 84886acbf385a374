package check

import (
	"testing"

	"weir/id"
)

func noneUseless(x *Expect) { uncoordinated(x); x.NoneUseless, x.Pace.End = true, 0 }

// TestASnapshotOnAZigzagCycleIsUseless: the sink answers task 2 on a channel of its
// own. Task 2 takes a snapshot that has the answer, and sends on. If the sink gets
// that in the interval in which it answered, the path is a cycle, although the
// answer was sent first; with a snapshot of the sink in between it is none.
func TestASnapshotOnAZigzagCycleIsUseless(t *testing.T) {
	cyclic := func(x *Expect) {
		noneUseless(x)
		x.Channels = append(x.Channels, Channel{From: 4, To: 2})
	}
	for _, fires := range []bool{true, false} {
		w := newWorld(t, cyclic)
		w.c.done = true
		send := func(ch id.ChannelID, n uint64) { w.c.channels[ch].sealed += n }
		take := func(ch id.ChannelID, n uint64) { w.c.channels[ch].delivered += n }
		send(6, 1)
		if !fires {
			w.local(4, epoch(1, 1))
		}
		take(6, 1)
		w.local(2, epoch(1, 1))
		send(4, 1)
		take(4, 1)
		w.local(4, epoch(1, 2))
		o := watcherOf[*useless](w.c)
		o.Finish(End{})
		if fires {
			mustFire(t, &w.c.verdict, "task t2, epoch 1.1: the snapshot is useless", Useless)
		} else {
			mustPass(t, &w.c.verdict)
		}
	}
}

// TestRoundsHaveNoUselessSnapshots: the cuts of a coordinated run, with items in
// flight, a recovery, and a round that never completes.
func TestRoundsHaveNoUselessSnapshots(t *testing.T) {
	w := newWorld(t, func(x *Expect) { x.NoneUseless = true })
	w.middle()
	w.crash("w0")
	w.restore(epoch(1, 1))
	w.emit(1, 2)
	w.snapshot(epoch(2, 1))
	w.flow()
	mustPass(t, w.finish(epoch(2, 2)))
}
