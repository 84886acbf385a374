package scenario_test

import (
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/scenario"
	"weir/scenario/inspect"
	"weir/scenario/simtest"
	"weir/state/catalog"
	"weir/state/heap"
	"weir/trace"
)

// readings counts the answers of a run by level.
type readings struct{ live, committed, found int }

func (r *readings) Wants() trace.Mask { return trace.Mask(0).With(trace.Queried) }

func (r *readings) Observe(e *trace.Event) {
	if e.Epoch == 0 {
		r.live++
	} else {
		r.committed++
	}
	if e.Sum != 0 {
		r.found++
	}
}

// asked is a plan in which somebody reads all the time, while the job crashes.
const asked = `(plan (query at (nth 1 completed)) (query at (nth 1 line-advanced)) (query at (nth 3 all-acked)) (query at (nth 30 snapshot-stored))
	(query at (nth 5 task-restored)) (query at (nth 2 worker-crashed)) (query at (nth 40 delivered)) (query at (nth 90 delivered)) (query at (nth 2 subsumed)) (query at (nth 9 snapshot-begun))
	(query at (time 6ms)) (query at (time 7ms)) (query at (time 9ms)) (query at (time 14ms)) (query at (time 22ms))
	(crash worker=1 at (nth 12 snapshot-stored)) (crash coordinator at (nth 2 all-acked)) (crash worker=0 at (nth 60 delivered)))`

// TestQueriesSeeWhatThereIs: in jobs of every backend, with rounds and without, that crash and
// that go on as others, every answer is what there was, and there are some of both levels.
func TestQueriesSeeWhatThereIs(t *testing.T) {
	for _, x := range []struct{ algorithm, state, workload, plan string }{
		{"aligned", catalog.Names()[0], "keyedcount", asked},
		{"unaligned", catalog.Names()[2], "nexmark-q5", asked},
		{"at-least-once", catalog.Names()[1], "keyedcount", asked},
		{"uncoordinated", catalog.Names()[0], "keyedcount", asked},
		{"aligned-cyclic", catalog.Names()[0], "reachability", asked},
		{"aligned", catalog.Names()[2], "spending", asked},
		{"unaligned", catalog.Names()[0], "keyedcount", `(plan (rescale to=3 at (nth 2 completed)) (query at (nth 2 completed)) (query at (nth 1 rescaled)) (query at (nth 4 completed)) (query at (nth 3 task-restored))
			(query at (nth 1 (any stopped))) (crash worker=1 at (after (nth 1 rescaled) (nth 9 delivered))) (query at (after (nth 1 rescaled) (nth 20 delivered))))`},
	} {
		t.Run(x.algorithm+" "+x.state+" "+x.workload, func(t *testing.T) {
			c := combination(t, x.algorithm, x.state, workload(t, x.workload))
			c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, x.plan)
			r := runner(t, c)
			var all readings
			r.Observers = []trace.Observer{&all}
			for seed := uint64(1); seed <= 12; seed++ {
				o := r.Run(seed)
				simtest.Fine(t, o)
			}
			if all.live == 0 || all.committed == 0 || all.found == 0 {
				t.Errorf("%+v", all)
			}
		})
	}
}

// TestQueriesOutliveAChange: those that wait for another one when the job goes on as another have their turn in
// that: none of a plan is missed.
func TestQueriesOutliveAChange(t *testing.T) {
	c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
	c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, `(plan (rescale to=3 at (nth 1 completed)) (query at (nth 1 (any stopped))) (query at (nth 1 (any stopped))))`)
	r := runner(t, c)
	changed := 0
	for seed := uint64(1); seed <= 12; seed++ {
		o := r.Run(seed)
		simtest.Fine(t, o)
		if o.Result.Counts[trace.Rescaled] == 0 {
			continue
		}
		if changed++; len(o.NotStruck()) > 0 || o.Result.Queries != 2 {
			t.Errorf("seed %d: %d queries, not struck: %v", seed, o.Result.Queries, o.NotStruck())
		}
	}
	if changed == 0 {
		t.Error("no job was rescaled")
	}
}

