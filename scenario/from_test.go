package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/scenario"
	"weir/scenario/inspect"
	"weir/scenario/simtest"
	"weir/sim"
	statecatalog "weir/state/catalog"
	"weir/state/heap"
	"weir/state/storage"
	"weir/workloads"
	workloadcatalog "weir/workloads/catalog"
)

// halfDone runs a job without faults for about half of its events, as a machine does that is switched off
// then, and makes a savepoint of its newest checkpoint.
func halfDone(t *testing.T, c scenario.Config) *scenario.From {
	t.Helper()
	job, _, err := scenario.LiveJob(&c)
	if err != nil {
		t.Fatal(err)
	}
	job.Config.Checkpoint.Interval, job.Config.Checkpoint.Retain = scenario.DefaultInterval/3, 1
	run := func(most int64) (*external.Store, *storage.Dir, vfs.FS, sim.Result) {
		fs := vfs.NewMem()
		st, err := storage.OpenDir(fs, "checkpoints", storage.DirConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ext, err := external.OpenStore(external.StoreConfig{FS: fs, Dir: "sink"})
		if err != nil {
			t.Fatal(err)
		}
		m := sim.DefaultModel()
		m.StepBase, m.StepRecord = 50_000, 100_000
		res := sim.New().Run(sim.Config{Seed: 1, Job: job, Storage: st, External: ext, Model: m, MaxEvents: most, LocalDisks: true})
		return ext, st, fs, res
	}
	_, st, _, whole := run(0)
	if err := st.Close(); err != nil || whole.Verdict != sim.Done {
		t.Fatal(whole.Verdict, whole.Err, err)
	}
	var ext *external.Store
	var s *inspect.Snapshot
	for tenths := int64(5); s == nil || s.Kind == inspect.Local; tenths++ { // until there is a checkpoint
		var fs vfs.FS
		ext, st, fs, _ = run(whole.Events * tenths / 10)
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = inspect.Open(inspect.Config{FS: fs, Scratch: "scratch", Groups: job.Config.Groups}, "checkpoints"); err != nil {
			t.Fatal(err)
		}
	}
	to := storage.NewMemory(-1)
	if _, err := inspect.Convert(s, to, nil); err != nil {
		t.Fatal(err)
	}
	return &scenario.From{Savepoint: to, Output: ext, Path: "saved"}
}

// smallJob is a combination with the key groups of simulated jobs.
func smallJob(t *testing.T, algorithm, backend string, w workloads.Workload, parallelism int) scenario.Config {
	c := combination(t, algorithm, backend, w)
	c.Parallelism, c.Groups = parallelism, scenario.DefaultGroups
	return c
}

// read is how many records the sources of a savepoint have handed out.
func read(t *testing.T, f *scenario.From) (n int) {
	t.Helper()
	if err := f.Open(); err != nil {
		t.Fatal(err)
	}
	for _, s := range f.Splits() {
		n += int(s.Offset)
	}
	return n
}

// TestBeginsFromASavepoint: a job that is half done goes on under every algorithm, on every
// backend, with more and with fewer instances, under drawn crashes; what was visible and what comes
// are the answer.
func TestBeginsFromASavepoint(t *testing.T) {
	crashes, again := 0, 0
	aligned, err := catalog.Lookup("aligned")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range workloadcatalog.Names() {
		if !fits(t, aligned, name) {
			continue
		}
		from := halfDone(t, smallJob(t, "aligned", heap.Name, workload(t, name), 2))
		if n, all := read(t, from), workload(t, name).Events(); n == 0 || n >= all {
			t.Fatalf("%s: the savepoint has %d of %d records", name, n, all)
		}
		for i, a := range catalog.All() {
			if !fits(t, a, name) || a.Properties().Snapshots == dataflow.NoSnapshots { // whose sinks commit nothing: not what another one has sealed
				continue
			}
			for k, backend := range statecatalog.Names() {
				p := []int{1, 3, 5, 2}[(i+k)%4]
				c := smallJob(t, a.Name, backend, workload(t, name), p)
				c.From = from
				t.Run(fmt.Sprintf("%s/%s/%s/%d", name, a.Name, backend, p), func(t *testing.T) {
					r, err := scenario.New(c)
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					n := 2
					if simtest.Full() {
						n = 40
					}
					for _, seed := range simtest.Seeds(n) {
						o := r.Run(seed)
						simtest.Fine(t, o)
						if o.Whole() {
							crashes += o.Report.Crashes
							again += o.Report.Recoveries
						}
					}
				})
			}
		}
	}
	if crashes == 0 || again == 0 {
		t.Errorf("%d crashes and %d recoveries: nothing was tried", crashes, again)
	}
}

// TestBeginsWithoutSnapshots: what has no snapshots begins from a savepoint too, and promises after a
// crash as little as ever.
func TestBeginsWithoutSnapshots(t *testing.T) {
	c := smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2)
	c.Sink = "append"
	from := halfDone(t, c)
	from.Output = nil // there are rows of behind the savepoint: appended rows come again whoever goes on
	c = smallJob(t, "none", heap.Name, workload(t, "keyedcount"), 3)
	c.From = from
	r := runner(t, c)
	crashes := 0
	for _, seed := range simtest.Seeds(20) {
		o := r.Run(seed)
		simtest.Fine(t, o)
		crashes += o.Report.Crashes
	}
	c.Faults = scenario.NoFaults
	o := runner(t, c).Run(1)
	simtest.Fine(t, o)
	if o.Report.Losses+o.Report.Duplicates > 0 || crashes == 0 {
		t.Errorf("%d lost, %d twice in a calm run; %d crashes in others", o.Report.Losses, o.Report.Duplicates, crashes)
	}
}

