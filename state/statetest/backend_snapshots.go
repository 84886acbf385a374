package statetest

import (
	"fmt"
	"strings"

	"weir/id"
	"weir/state"
)

// fillKey returns the k-th key of fill: of eight bytes or longer.
func fillKey(k int) string {
	if k%3 == 0 {
		return fmt.Sprint("text key ", k)
	}
	return word(uint64(k) * 0x9e3779b97f4a7c15)
}

// fill puts n keys of every shape into every state.
func (s *subject) fill(n int) {
	for k := range n {
		key := fillKey(k)
		s.put(aValue, key, fmt.Sprint("value ", k))
		s.put(anAccumulator, key, fmt.Sprint("accumulated ", k))
		_ = s.bump(aCount, key)
		_ = s.bump(aWide, key)
		s.append(key, fmt.Sprint("element ", k))
		s.mapPut(key, "field", fmt.Sprint(k))
		s.mapPut(key, fmt.Sprint("field", k%7), "x")
		s.setTimer(int64(k%11), key)
		s.setTimer(int64(-k), "one key")
	}
}

// disturb changes, deletes and adds in every state. It gives the keys of fill
// their next content when step grows.
func (s *subject) disturb(n, step int) {
	for k := range n {
		key := fillKey(k)
		switch (k + step) % 5 {
		case 0:
			s.put(aValue, key, fmt.Sprint("new value ", k, step))
			s.append(key, strings.Repeat("+", step))
		case 1:
			for i := range descriptors {
				s.remove(i, key)
			}
			s.cancelTimer(int64(k%11), key)
			s.setTimer(int64(1000+step), key)
		case 2:
			_ = s.bump(aCount, key)
			_ = s.bump(aWide, key)
			s.mapPut(key, "field", fmt.Sprint(k+step))
		case 3:
			s.mapDelete(key, "field")
			s.put(aValue, fmt.Sprint(key, step), "added")
		}
	}
	if err := s.fire(int64(step%11 - n/2)); err != nil {
		s.f.Fatal(err)
	}
}

// testGrowth goes through the sizes at which tables change their layout.
func testGrowth(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	for _, n := range []int{1, 16, 17, 700, 1023, 1024, 1025, 3000} {
		s.fill(n)
		s.check()
		f.finishAndExpect(s.snapshot(0))
		s.disturb(n, n)
		s.check()
		f.finishAndExpect(s.snapshot(0))
	}
}

func testIsolation(f *fixture) {
	for _, n := range []int{20, 2500} {
		s := f.subject(allGroups)
		s.fill(n)
		c := s.snapshot(0)
		s.disturb(n, 1)
		s.check()
		s.fill(2 * n)
		f.finishAndExpect(c)
		s.check()
		s.close()
	}
}

// testEmptied deletes everything that a capture still has to write, and fills
// the store again.
func testEmptied(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(9000)
	before := s.snapshot(0)
	for k := 8999; k >= 0; k-- { // from the last: no entry has to move
		for i := range s.tables {
			s.remove(i, fillKey(k))
		}
	}
	if err := s.fire(1 << 40); err != nil {
		f.Fatal(err)
	}
	s.check()
	empty := s.snapshot(0)
	s.fill(9000)
	s.check()
	f.finishAndExpect(before)
	f.finishAndExpect(empty)
}

// testCaptures has several captures alive and carries them out in another order
// than they were taken.
func testCaptures(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(2000)
	var live []*taken
	for step := range 4 {
		live = append(live, s.snapshot(0))
		s.disturb(2000, step)
	}
	for _, i := range []int{2, 0, 3, 1} {
		f.finishAndExpect(live[i])
		s.disturb(2000, i+10)
	}
	s.check()
}

