package dataflow

import (
	"fmt"

	"weir/state"
)

// Declared is what a task of a job keeps: its keyed states and timers, with all schemas that
// their values may be of, and its operator state, without content.
type Declared struct {
	States   []state.Descriptor
	Operator []byte // in the encoding of state.Handle.Operator
}

// Succeed opens the operator of a task, as a restore would from what another program of the
// job keeps, and returns what the task keeps from then on. Nothing is stored, and no record is
// processed. The error, which wraps state.ErrIncompatible, says which state could not be read, and what
// differs. The job's backend should be one without local files.
func Succeed(j *Job, info *TaskInfo, left Declared) (Declared, error) {
	t, err := NewTask(j, info, Env{})
	if err != nil {
		return Declared{}, err
	}
	err = t.succeed(left)
	d := Declared{States: t.store.States(), Operator: t.store.AppendOperator(nil)}
	if closed := t.store.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return d, fmt.Errorf("%s: %w", info.Name, err)
	}
	return d, nil
}

func (t *Task) succeed(left Declared) error {
	for _, d := range left.States {
		if _, err := t.store.Load(d); err != nil {
			return err
		}
	}
	return t.store.RestoreOperator([]state.Handle{{Operator: left.Operator}})
}
