package heap

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/cespare/xxhash/v2"

	"weir/state"
)

// sampleHandle has a state of every layout, inline.
func sampleHandle(tb testing.TB) state.Handle {
	tb.Helper()
	s, _ := Backend{}.Open(state.Open{Groups: state.GroupRange{Hi: 128}})
	flatTable, err1 := state.OpenFixedTable(s, state.Descriptor{Name: "flat", FixedSize: 4})
	mapTable, err2 := state.OpenMapTable(s, state.Descriptor{Name: "map"})
	list, err3 := state.OpenListTable(s, state.Descriptor{Name: "list"})
	due, err4 := s.Timers("due")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		tb.Fatal(err)
	}
	for _, key := range []string{"eight by", "tes wide", "not", ""} {
		k := state.KeyOf([]byte(key), 128)
		flatTable.Put(k, []byte("four"))
		mapTable.MapPut(k, []byte("field"), []byte(key))
		list.Append(k, []byte("element"))
		due.Set(int64(len(key)), k)
	}
	c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1, Prefix: "p-"})
	if err != nil {
		tb.Fatal(err)
	}
	if _, done, err := c.Next(nil); !done || err != nil {
		tb.Fatalf("inline capture: done %v, %v", done, err)
	}
	return c.Handle()
}

// resum renews the checksum of a manifest, so that what is behind it is reached.
func resum(inline []byte) []byte {
	if len(inline) < 8 {
		return inline
	}
	body := inline[:len(inline)-8]
	return binary.LittleEndian.AppendUint64(body[:len(body):len(body)], xxhash.Sum64(body))
}

// FuzzRestore gives the restore damaged manifests and files whose checksums are
// right: it may refuse them or not, but must neither panic nor ask for memory
// that the bytes cannot fill.
func FuzzRestore(f *testing.F) {
	f.Add(sampleHandle(f).Inline, []byte{}, uint16(128))
	f.Add([]byte("weirheap"), []byte("weirheap"), uint16(3))
	m := manifest{
		tables: []state.Descriptor{{Name: "m", Kind: state.KindMap}, {Name: "v", Kind: state.KindValue, FixedSize: 8}},
		runs:   []run{{table: 0, layout: layoutFields, file: 1, length: 5, count: 1}, {table: 1, layout: layoutWords, file: 1, length: 16, count: 1}},
	}
	file := append(appendHeader(nil, 1), 1, 1, 0, 'k', 'f')
	f.Add(m.append(nil), append(file, "key 1234value123"...), uint16(1))
	f.Fuzz(func(t *testing.T, inline, file []byte, groups uint16) {
		h := state.Handle{Backend: Name, Version: formatVersion, Inline: resum(inline)}
		if len(file) > 0 {
			h.Files = []state.FileRef{{Name: "f", Size: int64(len(file)), Sum: xxhash.Sum64(file)}}
		}
		s, _ := Backend{}.Open(state.Open{Groups: state.GroupRange{Hi: groups}})
		tr, err := s.Restore([]state.Handle{h})
		if err != nil {
			return
		}
		ops, done, err := tr.Next(nil)
		for !done && err == nil {
			results := make([]state.Result, len(ops))
			for i := range results {
				results[i] = state.Result{Status: state.OK, Data: file}
			}
			ops, done, err = tr.Next(results)
		}
		if err == nil {
			s.Sum()
		}
	})
}

// TestEveryFlipWithARightChecksum is what the fuzzer would find first.
func TestEveryFlipWithARightChecksum(t *testing.T) {
	whole := sampleHandle(t)
	for at := range whole.Inline[:len(whole.Inline)-8] {
		for bit := range 8 {
			h := whole
			h.Inline = append([]byte(nil), whole.Inline...)
			h.Inline[at] ^= 1 << bit
			h.Inline = resum(h.Inline)
			s, _ := Backend{}.Open(state.Open{Groups: state.GroupRange{Hi: 128}})
			tr, err := s.Restore([]state.Handle{h})
			if err == nil {
				_, _, err = tr.Next(nil)
			}
			if err != nil && !errors.Is(err, state.ErrCorrupt) && !errors.Is(err, state.ErrIncompatible) {
				t.Errorf("byte %d, bit %d: %v wraps neither ErrCorrupt nor ErrIncompatible", at, bit, err)
			}
		}
	}
}

func TestIndexFindsKeyGroups(t *testing.T) {
	h := sampleHandle(t)
	m, err := decodeManifest(h)
	if err != nil {
		t.Fatal(err)
	}
	want := state.KeyOf([]byte("not"), 128).Group
	for _, x := range m.runs {
		if x.group == want && m.tables[x.table].Name == "list" {
			if got := string(m.data[x.offset : x.offset+x.length]); got != "\x03\x08not\x07element" {
				t.Errorf("bytes of the group: %q", got)
			}
			return
		}
	}
	t.Errorf("group %d is not in the index", want)
}
