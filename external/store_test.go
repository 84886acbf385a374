package external

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// rows frames the words of text as rows.
func rows(op dataflow.ExtOp, text string) dataflow.ExtOp {
	for _, w := range strings.Fields(text) {
		op.Rows = dataflow.AppendRecord(op.Rows, []byte(w))
		op.Count++
	}
	return op
}

func appendOf(a id.Attempt, n uint64, text string) dataflow.ExtOp {
	return rows(dataflow.ExtOp{Kind: dataflow.ExtAppend, Attempt: a, Number: n}, text)
}

func writeOf(a id.Attempt, n uint64, text string) dataflow.ExtOp {
	return rows(dataflow.ExtOp{Kind: dataflow.ExtWrite, Attempt: a, Number: n}, text)
}

func preCommit(a id.Attempt, e id.Epoch, from, n uint64, text string) dataflow.ExtOp {
	return rows(dataflow.ExtOp{Kind: dataflow.ExtPreCommit, Attempt: a, Txn: e, From: from, Number: n}, text)
}

func commit(a id.Attempt, e id.Epoch) dataflow.ExtOp {
	return dataflow.ExtOp{Kind: dataflow.ExtCommit, Attempt: a, Txn: e}
}

func recovery(a id.Attempt, keep ...id.Epoch) dataflow.ExtOp {
	return dataflow.ExtOp{Kind: dataflow.ExtRecover, Attempt: a, Keep: keep}
}

