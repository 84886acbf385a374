package inspect_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	algorithmcatalog "weir/algorithms/catalog"
	"weir/external"
	"weir/scenario"
	"weir/scenario/inspect"
	"weir/sim"
	"weir/state"
	"weir/state/catalog"
	"weir/state/storage"
	workloadcatalog "weir/workloads/catalog"
)

// disk is where the tests have everything: in memory, for syncing takes long.
var disk = vfs.NewMem()

// newDir returns the path of a directory on disk that nobody has.
func newDir(t *testing.T) string {
	t.Helper()
	dir := "/" + strings.ReplaceAll(t.TempDir(), "/", "_")
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// leave runs a simulated job for some events on a directory, and leaves it as a
// machine that is switched off does. 0: to its end.
func leave(t *testing.T, algorithm, backend, workload string, events int64) (root string) {
	t.Helper()
	a, err := algorithmcatalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	w, err := workloadcatalog.New(workload)
	if err != nil {
		t.Fatal(err)
	}
	job, _, err := scenario.LiveJob(&scenario.Config{Algorithm: a, State: backend, Workload: w, Parallelism: 2})
	if err != nil {
		t.Fatal(err)
	}
	job.Config.Checkpoint.Interval, job.Config.Checkpoint.Retain = 3e6, 2
	root = newDir(t)
	st, err := storage.OpenDir(disk, root, storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.NewMem(), Dir: "sink"})
	if err != nil {
		t.Fatal(err)
	}
	res := sim.New().Run(sim.Config{Seed: 1, Job: job, Storage: st, External: ext, Model: sim.DefaultModel(), MaxEvents: events, LocalDisks: true})
	if (res.Verdict == sim.Done) != (events == 0) {
		t.Fatalf("the run is %v: %v", res.Verdict, res.Err)
	}
	if err := errors.Join(st.Close(), ext.Close()); err != nil {
		t.Fatal(err)
	}
	return root
}

