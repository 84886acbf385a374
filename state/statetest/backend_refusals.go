package statetest

import (
	"errors"
	"strings"

	"weir/state"
)

// reopen restores h into a store that declares only ds, opened before the
// restore or after it, and returns the first error.
func (f *fixture) reopen(h state.Handle, before bool, ds ...state.Descriptor) (state.Store, error) {
	f.Helper()
	s := f.open(f.T, state.Open{Groups: allGroups, Keyed: true})
	tables := func() error {
		for _, d := range ds {
			if _, err := s.Table(d); err != nil {
				return err
			}
		}
		return nil
	}
	if before {
		if err := tables(); err != nil {
			return s, err
		}
	}
	tr, err := s.Restore([]state.Handle{h})
	if err == nil {
		err = Drive(tr, f.storage)
	}
	if err == nil && !before {
		err = tables()
	}
	return s, err
}

// testDescriptors declares something else than the snapshot holds.
func testDescriptors(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(10)
	h := f.finish(s.snapshot(0))
	for _, d := range []state.Descriptor{
		{Name: "value", Kind: state.KindReducing, Codec: "bytes/1"},
		{Name: "value", Kind: state.KindValue, Codec: "bytes/2"},
		{Name: "value", Kind: state.KindMap, Codec: "bytes/1"},
		{Name: "count", Kind: state.KindValue, Codec: "uint64/1", FixedSize: 16},
		{Name: "wide", Kind: state.KindReducing, Codec: "wide/1"},
		{Name: timersName, Kind: state.KindMap, Codec: "bytes/1"},
	} {
		for _, before := range []bool{true, false} {
			s, err := f.reopen(h, before, d)
			if !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), d.Name) {
				f.Errorf("%+v, opened before restore: %v: error %v, want one that wraps ErrIncompatible and names the state", d, before, err)
			}
			_ = s.Close()
		}
	}
	for _, before := range []bool{true, false} {
		s, err := f.reopen(h, before, descriptors...)
		if err != nil {
			f.Errorf("the same descriptors, opened before restore: %v: %v", before, err)
		}
		_ = s.Close()
	}
	for _, change := range []func(h *state.Handle){
		func(h *state.Handle) { h.Backend = "another" },
		func(h *state.Handle) { h.Version += 100 },
		func(h *state.Handle) { h.Version-- },
		func(h *state.Handle) { h.Operator = []byte{1, 1, 0} }, // of before clocks
	} {
		other := h
		change(&other)
		s, err := f.reopen(other, true, descriptors...)
		if !errors.Is(err, state.ErrIncompatible) {
			f.Errorf("handle of backend %q, version %d: %v, want ErrIncompatible", other.Backend, other.Version, err)
		}
		_ = s.Close()
	}
}

// testUnopened passes a snapshot through a store that opens one state of many.
func testUnopened(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(300)
	between, err := f.reopen(f.finish(s.snapshot(0)), true, descriptors[aCount])
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = between.Close() }()
	if between.Sum() != s.twin.sum() {
		f.Error("Sum does not cover states that were restored and not opened")
	}
	c, err := between.Snapshot(state.SnapshotRequest{Epoch: s.epoch + 1, Prefix: "job/t0/between-"})
	if err != nil {
		f.Fatal(err)
	}
	f.finishAndExpect(&taken{Capture: c, epoch: s.epoch + 1, want: s.twin})
}

// testDamage cuts and flips every file and many bits of the handle: each is an
// error, and never a store that looks fine.
func testDamage(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(9000)
	h := f.finish(s.snapshot(0))
	if len(h.Files) == 0 {
		f.Fatal("the case is blind: no files for so large a state")
	}
	for _, ref := range h.Files {
		for what, harm := range damages { //det:unordered each is a case by itself
			f.storage.Damage(ref.Name, true, harm)
			f.refused(h, what+" "+ref.Name, ref.Name)
			f.storage.Damage(ref.Name, true, harm) // each undoes itself, or is undone below
			f.storage.Damage(ref.Name, true, func(data []byte) []byte { return data[:min(int64(len(data)), ref.Size)] })
			f.checkHandle(h)
		}
		f.storage.Damage(ref.Name, false, damages["flip"])
		f.refused(h, "flip seen by storage", ref.Name)
		f.storage.Damage(ref.Name, true, damages["flip"])
	}
	small := f.subject(allGroups)
	defer small.close()
	small.fill(5)
	h = f.finish(small.snapshot(0))
	for at := range h.Inline {
		bad := h
		bad.Inline = append([]byte(nil), h.Inline...)
		bad.Inline[at] ^= 1 << (at % 8)
		f.refused(bad, "flip in the handle", "")
		bad.Inline = bad.Inline[:at]
		f.refused(bad, "handle cut off", "")
	}
}

// damages keep a file's other bytes; "flip" undoes itself, "grow" is undone by
// cutting to the size, and a cut is not undone.
var damages = map[string]func(data []byte) []byte{
	"flip": func(data []byte) []byte { data[len(data)/2] ^= 4; return data },
	"grow": func(data []byte) []byte { return append(data, 0) },
}

// refused restores a damaged snapshot. name, if not empty, must be in the error.
func (f *fixture) refused(h state.Handle, what, name string) {
	f.Helper()
	s, err := f.reopen(h, true, descriptors...)
	_ = s.Close()
	if err == nil {
		f.Fatalf("%s: restored without an error", what)
	}
	if name != "" && (!strings.Contains(err.Error(), name) || !errors.Is(err, state.ErrCorrupt)) {
		f.Errorf("%s: error %v, want one that wraps ErrCorrupt and names the file %q", what, err, name)
	}
}

// testMissing takes files away and cuts them, for good.
func testMissing(f *fixture) {
	s := f.subject(allGroups)
	defer s.close()
	s.fill(9000)
	h := f.finish(s.snapshot(0))
	last := h.Files[len(h.Files)-1]
	f.storage.Damage(last.Name, true, func(data []byte) []byte { return data[:len(data)-1] })
	f.refused(h, "cut", last.Name)
	f.storage.Damage(last.Name, true, func([]byte) []byte { return nil })
	f.refused(h, "emptied", last.Name)
	f.storage.Do(state.Op{Kind: state.OpDelete, Key: last.Name})
	s2, err := f.reopen(h, true, descriptors...)
	_ = s2.Close()
	if err == nil || !strings.Contains(err.Error(), last.Name) {
		f.Errorf("file gone: %v, want an error that names %q", err, last.Name)
	}
	for range 2 { // an error is final
		tr, err := f.subject(allGroups).Restore([]state.Handle{h})
		if err != nil {
			continue
		}
		if err := Drive(tr, f.storage); err == nil {
			f.Error("the file is still gone")
		}
		if _, done, err := tr.Next(nil); err == nil || done {
			f.Errorf("after a final error Next gives done %v, error %v", done, err)
		}
	}
}
