package state

import (
	"errors"
	"fmt"

	"weir/trace"
)

// String returns the name of the operation, for example "put".
func (k OpKind) String() string { return trace.Op(k).String() }

// String returns the status in words, for example "not found".
func (s Status) String() string { return trace.Outcome(s).String() }

// OpError is a storage operation that came to nothing, for good. Status
// Corrupt makes errors.Is(err, ErrCorrupt) true, also where the content and
// not the storage was found wrong.
type OpError struct {
	Kind   OpKind
	Key    string
	Status Status
	Err    error // the cause, may be nil
}

// Error names the operation, the object and the cause.
func (e *OpError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("storage: %s %q: %s", e.Kind, e.Key, e.Status)
	}
	return fmt.Sprintf("storage: %s %q: %s: %v", e.Kind, e.Key, e.Status, e.Err)
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// Is makes a corrupt object match ErrCorrupt.
func (e *OpError) Is(target error) bool { return target == ErrCorrupt && e.Status == Corrupt }

// Outstanding keeps the operations that a Transfer has returned and not seen
// the end of. The zero value is ready for use.
type Outstanding struct{ ops []Op }

// Issue remembers ops and returns them, for Next to return.
func (o *Outstanding) Issue(ops []Op) []Op {
	o.ops = ops
	return ops
}

// Settle takes the results of the operations issued last. It calls done for
// each that is OK and returns those that Failed, to be returned by Next again;
// any other status is a final OpError. The number of results must be that of
// the operations issued.
func (o *Outstanding) Settle(results []Result, done func(op Op, r Result) error) (again []Op, err error) {
	if len(results) != len(o.ops) {
		return nil, fmt.Errorf("state transfer: %d results for %d operations", len(results), len(o.ops))
	}
	for i := range results {
		op, r := o.ops[i], results[i]
		switch r.Status {
		case OK:
			if err := done(op, r); err != nil {
				return nil, err
			}
		case Failed:
			again = append(again, op)
		case Lost, NotFound, Refused, Corrupt:
			return nil, &OpError{Kind: op.Kind, Key: op.Key, Status: r.Status, Err: r.Err}
		default:
			return nil, &OpError{Kind: op.Kind, Key: op.Key, Status: r.Status, Err: errors.New("the driver gave no outcome")}
		}
	}
	o.ops = again
	return again, nil
}
