package inspect_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/id"
	"weir/scenario/inspect"
	"weir/state"
	"weir/state/catalog"
	"weir/state/storage"
)

// reader returns a reader of what a job has left, for which checkpoints are complete in this
// order: the last one stays.
func reader(t *testing.T, root string, order ...dataflow.Complete) *inspect.Reader {
	t.Helper()
	st, err := storage.OpenView(disk, root)
	if err != nil {
		t.Fatal(err)
	}
	scratch := newDir(t)
	r := inspect.NewReader(inspect.Config{FS: disk, Scratch: scratch}, st, func() (dataflow.Complete, error) {
		now := order[0]
		if len(order) > 1 {
			order = order[1:]
		}
		return now, nil
	})
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if names, err := disk.List(scratch); err == nil && len(names) > 0 {
			t.Errorf("reading has left %q behind", names)
		}
	})
	return r
}

// scanned is what a scan of the whole state finds, by key and field.
func scanned(t *testing.T, o *inspect.Operator, name string) (keys []state.Key, values map[string]string) {
	t.Helper()
	c, closed, err := o.Open()
	if err != nil {
		t.Fatal(err)
	}
	values = map[string]string{}
	c.Entries(name, func(e state.KeyedEntry) bool {
		k := state.Key{Hash: state.HashBytes(e.Key), Group: e.Group, Bytes: slices.Clone(e.Key)}
		if len(keys) == 0 || string(keys[len(keys)-1].Bytes) != string(k.Bytes) {
			keys = append(keys, k)
		}
		values[fmt.Sprintf("%d %x %x", e.Group, e.Key, e.Field)] = string(e.Value)
		return true
	})
	if err := errors.Join(c.Err(), closed()); err != nil {
		t.Fatal(err)
	}
	return keys, values
}

// TestReaderFindsWhatAScanFinds: every key of every keyed state, in the files of every backend, also
// where keys are grouped by a part of them, and where there is a line in the place of a record.
func TestReaderFindsWhatAScanFinds(t *testing.T) {
	type job struct{ algorithm, backend, workload string }
	var all []job
	for _, b := range catalog.Names() {
		all = append(all, job{"aligned", b, "keyedcount"}, job{"aligned-cyclic", b, "reachability"}, job{"uncoordinated", b, "keyedcount"})
	}
	for _, x := range all {
		root := leave(t, x.algorithm, x.backend, x.workload, middle)
		s := open(t, root)
		at := dataflow.Complete{Epoch: s.Epoch}
		if s.Kind == inspect.Local {
			at = dataflow.Complete{Line: newestOf(s)}
		}
		r := reader(t, root, at)
		found := 0
		for _, o := range s.Operators {
			c, closed, err := o.Open()
			if err != nil {
				t.Fatal(err)
			}
			states := c.States()
			if err := closed(); err != nil {
				t.Fatal(err)
			}
			for _, d := range states {
				if d.Kind == state.KindTimers {
					continue
				}
				keys, want := scanned(t, o, d.Name)
				named, got, under, err := r.Lookup(o.Name, d.Name, append(keys, state.KeyOf([]byte("no such key"), s.Groups)))
				if err != nil || got.Name != d.Name || named.Name() != at.Name() {
					t.Fatalf("%v: %s %s: %v, of %+v at %s", x, o.Name, d.Name, err, got, named.Name())
				}
				n := 0
				for i := range under {
					for _, e := range under[i].Entries {
						at := fmt.Sprintf("%d %x %x", e.Group, e.Key, e.Field)
						if v, ok := want[at]; !ok || v != string(e.Value) || i == len(keys) {
							t.Errorf("%v: %s %s: %s is %x, want %x", x, o.Name, d.Name, at, e.Value, v)
						}
						n++
					}
				}
				if n != len(want) {
					t.Errorf("%v: %s %s: %d entries found by key, %d are there", x, o.Name, d.Name, n, len(want))
				}
				found += n
			}
		}
		if found == 0 {
			t.Errorf("%v: nothing was found", x)
		}
	}
}

// newestOf is the line of the newest snapshots, which as the last ones of a job fit together.
func newestOf(s *inspect.Snapshot) (line []id.Epoch) {
	for _, t := range s.Tasks() {
		_, name, _ := strings.Cut(strings.TrimPrefix(t.Object, "snap/"), "/")
		e, _ := id.ParseEpoch(name)
		line = append(line, e)
	}
	return line
}

// TestReaderBeginsAgain: a checkpoint that is gone has been replaced, and the answer is of what
// has replaced it; if nothing has, it is damaged, and if that goes on for ever, that is said.
func TestReaderBeginsAgain(t *testing.T) {
	root := leave(t, "aligned", "heap", "keyedcount", middle)
	s := open(t, root)
	o, err := s.Operator("count")
	if err != nil {
		t.Fatal(err)
	}
	keys, want := scanned(t, o, "counts")
	gone := func(n uint32) dataflow.Complete { return dataflow.Complete{Epoch: id.MakeEpoch(9, n)} }
	at, _, under, err := reader(t, root, gone(1), gone(2), dataflow.Complete{Epoch: s.Epoch}).Lookup("count", "counts", keys)
	if err != nil || at.Epoch != s.Epoch || len(under) != len(want) || len(under[0].Entries) != 1 {
		t.Errorf("behind two that are gone: %v, at %v, %d keys", err, at.Name(), len(under))
	}
	_, _, _, err = reader(t, root, gone(1)).Lookup("count", "counts", keys)
	var op *state.OpError
	if !errors.As(err, &op) || op.Status != state.NotFound || !strings.Contains(err.Error(), "chk/9.1") {
		t.Errorf("the newest is gone: %v", err)
	}
	var all []dataflow.Complete
	for n := range uint32(100) {
		all = append(all, gone(n+1))
	}
	if _, _, _, err = reader(t, root, all...).Lookup("count", "counts", keys); !errors.Is(err, inspect.ErrOvertaken) {
		t.Errorf("each is gone: %v", err)
	}
	if _, _, _, err = reader(t, root, dataflow.Complete{}).Lookup("count", "counts", keys); !errors.Is(err, inspect.ErrNoCheckpoint) {
		t.Errorf("there is none: %v", err)
	}
}

// TestReaderSaysWhatThereIs: an operator or a state that is not there.
func TestReaderSaysWhatThereIs(t *testing.T) {
	root := leave(t, "aligned", "heap", "nexmark-q5", middle)
	r := reader(t, root, dataflow.Complete{Epoch: open(t, root).Epoch})
	keys := []state.Key{state.KeyOf([]byte("a"), state.DefaultGroups)}
	if _, _, _, err := r.Lookup("counts", "x", keys); !errors.Is(err, inspect.ErrUnknownOperator) || !strings.Contains(err.Error(), "known: ") {
		t.Error(err)
	}
	s := open(t, root)
	for _, o := range s.Operators {
		if _, _, _, err := r.Lookup(o.Name, "no such state", keys); !errors.Is(err, dataflow.ErrUnknownState) || !strings.Contains(err.Error(), o.Name) {
			t.Error(err)
		}
	}
}
