package coordinator

import (
	"errors"

	"weir/state"
)

// Unreadable reports whether a task's failure says that what it was to restore
// cannot be restored, so that trying again is of no use.
func Unreadable(cause error) bool {
	var op *state.OpError
	if errors.As(cause, &op) && op.Kind != state.OpPut {
		return true
	}
	return errors.Is(cause, state.ErrCorrupt) || errors.Is(cause, state.ErrIncompatible)
}
