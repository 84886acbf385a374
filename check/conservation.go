// The conservation oracle: offsets, positions and epochs go on where they stood,
// records are framed and of the input, and at the end nothing is left over.
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
	offset []uint64 // by task: where its source stands
	sealed []sealed // by channel
}

// sealed is the last position that the living sender has sealed.
type sealed struct {
	upTo  uint64
	known bool
}

func newConservation(j judge) watcher {
	return &conservation{judge: j, offset: make([]uint64, len(j.x.Tasks)), sealed: make([]sealed, len(j.x.Channels))}
}

func (o *conservation) Wants() trace.Mask {
	return kinds(trace.Emitted, trace.Sealed, trace.Delivered, trace.SnapshotBegun, trace.CapturedIn, trace.CapturedOut, trace.TaskRestored)
}

func (o *conservation) Reset() {
	clear(o.offset)
	clear(o.sealed)
}

func (o *conservation) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.Emitted:
		if e.From != o.offset[e.Task] {
			o.violate(e.Task, 0, "the source handed out offsets (%d, %d] where it stood at %d", e.From, e.To, o.offset[e.Task])
		}
		o.offset[e.Task] = e.To
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

// epoch: epochs of a task grow and none is used twice; a source's snapshot has the
// offset at which it stands.
func (o *conservation) epoch(e *trace.Event) {
	t := &o.tasks[e.Task]
	if n := len(t.snapshots); n > 1 {
		if last := o.snapshots[t.snapshots[n-2]].epoch; e.Epoch <= last {
			o.violate(e.Task, e.Epoch, "a snapshot began with epoch %s after one with epoch %s: an epoch is used once, lost ones included", e.Epoch, last)
		}
	}
	if o.x.Tasks[e.Task].Source && e.From != o.offset[e.Task] {
		o.violate(e.Task, e.Epoch, "the snapshot has offset %d, the source stands at %d", e.From, o.offset[e.Task])
	}
}

// restored takes a task to where its snapshot stood.
func (o *conservation) restored(e *trace.Event) {
	t := &o.tasks[e.Task]
	if e.Epoch != 0 && t.restored == none {
		return // no such snapshot
	}
	o.offset[e.Task] = e.From
	for _, n := range t.outputs {
		o.sealed[n].known = false
	}
}

// Finish: every partition is handed out, and every channel is empty.
func (o *conservation) Finish(End) {
	if !o.done {
		return
	}
	for i := range o.tasks {
		t := &o.x.Tasks[i]
		if size := o.x.partition(t); t.Source && o.offset[i] != size {
			o.violate(id.TaskID(i), 0, "the job ended with partition %d of %d handed out up to offset %d of %d", t.Partition, t.Partitions, o.offset[i], size)
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