func open(t testing.TB, c StoreConfig) *Store {
	t.Helper()
	s, err := OpenStore(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// visibleRows is everything that a read-committed reader sees.
func visibleRows(t testing.TB, s *Store) string {
	t.Helper()
	var words []string
	if err := s.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		words = append(words, string(row))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(words, " ")
}

const (
	ok     = dataflow.ExtOK
	failed = dataflow.ExtFailed
	fenced = dataflow.ExtFenced
	absent = dataflow.ExtAbsent
)

type step struct {
	op   dataflow.ExtOp
	want dataflow.ExtStatus
}

var stories = []struct {
	name    string
	mutant  dataflow.Mutant
	steps   []step
	visible string
}{
	{"appends count once", "", []step{
		{recovery(1), ok}, {appendOf(1, 1, "a b"), ok}, {appendOf(1, 1, "a b"), ok}, {appendOf(1, 3, "d"), ok},
		{appendOf(1, 2, "c"), ok}, {appendOf(1, 3, "d"), ok},
	}, "a b d c"},
	{"a transaction is invisible until its commit", "", []step{
		{recovery(1), ok}, {preCommit(1, 7, 0, 0, "a"), ok}, {preCommit(1, 7, 0, 0, "a"), ok},
		{preCommit(1, 8, 0, 0, "b"), ok}, {commit(1, 8), ok}, {commit(1, 8), ok},
	}, "b"},
	{"writes belong to the transaction that claims them", "", []step{
		{recovery(1), ok}, {writeOf(1, 2, "b"), ok}, {preCommit(1, 7, 0, 2, "c"), failed}, {writeOf(1, 1, "a"), ok},
		{writeOf(1, 3, "d"), ok}, {preCommit(1, 7, 0, 2, "c"), ok}, {writeOf(1, 1, "a"), ok},
		{preCommit(1, 8, 2, 3, "e"), ok}, {commit(1, 7), ok}, {commit(1, 8), ok},
	}, "a b c d e"},
	{"a pre-commit without a transaction waits for appends", "", []step{
		{recovery(1), ok}, {appendOf(1, 2, "b"), ok}, {preCommit(1, 0, 2, 2, ""), failed}, {appendOf(1, 1, "a"), ok}, {preCommit(1, 0, 2, 2, ""), ok},
	}, "b a"},
	{"recovery keeps, aborts and fences", "", []step{
		{recovery(1), ok}, {preCommit(1, 7, 0, 0, "a"), ok}, {preCommit(1, 8, 0, 0, "b"), ok}, {writeOf(1, 1, "lost"), ok},
		{recovery(2, 7), ok}, {commit(1, 7), fenced}, {preCommit(1, 9, 0, 0, "x"), fenced}, {appendOf(1, 2, "x"), fenced}, {writeOf(1, 3, "x"), fenced},
		{recovery(1), fenced}, {commit(2, 8), absent}, {commit(2, 7), ok}, {preCommit(2, 1<<21, 0, 0, "c"), ok}, {commit(2, 1<<21), ok},
	}, "a c"},
	{"a recovery repeated late spares its own attempt", "", []step{
		{recovery(2), ok}, {preCommit(2, 7, 0, 0, "a"), ok}, {recovery(2), ok}, {commit(2, 7), ok}, {recovery(2), ok},
	}, "a"},
	{"a commit before the crash stays", "", []step{
		{recovery(1), ok}, {preCommit(1, 7, 0, 0, "a"), ok}, {commit(1, 7), ok}, {recovery(2, 7), ok}, {commit(2, 7), ok},
	}, "a"},
	{"mutant: foreign transactions become visible", MutantKeepForeignTxn, []step{
		{recovery(1), ok}, {preCommit(1, 7, 0, 0, "a"), ok}, {preCommit(1, 8, 0, 0, "b"), ok}, {recovery(2, 7), ok}, {commit(2, 7), ok},
	}, "b a"},
	{"mutant: an old attempt is let in", MutantNoFence, []step{
		{recovery(2), ok}, {preCommit(2, 7, 0, 0, "a"), ok}, {appendOf(1, 1, "zombie"), ok}, {recovery(1), ok}, {commit(2, 7), absent},
	}, "zombie"},
}

func TestStories(t *testing.T) {
	for _, story := range stories {
		for _, fs := range []vfs.FS{nil, vfs.NewMem()} {
			t.Run(fmt.Sprintf("%s/log=%v", story.name, fs != nil), func(t *testing.T) {
				var seen []string
				c := StoreConfig{FS: fs, Dir: "d", Mutant: story.mutant, OnCommit: func(_ id.TaskID, _ id.Epoch, rows []byte, count int) {
					for row, rest := dataflow.NextRecord(rows); row != nil; row, rest = dataflow.NextRecord(rest) {
						seen = append(seen, string(row))
						count--
					}
					if count != 0 {
						t.Errorf("count is off by %d", count)
					}
				}}
				s := open(t, c)
				for i, x := range story.steps {
					if got := s.Do(x.op); got != x.want {
						t.Fatalf("step %d, %+v: status %d, want %d", i+1, x.op, got, x.want)
					}
				}
				if got := visibleRows(t, s); got != story.visible || strings.Join(seen, " ") != story.visible {
					t.Errorf("visible %q, observed %q, want %q", got, seen, story.visible)
				}
				if fs != nil {
					seen = nil
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					if got := visibleRows(t, open(t, c)); got != story.visible || len(seen) > 0 {
						t.Errorf("after reopening %q (observed %q), want %q", got, seen, story.visible)
					}
				}
			})
		}
	}
}

// TestCrashAfterEveryBatch compares a store that crashes and is reopened after
// every batch, losing all unsynced bytes, with one in memory that never does.
func TestCrashAfterEveryBatch(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		mem := vfs.NewCrashableMem()
		s := open(t, StoreConfig{FS: mem, Dir: "store"})
		twin := open(t, StoreConfig{})
		script := newScript(r)
		for batch := range 40 {
			ops := script.batch()
			got, want := s.DoBatch(ops, nil), twin.DoBatch(ops, nil)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, batch %d, %+v: %v, want %v", seed, batch, ops, got, want)
			}
			keep := 0
			if r.IntN(2) == 0 {
				keep = 100
			}
			mem = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(1, 2))})
			s = open(t, StoreConfig{FS: mem, Dir: "store"})
			if got, want := visibleRows(t, s), visibleRows(t, twin); got != want {
				t.Fatalf("seed %d, batch %d: visible\n%s\nwant\n%s", seed, batch, got, want)
			}
			for task := range id.TaskID(3) {
				if got, want := s.Pending(task, nil), twin.Pending(task, nil); !slices.Equal(got, want) {
					t.Fatalf("seed %d, batch %d: pending of %s %v, want %v", seed, batch, task, got, want)
				}
			}
		}
	}
}

