package pebblestate_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"weir/id"
	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/pebblestate"
	"weir/state/statetest"
	"weir/state/storage"
)

// tiny is a store whose memory holds a few entries only, and its twin: the
// state.SumEntry of every entry, by name.
type tiny struct {
	state.Store
	value  state.ValueTable
	list   state.ListTable
	fields state.MapTable
	twin   map[string]uint64
	lists  map[string][]byte
	r      *rand.Rand
}

func openTiny(t *testing.T, b *pebblestate.Backend, dir string, seed uint64) *tiny {
	t.Helper()
	s, err := b.Open(state.Open{Dir: dir, Groups: whole, FS: disk.New(disk.Config{}).Mount()})
	if err != nil {
		t.Fatal(err)
	}
	x := &tiny{Store: s, twin: map[string]uint64{}, lists: map[string][]byte{}, r: rand.New(rand.NewPCG(seed, 7))}
	var errs [3]error
	x.value, errs[0] = state.OpenValueTable(s, state.Descriptor{Name: "value", Codec: "bytes/1"})
	x.list, errs[1] = state.OpenListTable(s, state.Descriptor{Name: "list", Codec: "bytes/1"})
	x.fields, errs[2] = state.OpenMapTable(s, state.Descriptor{Name: "map", Codec: "bytes/1"})
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return x
}

// step does one random thing to the store and the twin.
func (x *tiny) step() {
	name := fmt.Sprintf("key %d", x.r.IntN(200))
	key := state.KeyOf([]byte(name), state.DefaultGroups)
	data := make([]byte, x.r.IntN(60))
	for i := range data {
		data[i] = byte(x.r.Uint32())
	}
	field := []byte{byte(x.r.IntN(4))}
	switch x.r.IntN(9) {
	case 0, 1:
		x.value.Put(key, data)
		x.twin["value "+name] = state.SumEntry("value", key.Bytes, nil, data)
	case 2:
		x.value.Delete(key)
		delete(x.twin, "value "+name)
	case 3, 4:
		x.list.Append(key, data)
		x.lists[name] = state.AppendElement(x.lists[name], data)
		x.twin["list "+name] = state.SumEntry("list", key.Bytes, nil, x.lists[name])
	case 5:
		x.list.Delete(key)
		delete(x.lists, name)
		delete(x.twin, "list "+name)
	case 6, 7:
		x.fields.MapPut(key, field, data)
		x.twin["map "+name+string(field)] = state.SumEntry("map", key.Bytes, field, data)
	default:
		x.fields.MapDelete(key, field)
		delete(x.twin, "map "+name+string(field))
	}
}

func (x *tiny) sum() (sum uint64) {
	for _, s := range x.twin {
		sum += s
	}
	return sum
}

// TestTinyCache does many things with memory for few entries, so that nearly
// every step writes entries back or evicts, also while captures are under way.
func TestTinyCache(t *testing.T) {
	type pending struct {
		state.Capture
		sum uint64
	}
	b := backend(t, pebblestate.Config{Deterministic: true, WriteCacheBytes: 4000, TableBytes: 2000})
	for seed := range uint64(8) {
		st := storage.NewMemory(0)
		x := openTiny(t, b, "db", seed)
		var captures []pending
		epoch := id.Epoch(0)
		for n := range 1500 {
			x.step()
			if x.r.IntN(40) == 0 {
				epoch++
				c, err := x.Snapshot(state.SnapshotRequest{Epoch: epoch, Base: epoch - 1, Prefix: "p"})
				if err != nil {
					t.Fatal(err)
				}
				captures = append(captures, pending{c, x.sum()})
			}
			if len(captures) > 0 && x.r.IntN(30) == 0 {
				c := captures[0]
				captures = captures[1:]
				if x.r.IntN(3) == 0 {
					c.Discard()
					continue
				}
				if err := statetest.Drive(c, st); err != nil {
					t.Fatal(err)
				}
				r := openTiny(t, b, "restored", seed)
				tr, err := r.Restore([]state.Handle{c.Handle()})
				if err == nil {
					err = statetest.Drive(tr, st)
				}
				if err != nil || r.Sum() != c.sum {
					t.Fatalf("seed %d, step %d: restored to sum %#x (%v), want %#x", seed, n, r.Sum(), err, c.sum)
				}
				_ = r.Close()
				c.Discard()
			}
			if n%50 == 0 && x.Sum() != x.sum() {
				t.Fatalf("seed %d, step %d: sum %#x, want %#x (%v)", seed, n, x.Sum(), x.sum(), x.Err())
			}
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
