package scenario

import (
	"fmt"
	"io"

	"weir/check"
	"weir/trace"
)

// Printer is an observer that writes the events of the protocol, of storage and of
// faults to W, a line each; not what happens to single records.
type Printer struct{ W io.Writer }

// Wants is what a person can follow.
func (p Printer) Wants() trace.Mask {
	return trace.Everything &^ trace.Mask(0).With(trace.Emitted, trace.Sealed, trace.Delivered, trace.PositionIn, trace.PositionOut, trace.PositionSplit, trace.WatermarkSaid, trace.WatermarkSeen)
}

// Observe writes one event; who owns W learns of errors there.
func (p Printer) Observe(e *trace.Event) { _, _ = fmt.Fprintln(p.W, check.Describe(e)) }