// TestClaimedSavepoint: one of the job's own is gone at the end, and the oracle has seen it
// go no sooner than it may; any other stays.
func TestClaimedSavepoint(t *testing.T) {
	from := halfDone(t, smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2))
	from.Claimed = true
	for _, a := range []string{"aligned", "uncoordinated"} {
		c := smallJob(t, a, heap.Name, workload(t, "keyedcount"), 3)
		c.From = from
		r := runner(t, c)
		for _, seed := range simtest.Seeds(10) {
			o := r.Run(seed)
			simtest.Fine(t, o)
		}
	}
}

// TestSealedOutputNeedsItsStore: what a savepoint names as sealed cannot be committed without the store that
// has it.
func TestSealedOutputNeedsItsStore(t *testing.T) {
	c := smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2)
	from := halfDone(t, c)
	from.Output = nil
	c.From = from
	if _, err := scenario.New(c); err == nil || !strings.Contains(err.Error(), "--output DIR") || !strings.Contains(err.Error(), "sink[") {
		t.Errorf("%v", err)
	}
}

// nextVersion is a workload whose code has changed: an operator is called otherwise, one more looks at
// what it emits, and the operators stand in another order.
type nextVersion struct{ workloads.Workload }

func (w nextVersion) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g, err := w.Workload.Graph(parallelism, sink)
	if err != nil {
		return nil, err
	}
	count := slices.IndexFunc(g.Vertices, func(v dataflow.Vertex) bool { return v.Name == "count" })
	g.Vertices[count].Name = "tally"
	g.Vertices = append(g.Vertices, dataflow.Vertex{Name: "audit", Parallelism: parallelism, New: func() dataflow.Operator { return audit{} }})
	g.Edges = append(g.Edges, dataflow.Edge{From: count, To: len(g.Vertices) - 1, Partitioning: dataflow.Rebalance})
	slices.Reverse(g.Vertices)
	for i := range g.Edges {
		e := &g.Edges[i]
		e.From, e.To = len(g.Vertices)-1-e.From, len(g.Vertices)-1-e.To
	}
	return g, nil
}

// audit takes rows and does nothing.
type audit struct{}

func (audit) Open(*dataflow.Context) error        { return nil }
func (audit) Process(int, *dataflow.Buffer) error { return nil }
func (audit) Finish() error                       { return nil }

