package external

import (
	"slices"

	"weir/dataflow"
	"weir/id"
)

// staged are rows that their writer has made durable and nobody has published.
// What a rollback takes back stays: like the orphans of a table's files it is
// never visible, and nobody looks for it.
type staged struct {
	attempt id.Attempt
	number  uint64
	chunk
}

func (t *taskState) stage(op *dataflow.ExtOp, c chunk) outcome {
	if !t.session(op.Attempt).arrive(op.Number) {
		return outcome{dataflow.ExtOK, false}
	}
	t.staged = append(t.staged, staged{op.Attempt, op.Number, c})
	return outcome{dataflow.ExtOK, true}
}

// publishStaged makes what the committables of a transaction name visible as
// that of the committer, all or, if some of it is not there, nothing.
func (m *machine) publishStaged(op *dataflow.ExtOp) outcome {
	if m.task(op.Task).committed(op.Txn) {
		return outcome{dataflow.ExtOK, false}
	}
	var named []Committable
	for rec, rest := dataflow.NextRecord(op.Rows); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		c, err := DecodeCommittable(rec)
		if err != nil || m.find(&c) < 0 {
			return outcome{dataflow.ExtAbsent, false}
		}
		named = append(named, c)
	}
	for i := range named {
		t := m.task(named[i].Task)
		k := m.find(&named[i])
		if k < 0 {
			continue // named twice: it is visible once
		}
		m.visible = append(m.visible, visible{op.Task, op.Txn, t.staged[k].chunk})
		t.staged = slices.Delete(t.staged, k, k+1)
	}
	m.task(op.Task).finish(op.Txn)
	return outcome{dataflow.ExtOK, true}
}

func (m *machine) find(c *Committable) int {
	return slices.IndexFunc(m.task(c.Task).staged, func(s staged) bool { return s.attempt == c.Attempt && s.number == c.Number })
}
