package pebblestate

import (
	"fmt"
	"reflect"
	"testing"

	"weir/internal/sim/disk"
	"weir/state"
)

// TestEarlyTables compares a store that has not opened its database yet with one
// that opened it at the start: the tables of their snapshots have to be the same
// in everything but their numbers from where the first one opens it.
func TestEarlyTables(t *testing.T) {
	b, err := New(Config{Deterministic: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	lazy, eager := openNumbers(t, b, "lazy"), openNumbers(t, b, "eager")
	if _, err := eager.s.open(); err != nil {
		t.Fatal(err)
	}
	for round := range 2 * compactTables {
		for _, n := range []*numbers{lazy, eager} {
			n.round(t, round)
		}
		early := lazy.s.db.Load() == nil
		if early != (round < compactTables) {
			t.Fatalf("round %d: the database is not open: %v", round, early)
		}
		for i := range lazy.list {
			x, y := lazy.list[i], eager.list[i]
			if !early {
				x.num, y.num = 0, 0
			}
			if !reflect.DeepEqual(x, y) {
				t.Errorf("round %d: table %+v, in a database %+v", round, x, y)
			}
		}
		if len(lazy.list) != len(eager.list) || lazy.s.Sum() != eager.s.Sum() || lazy.table.Len() != eager.table.Len() {
			t.Fatalf("round %d: %d tables and %d keys, in a database %d and %d; or sums differ",
				round, len(lazy.list), lazy.table.Len(), len(eager.list), eager.table.Len())
		}
	}
}

// numbers is a store of one table, and what its last snapshot would upload.
type numbers struct {
	s     *Store
	table state.ValueTable
	list  []table
}

func openNumbers(t *testing.T, b *Backend, dir string) *numbers {
	t.Helper()
	s, err := b.Open(state.Open{Dir: dir, Groups: state.GroupRange{Lo: 0, Hi: 16}, FS: disk.New(disk.Config{}).Mount()})
	if err != nil {
		t.Fatal(err)
	}
	n := &numbers{s: s.(*Store)}
	if n.table, err = state.OpenValueTable(s, state.Descriptor{Name: "numbers", Codec: "bytes/1"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return n
}

// round changes keys, of which the least and the greatest are always the same,
// deletes one, and takes a snapshot.
func (n *numbers) round(t *testing.T, round int) {
	t.Helper()
	for i := range 40 {
		key := state.KeyOf(fmt.Appendf(nil, "%d", i), 16)
		key.Group = 1 + key.Group%14
		if i%3 == round%3 || round == 0 {
			n.table.Put(key, fmt.Appendf(nil, "value %d of %d", round, i))
		}
	}
	for _, group := range []uint16{0, 15} {
		key := state.KeyOf(fmt.Appendf(nil, "end %d", group), 16)
		key.Group = group
		n.table.Put(key, fmt.Appendf(nil, "end %d", round))
	}
	gone := state.KeyOf(fmt.Appendf(nil, "%d", 20+round), 16)
	gone.Group = 1 + gone.Group%14
	n.table.Delete(gone)
	p := n.s.freeze()
	if err := p.apply(); err != nil {
		t.Fatal(err)
	}
	n.list = p.tables
	p.abandon()
	n.s.settle()
}
