package savepoint_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"

	"weir/state"
	"weir/state/catalog"
	"weir/state/savepoint"
	"weir/state/statetest"
)

// TestEveryFlip flips a bit of every byte of every object, cuts each off and takes
// it away, and lets the storage's checksums say that all is well: each is an error
// that names the object, and one in the data also state and key group.
func TestEveryFlip(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 2)
	some(stores, puts, 12)
	st := statetest.NewMemory()
	write(t, st, "saved", stores, savepoint.Sizes{Section: 60, File: 300})
	refused := func(key, what string) {
		t.Helper()
		_, _, err := restore(t, st, "saved", catalog.Names()[0], 0, 1)
		var d *savepoint.Damage
		if !errors.As(err, &d) || d.File != key || !strings.Contains(err.Error(), key) {
			t.Fatalf("%s of %s: %v", what, key, err)
		}
		if data := strings.Contains(key, "-"); data && (!strings.Contains(err.Error(), `state "`) || !strings.Contains(err.Error(), "key group")) {
			t.Errorf("%s of %s: %v does not name state and key group", what, key, err)
		}
		var op *state.OpError
		if !errors.Is(err, state.ErrCorrupt) && (!errors.As(err, &op) || op.Status != state.NotFound) {
			t.Errorf("%s of %s: %v is neither corrupt nor missing", what, key, err)
		}
	}
	data := 0
	for key, content := range objects(st) {
		if strings.Contains(key, "-") {
			data++
		}
		for at := range len(content) {
			flip := func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b }
			st.Damage(key, true, flip)
			refused(key, fmt.Sprint("flip at ", at))
			st.Damage(key, true, flip)
		}
		st.Damage(key, false, func(b []byte) []byte { b[0] ^= 1; return b })
		refused(key, "damage that storage sees")
		st.Damage(key, false, func([]byte) []byte { return []byte(content[:len(content)-1]) })
		refused(key, "cut")
		st.Damage(key, true, func([]byte) []byte { return []byte(content[:len(content)-1]) })
		refused(key, "cut and summed")
		st.Do(state.Op{Kind: state.OpDelete, Key: key})
		refused(key, "missing")
		st.Do(state.Op{Kind: state.OpPut, Key: key, Data: []byte(content)})
	}
	if _, _, err := restore(t, st, "saved", catalog.Names()[0], 0, 1); err != nil || data < 4 {
		t.Errorf("%v after all was put back, %d data objects", err, data)
	}
}

// resummed replaces the version and mends the checksum.
func resummed(b []byte, version byte) []byte {
	b[8] = version
	body := b[:len(b)-8]
	return binary.LittleEndian.AppendUint64(body, xxhash.Sum64(body))
}

