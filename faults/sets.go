package faults

import (
	"fmt"
	"strings"

	"weir/trace"
)

// ProtocolEvents are the transitions of the snapshot protocol, in tasks and coordinator.
func ProtocolEvents() trace.Mask {
	var m trace.Mask
	for k := trace.BarrierSent; k <= trace.JobDone; k++ {
		m = m.With(k)
	}
	return m
}

// StorageEvents are the operations on checkpoint storage: asked, carried out, answered.
func StorageEvents() trace.Mask {
	return trace.Mask(0).With(trace.StoreIssued, trace.StoreApplied, trace.StoreDone)
}

// ExternalEvents are the operations on the external store.
func ExternalEvents() trace.Mask {
	return trace.Mask(0).With(trace.ExtIssued, trace.ExtApplied, trace.ExtDone, trace.OutputCommitted)
}

// SweepEvents are the events at which a sweep crashes: all of the above.
func SweepEvents() trace.Mask { return ProtocolEvents() | StorageEvents() | ExternalEvents() }

// set is a named set of event kinds in the text form.
type set struct {
	name string
	mask trace.Mask
}

func sets() []set {
	return []set{
		{"protocol-event", ProtocolEvents()}, {"storage-event", StorageEvents()},
		{"external-event", ExternalEvents()}, {"sweep-event", SweepEvents()},
	}
}

// parseEvents returns the kinds that a name stands for.
func parseEvents(name string) (trace.Mask, error) {
	for _, s := range sets() {
		if s.name == name {
			return s.mask, nil
		}
	}
	k, err := trace.ParseKind(name)
	if err != nil {
		var known []string
		for k := trace.Kind(0); k < trace.Kinds; k++ {
			known = append(known, k.String())
		}
		for _, s := range sets() {
			known = append(known, s.name)
		}
		return 0, fmt.Errorf("unknown event %q; known: %s", name, strings.Join(known, ", "))
	}
	return trace.Mask(0).With(k), nil
}

// eventsText is the inverse of parseEvents and of (any ...).
func eventsText(m trace.Mask) string {
	for _, s := range sets() {
		if s.mask == m {
			return s.name
		}
	}
	var names []string
	for k := trace.Kind(0); k < trace.Kinds; k++ {
		if m.Has(k) {
			names = append(names, k.String())
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return "(any " + strings.Join(names, " ") + ")"
}

// The ways of messages between coordinator and worker, which stand for operations of a control connection.
const (
	Up   = "up"   // from the worker
	Down = "down" // to the worker
)

// storageOps and sinkOps are the operations that Fail and Delay may name.
func storageOps() []string { return opNames(trace.Put, trace.Fence) }

func sinkOps() []string { return opNames(trace.ExtAppend, trace.Ops-1) }

func opNames(first, last trace.Op) []string {
	var names []string
	for o := first; o <= last; o++ {
		names = append(names, OpName(o))
	}
	return names
}

// OpName returns the name of an operation in a plan: without spaces.
func OpName(o trace.Op) string { return strings.ReplaceAll(o.String(), " ", "-") }

// names of the enumerations in the text form, indexed by value.
func targetNames() []string {
	return []string{Worker: "worker", Coordinator: "coordinator", Storage: "storage", SourceLog: "source", Sink: "sink", Link: "link", Control: "control", Job: "job", Process: "process"}
}

func outcomeNames() []string {
	return []string{NotApplied: "not-applied", Applied: "applied", Torn: "torn", Refused: "refused", Forgotten: "forgotten", Misdirected: "misdirected", Stale: "stale"}
}

func name(names []string, v uint8) string {
	if v > 0 && int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("?%d", v)
}

// String returns the word of the text form.
func (t Target) String() string { return name(targetNames(), uint8(t)) }

// String returns the word of the text form.
func (o Outcome) String() string { return name(outcomeNames(), uint8(o)) }