// TestGoesOnWithChangedCode: operators that were renamed, added and put in another order, on every kind of
// algorithm; and what an operator held that may be dropped is lost, and the oracles see that.
func TestGoesOnWithChangedCode(t *testing.T) {
	from := halfDone(t, smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2))
	from.Renamed = []dataflow.Renamed{{From: "count", To: "tally"}}
	for _, a := range []string{"aligned", "unaligned", "uncoordinated", "at-least-once"} {
		for _, p := range []int{1, 2, 3} {
			c := smallJob(t, a, heap.Name, nextVersion{workload(t, "keyedcount")}, p)
			c.From = from
			r := runner(t, c)
			for _, seed := range simtest.Seeds(5) {
				simtest.Fine(t, r.Run(seed))
			}
		}
	}
	dropped := *from
	dropped.Renamed, dropped.Dropped = nil, []string{"count"}
	c := smallJob(t, "aligned", heap.Name, nextVersion{workload(t, "keyedcount")}, 2)
	c.From, c.Faults = &dropped, scenario.NoFaults
	if o := runner(t, c).Run(1); o.Kind != scenario.Unsafe || !strings.Contains(o.Why(), "output") {
		t.Errorf("the counts are lost, and the verdict is %v: %s", o.Kind, o.Why())
	}
	c.From = &scenario.From{Savepoint: from.Savepoint, Output: from.Output, Path: "saved"}
	if _, err := scenario.New(c); err == nil || !strings.Contains(err.Error(), "--allow-dropped count") {
		t.Errorf("neither renamed nor dropped: %v", err)
	}
}

// TestCommandOfASavepointIsForAShell: what is named with spaces and quotes is one word each, what needs no quotes
// has none.
func TestCommandOfASavepointIsForAShell(t *testing.T) {
	c := smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2)
	c.From = &scenario.From{
		Path: "a job/save", OutputPath: "/tmp/bob's $HOME", Renamed: []dataflow.Renamed{{From: "my count", To: "tally"}}, Dropped: []string{"count-1"},
	}
	if got, want := c.Command(1), ` --from 'a job/save' --output '/tmp/bob'\''s $HOME' --allow-dropped count-1 --rename 'my count=tally'`; !strings.HasSuffix(got, want) {
		t.Errorf("%s; want at its end\n%s", got, want)
	}
}

// renamed is a workload whose operators are called otherwise; those with keyed state have one state more, each
// of a schema of its own.
type renamed struct {
	workloads.Workload
	to map[string]string
}

func (w renamed) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g, err := w.Workload.Graph(parallelism, sink)
	if err != nil {
		return nil, err
	}
	version := 0
	for i := range g.Vertices {
		v := &g.Vertices[i]
		if v.Keyed {
			version++
			of, version := v.New, version
			v.New = func() dataflow.Operator { return &remembering{of(), version} }
		}
		if to := w.to[v.Name]; to != "" {
			v.Name = to
		}
	}
	return g, nil
}

// TestTheNameOfADroppedOperatorIsFree: another one may take it, and need not read what the dropped one held.
func TestTheNameOfADroppedOperatorIsFree(t *testing.T) {
	from := halfDone(t, smallJob(t, "aligned", heap.Name, renamed{Workload: workload(t, "pipelines")}, 2))
	from.Renamed, from.Dropped = []dataflow.Renamed{{From: "count-0", To: "count-1"}}, []string{"count-1"}
	c := smallJob(t, "aligned", heap.Name, renamed{workload(t, "pipelines"), map[string]string{"count-0": "count-1", "count-1": "top"}}, 2)
	c.From = from
	runner(t, c)
	from.Dropped = nil
	if _, err := scenario.New(c); err == nil {
		t.Error("two operators of the savepoint go on as one")
	}
}

