// The conservation oracle: splits are read by one task each, offsets, positions and
// epochs go on where they stood, records are framed and of the input, and at the
// end nothing is left over. Attempts and epochs go on through a change of the graph; its
// channels begin at 0.
//
// It does not verify that what goes on is the right content, nor positions of what
// is delivered: a kernel that finds a gap fails (contiguity).

package check

import (
	"weir/id"
	"weir/trace"
)

type conservation struct {
	judge
	splits []reading // by split
	sealed []sealed  // by channel
}

// reading is who reads a split, and how far.
type reading struct {
	task   id.TaskID
	taken  bool
	offset uint64
}

// sealed is the last position that the living sender has sealed.
type sealed struct {
	upTo  uint64
	known bool
}

func newConservation(j judge) watcher {
	return &conservation{judge: j, splits: make([]reading, len(j.x.Splits)), sealed: make([]sealed, len(j.x.Channels))}
}

// Reshape has every split taken anew, and no channel sealed.
func (o *conservation) Reshape() {
	for i := range o.splits {
		o.splits[i].taken = false
	}
	o.sealed = sized(o.sealed, len(o.x.Channels))
}

func (o *conservation) Wants() trace.Mask {
	return kinds(trace.Emitted, trace.Sealed, trace.Delivered, trace.SnapshotBegun, trace.PositionSplit, trace.CapturedIn, trace.CapturedOut, trace.TaskRestored, trace.SplitTaken)
}

func (o *conservation) Reset() {
	clear(o.splits)
	clear(o.sealed)
}

func (o *conservation) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.Emitted:
		if s := o.read(e); s != nil {
			if e.From != s.offset {
				o.violate(e.Task, 0, "the source handed out offsets (%d, %d] of split %s where it stood at %d", e.From, e.To, e.Split, s.offset)
			}
			s.offset = e.To
		}
	case trace.PositionSplit:
		if s := o.read(e); s != nil && e.To != s.offset {
			o.violate(e.Task, e.Epoch, "the snapshot has offset %d of split %s, the source stands at %d", e.To, e.Split, s.offset)
		}
	case trace.SplitTaken:
		o.take(e)
	case trace.Sealed:
		o.positions(e)
	case trace.Delivered, trace.CapturedIn, trace.CapturedOut:
		if o.fault != (damage{}) {
			o.records(e)
		}
	case trace.SnapshotBegun:
		o.epoch(e)
	case trace.TaskRestored:
		o.restored(e)
	default: // not asked for
	}
}

// positions of a channel grow within an incarnation.
func (o *conservation) positions(e *trace.Event) {
	if !o.isChannel(e.Channel) {
		return
	}
	s := &o.sealed[e.Channel]
	if s.known && e.From < s.upTo {
		o.violate(e.Task, 0, "channel %s: positions (%d, %d] sealed behind position %d", e.Channel, e.From, e.To, s.upTo)
	}
	s.upTo, s.known = e.To, true
}

// records says what is wrong with those of a buffer.
func (o *conservation) records(e *trace.Event) {
	if o.fault.unframed {
		o.violate(e.Task, 0, "%s of channel %s, positions (%d, %d]: the buffer's records are damaged", e.Kind, e.Channel, e.From, e.To)
	} else {
		o.violate(e.Task, 0, "%s of channel %s, positions (%d, %d]: record %d, but the input has %d", e.Kind, e.Channel, e.From, e.To, o.fault.record, o.x.Records)
	}
	o.fault = damage{}
}

// read returns the split of an event, which must be one that the task reads.
func (o *conservation) read(e *trace.Event) *reading {
	if int(e.Split) >= len(o.splits) {
		o.violate(e.Task, e.Epoch, "split %s is read; the input has %d", e.Split, len(o.splits))
		return nil
	}
	s := &o.splits[e.Split]
	if !s.taken || s.task != e.Task {
		o.violate(e.Task, e.Epoch, "%s of split %s, which the task has not taken", e.Kind, e.Split)
		return nil
	}
	return s
}

// take: a split is read by one task.
func (o *conservation) take(e *trace.Event) {
	if int(e.Split) >= len(o.splits) {
		o.violate(e.Task, 0, "it takes split %s; the input has %d", e.Split, len(o.splits))
		return
	}
	s := &o.splits[e.Split]
	if s.taken {
		o.violate(e.Task, 0, "it takes split %s, which %s reads", e.Split, o.taskName(int(s.task)))
	}
	*s = reading{e.Task, true, e.To}
}

// epoch: epochs of a task grow and none is used twice.
func (o *conservation) epoch(e *trace.Event) {
	t := &o.tasks[e.Task]
	if n := len(t.snapshots); n > 1 {
		if last := o.snapshots[t.snapshots[n-2]].epoch; e.Epoch <= last {
			o.violate(e.Task, e.Epoch, "a snapshot began with epoch %s after one with epoch %s: an epoch is used once, lost ones included", e.Epoch, last)
		}
	} else if o.legOf(e.Epoch) < len(o.legs) {
		o.violate(e.Task, e.Epoch, "a snapshot began with epoch %s, which is of the time before the graph changed", e.Epoch)
	}
}

// restored takes a task to where its snapshot stood.
func (o *conservation) restored(e *trace.Event) {
	t := &o.tasks[e.Task]
	if e.Epoch != 0 && t.restored == none && !t.made {
		return // no such snapshot
	}
	for i := range o.splits {
		if s := &o.splits[i]; s.task == e.Task {
			s.taken = false // it says which it takes
		}
	}
	for _, n := range t.outputs {
		o.sealed[n].known = false
	}
}

// Finish: every split is handed out, and every channel is empty.
func (o *conservation) Finish(End) {
	if !o.done {
		return
	}
	for i := range o.splits {
		n := id.SplitID(i)
		if s, size := &o.splits[i], o.x.size(n); s.offset != size {
			o.violate(s.task, 0, "the job ended with split %s handed out up to offset %d of %d", n, s.offset, size)
		}
	}
	if o.promised(o.x.State) == AtMostOnce {
		return
	}
	for n := range o.channels {
		ch := &o.channels[n]
		if ch.delivered < ch.sealed {
			o.violate(ch.To, 0, "channel %s: the job ended with %d items sent and %d processed", id.ChannelID(n), ch.sealed, ch.delivered)
		} else if ch.delivered > ch.sealed && o.promised(o.x.State) == ExactlyOnce {
			o.violate(ch.To, 0, "channel %s: the job ended with %d items sent and %d processed: some twice", id.ChannelID(n), ch.sealed, ch.delivered)
		}
	}
}
