package operators

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/state"
)

// WindowJoin joins the records of input ports 0 and 1 that have the same key
// and lie in the same tumbling window: when the watermark reaches the window's
// end, it emits a row for every pair on port 0 and drops the window. Both
// inputs must be Hash edges on state.HashBytes of that key. Records may come in
// any order inside the window; later ones go to LatePort.
type WindowJoin struct {
	State string // prefix of the names of the two keyed states
	Size  int64  // of the windows, in the unit of event time
	Sides [2]JoinSide
	// Row appends the row for a pair; left and right are what the sides kept.
	Row func(dst []byte, start int64, key, left, right []byte) []byte

	ctx     *dataflow.Context
	out     *dataflow.Output
	lists   [2]state.ListTable
	key     []byte
	kept    []byte
	others  []byte // elements of windows that stay open
	due     [2][]byte
	scratch []byte
}

// JoinSide reads one input of a join.
type JoinSide struct {
	// Key appends the key of a record to dst and returns its event time.
	Key func(dst, rec []byte) (key []byte, at int64)
	// Keep appends what the join needs of a record; it is kept in state.
	Keep func(dst, rec []byte) []byte
}

// Open opens the keyed states.
func (j *WindowJoin) Open(c *dataflow.Context) error {
	if err := Tumbling(j.Size).Validate(); err != nil {
		return err
	}
	for side, name := range [2]string{"-left", "-right"} {
		l, err := state.OpenList(c.Store(), j.State+name, state.Bytes)
		if err != nil {
			return err
		}
		j.lists[side] = l.Table()
	}
	j.ctx, j.out = c, c.Out(0)
	return nil
}

// windowBytes is the start of its window in front of every kept record.
const windowBytes = 8

// Process keeps the records of b until their window closes.
func (j *WindowJoin) Process(port int, b *dataflow.Buffer) error {
	side := &j.Sides[port]
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		key, at := side.Key(j.key[:0], rec)
		j.key = key
		start := Tumbling(j.Size).Last(at)
		k := j.ctx.Key(key)
		if start+j.Size <= j.ctx.WatermarkOf(k.Group) {
			j.ctx.Late(LatePort, rec)
			continue
		}
		kept := binary.LittleEndian.AppendUint64(j.kept[:0], uint64(start))
		kept = side.Keep(kept, rec)
		j.kept = kept
		j.lists[port].Append(k, kept)
		j.ctx.Timer(start+j.Size, key)
	}
	return nil
}

// OnTimer joins and drops the window that ends at end.
func (j *WindowJoin) OnTimer(end int64, key []byte) error {
	k, start := j.ctx.Key(key), end-j.Size
	for side := range j.lists {
		if err := j.take(side, k, start); err != nil {
			return fmt.Errorf("window join %s: %w", j.State, err)
		}
	}
	for left := j.due[0]; len(left) > 0; {
		l, rest := dataflow.NextRecord(left)
		for right := j.due[1]; len(right) > 0; {
			r, rest := dataflow.NextRecord(right)
			j.scratch = j.Row(j.scratch[:0], start, key, l, r)
			j.out.Emit(j.scratch)
			right = rest
		}
		left = rest
	}
	return nil
}

// take moves what one side keeps for a window from state into j.due.
func (j *WindowJoin) take(side int, k state.Key, start int64) error {
	due, others, n := j.due[side][:0], j.others[:0], 0
	list, _ := j.lists[side].Get(k)
	for len(list) > 0 {
		elem, rest, err := state.NextElement(list)
		if err != nil {
			return err
		}
		if int64(binary.LittleEndian.Uint64(elem)) == start {
			due = dataflow.AppendRecord(due, elem[windowBytes:])
			n++
		} else {
			others = dataflow.AppendRecord(others, elem)
		}
		list = rest
	}
	j.due[side], j.others = due, others
	if n == 0 {
		return nil
	}
	j.lists[side].Delete(k)
	for elem, rest := dataflow.NextRecord(others); elem != nil; elem, rest = dataflow.NextRecord(rest) {
		j.lists[side].Append(k, elem)
	}
	return nil
}

// Finish does nothing: the watermark at the end of the input has closed every window.
func (j *WindowJoin) Finish() error { return nil }