// testDiscard gives captures up at every point.
func testDiscard(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(1500)
	kept := s.snapshot(0)
	for step := range 6 {
		c := s.snapshot(0)
		s.disturb(1500, step)
		var results []state.Result
		for range step {
			ops, done, err := c.Next(results)
			if err != nil {
				f.Fatal(err)
			}
			if done {
				break
			}
			results = nil
			for _, op := range ops {
				results = append(results, f.storage.Do(op))
			}
		}
		c.Discard()
		c.Discard()
		s.disturb(1500, step+10)
		s.check()
	}
	f.finishAndExpect(kept)
}

// testGoroutine carries a capture out while the owner goes on; it is the race
// detector that sees what is wrong.
func testGoroutine(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(3000)
	for round := range 3 {
		c := s.snapshot(0)
		ended := make(chan error, 1)
		go func() {
			err := Drive(c, f.storage)
			c.Discard()
			ended <- err
		}()
		for step := range 4 {
			s.disturb(3000, round*10+step)
		}
		if err := <-ended; err != nil {
			f.Fatal(err)
		}
		f.expect(c.Handle(), c.want)
		s.check()
	}
}

// unsure answers Failed to two operations of three, the first time without
// having carried it out, the second time having done so.
type unsure struct {
	state.Storage
	calls int
}

func (u *unsure) Do(op state.Op) state.Result {
	u.calls++
	if u.calls%3 == 0 {
		return u.Storage.Do(op)
	}
	if u.calls%3 == 2 {
		u.Storage.Do(op)
	}
	return state.Result{Status: state.Failed, Err: fmt.Errorf("%s %q: outcome unknown", op.Kind, op.Key)}
}

func testRetry(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(9000) // more than a megabyte
	c := s.snapshot(0)
	s.disturb(9000, 1)
	u := &unsure{Storage: f.storage}
	if err := Drive(c, u); err != nil {
		f.Fatalf("capture over a storage that fails now and then: %v", err)
	}
	if u.calls == 0 {
		f.Fatal("the case is blind: no storage operation for so large a state")
	}
	h := c.Handle()
	f.checkHandle(h)
	to := f.subject(allGroups)
	defer to.close()
	tr, err := to.Restore([]state.Handle{h})
	if err == nil {
		err = Drive(tr, u)
	}
	if err != nil {
		f.Fatalf("restore over a storage that fails now and then: %v", err)
	}
	to.twin = c.want
	to.check()
}

// testLineage takes snapshots on top of each other, with gaps, unknown bases
// and releases, and restores every one.
func testLineage(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(800)
	var base id.Epoch
	for step := range 8 {
		c := s.snapshot(base)
		s.disturb(800, step)
		f.finishAndExpect(c)
		switch step % 3 {
		case 0:
			base = c.epoch
		case 1:
			s.Release(c.epoch) // base is now below what is kept
		case 2:
			base = c.epoch + 1000 // never taken
		}
	}
	lost := s.snapshot(base) // never carried out, and not a base either
	lost.Discard()
	s.disturb(800, 20)
	f.finishAndExpect(s.snapshot(lost.epoch))
	s.check()
}

// testRescale goes from two tasks to three and back to one.
func testRescale(f *fixture) {
	const groups = state.DefaultGroups
	whole := f.subject(allGroups)
	defer whole.close()
	whole.fill(1500)
	all := f.finish(whole.snapshot(0))
	var halves, thirds []state.Handle
	for i := range 2 {
		r := state.GroupsOf(i, 2, groups)
		s := f.restore(r, all)
		s.twin = whole.twin.only(r)
		s.check()
		halves = append(halves, f.finish(s.snapshot(0)))
		s.close()
	}
	for i := range 3 {
		r := state.GroupsOf(i, 3, groups)
		s := f.restore(r, halves...)
		s.twin = whole.twin.only(r)
		s.check()
		thirds = append(thirds, f.finish(s.snapshot(0)))
		s.close()
	}
	one := f.restore(allGroups, thirds...)
	defer one.close()
	one.twin = whole.twin
	one.check()
	one.disturb(1500, 3)
	one.check()
	f.finishAndExpect(one.snapshot(0))
}
