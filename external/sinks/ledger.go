package sinks

import (
	"encoding/binary"
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// MutantFirstInsertMarksAll: the first of several operations of a ledger that is
// answered marks all that are under way as done.
const MutantFirstInsertMarksAll dataflow.Mutant = "first-insert-marks-all"

// ledger holds rows until the snapshot that they stand in is complete: it is
// operator state, so that they come back with it.
type ledger struct {
	list *state.OperatorList // an item per sealed entry, in the order of sealed
	open rows
	// sealed are those of snapshots that are not known complete, or whose
	// operation is not answered.
	sealed []entry
	mutant dataflow.Mutant
}

type entry struct {
	epoch  id.Epoch
	data   []byte // rows in their framing
	count  int
	issued bool
}

func (l *ledger) openState(c *dataflow.Context) { l.list = c.List("ledger", state.Sealed) }

// seal closes the open rows as those of snapshot e.
func (l *ledger) seal(e id.Epoch) {
	if l.open.count == 0 {
		return
	}
	x := entry{epoch: e}
	x.data, x.count = l.open.take()
	l.sealed = append(l.sealed, x)
	item := binary.AppendUvarint(nil, uint64(e))
	item = binary.AppendUvarint(item, uint64(x.count))
	l.list.Items = append(l.list.Items, append(item, x.data...))
}

// due returns an operation of a kind for every sealed entry up to e that has none.
func (l *ledger) due(e id.Epoch, kind dataflow.ExtKind) []dataflow.ExtOp {
	var ops []dataflow.ExtOp
	for i := range l.sealed {
		if x := &l.sealed[i]; x.epoch <= e && !x.issued {
			x.issued = true
			ops = append(ops, dataflow.ExtOp{Kind: kind, Txn: x.epoch, Rows: x.data, Count: x.count})
		}
	}
	return ops
}

// done forgets the entry of e.
func (l *ledger) done(e id.Epoch) {
	for i := len(l.sealed) - 1; i >= 0; i-- {
		if x := &l.sealed[i]; x.epoch == e || l.mutant == MutantFirstInsertMarksAll && x.issued {
			l.sealed = slices.Delete(l.sealed, i, i+1)
			l.list.Items = slices.Delete(l.list.Items, i, i+1)
		}
	}
}

// pending appends the epochs of the sealed entries.
func (l *ledger) pending(dst []id.Epoch) []id.Epoch {
	for i := range l.sealed {
		dst = append(dst, l.sealed[i].epoch)
	}
	return dst
}

// restore takes the entries of the restored list over. They are those that the
// snapshot names as pending: anything else would be committed or lost in secret.
func (l *ledger) restore(pending []id.Epoch) error {
	l.sealed = l.sealed[:0]
	for _, item := range l.list.Items {
		e, n := binary.Uvarint(item)
		count, m := binary.Uvarint(item[max(n, 0):])
		if n <= 0 || m <= 0 {
			return fmt.Errorf("%w: an item of a sink's ledger", state.ErrCorrupt)
		}
		l.sealed = append(l.sealed, entry{epoch: id.Epoch(e), data: item[n+m:], count: int(count)})
	}
	if !slices.Equal(l.pending(nil), pending) {
		return fmt.Errorf("%w: the ledger holds the rows of %v, pending are %v", state.ErrCorrupt, l.pending(nil), pending)
	}
	return nil
}
