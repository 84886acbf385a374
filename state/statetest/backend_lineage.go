package statetest

import (
	"slices"

	"weir/state"
)

// testChain takes snapshots on top of each other, over incarnations that are each
// restored from the last, and keeps of storage what the newest refers to: it holds
// all. Files that it has from older snapshots are looked at as closely as its own.
func testChain(f *fixture) {
	s := f.subject(allGroups)
	s.fill(1200)
	c := s.snapshot(0)
	h := f.finish(c)
	for step := range 9 {
		s.disturb(1200, step)
		s.setTimer(int64(-2000-step), "late") // behind what has fired
		base := c.epoch
		c = s.snapshot(base)
		s.disturb(1200, step+100)
		h = f.finishAndExpect(c)
		s.Release(c.epoch)
		f.keepOnly(h)
		f.expect(h, c.want)
		if step%3 == 2 {
			s.close()
			s = f.restore(allGroups, h)
			s.twin = c.want.clone()
			s.check()
		}
	}
	s.close()
	for _, r := range []state.GroupRange{state.GroupsOf(0, 2, state.DefaultGroups), state.GroupsOf(1, 2, state.DefaultGroups)} {
		half := f.restore(r, h)
		half.twin = c.want.only(r)
		half.check()
		half.disturbIn(r)
		f.finishAndExpectIn(r, half.snapshot(c.epoch)) // which is no base of this store
		half.close()
	}
	for _, ref := range h.Files {
		f.storage.Damage(ref.Name, true, damages["flip"])
		f.refused(h, "flip "+ref.Name, ref.Name)
		f.storage.Damage(ref.Name, true, damages["flip"])
	}
	f.expect(h, c.want)
}

// disturbIn changes timers of a range of key groups.
func (s *subject) disturbIn(r state.GroupRange) {
	for k := range 400 {
		key := fillKey(k)
		if g := keyOf(key).Group; g >= r.Lo && g < r.Hi {
			s.cancelTimer(int64(k%11), key)
			s.setTimer(int64(k), key)
		}
	}
}

func (f *fixture) finishAndExpectIn(r state.GroupRange, c *taken) {
	f.Helper()
	h := f.finish(c)
	c.Discard()
	s := f.restore(r, h)
	defer s.close()
	s.twin = c.want
	s.check()
}

// keepOnly deletes every file that a handle does not refer to.
func (f *fixture) keepOnly(h state.Handle) {
	for _, e := range f.storage.list("") {
		if !slices.ContainsFunc(h.Files, func(ref state.FileRef) bool { return ref.Name == e.Key }) {
			f.storage.Do(state.Op{Kind: state.OpDelete, Key: e.Key})
		}
	}
}