func open(t *testing.T, path string) *inspect.Snapshot {
	t.Helper()
	s, err := inspect.Open(inspect.Config{FS: disk, Scratch: "/scratch"}, path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// convert makes a savepoint of a snapshot in a directory of its own.
func convert(t *testing.T, s *inspect.Snapshot, lost func(inspect.Loss)) (root string, err error) {
	t.Helper()
	root = newDir(t)
	to, err := storage.OpenDir(disk, root, storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = inspect.Convert(s, to, lost)
	return root, errors.Join(err, to.Close())
}

// entries counts what can be read of a snapshot.
func entries(t *testing.T, s *inspect.Snapshot) int {
	t.Helper()
	return inspect.Verify(s).Entries
}

// same wants two snapshots to have the same content.
func same(t *testing.T, a, b *inspect.Snapshot) {
	t.Helper()
	all, err := inspect.Diff(a, b, 3)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range all {
		n += all[i].A
		if !all[i].Same() {
			t.Errorf("%+v", all[i])
		}
	}
	if n == 0 {
		t.Error("nothing was compared")
	}
}

const middle = 550 // events, in the middle of the job

// TestCheckpointsOfEveryBackend: all complete checkpoints are found, read, and
// become savepoints that hold the same, whatever the backend.
func TestCheckpointsOfEveryBackend(t *testing.T) {
	for _, backend := range catalog.Names() {
		root := leave(t, "aligned", backend, "nexmark-q5", 1000)
		found, err := inspect.List(disk, root)
		if err != nil {
			t.Fatal(err)
		}
		complete := 0
		for i := range found {
			f := &found[i]
			if !f.Complete {
				continue
			}
			complete++
			s := open(t, f.Path)
			if s.Job != "nexmark-q5" || len(s.Operators) != 4 || len(s.Tasks()) != 8 || s.Epoch != f.Epoch {
				t.Errorf("%s: job %q, %d operators", f.Path, s.Job, len(s.Operators))
			}
			if r := inspect.Verify(s); !r.Sound() || r.Entries == 0 || r.Objects < 9 {
				t.Errorf("%s: %+v", f.Path, r)
			}
			saved, err := convert(t, s, nil)
			if err != nil {
				t.Fatal(err)
			}
			to := open(t, saved)
			if to.Kind != inspect.Savepoint || to.Job != s.Job || to.Epoch != s.Epoch || to.Groups != state.DefaultGroups {
				t.Errorf("the savepoint is %+v", to.Found)
			}
			same(t, s, to)
			for k, x := range to.Tasks() {
				from := s.Tasks()[k]
				if x.Name() != from.Name() || x.Watermark != from.Watermark || len(x.Splits) != len(from.Splits) || !slices.Equal(x.Pending, from.Pending) || !slices.Equal(x.Finished, from.Finished) || !bytes.Equal(x.Own, from.Own) {
					t.Errorf("%s became %s", from.Name(), x.Name())
				}
			}
			if r := inspect.Verify(to); !r.Sound() || r.Entries != entries(t, s) {
				t.Errorf("the savepoint of %s: %+v", f.Path, r)
			}
		}
		if complete < 2 {
			t.Errorf("%s: %d complete checkpoints of %d, want 2 at least: they are retained", backend, complete, len(found))
		}
		if names, err := disk.List("/scratch"); err == nil && len(names) > 0 {
			t.Errorf("looking has left %q behind", names)
		}
	}
}

// TestBackendsSaveTheSame: the same job at the same point on two backends gives two
// savepoints without a difference, and two points of one job differ.
func TestBackendsSaveTheSame(t *testing.T) {
	var saved []*inspect.Snapshot
	for _, backend := range catalog.Names() {
		root, err := convert(t, open(t, leave(t, "aligned", backend, "keyedcount", 0)), nil)
		if err != nil {
			t.Fatal(err)
		}
		saved = append(saved, open(t, root))
	}
	same(t, saved[0], saved[1])
	same(t, saved[1], saved[2])
	early := open(t, leave(t, "aligned", catalog.Names()[0], "keyedcount", middle))
	all, err := inspect.Diff(early, saved[0], 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Changed == 0 || len(all[0].First) != 2 || all[0].Same() {
		t.Errorf("%+v", all)
	}
}

// TestDataInFlightAreRefused: a savepoint has none, and the way out is said.
func TestDataInFlightAreRefused(t *testing.T) {
	for _, algorithm := range []string{"unaligned", "uncoordinated"} {
		s := open(t, leave(t, algorithm, catalog.Names()[0], "keyedcount", middle))
		if entries(t, s) == 0 || !inspect.Verify(s).Sound() {
			t.Errorf("%s: it cannot be looked at", algorithm)
		}
		_, err := convert(t, s, nil)
		if !errors.Is(err, inspect.ErrInFlight) || !strings.Contains(err.Error(), "take a savepoint of the running job") {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

// TestEveryAlgorithm: what each leaves in the middle and at its end can be listed,
// shown and verified.
func TestEveryAlgorithm(t *testing.T) {
	for _, name := range algorithmcatalog.Names() {
		workload := "keyedcount"
		if name == "aligned-cyclic" {
			workload = "reachability"
		}
		for _, events := range []int64{middle, 0} {
			root := leave(t, name, catalog.Names()[2], workload, events)
			found, err := inspect.List(disk, root)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) == 0 {
				if name != "none" {
					t.Errorf("%s after %d events: nothing is found", name, events)
				}
				continue
			}
			s := open(t, root)
			if r := inspect.Verify(s); !r.Sound() || r.Entries == 0 {
				t.Errorf("%s after %d events, %s: %+v", name, events, s.Path, r)
			}
		}
	}
}

// files returns the files of the objects below a root.
func files(t *testing.T, root string) (all []string) {
	t.Helper()
	names, err := disk.List(root)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		path := root + "/" + name
		if strings.HasSuffix(name, ".obj") {
			all = append(all, path)
		} else if info, err := disk.Stat(path); err == nil && info.IsDir() {
			all = append(all, files(t, path)...)
		}
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	f, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edit changes a file and returns what puts it back.
func edit(t *testing.T, path string, change func([]byte) []byte) (undo func()) {
	t.Helper()
	was := read(t, path)
	write := func(b []byte) {
		f, err := disk.Create(path, vfs.WriteCategoryUnspecified)
		if err == nil {
			_, err = f.Write(b)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(change(bytes.Clone(was)))
	return func() { write(bytes.Clone(was)) }
}

// TestDamageIsFound flips every n-th bit of every file of a checkpoint and of a
// savepoint, cuts it and takes it away: verify sees each, and what convert saves of
// it is what is not lost.
func TestDamageIsFound(t *testing.T) {
	for _, backend := range catalog.Names() {
		root := leave(t, "aligned", backend, "keyedcount", middle)
		s := open(t, root)
		saved, err := convert(t, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		all := entries(t, s)
		damageIsFound(t, s.Path, root, all)
		if backend == catalog.Names()[0] {
			damageIsFound(t, saved, saved, all)
		}
	}
}

func damageIsFound(t *testing.T, path, root string, all int) {
	t.Helper()
	used := 0
	for _, file := range files(t, root) {
		size := len(read(t, file))
		counts := false
		for at := 5; at < size; at += max(1, size/4) {
			undo := edit(t, file, func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b })
			counts = damaged(t, path, file, all, fmt.Sprint("a flip at ", at)) || counts
			undo()
		}
		undo := edit(t, file, func(b []byte) []byte { return b[:len(b)-9] })
		damaged(t, path, file, all, "a cut")
		undo()
		if err := disk.Rename(file, file+".gone"); err != nil {
			t.Fatal(err)
		}
		damaged(t, path, file, all, "its loss")
		if err := disk.Rename(file+".gone", file); err != nil {
			t.Fatal(err)
		}
		if counts {
			used++
		}
	}
	if used < 6 {
		t.Errorf("%s: damage of %d files was seen", path, used)
	}
}

// damaged checks what verify and convert make of a damaged file; false: the file is
// none of the snapshot's.
func damaged(t *testing.T, path, file string, all int, what string) bool {
	t.Helper()
	s, err := inspect.Open(inspect.Config{FS: disk, Scratch: "/scratch"}, path)
	if err != nil {
		if gone := strings.Contains(err.Error(), "holds neither"); !gone && !strings.Contains(err.Error(), strings.TrimSuffix(filepath.Base(file), ".obj")) {
			t.Errorf("%s of %s: %v does not name it", what, file, err)
		}
		return true
	}
	r := inspect.Verify(s)
	if r.Sound() {
		if n := r.Entries; n != all {
			t.Errorf("%s of %s is not seen, and there are %d entries of %d", what, file, n, all)
		}
		return false
	}
	named := false
	for _, d := range r.Damaged {
		named = named || strings.Contains(d.Err.Error(), filepath.Base(file)) || strings.HasSuffix(d.Object, strings.TrimSuffix(filepath.Base(file), ".obj"))
	}
	if !named {
		t.Errorf("%s of %s: %+v does not name it", what, file, r.Damaged)
	}
	if r.Entries != all && len(r.Losses) == 0 {
		t.Errorf("%s of %s: %d entries of %d can be read, and nothing is said to be lost", what, file, r.Entries, all)
	}
	if _, err := convert(t, s, nil); err == nil && len(r.Losses) > 0 {
		t.Errorf("%s of %s: a savepoint of what is damaged, and nobody allowed it", what, file)
	}
	told := 0
	root, err := convert(t, s, func(inspect.Loss) { told++ })
	if err != nil {
		return true // nothing of a whole task is left
	}
	if n := entries(t, open(t, root)); n != r.Entries || (told == 0) != (n == all) {
		t.Errorf("%s of %s: %d entries saved, %d can be read, %d losses told", what, file, n, r.Entries, told)
	}
	return true
}

func TestPlaces(t *testing.T) {
	root := leave(t, "aligned", catalog.Names()[0], "keyedcount", 0)
	job := newDir(t)
	if err := disk.Rename(root, job+"/checkpoints"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{job, job + "/checkpoints"} {
		if s := open(t, path); s.Kind != inspect.Checkpoint || !s.Complete {
			t.Errorf("%s: %+v", path, s.Found)
		}
	}
	for path, want := range map[string]string{
		job + "/no":  "cannot be read",
		job + "@9.9": "no snapshot of epoch 9.9; it has ",
		newDir(t):    "is no checkpoint storage",
	} {
		_, err := inspect.Open(inspect.Config{FS: disk, Scratch: "/scratch"}, path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	s := open(t, job)
	if _, err := s.Operator("no"); err == nil || !strings.Contains(err.Error(), "source, count, sink") {
		t.Errorf("an operator that is not there: %v", err)
	}
	o, err := s.Operator("count")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Lookup("no", nil, nil); err == nil || !strings.Contains(err.Error(), "known: counts") {
		t.Errorf("a state that is not there: %v", err)
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct {
		d    state.Descriptor
		e    state.KeyedEntry
		want string
	}{
		{state.Descriptor{Kind: state.KindValue, Codec: "uint64/1"}, state.KeyedEntry{Value: state.Uint64.Append(nil, 17)}, "17"},
		{state.Descriptor{Kind: state.KindValue, Codec: "int64/1"}, state.KeyedEntry{Value: state.Int64.Append(nil, -17)}, "-17"},
		{state.Descriptor{Kind: state.KindValue, Codec: "int64/1"}, state.KeyedEntry{Value: []byte{1}}, "0x01"},
		{state.Descriptor{Kind: state.KindValue, Codec: "string/1"}, state.KeyedEntry{Value: []byte("a\n")}, `"a\n"`},
		{state.Descriptor{Kind: state.KindReducing, Codec: "own/3"}, state.KeyedEntry{Value: []byte{1, 255}}, "0x01ff"},
		{state.Descriptor{Kind: state.KindMap, Codec: "int64/1->string/1"}, state.KeyedEntry{Field: state.Int64.Append(nil, 4), Value: []byte("x")}, `4: "x"`},
		{state.Descriptor{Kind: state.KindList, Codec: "string/1"}, state.KeyedEntry{Value: state.AppendElement(state.AppendElement(nil, []byte("a")), nil)}, `["a" ""]`},
		{state.Descriptor{Kind: state.KindValue, Codec: "uint64/1", TTL: state.TTL{Clock: state.EventTime, Duration: 5}}, state.KeyedEntry{Value: state.Uint64.Append(state.Int64.Append(nil, 90), 17)}, "17 until 90"},
		{state.Descriptor{Kind: state.KindTimers}, state.KeyedEntry{Field: state.AppendTime(nil, -3)}, "-3"},
	} {
		if got := inspect.Text(c.d, &c.e); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.d.Kind, c.d.Codec, got, c.want)
		}
	}
	for _, key := range [][]byte{[]byte("text"), []byte("17"), []byte("0x1"), {}, {1, 2}, []byte("eight888"), state.Uint64.Append(nil, 1<<60+5)} {
		keys, err := inspect.Keys(inspect.KeyText(key))
		if err != nil || !slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) }) {
			t.Errorf("key %q is written %q and read as %q, %v", key, inspect.KeyText(key), keys, err)
		}
	}
	if _, err := inspect.Keys("0x123"); err == nil {
		t.Error("an odd number of digits passes")
	}
}
