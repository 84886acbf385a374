package operators

import (
	"fmt"

	"weir/dataflow"
	"weir/state"
)

// Windows are event-time windows [k*Period, k*Period+Size) for every integer
// k, in the unit of event time that the records use. Period = Size makes them
// tumbling; a smaller period sliding; with a larger one some records are in no
// window.
type Windows struct{ Size, Period int64 }

// Tumbling returns windows that follow each other without overlap.
func Tumbling(size int64) Windows { return Windows{size, size} }

// Sliding returns windows of size that begin every period.
func Sliding(size, period int64) Windows { return Windows{size, period} }

// Validate reports a size or period that is not positive.
func (w Windows) Validate() error {
	if w.Size <= 0 || w.Period <= 0 {
		return fmt.Errorf("windows of size %d every %d: both must be positive", w.Size, w.Period)
	}
	return nil
}

// Last returns the start of the last window that begins at or before at.
func (w Windows) Last(at int64) int64 {
	into := at % w.Period
	if into < 0 {
		into += w.Period
	}
	return at - into
}

// LatePort is the output port of windows for records that are too late, as they
// came. A graph that wants them has an edge from there; all are counted.
const LatePort = 1

// WindowAggregate keeps an accumulator of type A per key and window, emits one
// row when the watermark has reached the window's end, and drops the
// accumulator when it is Lateness beyond that. Its input edges must be Hash edges on state.HashBytes of the
// same key. It reads every input port and emits on port 0. A record older than
// the watermark counts for the windows that are still kept: one that had its row
// gets another. A record whose windows are all dropped goes to LatePort.
type WindowAggregate[A any] struct {
	State   string // name of the keyed state
	Windows Windows
	// Lateness is how far a watermark goes beyond the end of a window before the
	// window is dropped, in the unit of event time.
	Lateness int64
	Acc      state.Codec[A]
	// Read appends the key of a record to dst and returns its event time; keep
	// false leaves the record out. rec is borrowed.
	Read func(dst, rec []byte) (key []byte, at int64, keep bool)
	// Add returns acc with the record added; acc is zero for a new window.
	Add func(acc A, rec []byte) A
	// Row appends the row of a closed window [start, start+Size).
	Row func(dst, key []byte, start int64, acc A) []byte

	ctx     *dataflow.Context
	out     *dataflow.Output
	windows *state.Map[int64, A]
	key     []byte
	scratch []byte
}

// Open opens the keyed state.
func (a *WindowAggregate[A]) Open(c *dataflow.Context) error {
	if err := a.Windows.Validate(); err != nil {
		return err
	}
	if a.Lateness < 0 {
		return fmt.Errorf("windows that allow lateness %d: it must not be negative", a.Lateness)
	}
	windows, err := state.OpenMap(c.Store(), a.State, state.Int64, a.Acc)
	if err != nil {
		return err
	}
	a.ctx, a.out, a.windows = c, c.Out(0), windows
	return nil
}

// Process adds the records of b to their windows.
func (a *WindowAggregate[A]) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		key, at, keep := a.Read(a.key[:0], rec)
		a.key = key
		if !keep {
			continue
		}
		k := a.ctx.Key(key)
		reached := a.ctx.WatermarkOf(k.Group)
		last := a.Windows.Last(at)
		for start := last; start > at-a.Windows.Size; start -= a.Windows.Period {
			end := start + a.Windows.Size
			if end+a.Lateness <= reached {
				if start == last {
					a.ctx.Late(LatePort, rec)
				}
				break // dropped, and so are all before it
			}
			acc, open := a.windows.Get(k, start)
			a.windows.Put(k, start, a.Add(acc, rec))
			if !open || end <= reached {
				a.ctx.Timer(end, key)
			}
		}
	}
	return nil
}

// OnTimer emits the row of the window that ends at at, and drops the one that has
// been kept for late records until at.
func (a *WindowAggregate[A]) OnTimer(at int64, key []byte) error {
	k, start := a.ctx.Key(key), at-a.Windows.Size
	acc, ends := a.windows.Get(k, start)
	if ends {
		a.scratch = a.Row(a.scratch[:0], key, start, acc)
		a.out.Emit(a.scratch)
	}
	if a.Lateness == 0 {
		a.windows.Delete(k, start)
	} else {
		if ends {
			a.ctx.Timer(at+a.Lateness, key)
		}
		if _, kept := a.windows.Get(k, start-a.Lateness); kept {
			a.windows.Delete(k, start-a.Lateness)
			return nil
		}
	}
	if !ends {
		return fmt.Errorf("window aggregate %s: a timer at %d for a window that is not open: timers and state do not belong together", a.State, at)
	}
	return nil
}

// Finish does nothing: the watermark at the end of the input has closed every window.
func (a *WindowAggregate[A]) Finish() error { return nil }

// Best keeps, per key, the records of the highest rank (all of them on a tie)
// until a time that the records themselves name, emits them, and forgets the
// key. A record of a key that is complete already goes to LatePort. Its input edges must be Hash edges on state.HashBytes of the same key.
// It reads every input port and emits on port 0.
type Best struct {
	State string // prefix of the names of the keyed states
	// Read appends the key of a record to dst and returns its rank and the event
	// time at which the key is complete, the same in all records of a key.
	Read func(dst, rec []byte) (key []byte, rank, until int64)
	// Row appends the row for a record that was among the best; nil emits the
	// record unchanged.
	Row func(dst, rec []byte) []byte

	ctx     *dataflow.Context
	out     *dataflow.Output
	ranks   *state.Value[int64]
	best    state.ListTable
	key     []byte
	scratch []byte
}

// Open opens the keyed state.
func (t *Best) Open(c *dataflow.Context) error {
	ranks, err := state.OpenValue(c.Store(), t.State+"-rank", state.Int64)
	if err != nil {
		return err
	}
	best, err := state.OpenList(c.Store(), t.State, state.Bytes)
	if err != nil {
		return err
	}
	t.ctx, t.out, t.ranks, t.best = c, c.Out(0), ranks, best.Table()
	return nil
}

// Process compares the records of b with the best so far.
func (t *Best) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		key, rank, until := t.Read(t.key[:0], rec)
		t.key = key
		k := t.ctx.Key(key)
		if until <= t.ctx.WatermarkOf(k.Group) {
			t.ctx.Late(LatePort, rec)
			continue
		}
		highest, seen := t.ranks.Get(k)
		switch {
		case !seen:
			t.ctx.Timer(until, key)
		case rank < highest:
			continue
		case rank > highest:
			t.best.Delete(k)
		}
		if !seen || rank > highest {
			t.ranks.Set(k, rank)
		}
		t.best.Append(k, rec)
	}
	return nil
}

// OnTimer emits the best of a key that is complete.
func (t *Best) OnTimer(_ int64, key []byte) error {
	k := t.ctx.Key(key)
	list, _ := t.best.Get(k)
	for len(list) > 0 {
		rec, rest, err := state.NextElement(list)
		if err != nil {
			return fmt.Errorf("best %s: %w", t.State, err)
		}
		if t.Row == nil {
			t.out.Emit(rec)
		} else {
			t.scratch = t.Row(t.scratch[:0], rec)
			t.out.Emit(t.scratch)
		}
		list = rest
	}
	t.best.Delete(k)
	t.ranks.Delete(k)
	return nil
}

// Finish does nothing: the watermark at the end of the input has completed every key.
func (t *Best) Finish() error { return nil }