// script makes random operations of three tasks, without ExtWrite, whose loss
// a crash of the store may show.
type script struct {
	r       *rand.Rand
	attempt [3]id.Attempt
	number  [3]uint64
	epoch   id.Epoch
}

func newScript(r *rand.Rand) *script { return &script{r: r} }

func (s *script) batch() []dataflow.ExtOp {
	ops := make([]dataflow.ExtOp, 1+s.r.IntN(4))
	for i := range ops {
		task := s.r.IntN(3)
		var op dataflow.ExtOp
		switch a := max(s.attempt[task], 1) - id.Attempt(s.r.IntN(5)/4); s.r.IntN(8) {
		case 0:
			s.attempt[task]++
			s.number[task] = 0
			op = recovery(s.attempt[task], s.epoch, s.epoch-1)
		case 1, 2:
			s.number[task]++
			op = appendOf(a, s.number[task], strings.Repeat(fmt.Sprintf("row%d ", s.r.IntN(1000)), s.r.IntN(3)+1))
		case 3, 4, 5:
			s.epoch++
			op = preCommit(a, s.epoch, 0, 0, strings.Repeat("x", 1+s.r.IntN(3000)))
		default:
			op = commit(a, s.epoch-id.Epoch(s.r.IntN(4)))
		}
		op.Task = id.TaskID(task)
		ops[i] = op
	}
	return ops
}

func TestLostWriteIsAbsent(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := open(t, StoreConfig{FS: mem, Dir: "d"})
	s.DoBatch([]dataflow.ExtOp{recovery(1), preCommit(1, 5, 0, 0, "a")}, nil)
	s.Do(writeOf(1, 1, "b"))
	for keep, want := range map[int]dataflow.ExtStatus{0: absent, 100: absent} {
		c := open(t, StoreConfig{FS: mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: keep, RNG: rand.New(rand.NewPCG(1, 2))}), Dir: "d"})
		if got := c.Do(preCommit(1, 6, 0, 2, "c")); got != want {
			t.Errorf("pre-commit over a lost write, %d %% kept: status %d, want %d", keep, got, want)
		}
		if got := c.Do(commit(1, 5)); got != ok {
			t.Errorf("commit of what was acknowledged: status %d", got)
		}
		c.Do(recovery(2))
		c.Do(writeOf(2, 1, "new"))
		if got := c.Do(preCommit(2, 9, 0, 1, "")); got != ok {
			t.Errorf("the next attempt: status %d", got)
		}
	}
}

func TestOneSyncPerBatch(t *testing.T) {
	s := open(t, StoreConfig{FS: vfs.NewMem(), Dir: "d"})
	s.DoBatch([]dataflow.ExtOp{recovery(1), appendOf(1, 1, "a"), appendOf(1, 2, "b"), preCommit(1, 9, 2, 2, "c")}, nil)
	s.Do(writeOf(1, 3, "d"))
	if got := s.Stats(); got.Syncs != 1 || got.Rows != 2 || got.Operations != 5 {
		t.Errorf("%+v", got)
	}
}

