package storage

import (
	"errors"
	"fmt"
	"strings"

	"weir/state"
)

func ok() state.Result { return state.Result{Status: state.OK} }

// refuse makes a final refusal that names the object.
func refuse(op state.Op, format string, args ...any) state.Result {
	return state.Result{Status: state.Refused, Err: fmt.Errorf("%s %q: %w", op.Kind, op.Key, fmt.Errorf(format, args...))}
}

// corrupt makes a final finding of damage.
func corrupt(op state.Op, format string, args ...any) state.Result {
	args = append(args, state.ErrCorrupt)
	return state.Result{Status: state.Corrupt, Err: fmt.Errorf("%s %q: %w", op.Kind, op.Key, fmt.Errorf(format+": %w", args...))}
}

var errNoKind = errors.New("unknown kind of operation")

// checkKey refuses names that cannot stand for an object or log in every storage.
func checkKey(op state.Op) error {
	switch op.Kind {
	case state.OpList, state.OpFence:
		return nil // a prefix, may be empty or partial
	default: // a whole name
	}
	if op.Key == "" || strings.HasPrefix(op.Key, "/") || strings.HasSuffix(op.Key, "/") || strings.Contains(op.Key, "//") {
		return errors.New("bad name; want non-empty parts with single slashes between them, for example chk/2.7/t3")
	}
	return nil
}
