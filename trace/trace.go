// Package trace defines the typed events by which everything else looks at a
// run: protocol transitions, durable steps, faults, deliveries and committed
// output. Both drivers emit the same events; oracles, fault plans, transcripts
// and recordings read them.
package trace

import (
	"math"

	"weir/id"
)

// Kind says what happened. The text form (String) is the one fault plans use.
type Kind uint8

// Coordinator marks events that belong to no task, NoChannel those of no channel.
const (
	Coordinator id.TaskID    = -1
	NoChannel   id.ChannelID = -1
)

// NoTime is At of a buffer without a watermark; EndOfTime is that of the end of
// the data, behind which no record comes.
const (
	NoTime    = math.MinInt64
	EndOfTime = math.MaxInt64
)

// NoBound is To of a FaultInjected that may hold a run up for any time.
const NoBound = ^uint64(0)

// Event is one thing that happened. Fields that a kind does not use are zero
// (Task, Channel: -1). Data is borrowed: it is valid only during Observe.
type Event struct {
	Time    int64 // nanoseconds since the start of the run: virtual or wall
	Kind    Kind
	Op      Op      // Store..., Ext...: the operation
	Outcome Outcome // StoreDone, ExtDone
	Cause   Cause   // TaskFailed, SnapshotFailed, FaultInjected, Store...
	Way     Way     // BarrierSent, BarrierReceived, Injected, Delivered
	Attempt id.Attempt
	Task    id.TaskID
	Channel id.ChannelID
	Split   id.SplitID // Emitted, WatermarkSaid, PositionSplit, SplitTaken
	Worker  int32      // WorkerCrashed, WorkerRestarted: its number, from 0
	Epoch   id.Epoch
	From    uint64 // first of a range of positions or offsets, exclusive; see the kind
	To      uint64 // last of it, inclusive; or a size in bytes; see the kind
	At      int64  // event time, where the kind says so; see NoTime and EndOfTime
	Sum     uint64 // content hash, where the kind says so
	Data    []byte // content, where the kind says so
	Key     string // storage key: of an operation, or of a snapshot
	Text    string // prose for people: a reason, the name of a worker. No program reads it.
}

// Observer sees events as they happen, in one order. Observe must not keep
// Data and must not call back into what it observes. A driver calls it from
// one goroutine at a time.
type Observer interface {
	Observe(e *Event)
	// Wants says which kinds to send; asked once.
	Wants() Mask
}

// Mask is a set of kinds.
type Mask uint64

// Has reports whether k, which is below 64, is in m.
func (m Mask) Has(k Kind) bool { return m>>(k&63)&1 != 0 }

// With returns m with kinds added.
func (m Mask) With(ks ...Kind) Mask {
	for _, k := range ks {
		m |= 1 << k
	}
	return m
}

// Everything is the set of all kinds, also of those that there are not; Known has those that there are.
const (
	Everything = ^Mask(0)
	Known      = Everything >> (64 - Kinds)
)
