package live

import (
	"sync/atomic"

	"weir/dataflow"
)

// Counts are the running totals of a task over all its incarnations. Times are
// in nanoseconds, sizes in bytes of encoded records.
type Counts struct {
	RecordsIn      uint64 // processed; for a source, emitted from its splits
	RecordsOut     uint64
	BuffersIn      uint64
	BuffersOut     uint64
	BytesIn        uint64
	BytesOut       uint64
	StampBytes     uint64 // piggyback on sent buffers
	ControlBytes   uint64 // control items sent, as they are encoded; replies; messages to and from the coordinator
	Turns          uint64
	CapturedBytes  uint64 // in-flight data made part of snapshots
	Snapshots      uint64 // begun
	SyncNanos      uint64 // the steps that began them
	AlignmentNanos uint64 // at least one input blocked
	BusyNanos      uint64 // awake; waiting for a processor counts
	LateRecords    uint64 // given up as too late
}

const numCounts = 15

func (c *Counts) fields() [numCounts]*uint64 {
	return [numCounts]*uint64{
		&c.RecordsIn, &c.RecordsOut, &c.BuffersIn, &c.BuffersOut, &c.BytesIn, &c.BytesOut, &c.StampBytes,
		&c.ControlBytes, &c.Turns, &c.CapturedBytes, &c.Snapshots, &c.SyncNanos, &c.AlignmentNanos, &c.BusyNanos, &c.LateRecords,
	}
}

// TaskStats are the counts of one task.
type TaskStats struct {
	Task *dataflow.TaskInfo
	Counts
}

// counters are the published counts of a task. Incarnations add to them; the
// last step of a dead one may overlap the first of the next.
type counters struct {
	info *dataflow.TaskInfo
	v    [numCounts]atomic.Uint64
}

// publish adds what the incarnation has counted since it last did.
func (r *runner) publish() {
	now := r.j.clock.now()
	r.local.BusyNanos += uint64(now - r.rose)
	r.rose = now
	for i, f := range r.local.fields() {
		if *f != 0 {
			r.counter.v[i].Add(*f)
			*f = 0
		}
	}
}

// Stats returns what every task of the graph that the job has at the moment has counted so far, by TaskID. It takes no lock;
// tasks publish when they go to sleep and every few turns.
func (j *Job) Stats() []TaskStats {
	counters := j.leg.Load().counters
	all := make([]TaskStats, len(counters))
	for i := range all {
		all[i].Task = counters[i].info
		for k, f := range all[i].fields() {
			*f = counters[i].v[k].Load()
		}
	}
	return all
}
