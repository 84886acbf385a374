package changelog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/state"
	"weir/state/changelog"
	"weir/state/heap"
)

// files returns the names of the files of a handle that are segments, and those that are not.
func files(h state.Handle) (segments, others []string) {
	for _, f := range h.Files {
		if _, name, _ := strings.Cut(f.Name, "-"); name[0] == 'c' {
			segments = append(segments, f.Name)
		} else {
			others = append(others, f.Name)
		}
	}
	return segments, others
}

func (w *world) fill(from, to, more int) {
	for n := from; n < to; n++ {
		for what := range 4 {
			w.change(what, n, n+more)
		}
		w.change(6, n, n+more)
	}
}

// TestTheEndOfTheLog: what was streamed a snapshot does not write.
func TestTheEndOfTheLog(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Name(), func(t *testing.T) {
			w := newWorld(t, b, changelog.Config{SegmentBytes: 500})
			defer func() { _ = w.store.Close() }()
			w.fill(0, 2000, 0)
			w.complete(w.snapshot(false))
			for n := range 100 {
				w.change(1, n, n)
				w.stream()
				for _, x := range w.under {
					w.carry(x)
				}
				w.under = nil
			}
			w.change(0, 5000, 1)
			f := w.snapshot(true)
			ops, _, err := f.Next(nil)
			if err != nil || len(ops) != 1 || len(ops[0].Data) > 500 {
				t.Fatalf("%d operations, %v; want the end of the log alone", len(ops), err)
			}
			var results []state.Result
			for _, op := range ops {
				results = append(results, w.storage.Do(op))
			}
			if _, done, err := f.Next(results); !done || err != nil {
				t.Fatalf("done %v, %v", done, err)
			}
			w.complete(f)
			if segments, _ := files(w.records[0].handle); len(segments) < 3 {
				t.Errorf("segments %v", segments)
			}
		})
	}
}

// TestTruncation: a snapshot behind the end of a materialisation refers to what it covers no more, lists it
// until it is complete, and then nothing of it is left; one in front of the end refers to the old one.
func TestTruncation(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.Name(), func(t *testing.T) {
			w := newWorld(t, b, changelog.Config{SegmentBytes: 500})
			defer func() { _ = w.store.Close() }()
			w.fill(0, 50, 0)
			w.complete(w.snapshot(false))
			for n := 0; len(w.under) < 2; n++ { // the second one is a materialisation: nobody ends the first
				w.change(0, n%50, n)
				w.stream()
				if n%100 == 99 {
					w.complete(w.snapshot(true))
				}
				if n > 10_000 {
					t.Fatal("no materialisation begins")
				}
			}
			w.change(0, 7, 7)
			before := w.snapshot(true)
			w.complete(before)
			covered, _ := files(before.Handle())
			for _, x := range w.under {
				w.carry(x)
			}
			w.change(0, 8, 8)
			lost := w.snapshot(true)
			w.giveUp(lost)
			w.change(0, 9, 9)
			after := w.snapshot(true)
			w.complete(after)
			listed, _ := files(after.Handle())
			for _, name := range covered {
				if !slices.Contains(listed, name) {
					t.Errorf("%s is listed by no complete snapshot behind the materialisation, and may have been in none", name)
				}
			}
			w.change(0, 10, 10)
			w.complete(w.snapshot(true))
			left := w.stored()
			for _, name := range covered[:len(covered)-1] { // the last is of behind the instant
				if slices.Contains(left, name) {
					t.Errorf("%s is overtaken, and still there", name)
				}
			}
			for _, f := range w.records[0].handle.Files {
				left = slices.DeleteFunc(left, func(name string) bool { return name == f.Name })
			}
			if len(left) > 0 {
				t.Errorf("nothing needs %v", left)
			}
		})
	}
}

// TestRenew: in a newer attempt a snapshot refers to nothing of before.
func TestRenew(t *testing.T) {
	w := newWorld(t, heap.Backend{}, changelog.Config{SegmentBytes: 500})
	defer func() { _ = w.store.Close() }()
	w.fill(0, 50, 0)
	w.complete(w.snapshot(false))
	w.fill(0, 20, 1)
	w.complete(w.snapshot(true))
	w.store.log.Begin("files/t0/2.1048575-")
	w.fill(20, 30, 1)
	f := w.snapshot(true)
	w.complete(f)
	if n := len(f.Handle().Files); n > 0 {
		t.Errorf("%d files of a small heap that is a materialisation", n)
	}
	w.fill(0, 30, 2)
	w.complete(w.snapshot(true))
	w.begin()
	w.fill(0, 30, 3)
	w.complete(w.snapshot(true))
}

// TestGap: a handle whose log has a gap, and segments that are damaged or in each other's place, are refused.
func TestGap(t *testing.T) {
	w := newWorld(t, heap.Backend{}, changelog.Config{})
	defer func() { _ = w.store.Close() }()
	w.fill(0, 50, 0)
	w.complete(w.snapshot(false))
	for n := range 3 {
		w.fill(n, 10, n)
		w.complete(w.snapshot(true))
	}
	good := w.records[0].handle
	if len(good.Files) != 3 {
		t.Fatalf("%d segments", len(good.Files))
	}
	refused := func(what string, change func(f []state.FileRef) []state.FileRef) {
		h := good
		h.Files = change(slices.Clone(good.Files))
		s := wrapped(t, heap.Backend{}, state.Open{Groups: whole, Keyed: true}, changelog.Config{}, 1)
		defer func() { _ = s.Close() }()
		tr, err := s.Restore([]state.Handle{h})
		if err == nil {
			for results := []state.Result(nil); err == nil; {
				var ops []state.Op
				var done bool
				if ops, done, err = tr.Next(results); done {
					break
				}
				results = nil
				for _, op := range ops {
					results = append(results, w.storage.Do(op))
				}
			}
		}
		if !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("one is missing", func(f []state.FileRef) []state.FileRef { return append(f[:1], f[2]) })
	refused("the last is missing", func(f []state.FileRef) []state.FileRef { return f[:2] })
	refused("two are in each other's place", func(f []state.FileRef) []state.FileRef { f[0], f[1] = f[1], f[0]; return f })
	refused("another content", func(f []state.FileRef) []state.FileRef {
		f[0].Name, f[0].Size, f[0].Sum = f[1].Name, f[1].Size, f[1].Sum
		return f
	})
	refused("another length", func(f []state.FileRef) []state.FileRef { f[0].Size++; return f })
	refused("another sum", func(f []state.FileRef) []state.FileRef { f[0].Sum++; return f })
}
