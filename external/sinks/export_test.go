package sinks

import "weir/state"

// NewWriteAhead returns a sink over a list, without a task.
func NewWriteAhead(l *state.OperatorList) *WriteAhead { return &WriteAhead{ledger{list: l}} }
