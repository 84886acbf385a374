// The savepoint oracle: what is called complete is in storage, readable in full by other
// code than that which wrote it, and of one consistent cut that leaves every channel empty;
// what each task has there is what it had then: the sum of its state, the offsets of its
// splits. From then on nobody changes or deletes it. A job that ends with one has committed all
// output up to it, and made none behind it.
//
// It does not verify watermarks and timers apart from their sum, nor lists of transactions
// (who resumes is judged by commit and output).

package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"weir/id"
	"weir/trace"
)

type savepoints struct {
	judge
	complete  []saved
	destroyed []string // keys that faults have
}

// saved is a savepoint that is complete.
type saved struct {
	epoch id.Epoch
	root  string
	tasks []savedAs
	hit   bool // a fault has destroyed something of it
	gone  bool // it was said to be damaged: once is enough
}

// savedAs is what a task had.
type savedAs struct {
	sum     uint64
	splits  []uint64 // offsets, in order of split
	records int
}

func newSavepoints(j judge) watcher { return &savepoints{judge: j} }

func (o *savepoints) Wants() trace.Mask {
	if o.x.Storage == nil || o.x.Layout.SavepointRoot == nil {
		return 0
	}
	return kinds(trace.Saved, trace.StoreApplied, trace.FaultInjected, trace.Stopped)
}

func (o *savepoints) Reset() { o.complete, o.destroyed = o.complete[:0], o.destroyed[:0] }

func (o *savepoints) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.Saved:
		o.completed(e.Epoch)
	case trace.StoreApplied:
		if s := o.of(e.Key); s != nil && e.Op == trace.Delete {
			s.gone = true
			o.violate(e.Task, s.epoch, "%s was deleted, and savepoints are nobody's to delete", e.Key)
		}
	case trace.FaultInjected:
		if s := o.of(e.Key); s != nil {
			s.hit = true
		} else if e.Key != "" {
			o.destroyed = append(o.destroyed, e.Key)
		}
	case trace.Stopped:
		o.stopped(e.Epoch)
	default: // not asked for
	}
}

// of returns the complete savepoint that an object is of, nil: none.
func (o *savepoints) of(key string) *saved {
	for i := range o.complete {
		if s := &o.complete[i]; s.has(key) {
			return s
		}
	}
	return nil
}

func (s *saved) has(key string) bool { return strings.HasPrefix(key, s.root+"/") }

// completed looks at a savepoint that is called complete.
func (o *savepoints) completed(e id.Epoch) {
	o.report.Savepoints++
	s := saved{epoch: e, root: o.x.Layout.SavepointRoot(e)}
	parts := o.shares[s.root]
	for t := range o.tasks {
		if parts == nil || parts[t] == none {
			o.violate(id.TaskID(t), e, "the savepoint is complete without a share of %s", o.taskName(t))
			return
		}
	}
	for n := range o.channels {
		ch := &o.channels[n]
		sent, got := o.sealedAt(&o.snapshots[parts[ch.From]], id.ChannelID(n)), o.deliveredAt(&o.snapshots[parts[ch.To]], id.ChannelID(n))
		if sent > got || sent < got && o.x.State != AtLeastOnce { // where its state counts some twice
			o.violate(ch.To, e, "channel %s: where the savepoint has its tasks %d items were sent and %d received, and what is under way has no place in it", id.ChannelID(n), sent, got)
		}
	}
	for _, p := range parts {
		x := &o.snapshots[p]
		as := savedAs{sum: x.sum, records: x.records}
		for n := range o.x.Splits {
			if at, ok := o.offsetOf(x, id.SplitID(n)); ok {
				as.splits = append(as.splits, at)
			}
		}
		s.tasks = append(s.tasks, as)
	}
	s.hit = slices.ContainsFunc(o.destroyed, s.has) // before anybody could know
	o.complete = append(o.complete, s)
	o.look(&o.complete[len(o.complete)-1], "")
}

// look reads a savepoint, and compares it with what its tasks had.
func (o *savepoints) look(s *saved, when string) {
	if s.hit || s.gone {
		return
	}
	e, tasks, err := readSaved(o.x.Storage, s.root)
	if err == nil && e != s.epoch {
		err = fmt.Errorf("it is of epoch %s", e)
	}
	switch {
	case err != nil:
		s.gone = true
		o.violate(trace.Coordinator, s.epoch, "the savepoint cannot be read%s: %v", when, err)
		return
	case len(tasks) != len(s.tasks):
		o.violate(trace.Coordinator, s.epoch, "the savepoint%s is of %d tasks, the job had %d", when, len(tasks), len(s.tasks))
		return
	}
	for t, as := range s.tasks {
		x := tasks[id.TaskID(t)]
		if x == nil {
			o.violate(id.TaskID(t), s.epoch, "the savepoint%s has no share of the task", when)
			continue
		}
		if as.sum != 0 && x.sum != as.sum {
			o.violate(id.TaskID(t), s.epoch, "the sum of the task's state in the savepoint%s is %016x, and was %016x", when, x.sum, as.sum)
		}
		if offsets := offsetsOf(x.splits); !slices.Equal(offsets, as.splits) {
			o.violate(id.TaskID(t), s.epoch, "the splits of the task stand at %d in the savepoint%s, and stood at %d", offsets, when, as.splits)
		}
	}
}

// offsetsOf returns the offsets of splits, in the order of those.
func offsetsOf(splits []OriginSplit) (offsets []uint64) {
	for _, s := range slices.SortedFunc(slices.Values(splits), func(a, b OriginSplit) int { return cmp.Compare(a.Split, b.Split) }) {
		offsets = append(offsets, s.Offset)
	}
	return offsets
}

// stopped: a job that ends with a savepoint has done nothing since, and all its output is
// committed.
func (o *savepoints) stopped(e id.Epoch) {
	i := slices.IndexFunc(o.complete, func(s saved) bool { return s.epoch == e })
	if i < 0 {
		return
	}
	o.report.StoppedWith++
	s := &o.complete[i]
	for t := range o.tasks {
		if now := o.records(&o.tasks[t]); now != s.tasks[t].records {
			o.violate(id.TaskID(t), e, "the job has ended with the savepoint, and the task has processed %d records behind it", now-s.tasks[t].records)
		}
		if o.x.Open == nil {
			continue
		}
		for _, txn := range o.x.Open(id.TaskID(t), nil) {
			o.violate(id.TaskID(t), e, "the job has ended with the savepoint, and its transaction %s is not committed", txn)
		}
	}
}

// Finish: every savepoint is as it was.
func (o *savepoints) Finish(End) {
	for i := range o.complete {
		o.look(&o.complete[i], " at the end")
	}
}
