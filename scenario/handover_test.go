package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/external"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/sim"
	"weir/state"
	"weir/state/heap"
	"weir/state/savepoint"
	"weir/state/storage"
	"weir/trace"
)

// atStop calls f when the job has been stopped, before anybody starts it again.
type atStop struct {
	f    func()
	seen bool
}

func (*atStop) Wants() trace.Mask { return trace.Mask(0).With(trace.Stopped) }

func (a *atStop) Observe(*trace.Event) {
	if !a.seen {
		a.seen = true
		a.f()
	}
}

// stoppedWith runs a job until it ends with a savepoint, and returns that with the external store as both
// stand then.
func stoppedWith(t *testing.T, c scenario.Config) *scenario.From {
	t.Helper()
	job, _, err := scenario.LiveJob(&c)
	if err != nil {
		t.Fatal(err)
	}
	job.Config.SourceBatch, job.Config.BatchRecords, job.Config.Checkpoint.Interval = 6, 6, scenario.DefaultInterval
	st := storage.NewMemory(-1)
	ext, err := external.OpenStore(external.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	from := &scenario.From{Path: "saved"}
	end := &atStop{f: func() {
		kept := storage.NewMemory(-1)
		for _, row := range st.Do(state.Op{Kind: state.OpList, Key: coordinator.SavepointPrefix}).List {
			kept.Do(state.Op{Kind: state.OpPut, Key: row.Key, Data: st.Do(state.Op{Kind: state.OpGet, Key: row.Key}).Data})
			if root, ok := strings.CutSuffix(row.Key, "/"+savepoint.ManifestName); ok {
				from.Root = root
			}
		}
		from.Savepoint = kept
		if from.Output, err = external.OpenStore(external.StoreConfig{}); err == nil {
			err = from.Output.Take(ext)
		}
	}}
	m := sim.DefaultModel()
	m.StepBase, m.StepRecord = 50_000, 100_000
	res := sim.New().Run(sim.Config{
		Seed: 1, Job: job, Storage: st, External: ext, Model: m, LocalDisks: true, Observers: []trace.Observer{end},
		Reshape:  func(*faults.Fault) (*dataflow.Job, error) { return job, nil },
		Injector: faults.NewInjector(mustParse(t, "(plan (stop-with-savepoint at (nth 20 emitted)))")),
	})
	if err != nil || from.Root == "" {
		t.Fatalf("%s ends with no savepoint: %v, %v, %v", c.Algorithm.Name, res.Verdict, res.Err, err)
	}
	return from
}

// TestStoppedAndResumed: under every algorithm a running job is stopped with a savepoint, and goes on under
// another one, on another backend, with another parallelism, under drawn crashes; as a whole its output is
// the reference answer. Nothing of what an append sink has shown comes again.
func TestStoppedAndResumed(t *testing.T) {
	all := catalog.All()
	for i, a := range all {
		if a.Name == "aligned-cyclic" {
			continue // refuses savepoints: it is for loops
		}
		for _, name := range []string{"keyedcount", "nexmark-q5"} {
			if !fits(t, a, name) {
				continue
			}
			was := smallJob(t, a.Name, heap.Name, workload(t, name), 2)
			from := stoppedWith(t, was)
			if n, events := read(t, from), was.Workload.Events(); n == 0 || n >= events {
				t.Fatalf("%s, %s: the savepoint has %d of %d records", a.Name, name, n, events)
			}
			for k := range 3 {
				b := all[(i+1+4*k)%len(all)]
				c := smallJob(t, b.Name, []string{"pebble", "heap", "pebble-full"}[k], workload(t, name), []int{3, 1, 5}[k])
				c.From, c.Sink = from, was.SinkName()
				if c.Refused() != nil {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s/%s", name, a.Name, b.Name, c.State), func(t *testing.T) {
					r := runner(t, c)
					n := 3
					if simtest.Full() {
						n = 60
					}
					for _, seed := range simtest.Seeds(n) {
						simtest.Fine(t, r.Run(seed))
					}
				})
			}
		}
	}
}
