package external

import (
	"errors"
	"maps"
	"slices"

	"weir/id"
)

// Take makes a store in memory hold what another one, of whatever kind, holds at the moment:
// a run in the simulator goes on where a live job has ended. What is visible there is
// not reported again. The other one stays as it is.
func (s *Store) Take(from *Store) error {
	if s.log != nil {
		return errors.New("external store: only a store in memory takes over what another one holds")
	}
	s.Reset()
	load := func(chunks []chunk) ([]chunk, error) {
		out := make([]chunk, len(chunks))
		for i, c := range chunks {
			data, err := c.data, error(nil)
			if data == nil && from.log != nil {
				if data, err = from.load(&c); err != nil {
					return nil, err
				}
			}
			out[i] = chunk{data: slices.Clone(data), count: c.count}
		}
		return out, nil
	}
	one := func(c *chunk) error {
		all, err := load([]chunk{*c})
		if err == nil {
			*c = all[0]
		}
		return err
	}
	s.m.visible = slices.Clone(from.m.visible[:from.durable])
	for i := range s.m.visible {
		if err := one(&s.m.visible[i].chunk); err != nil {
			return err
		}
	}
	s.m.versions = maps.Clone(from.m.versions)
	s.m.tasks = make([]taskState, len(from.m.tasks))
	for i := range from.m.tasks {
		t, was := &s.m.tasks[i], &from.m.tasks[i]
		t.fence, t.done, t.open, t.staged = was.fence, slices.Clone(was.done), slices.Clone(was.open), slices.Clone(was.staged)
		for _, x := range was.sessions { // writes that no transaction has claimed are lost with their process
			t.sessions = append(t.sessions, session{attempt: x.attempt, upTo: x.upTo, above: slices.Clone(x.above), reopened: true})
		}
		for k := range t.open {
			var err error
			if t.open[k].chunks, err = load(t.open[k].chunks); err != nil {
				return err
			}
		}
		for k := range t.staged {
			if err := one(&t.staged[k].chunk); err != nil {
				return err
			}
		}
	}
	s.durable = len(s.m.visible)
	return nil
}

// Newest returns the newest attempt that has written or recovered, and the newest transaction that
// has made rows visible; 0: there is none. A job that goes on here begins above that attempt.
func (s *Store) Newest() (a id.Attempt, txn id.Epoch) {
	for i := range s.m.tasks {
		t := &s.m.tasks[i]
		a = max(a, t.fence)
		for k := range t.sessions {
			a = max(a, t.sessions[k].attempt)
		}
	}
	for i := range s.m.visible[:s.durable] {
		txn = max(txn, s.m.visible[i].txn)
	}
	return a, txn
}

// Rows returns the visible rows, in the order in which they became so.
func (s *Store) Rows() (rows [][]byte, err error) {
	err = s.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		rows = append(rows, slices.Clone(row))
		return nil
	})
	return rows, err
}