// TestGoldenDigestsFromASavepoint: NEXMark as a whole, half of it before the savepoint and half behind, with
// other parallelism, algorithm and backend, is what other software computed.
func TestGoldenDigestsFromASavepoint(t *testing.T) {
	for name, want := range goldenOf(t) {
		w := func() workloads.Workload {
			w, err := workloadcatalog.New(name)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		from := halfDone(t, smallJob(t, "aligned", heap.Name, w(), 2))
		c := smallJob(t, "uncoordinated", "pebble", w(), 3)
		c.From = from
		r := runner(t, c)
		for _, seed := range simtest.Seeds(3) {
			o := r.Run(seed)
			simtest.Fine(t, o)
			if o.Whole() && o.Digest() != want || want == "" {
				t.Errorf("%s, seed %d: digest %s, golden %s", name, seed, o.Digest(), want)
			}
		}
	}
}

// endsIn runs the job of c, which begins from a savepoint, to its end with an external store.
func endsIn(t *testing.T, c scenario.Config, ext *external.Store) {
	t.Helper()
	job, _, err := scenario.LiveJob(&c)
	if err != nil {
		t.Fatal(err)
	}
	st := &storage.Mounted{Storage: storage.NewMemory(-1), At: scenario.FromRoot, Below: c.From.Savepoint, Root: c.From.Root}
	if res := sim.New().Run(sim.Config{Seed: 2, Job: job, Storage: st, External: ext, Model: sim.DefaultModel(), LocalDisks: true}); res.Verdict != sim.Done {
		t.Fatal(res.Verdict, res.Err)
	}
}

// TestAnOutputThatWentOnIsRefused: who begins from a savepoint with an output in which another one
// has done so would have all rows behind it there twice. With a copy from before it may.
func TestAnOutputThatWentOnIsRefused(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		c := smallJob(t, algorithm, heap.Name, workload(t, "keyedcount"), 2)
		from := halfDone(t, smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2))
		c.From = from
		out, err := external.OpenStore(external.StoreConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if err := out.Take(from.Output); err != nil {
			t.Fatal(err)
		}
		endsIn(t, c, out)
		c.From = &scenario.From{Savepoint: from.Savepoint, Output: out, Path: "saved", OutputPath: "written"}
		for i := range 2 {
			if _, _, err := scenario.LiveJob(&c); i == 0 && (err == nil || !strings.Contains(err.Error(), "in its output written") || !strings.Contains(err.Error(), "there twice")) || i == 1 && err != nil {
				t.Errorf("%s: begins %d: %v", algorithm, i, err)
			}
			c.From = from
		}
	}
}

// TestAttemptsAreAboveThoseOfTheStore: after the checkpoint that became a savepoint the job had begun
// once more, and sealed something in an attempt of which no checkpoint tells. Nobody takes that for
// what the job that goes on has sealed.
func TestAttemptsAreAboveThoseOfTheStore(t *testing.T) {
	from := halfDone(t, smallJob(t, "aligned", heap.Name, workload(t, "keyedcount"), 2))
	before, _ := from.Output.Newest()
	row := dataflow.AppendRecord(nil, []byte("of nobody"))
	for task := range id.TaskID(6) {
		for _, op := range []dataflow.ExtOp{
			{Kind: dataflow.ExtRecover, Attempt: before + 1},
			{Kind: dataflow.ExtWrite, Attempt: before + 1, Number: 1, Rows: row, Count: 1},
			{Kind: dataflow.ExtPreCommit, Attempt: before + 1, Txn: id.MakeEpoch(before+1, 1), Number: 1},
		} {
			if op.Task = task; from.Output.Do(op) != dataflow.ExtOK {
				t.Fatal(op)
			}
		}
	}
	for _, a := range catalog.All() {
		if a.Properties().Snapshots == dataflow.NoSnapshots || !fits(t, a, "keyedcount") {
			continue
		}
		c := smallJob(t, a.Name, heap.Name, workload(t, "keyedcount"), 2)
		c.From = from
		r := runner(t, c)
		for _, seed := range simtest.Seeds(3) {
			simtest.Fine(t, r.Run(seed))
		}
	}
}