func TestLargeTransactionIsStreamed(t *testing.T) {
	var calls, count int
	s := open(t, StoreConfig{FS: vfs.NewMem(), Dir: "d", OnCommit: func(_ id.TaskID, _ id.Epoch, rows []byte, n int) {
		calls++
		count += n
	}})
	s.Do(recovery(1))
	big := strings.Repeat("0123456789 ", 20_000) // above what is buffered
	for n := range uint64(3) {
		s.Do(writeOf(1, n+1, big))
	}
	s.Do(preCommit(1, 4, 0, 3, "last"))
	if len(s.m.tasks[0].open[0].chunks[0].data) > 0 {
		t.Error("rows stay in memory beside the log")
	}
	s.Do(commit(1, 4))
	if calls != 4 || count != 60_001 || s.Stats().Rows != 60_001 {
		t.Errorf("%d calls with %d rows, %+v", calls, count, s.Stats())
	}
	if n := len(strings.Fields(visibleRows(t, s))); n != 60_001 {
		t.Errorf("%d rows read back", n)
	}
}

func TestDiskFailureIsSticky(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, StoreConfig{FS: fs, Dir: "d"})
	s.Do(recovery(1))
	s.log.file = failingFile{s.log.file}
	if got := s.Do(appendOf(1, 1, "a")); got != failed || s.Err() == nil {
		t.Fatalf("status %d, error %v", got, s.Err())
	}
	if got := s.Do(commit(1, 1)); got != failed {
		t.Errorf("status %d after the failure", got)
	}
	again := open(t, StoreConfig{FS: fs, Dir: "d"})
	if got := again.Do(appendOf(1, 1, "a")); got != ok || visibleRows(t, again) != "a" {
		t.Errorf("status %d, visible %q", got, visibleRows(t, again))
	}
}

type failingFile struct{ vfs.File }

func (failingFile) Sync() error { return errors.New("no") }

func TestStoreInMemoryAllocatesLittle(t *testing.T) {
	s := open(t, StoreConfig{})
	s.Do(recovery(1))
	n, framed := uint64(0), appendOf(1, 1, "row")
	status := make([]dataflow.ExtStatus, 0, 1)
	ops := make([]dataflow.ExtOp, 1)
	if got := testing.AllocsPerRun(1000, func() {
		n++
		framed.Number = n
		ops[0] = framed
		if status = s.DoBatch(ops, status[:0]); status[0] != ok {
			t.Fatal(status)
		}
	}); got > 0 {
		t.Errorf("%v allocations per append", got)
	}
}

func TestDamageIsNamed(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, StoreConfig{FS: fs, Dir: "d"})
	for i := range uint64(6) {
		s.Do(appendOf(1, i+1, strings.Repeat("abc ", 10)))
	}
	whole := readFile(t, fs, s.log.path(1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	caught := 0
	for at := range len(whole) {
		damaged := slices.Clone(whole)
		damaged[at] ^= 1 << (at % 8)
		err := reread(t, damaged)
		if err == nil {
			// Only in the last batch, about which nothing later speaks, can damage
			// look like a torn tail.
			if at < len(whole)*5/6 {
				t.Fatalf("bit %d of byte %d flipped unseen", at%8, at)
			}
			continue
		}
		caught++
		if !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), "transactions-000001.log") {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
	if caught < len(whole)*5/6 {
		t.Errorf("%d of %d flips caught", caught, len(whole))
	}
}

// TestTornTail cuts the file at every length behind the acknowledged part.
func TestTornTail(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, StoreConfig{FS: fs, Dir: "d"})
	s.Do(recovery(1))
	s.Do(appendOf(1, 1, "acknowledged"))
	durable := s.log.size
	s.Do(writeOf(1, 2, strings.Repeat("torn ", 40)))
	s.Do(writeOf(1, 3, strings.Repeat("torn ", 40)))
	s.log.flush()
	whole := readFile(t, fs, s.log.path(1))
	for n := int(durable); n <= len(whole); n++ {
		for _, zeros := range []int{0, 100} {
			if err := reread(t, append(slices.Clone(whole[:n]), make([]byte, zeros)...)); err != nil {
				t.Fatalf("cut at %d of %d with %d zeros behind: %v", n, len(whole), zeros, err)
			}
		}
	}
	holed := slices.Clone(whole) // a hole in the torn part, whole records behind it
	clear(holed[durable : durable+40])
	if err := reread(t, holed); err != nil {
		t.Fatal(err)
	}
}

