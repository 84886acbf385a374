package changelog

import (
	"fmt"

	"weir/state"
)

// Restore restores the materialisations and replays the logs since. A handle of the backend
// within is restored as it is. What one task of the same key groups has left is gone on with; otherwise
// the first snapshot is a materialisation.
func (s *Store) Restore(handles []state.Handle) (state.Transfer, error) {
	r := &restore{s: s}
	within := make([]state.Handle, len(handles))
	for i := range handles {
		within[i] = handles[i]
		if _, logged := Within(handles[i].Backend); !logged {
			continue
		}
		m, log, err := decode(&handles[i])
		if err != nil {
			return nil, fmt.Errorf("restore handle %d of %d: %w", i+1, len(handles), err)
		}
		within[i] = m.within
		for k := range log {
			r.left = append(r.left, stretch{ref: log[k], number: m.cut + uint64(k)})
		}
		if len(handles) == 1 && m.groups == s.cfg.Groups {
			r.goesOn, r.log = &m, log
		}
	}
	var err error
	r.within, err = s.Replayer.Restore(within)
	return r, err
}

// restore is the transfer.
type restore struct {
	s      *Store
	within state.Transfer // nil: it is done
	left   []stretch      // segments to be replayed, in order
	asked  int            // of them: are under way, or here
	out    state.Outstanding
	// goesOn is what the log goes on from; nil: it begins anew.
	goesOn *manifest
	log    []state.FileRef
	done   bool
	err    error
}

// stretch is a segment to be replayed. data is nil until it is here.
type stretch struct {
	ref    state.FileRef
	number uint64
	data   []byte
}

// getsAtOnce bounds the segments that are held in memory.
const getsAtOnce = 4

func (r *restore) Next(results []state.Result) ([]state.Op, bool, error) {
	if r.err != nil || r.done {
		return nil, r.done, r.err
	}
	if r.within != nil {
		ops, done, err := r.within.Next(results)
		if err != nil {
			r.err = err
			return nil, false, err
		}
		if !done {
			return ops, false, nil
		}
		r.within, results = nil, nil
	}
	ops, err := r.step(results)
	if err != nil {
		r.err = fmt.Errorf("changelog: restore: %w", err)
		r.s.err = r.err
		return nil, false, r.err
	}
	return ops, r.done, nil
}

// Adopts implements state.Adopter for a store within that does.
func (r *restore) Adopts(name string) bool {
	a, ok := r.within.(state.Adopter)
	return ok && a.Adopts(name)
}

// step replays the next segment that is here, or asks for more.
func (r *restore) step(results []state.Result) ([]state.Op, error) {
	again, err := r.out.Settle(results, func(op state.Op, x state.Result) error {
		for i := range r.left[:r.asked] {
			if r.left[i].ref.Name == op.Key {
				r.left[i].data = x.Data
			}
		}
		return nil
	})
	if err != nil || len(again) > 0 {
		return again, err
	}
	if r.asked > 0 {
		x := &r.left[0]
		if err := replay(r.s.Replayer, &x.ref, x.number, x.data, r.s.cfg.Groups); err != nil {
			return nil, &state.OpError{Kind: state.OpGet, Key: x.ref.Name, Status: state.Corrupt, Err: err}
		}
		r.left, r.asked = r.left[1:], r.asked-1
		return nil, nil
	}
	var ops []state.Op
	for ; r.asked < min(len(r.left), getsAtOnce); r.asked++ {
		ops = append(ops, state.Op{Kind: state.OpGet, Key: r.left[r.asked].ref.Name})
	}
	if len(ops) == 0 {
		r.finish()
	}
	return r.out.Issue(ops), nil
}

// finish begins to log, on top of what was restored if that can be gone on with.
func (r *restore) finish() {
	r.done = true
	if r.goesOn == nil {
		return
	}
	s, m := r.s, r.goesOn
	first := listing(m.epoch)
	s.current = &materialisation{number: m.number, cut: m.cut, handle: m.within, first: first}
	s.current.handle.Operator = nil
	for i := range r.log {
		s.segments = append(s.segments, &segment{number: m.cut + uint64(i), ref: r.log[i], first: first, sent: true})
		s.logged += r.log[i].Size
	}
	s.number, s.next = m.number, m.cut+uint64(len(r.log))
	s.taken, s.released, s.logging = append(s.taken, taken{m.epoch, s.current}), m.epoch, true
}