// TestQueriesAreDrawn: with them a seed has the faults that it has without, the run can be made again,
// and answers come of every algorithm.
func TestQueriesAreDrawn(t *testing.T) {
	for _, name := range []string{"aligned", "unaligned", "chandy-lamport", "uncoordinated"} {
		c := combination(t, name, heap.Name, workload(t, "keyedcount"))
		c.Operations = []faults.Kind{faults.Query}
		r := runner(t, c)
		var all readings
		for seed := uint64(1); seed <= 12; seed++ {
			r.Observers = []trace.Observer{&all}
			o := r.Run(seed)
			simtest.Fine(t, o)
			hash := o.Result.Hash
			r.Observers = nil
			if again := r.Run(seed).Result.Hash; again != hash {
				t.Errorf("%s, seed %d: %016x, then %016x", name, seed, hash, again)
			}
		}
		if all.live == 0 || all.committed == 0 {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// ofZombies counts the answers about snapshots of incarnations that had been taken for dead.
type ofZombies struct {
	dead  map[id.TaskID]id.Attempt // newest that was taken for dead
	began map[taken]bool           // by one that was, when it was
	asked int
}

type taken struct {
	task  id.TaskID
	epoch id.Epoch
}

func (z *ofZombies) Wants() trace.Mask {
	return trace.Mask(0).With(trace.TaskFailed, trace.SnapshotBegun, trace.Queried)
}

func (z *ofZombies) Observe(e *trace.Event) {
	if e.Task < 0 {
		return
	}
	at := taken{e.Task, e.Epoch}
	switch {
	case e.Kind == trace.TaskFailed:
		z.dead[e.Task] = e.Attempt
	case e.Kind == trace.SnapshotBegun && e.Attempt <= z.dead[e.Task]:
		z.began[at] = true
	case e.Kind == trace.Queried && z.began[at]:
		z.asked++
	}
}

// TestZombiesAreQueried: a snapshot that a task has taken when it was taken for dead is found by the
// next coordinator, and may be in its line, as any other: then what is read of it is what the task had.
func TestZombiesAreQueried(t *testing.T) {
	const plan = `(plan (suspect worker=0 at (nth 9 snapshot-stored)) (suspect worker=2 at (nth 9 snapshot-stored)) (failover at (nth 9 snapshot-stored)) (query at (after (nth 2 coordinator-started) (nth 1 plan-executed)))
		(query at (after (nth 2 coordinator-started) (nth 2 task-restored))) (query at (after (nth 2 coordinator-started) (nth 5 task-restored))))`
	asked := 0
	for _, c := range []scenario.Config{combination(t, "uncoordinated", heap.Name, workload(t, "keyedcount")), combination(t, "uncoordinated", catalog.Names()[2], workload(t, "reminders"))} {
		c.Faults, c.Plan = scenario.PlannedFaults, mustParse(t, plan)
		r := runner(t, c)
		for seed := uint64(1); seed <= 60; seed++ {
			all := ofZombies{dead: map[id.TaskID]id.Attempt{}, began: map[taken]bool{}}
			r.Observers = []trace.Observer{&all}
			simtest.Fine(t, r.Run(seed))
			asked += all.asked
		}
	}
	if asked == 0 {
		t.Error("nobody asked for what a zombie had")
	}
	t.Logf("%d answers are of zombies", asked)
}

// TestMistakenQueriesAreSeen: a reader that takes a round without a record for a checkpoint, and
// one that asks whoever the hash names.
func TestMistakenQueriesAreSeen(t *testing.T) {
	for _, m := range []dataflow.Mutant{inspect.MutantQueryHalfWritten, dataflow.MutantQueryWrongGroup} {
		c := combination(t, "aligned", heap.Name, workload(t, "keyedcount"))
		c.Faults, c.Plan, c.Mutant = scenario.PlannedFaults, mustParse(t, asked), m
		r := runner(t, c)
		seen := 0
		for seed := uint64(1); seed <= 12; seed++ {
			o := r.Run(seed)
			for _, v := range o.Report.Violations {
				if v.Oracle != check.Queries {
					t.Errorf("%s, seed %d: %s", m, seed, v)
				}
			}
			if o.Report.Counts[check.Queries] > 0 {
				seen++
			}
		}
		if seen < 6 {
			t.Errorf("%s: seen in %d of 12 runs", m, seen)
		}
	}
}