// reread opens a store over one segment twice and reads everything.
func reread(t *testing.T, segment []byte) error {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll("d", 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := fs.Create("d/transactions-000001.log", "")
	if err == nil {
		_, err = f.Write(segment)
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := OpenStore(StoreConfig{FS: fs, Dir: "d"})
		if err != nil {
			return err
		}
		n := 0
		if err := s.Committed(func(id.TaskID, id.Epoch, []byte) error { n++; return nil }); err != nil {
			return err
		}
		if n == 0 {
			return errors.New("acknowledged rows are gone")
		}
		if err := s.Close(); err != nil {
			return err
		}
	}
	return nil
}

func readFile(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVisibleIsDurable: who is told that rows are visible may rely on them
// after a power cut: nothing is written and not synced at that moment.
func TestVisibleIsDurable(t *testing.T) {
	watched := &watchedFile{}
	told := 0
	s := open(t, StoreConfig{FS: vfs.NewMem(), Dir: "d", OnCommit: func(id.TaskID, id.Epoch, []byte, int) {
		if told++; watched.dirty {
			t.Error("rows are said to be visible before the log is synced")
		}
	}})
	s.Do(recovery(1))
	watched.File = s.log.file
	s.log.file = watched
	s.Do(appendOf(1, 1, "a"))
	s.Do(writeOf(1, 2, "b"))
	s.Do(preCommit(1, 4, 0, 2, "c"))
	s.Do(commit(1, 4))
	s.DoBatch([]dataflow.ExtOp{appendOf(1, 3, "d"), appendOf(1, 4, "e")}, nil)
	if told < 3 || watched.writes == 0 {
		t.Errorf("told %d times, %d writes seen: the test shows nothing", told, watched.writes)
	}
}

// watchedFile knows whether something was written since the last sync.
type watchedFile struct {
	vfs.File
	dirty  bool
	writes int
}

func (f *watchedFile) Write(p []byte) (int, error) {
	f.dirty = true
	f.writes++
	return f.File.Write(p)
}

func (f *watchedFile) Sync() error {
	f.dirty = false
	return f.File.Sync()
}

func (f *watchedFile) SyncData() error {
	f.dirty = false
	return f.File.SyncData()
}

// TestStagedRows: what is staged is invisible until a transaction publishes it,
// once, whatever its writer recovers and however often the store is opened.
func TestStagedRows(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, StoreConfig{FS: fs, Dir: "sink"})
	stage := func(a id.Attempt, n uint64, text string) dataflow.ExtOp {
		return rows(dataflow.ExtOp{Kind: trace.Stage, Task: 1, Attempt: a, Number: n}, text)
	}
	publish := func(e id.Epoch, named ...Committable) dataflow.ExtOp {
		op := dataflow.ExtOp{Kind: trace.Publish, Task: 2, Attempt: 1, Txn: e}
		for _, c := range named {
			op.Rows = dataflow.AppendRecord(op.Rows, c.Append(nil))
			op.Count++
		}
		return op
	}
	first, second := Committable{Task: 1, Attempt: 1, Number: 1}, Committable{Task: 1, Attempt: 1, Number: 2, Since: 7}
	for i, c := range []struct {
		op   dataflow.ExtOp
		want dataflow.ExtStatus
	}{
		{stage(1, 1, "a b"), dataflow.ExtOK},
		{stage(1, 1, "again"), dataflow.ExtOK},
		{publish(1, first, second), dataflow.ExtAbsent},
		{stage(1, 2, "c"), dataflow.ExtOK},
		{dataflow.ExtOp{Kind: dataflow.ExtRecover, Task: 1, Attempt: 2}, dataflow.ExtOK},
		{stage(1, 3, "late"), dataflow.ExtFenced},
		{publish(1, first), dataflow.ExtOK},
		{publish(1, second), dataflow.ExtOK}, // the transaction is visible: nothing more comes into it
		{publish(2, second), dataflow.ExtOK},
	} {
		if got := s.Do(c.op); got != c.want {
			t.Errorf("operation %d: %v, want %v", i, got, c.want)
		}
	}
	for range 2 {
		if got := visibleRows(t, s); got != "a b c" {
			t.Errorf("visible: %s", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, StoreConfig{FS: fs, Dir: "sink"})
	}
}

// TestResetStoreIsNew: a store that was used and reset does what a new one does.
func TestResetStoreIsNew(t *testing.T) {
	script := []dataflow.ExtOp{
		recovery(1), writeOf(1, 2, "b"), writeOf(1, 1, "a"), preCommit(1, 5, 0, 2, "c"), preCommit(1, 6, 2, 2, "d"),
		commit(1, 5), appendOf(1, 3, "e"), recovery(2, 6), writeOf(1, 4, "late"), writeOf(2, 1, "f"), commit(2, 6), preCommit(2, 7, 0, 1, ""),
	}
	run := func(s *Store) (did []dataflow.ExtStatus) {
		for _, op := range script {
			did = append(did, s.Do(op))
		}
		return did
	}
	var seen []string
	used := open(t, StoreConfig{OnCommit: func(_ id.TaskID, e id.Epoch, rows []byte, n int) {
		seen = append(seen, fmt.Sprintf("%s %x %d", e, rows, n))
	}})
	want, rows, stats, shown := run(used), visibleRows(t, used), used.Stats(), slices.Clone(seen)
	for range 2 {
		used.Reset()
		seen = nil
		if got := visibleRows(t, used); got != "" || len(used.Pending(0, nil)) > 0 || used.Stats() != (StoreStats{}) {
			t.Fatalf("after a reset %q is visible, %v pending, %+v", got, used.Pending(0, nil), used.Stats())
		}
		if got := run(used); !slices.Equal(got, want) {
			t.Errorf("outcomes %v, a new store has %v", got, want)
		}
		if got := visibleRows(t, used); got != rows || used.Stats() != stats || !slices.Equal(seen, shown) {
			t.Errorf("%q is visible, %+v, %q shown; in a new store %q, %+v, %q", got, used.Stats(), seen, rows, stats, shown)
		}
	}
}

// TestNewest: what a store knows of attempts and of transactions, after a restart as well.
func TestNewest(t *testing.T) {
	fs := vfs.NewMem()
	for i, c := range []struct {
		op      dataflow.ExtOp
		attempt id.Attempt
		txn     id.Epoch
	}{
		{recovery(2), 2, 0},
		{preCommit(2, id.MakeEpoch(2, 7), 0, 0, "a b"), 2, 0},
		{commit(2, id.MakeEpoch(2, 7)), 2, id.MakeEpoch(2, 7)},
		{preCommit(2, id.MakeEpoch(2, 8), 0, 0, ""), 2, id.MakeEpoch(2, 7)},
		{commit(2, id.MakeEpoch(2, 8)), 2, id.MakeEpoch(2, 7)}, // it has no rows
		{recovery(5), 5, id.MakeEpoch(2, 7)},
	} {
		s, err := OpenStore(StoreConfig{FS: fs, Dir: "sink"})
		if err != nil {
			t.Fatal(err)
		}
		s.Do(c.op)
		for range 2 {
			if a, txn := s.Newest(); a != c.attempt || txn != c.txn {
				t.Errorf("operation %d: attempt %d, transaction %s; want %d, %s", i, a, txn, c.attempt, c.txn)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = OpenStore(StoreConfig{FS: fs, Dir: "sink"}); err != nil {
				t.Fatal(err)
			}
		}
		_ = s.Close()
	}
}
