// Package cost enumerates what a snapshot costs, once for everybody: the driver
// that measures it, the job's process that reports it, the record of results, the
// tables and the figures. A cost has a part, which is a row of the table below,
// and passes four layers, each folded from the one below by a loop over the parts:
//
//	task        what the driver measures of one task's share
//	checkpoint  of all tasks by the part's Fold: the longest time, the sum of bytes
//	repetition  the median over its checkpoints
//	cell        the median over its repetitions, with an interval
//
// A new part is one line here and the place that measures it.
package cost

import (
	"slices"
	"strings"
)

// Part is one part of the cost of a snapshot.
type Part uint8

// The parts, in the order of tables: times, then bytes.
const (
	Total Part = iota
	Travel
	Alignment
	Sync
	Async
	Fsync
	Metadata
	Ack
	Put
	Changed
	Inflight
	Uploaded
	State
	NumParts
)

// Unit is what a part is counted in.
type Unit uint8

const (
	Time Unit = iota // nanoseconds; milliseconds in results
	Bytes
)

// Definition says what a part is, for whoever folds or shows it.
type Definition struct {
	Name    string // in the record of a checkpoint, without its unit
	Unit    Unit
	Metric  string // at the layers of repetition and cell; empty: it ends below
	Stage   int    // its place among the parts that make up the total, from 1; 0: it is none of them
	Legend  string // in figures
	Meaning string // one phrase, for tables and the report
}

var definitions = [NumParts]Definition{
	Total:     {"total", Time, "checkpoint_ms", 0, "checkpoint", "trigger to durable and complete: data, directory and metadata synced; median over the repetition's checkpoints, as all parts"},
	Travel:    {"travel", Time, "travel_ms", 1, "barrier travel", "trigger to the arrival of the first barrier at the last task"},
	Alignment: {"alignment", Time, "alignment_ms", 2, "alignment", "first barrier to last barrier at a task, the longest of all tasks; input is blocked meanwhile, or captured"},
	Sync:      {"sync", Time, "sync_ms", 3, "synchronous part", "synchronous part: the task processes nothing"},
	// A driver counts the syncs in it and not what Put takes; who knows the syncs
	// makes Async and Fsync of both.
	Async:    {"async", Time, "async_ms", 4, "asynchronous part", "asynchronous part: writing and uploading beside processing, without the syncs; at most what the other parts leave of the whole, because parts of different tasks overlap"},
	Fsync:    {"fsync", Time, "fsync_ms", 5, "sync of files and directory", "sync of data files and their directory"},
	Metadata: {"metadata", Time, "metadata_ms", 7, "metadata", "writing and syncing the checkpoint's metadata"},
	Ack:      {"ack", Time, "ack_ms", 6, "acknowledgement", "last task durable to the coordinator having all acknowledgements"},
	Put:      {"put", Time, "", 0, "snapshot object", "writing the snapshot object"},
	Changed:  {"logical_change", Bytes, "logical_change_bytes", 0, "logical change", "keys and values changed since the checkpoint before, per checkpoint, each entry once, or again if the store wrote it out in between; not known of the heap, which would have to mark every entry"},
	Inflight: {"inflight", Bytes, "inflight_bytes", 0, "in flight", "captured input and output buffers, per checkpoint"},
	Uploaded: {"uploaded", Bytes, "uploaded_bytes", 0, "uploaded", "bytes written to checkpoint storage, per checkpoint"},
	State:    {"state", Bytes, "", 0, "all state", "size of all keyed state"},
}

// Parts returns every part in order. The slice belongs to the caller.
func Parts() []Part {
	all := make([]Part, NumParts)
	for i := range all {
		all[i] = Part(i)
	}
	return all
}

// Stages returns the parts whose sum is to explain the total, as they happen.
func Stages() []Part {
	all := slices.DeleteFunc(Parts(), func(p Part) bool { return p.Definition().Stage == 0 })
	slices.SortFunc(all, func(a, b Part) int { return a.Definition().Stage - b.Definition().Stage })
	return all
}

// OfMetric returns the part that a metric shows.
func OfMetric(name string) (Part, bool) {
	i := slices.IndexFunc(definitions[:], func(d Definition) bool { return d.Metric == name && name != "" })
	return Part(max(i, 0)), i >= 0
}

// Definition returns what the part is.
func (p Part) Definition() Definition { return definitions[p] }

// String is the part's name in words.
func (p Part) String() string { return strings.ReplaceAll(definitions[p].Name, "_", " ") }

// Vector is the cost of one snapshot at some layer. Of a part that is not known
// the value is 0. The zero value knows nothing.
type Vector[N int64 | float64] struct {
	Values [NumParts]N `json:"values"`
	Known  uint32      `json:"known"` // bit p: part p is
}

// Has reports whether a part is known.
func (v *Vector[N]) Has(p Part) bool { return v.Known>>p&1 == 1 }

// Get returns a part, 0 if it is not known.
func (v *Vector[N]) Get(p Part) N { return v.Values[p] }

// Set sets a part and returns v.
func (v *Vector[N]) Set(p Part, n N) *Vector[N] {
	v.Values[p], v.Known = n, v.Known|1<<p
	return v
}

// Add adds to a part, which is known then.
func (v *Vector[N]) Add(p Part, n N) { v.Set(p, v.Values[p]+n) }

// Forget makes a part unknown.
func (v *Vector[N]) Forget(p Part) { v.Values[p], v.Known = 0, v.Known&^(1<<p) }

// Merge adds every part that another measurement of the same snapshot knows.
func (v *Vector[N]) Merge(o *Vector[N]) {
	for _, p := range Parts() {
		if o.Has(p) {
			v.Add(p, o.Get(p))
		}
	}
}

// Fold makes the cost of a checkpoint out of its tasks': of times the longest
// that is known; of bytes the sum, which is known if it is of all of them.
func Fold[N int64 | float64](tasks []Vector[N]) Vector[N] {
	var c Vector[N]
	for _, p := range Parts() {
		known := 0
		for i := range tasks {
			if t := &tasks[i]; t.Has(p) {
				known++
				if p.Definition().Unit == Time {
					c.Set(p, max(c.Get(p), t.Get(p)))
				} else {
					c.Add(p, t.Get(p))
				}
			}
		}
		if p.Definition().Unit == Bytes && known < len(tasks) {
			c.Forget(p)
		}
	}
	return c
}

// InResults returns the costs in the units of results: times in milliseconds.
func InResults(v *Vector[int64]) Vector[float64] {
	r := Vector[float64]{Known: v.Known}
	for _, p := range Parts() {
		r.Values[p] = float64(v.Get(p))
		if p.Definition().Unit == Time {
			r.Values[p] /= 1e6
		}
	}
	return r
}
