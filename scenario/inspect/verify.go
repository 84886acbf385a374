package inspect

import (
	"errors"
	"fmt"
	"slices"

	"weir/state"
)

// Report is what reading everything has shown.
type Report struct {
	Objects int   // read, the record or manifest among them
	Bytes   int64 // of them
	Entries int   // of keyed state and timers, that can be read
	// Damaged are the objects that are not as they were written, or are missing.
	Damaged []Damaged
	// Losses are what cannot be read for it, by operator and instance.
	Losses []Loss
}

// Damaged is one object.
type Damaged struct {
	Object string
	Err    error
}

// Sound reports whether nothing is wrong.
func (r *Report) Sound() bool { return len(r.Damaged) == 0 && len(r.Losses) == 0 }

// object reads an object as a whole. Without want the storage's own checksum says
// whether it is as it was written.
func (r *Report) object(st state.Storage, key string, size int64, want *sum) {
	data, err := get(st, key)
	r.Objects++
	r.Bytes += size
	if err == nil && want != nil && !want.matches(data) {
		err = fmt.Errorf("%w: %d bytes that are not the %d that were written", state.ErrCorrupt, len(data), want.size)
	}
	if err != nil {
		r.Damaged = append(r.Damaged, Damaged{key, err})
	}
}

// lost notes a loss, beside the one before if it is of the same state.
func (r *Report) lost(l Loss) {
	if n := len(r.Losses); n > 0 && len(l.Groups) > 0 {
		last := &r.Losses[n-1]
		if last.Operator == l.Operator && last.Instance == l.Instance && last.State == l.State && last.Object == l.Object && len(last.Groups) > 0 {
			for _, g := range l.Groups {
				last.Groups.Add(g)
			}
			return
		}
	}
	l.Groups = slices.Clone(l.Groups)
	r.Losses = append(r.Losses, l)
}

// Verify reads all that a snapshot consists of and checks all checksums. What is
// damaged is in the report; an error is one of reading at all.
func Verify(s *Snapshot) *Report {
	r := &Report{}
	if key := s.top(); key != "" {
		r.object(s.place.storage, key, s.sizes[key], nil)
	}
	for _, t := range s.Tasks() {
		if t.Damage != nil {
			r.Objects++
			r.Damaged = append(r.Damaged, Damaged{t.Object, t.Damage})
			r.lost(t.lost(t.Object, t.Damage))
			continue
		}
		t.source.verify(r)
	}
	if len(r.Damaged) == 0 && !s.Complete && s.Kind != Local {
		r.Damaged = append(r.Damaged, Damaged{s.Path, errors.New(s.Why)})
	}
	return r
}
