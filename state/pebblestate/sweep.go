package pebblestate

import (
	"bytes"
	"errors"

	"weir/state"
)

// expiries judge entries by the number of their table, at one moment. Nil: nothing
// expires.
type expiries []state.Expiry

// expiries returns those of now.
func (s *Store) expiries() expiries {
	if c := s.Clocks(); !c.Uses(state.EventTime) && !c.Uses(state.ProcessingTime) {
		return nil
	}
	var all expiries
	for _, t := range s.tables {
		if e := s.Clocks().Expiry(t.descriptor()); e.Applies() {
			for len(all) <= int(t.number()) {
				all = append(all, state.Expiry{})
			}
			all[t.number()] = e
		}
	}
	return all
}

// of returns that of a table.
func (e expiries) of(table uint8) *state.Expiry {
	if int(table) < len(e) {
		return &e[table]
	}
	return &state.Expiry{}
}

// live reports whether an entry is still to be seen.
func (e expiries) live(table uint8, value []byte) bool {
	return e.of(table).Live(value)
}

// A sweep follows every snapshot's run into the database: it looks at the next
// entries there, in order of key and round again, and deletes those that have
// expired at the instant. Nobody sees them any more, and nothing that is newer is in
// the database yet. It looks at two entries for each that the run has brought, so
// that there are at most about as many expired ones as others; from the files they
// go when these are merged.
type sweep struct {
	began bool
	left  int // entries still to be looked at
	w     tableWriter
}

// sweptAtLeast is how many entries a sweep looks at, however short the run.
const sweptAtLeast = 256

// step looks at about as many entries.
func (n *sweep) step(p *frozen, most int) (done bool, err error) {
	if p.expiry == nil {
		return true, nil
	}
	if !n.began {
		n.began, n.left, n.w.s = true, 2*len(p.run.entries)+sweptAtLeast, p.s
	}
	if p.s.reader() == nil {
		return true, nil
	}
	for most = min(most, n.left); most > 0; {
		looked, end, err := n.look(p, most)
		if err != nil {
			return false, errors.Join(err, n.w.abandon())
		}
		most -= looked
		n.left -= looked
		if end {
			n.left, most = 0, 0 // the next sweep begins where the tables do
		}
	}
	if n.left > 0 {
		return false, nil
	}
	db, err := p.s.open()
	if err != nil {
		return false, errors.Join(err, n.w.abandon())
	}
	return true, n.w.ingest(db)
}

// look goes through the entries from where the sweep stands, at most most of them,
// and says how many it has seen and whether it has come to the end of the last table.
func (n *sweep) look(p *frozen, most int) (looked int, end bool, err error) {
	s := p.s
	table := p.expiry.next(s.hand)
	if table < 0 {
		s.hand = s.hand[:0]
		return 0, true, nil
	}
	lower, upper := tableBounds(uint8(table))
	if bytes.Compare(s.hand, lower) > 0 {
		lower = bytes.Clone(s.hand)
	}
	e := p.expiry.of(uint8(table))
	var kept []byte
	var failed error
	err = s.scanDatabase(lower, upper, func(key, value []byte) bool {
		if looked == most {
			s.hand = append(s.hand[:0], key...)
			return false
		}
		looked++
		if left, live := e.Unexpired(value, &kept); !live || len(left) < len(value) {
			failed = n.w.add(key, left, !live)
		}
		return failed == nil
	})
	if looked < most {
		s.hand = append(s.hand[:0], upper...)
	}
	return looked, false, errors.Join(err, failed)
}

// next returns the first table from a database key on whose entries expire, or -1.
func (e expiries) next(hand []byte) int {
	from := 0
	if len(hand) > 0 {
		from = int(hand[0])
	}
	for ; from < len(e); from++ {
		if e[from].Applies() {
			return from
		}
	}
	return -1
}
