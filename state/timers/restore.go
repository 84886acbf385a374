package timers

import (
	"fmt"

	"weir/id"
	"weir/state"
)

// Restore rebuilds timers from what a snapshot holds of a set, segment by
// segment, in order.
type Restore struct {
	set    *Queue
	part   *Part
	wanted state.GroupRange
	epoch  id.Epoch // 0: the snapshot is no base for the next

	data    [][]byte // of segments that have arrived and are not loaded
	current *state.Reader
	code    coder
	next    int // first segment that is not loaded
	entries int // of current so far
	first   uint32
	done    bool
}

// Restore begins to load the key groups wanted of p. If all of what p holds is
// wanted, and the set is to hold nothing else, epoch names the snapshot, which is
// a possible base from then on; otherwise it is 0.
func (s *Queue) Restore(p *Part, wanted state.GroupRange, epoch id.Epoch) *Restore {
	return &Restore{set: s, part: p, wanted: wanted, epoch: epoch, data: make([][]byte, len(p.list)), first: s.log.now}
}

// Files returns the files to fetch, in order.
func (r *Restore) Files() []state.FileRef { return r.part.Files() }

// Arrived takes a file. What is wrong with it is an error that Step or Arrived gives.
func (r *Restore) Arrived(i int, data []byte) error {
	s := &r.part.list[i]
	if err := s.check(data); err != nil {
		return r.segmentError(i, err)
	}
	r.data[i] = data
	return nil
}

func (r *Restore) segmentError(i int, err error) error {
	return &state.OpError{Kind: state.OpGet, Key: r.part.list[i].ref.Name, Status: state.Corrupt, Err: err}
}

// Step loads a slice of what has arrived. idle says that it can do no more until
// the next file arrives, or at all.
func (r *Restore) Step() (idle bool, err error) {
	if r.done {
		return true, nil
	}
	if len(r.part.inline) > 0 {
		r.current = state.NewReader(r.part.inline)
		r.part.inline = nil
	}
	if r.current == nil {
		if r.next == len(r.part.list) {
			return true, r.finish()
		}
		if r.data[r.next] == nil {
			return true, nil
		}
		r.current = state.NewReader(r.data[r.next][headerBytes:])
		r.code, r.entries, r.data[r.next] = coder{}, 0, nil
	}
	return false, r.slice()
}

// slice loads some entries of the current segment, or of the manifest.
func (r *Restore) slice() error {
	in, fired := r.current, bound{}
	segments := len(r.part.list) > 0
	if segments {
		fired = r.part.list[r.next].fired
	}
	for range sliceEntries {
		if in.Len() == 0 {
			break
		}
		e, cancelled := r.code.next(in)
		if in.Err() == nil && !r.load(e, cancelled, fired) {
			in.Fail("a timer stands there twice")
		}
		r.entries++
	}
	err := in.Err()
	if err == nil && in.Len() > 0 {
		return nil
	}
	r.current = nil
	if !segments {
		return err
	}
	if want := r.part.list[r.next].entries; err == nil && r.entries != want {
		err = fmt.Errorf("%w: %d entries, the checkpoint says %d", state.ErrCorrupt, r.entries, want)
	}
	if err != nil {
		return r.segmentError(r.next, err)
	}
	r.next++
	r.set.log.now++
	return nil
}

// load takes over one entry; false: it is there already.
func (r *Restore) load(e entry, cancelled bool, fired bound) bool {
	if e.group < r.wanted.Lo || e.group >= r.wanted.Hi || !cancelled && fired.covers(e.Timer) {
		return true
	}
	s := r.set
	if cancelled {
		if t, there := s.remove(e.group, e.Timer); there {
			s.log.unload(t)
		}
		return true // what it cancels may have gone with its segment
	}
	e.since = s.log.now
	_, added := s.add(e.group, e.Timer)
	if added {
		s.log.load()
	}
	return added
}

// finish checks that all is there, and makes the snapshot a possible base.
func (r *Restore) finish() error {
	r.done = true
	if r.epoch == 0 {
		return nil
	}
	s := r.set
	if s.n != r.part.timers {
		return fmt.Errorf("%w: %d timers after the last segment, the checkpoint says %d", state.ErrCorrupt, s.n, r.part.timers)
	}
	if len(r.part.list) == 0 && s.n > 0 {
		s.log.turn(nil) // from the manifest: no segments to refer to
		return nil
	}
	b := &base{epoch: r.epoch, delta: s.log.now, list: r.part.list}
	for i := range b.list {
		b.list[i].until = r.first + uint32(i)
	}
	b.complete.Store(true)
	s.log.turn(b)
	return nil
}