func TestNewerVersionsAreRefused(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 1)
	some(stores, puts, 5)
	for _, key := range []string{"manifest", "t3"} {
		st := statetest.NewMemory()
		write(t, st, "", stores, savepoint.Simulated)
		st.Damage(key, true, func(b []byte) []byte { return resummed(b, 9) })
		_, _, err := restore(t, st, "", catalog.Names()[0], 0, 1)
		if !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), "version 9") || !strings.Contains(err.Error(), "version 1:") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 2)
	some(stores, puts, 5)
	st := statetest.NewMemory()
	m := write(t, st, "", stores, savepoint.Simulated)
	target := savepoint.Target{Store: open(t, catalog.Names()[0], 0, 1), Groups: state.GroupsOf(0, 1, groups), Instances: 1}
	if _, err := savepoint.NewRestore("", m, "sum", target); err == nil || !strings.Contains(err.Error(), `"sum"`) || !strings.Contains(err.Error(), `"count"`) {
		t.Errorf("an operator that is not there: %v", err)
	}
	if _, err := target.Store.Table(state.Descriptor{Name: "name", Kind: state.KindValue, Codec: "string/2"}); err != nil {
		t.Fatal(err)
	}
	tr, err := savepoint.NewRestore("", m, "count", target)
	if err != nil {
		t.Fatal(err)
	}
	if err := statetest.Drive(tr, st); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), `"name"`) {
		t.Errorf("another codec: %v", err)
	}
	for what, bad := range map[string]savepoint.Manifest{
		"no groups":      {Operators: m.Operators},
		"no name":        {Groups: 1, Operators: []savepoint.Operator{{Parts: m.Operators[0].Parts}}},
		"two names":      {Groups: 1, Operators: []savepoint.Operator{{Name: "a", Parts: m.Operators[0].Parts[:1]}, {Name: "a", Parts: m.Operators[0].Parts[1:]}}},
		"no tasks":       {Groups: 1, Operators: []savepoint.Operator{{Name: "a"}}},
		"one task twice": {Groups: 1, Operators: []savepoint.Operator{{Name: "a", Parts: slices.Repeat(m.Operators[0].Parts[:1], 2)}}},
	} {
		if _, err := savepoint.DecodeManifest(bad.Encode()); !errors.Is(err, state.ErrCorrupt) {
			t.Errorf("a manifest with %s: %v", what, err)
		}
	}
	swapped := *m
	swapped.Operators = []savepoint.Operator{{Name: "count", Parts: []savepoint.PartRef{m.Operators[0].Parts[1], m.Operators[0].Parts[0]}}}
	target.Store = open(t, catalog.Names()[0], 0, 1)
	tr, err = savepoint.NewRestore("", &swapped, "count", target)
	if err == nil {
		err = statetest.Drive(tr, st)
	}
	if !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "count[1]") {
		t.Errorf("indexes in the wrong order: %v", err)
	}
}

// TestPartReadsWhatIsLeft: of a damaged object the other sections can be read.
func TestPartReadsWhatIsLeft(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 1)
	some(stores, puts, 40)
	st := statetest.NewMemory()
	write(t, st, "", stores, savepoint.Simulated)
	st.Damage("t3-0", true, func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	s, err := savepoint.Open(st, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Part(&s.Operators[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	lost, read := 0, 0
	for i := range p.States {
		for k := range p.States[i].Sections {
			c := &p.States[i].Sections[k]
			err := p.Section(&p.States[i], c, func(state.KeyedEntry) bool { read++; return true })
			if err == nil {
				continue
			}
			lost += c.Entries
			var d *savepoint.Damage
			if !errors.As(err, &d) || d.File != "t3-0" || !strings.Contains(d.Holds, fmt.Sprint("key group ", c.Group)) {
				t.Errorf("%v", err)
			}
		}
	}
	all := 0
	for i := range p.States {
		n, _ := p.States[i].Entries()
		all += n
	}
	if lost == 0 || lost > 10 || read+lost != all {
		t.Errorf("%d entries read, %d lost of %d", read, lost, all)
	}
	c := p.Content()
	for _, d := range c.States() {
		c.Entries(d.Name, func(state.KeyedEntry) bool { return true })
	}
	if !errors.Is(c.Err(), state.ErrCorrupt) {
		t.Errorf("the content as a whole: %v", c.Err())
	}
}

// FuzzDecode: arbitrary bytes with a right checksum neither panic nor ask for more
// memory than they can describe; what decodes encodes to the same.
func FuzzDecode(f *testing.F) {
	stores, puts := filled(f, catalog.Names()[0], 1)
	some(stores, puts, 5)
	st := statetest.NewMemory()
	write(f, st, "", stores, savepoint.Simulated)
	for _, key := range []string{"manifest", "t3"} {
		data := st.Do(state.Op{Kind: state.OpGet, Key: key}).Data
		f.Add(data[:len(data)-8])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		src := binary.LittleEndian.AppendUint64(bytes.Clone(body), xxhash.Sum64(body))
		if m, err := savepoint.DecodeManifest(src); err == nil {
			again, err := savepoint.DecodeManifest(m.Encode())
			if err != nil || cmp.Diff(m, again) != "" {
				t.Errorf("manifest %+v became %+v, %v", m, again, err)
			}
		}
		if x, err := savepoint.DecodeIndex(src); err == nil {
			again, err := savepoint.DecodeIndex(x.Encode())
			if err != nil || cmp.Diff(x, again) != "" {
				t.Errorf("index %+v became %+v, %v", x, again, err)
			}
		}
	})
}
