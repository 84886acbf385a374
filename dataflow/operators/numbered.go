package operators

import (
	"weir/dataflow"
	"weir/id"
)

// Numbered is the Partition of an input whose records are numbered from 0: it
// holds those with number mod Of = Index.
type Numbered struct {
	Index, Of int
	Records   int64 // of all partitions together
	// Emit emits record seq. It is for one task: it may keep its scratch between calls.
	Emit func(seq uint64, out *dataflow.Output)
	// Promise returns the event time that no record from seq on is older than; nil:
	// nobody knows any.
	Promise func(seq uint64) int64
}

// Len returns the number of records.
func (p *Numbered) Len() id.Offset {
	of := int64(p.Of)
	return id.Offset(max(p.Records+of-1-int64(p.Index), 0) / of)
}

// Read emits records and returns the promise of the one after them. Behind the last
// one there is nothing to promise: that a split has ended says more.
func (p *Numbered) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	seq := uint64(p.Index) + uint64(from)*uint64(p.Of)
	for ; n > 0; n-- {
		p.Emit(seq, out)
		seq += uint64(p.Of)
	}
	if p.Promise == nil || seq >= uint64(p.Records) {
		return dataflow.NoWatermark
	}
	return p.Promise(seq)
}
