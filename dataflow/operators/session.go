package operators

import (
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/state"
)

// MutantLateByOne is the mistake of sessions that give up a record which is as late
// as is allowed.
const MutantLateByOne dataflow.Mutant = "late-by-one"

// SessionAggregate keeps an accumulator of type A per key and session: records of
// a key belong to one session if each is less than Gap behind the one before it.
// A session lasts from its first record to Gap behind its last one. When the
// watermark has reached its end it has a row, and when it is Lateness beyond that
// the session is dropped. A record may lie between two sessions and make them one.
//
// A record older than the watermark by more than Lateness goes to LatePort,
// whatever sessions there are. So no record that counts can touch a session that
// is dropped, and which records are late decides which sessions there are, whatever
// the order in which the others came. One that is late, but not by more, gives its
// session another row if it had one.
//
// The input edges must be Hash edges on state.HashBytes of the same key. It reads
// every input port and emits on port 0.
type SessionAggregate[A any] struct {
	State    string // name of the keyed state
	Gap      int64  // in the unit of event time, positive
	Lateness int64
	Acc      state.Codec[A] // what it decodes must not share memory with what it read
	// Read appends the key of a record to dst and returns its event time. rec is
	// borrowed.
	Read func(dst, rec []byte) (key []byte, at int64)
	// Add returns acc with the record added; acc is zero for a new session.
	Add func(acc A, rec []byte) A
	// Merge returns the accumulator of two sessions that have become one.
	Merge func(a, b A) A
	// Row appends the row of a session [start, end).
	Row func(dst, key []byte, start, end int64, acc A) []byte

	ctx      *dataflow.Context
	out      *dataflow.Output
	sessions *state.Map[int64, session[A]]
	of       []keyed[A] // the sessions of the key at hand
	timers   []int64    // of those that are one now
	late     int64      // how late a record may be
	key      []byte
	scratch  []byte
}

// session is one session, which stands in the state under its start.
type session[A any] struct {
	end   int64
	fresh bool // it has records that no row of it shows
	acc   A
}

type keyed[A any] struct {
	start int64
	session[A]
}

// due is when a session has its next timer: of its row, or of its end.
func (a *SessionAggregate[A]) due(s *session[A]) int64 {
	if s.fresh {
		return s.end
	}
	return s.end + a.Lateness
}

// sessionCodec encodes a session around its accumulator.
func sessionCodec[A any](acc state.Codec[A]) state.Codec[session[A]] {
	return &state.StructCodec[session[A]]{
		ID: "session/1:" + acc.Name(),
		Write: func(dst []byte, s session[A]) []byte {
			fresh := byte(0)
			if s.fresh {
				fresh = 1
			}
			return acc.Append(append(state.Int64.Append(dst, s.end), fresh), s.acc)
		},
		Read: func(r *state.Reader) (s session[A]) {
			s.end, s.fresh = int64(r.Uint64()), r.Byte() == 1
			v, err := acc.Decode(r.Rest())
			if err != nil {
				r.Fail("accumulator: %v", err)
				return s
			}
			*r = *state.NewReader(nil)
			s.acc = v
			return s
		},
	}
}

// Open opens the keyed state.
func (a *SessionAggregate[A]) Open(c *dataflow.Context) error {
	if a.Gap <= 0 || a.Lateness < 0 {
		return fmt.Errorf("sessions %s: gap %d, lateness %d: the gap must be positive and the lateness not negative", a.State, a.Gap, a.Lateness)
	}
	sessions, err := state.OpenMap(c.Store(), a.State, state.Int64, sessionCodec(a.Acc))
	if err != nil {
		return err
	}
	a.ctx, a.out, a.sessions, a.late = c, c.Out(0), sessions, a.Lateness
	if c.Has(MutantLateByOne) {
		a.late--
	}
	return nil
}

// Process adds the records of b to their sessions.
func (a *SessionAggregate[A]) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		key, at := a.Read(a.key[:0], rec)
		a.key = key
		k := a.ctx.Key(key)
		if at+a.late < a.ctx.WatermarkOf(k.Group) {
			a.ctx.Late(LatePort, rec)
			continue
		}
		a.add(k, at, rec)
	}
	return nil
}

// add makes one session of a record and all sessions that it touches.
func (a *SessionAggregate[A]) add(k state.Key, at int64, rec []byte) {
	var zero A
	one := keyed[A]{at, session[A]{end: at + a.Gap, fresh: true, acc: a.Add(zero, rec)}}
	a.load(k)
	others, timers := a.of[:0], a.timers[:0]
	for _, s := range a.of {
		if s.start >= one.end || s.end <= at {
			others = append(others, s)
			continue
		}
		timers = append(timers, a.due(&s.session))
		a.sessions.Delete(k, s.start)
		one.start, one.end, one.acc = min(one.start, s.start), max(one.end, s.end), a.Merge(s.acc, one.acc)
	}
	a.of, a.timers = append(others, one), timers
	a.sessions.Put(k, one.start, one.session)
	for _, t := range timers {
		if !a.needs(t) {
			a.ctx.CancelTimer(t, k.Bytes)
		}
	}
	a.ctx.Timer(one.end, k.Bytes)
}

// load reads the sessions of a key.
func (a *SessionAggregate[A]) load(k state.Key) {
	a.of = a.of[:0]
	a.sessions.Each(k, func(start int64, s session[A]) bool {
		a.of = append(a.of, keyed[A]{start, s})
		return true
	})
}

// needs reports whether a session of the key at hand has its timer at a time.
func (a *SessionAggregate[A]) needs(at int64) bool {
	return slices.ContainsFunc(a.of, func(s keyed[A]) bool { return a.due(&s.session) == at })
}

// OnTimer emits the rows of the sessions that end at at, and drops those that have
// been kept for late records until then.
func (a *SessionAggregate[A]) OnTimer(at int64, key []byte) error {
	k := a.ctx.Key(key)
	a.load(k)
	found := false
	for _, s := range a.of {
		if a.due(&s.session) != at {
			continue
		}
		found = true
		if s.fresh {
			a.scratch = a.Row(a.scratch[:0], key, s.start, s.end, s.acc)
			a.out.Emit(a.scratch)
		}
		if !s.fresh || a.Lateness == 0 {
			a.sessions.Delete(k, s.start)
			continue
		}
		s.fresh = false
		a.sessions.Put(k, s.start, s.session)
		a.ctx.Timer(a.due(&s.session), key)
	}
	if !found {
		return fmt.Errorf("sessions %s: a timer at %d for no session: timers and state do not belong together", a.State, at)
	}
	return nil
}

// Finish does nothing: the watermark at the end of the input has ended every session.
func (a *SessionAggregate[A]) Finish() error { return nil }
