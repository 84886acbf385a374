package sim_test

import (
	"testing"

	"weir/algorithms"
	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/sim"
	"weir/sim/seed"
	"weir/trace"
)

// oneByOne is an algorithm for this test alone: what fails is restarted from nothing,
// all others are kept, and every task sends what it has ever sent again to whoever is
// missing it. Its operators are deterministic, so that a new incarnation does again what
// the old one did.
func oneByOne() *algorithms.Spec {
	return &algorithms.Spec{
		Name:     "one-by-one",
		Declared: dataflow.Properties{State: dataflow.ExactlyOnce, Output: dataflow.AtLeastOnce, Rollback: dataflow.ScopeTask},
		Protocol: func(info *dataflow.TaskInfo, _ *dataflow.Config) dataflow.Protocol {
			return &resender{sent: make([][]*dataflow.Buffer, len(info.Outputs))}
		},
		Coordinator: func(*dataflow.Config) dataflow.Coordinator { return &restarter{} },
	}
}

type resender struct {
	dataflow.BaseProtocol
	k    dataflow.Kernel
	sent [][]*dataflow.Buffer
}

func (p *resender) Start(k dataflow.Kernel, _ dataflow.Start) { p.k = k }

func (p *resender) Dedups() bool { return true }

func (p *resender) Sealed(out int, b *dataflow.Buffer) {
	copied, err := dataflow.DecodeBuffer(b.Seq, uint32(b.N), dataflow.EncodeBuffer(nil, b))
	if err != nil {
		panic(err)
	}
	copied.Injected, copied.Shared = false, true // it takes a credit, and may be sent again
	p.sent[out] = append(p.sent[out], copied)
}

func (p *resender) Connected(out int, seen id.Seq) {
	var again []*dataflow.Buffer
	for _, b := range p.sent[out] {
		if b.Last() > seen {
			again = append(again, b)
		}
	}
	p.k.Resend(out, again)
}

func (p *resender) Drained() { p.k.Tell(nil) }

func (p *resender) Message([]byte) { p.k.Finish() }

// restarter is the coordinator half: it restarts what has failed, and lets all go when
// all have drained.
type restarter struct {
	dataflow.Coordinator // what it needs none of: Timer, Done
	h                    dataflow.CoordHost
	plan                 id.Attempt
	drained, left        []bool
	tasks                []dataflow.TaskInfo
}

func (c *restarter) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.tasks = j.Tasks
	c.h, c.drained, c.left = h, make([]bool, len(j.Tasks)), make([]bool, len(j.Tasks))
	c.execute(dataflow.Restart)
}

func (c *restarter) execute(others dataflow.Mode, failed ...id.TaskID) {
	c.plan++
	p := &dataflow.Plan{Number: c.plan, Tasks: make([]dataflow.TaskPlan, len(c.drained))}
	for t := range p.Tasks {
		p.Tasks[t].Mode = others
		if c.tasks[t].Role == dataflow.RoleSource {
			p.Tasks[t].Splits = []int{c.tasks[t].Index}
		}
	}
	for _, t := range failed {
		p.Tasks[t].Mode, c.drained[t] = dataflow.Restart, false
	}
	c.h.Execute(p)
}

func (c *restarter) Failed(tasks []id.TaskID, _ error) { c.execute(dataflow.Keep, tasks...) }

func (c *restarter) Ready(id.TaskID, id.Attempt) {}

func (c *restarter) Message(from id.TaskID, _ []byte) {
	c.drained[from] = true
	if all(c.drained) {
		for t := range c.drained {
			c.h.Tell(id.TaskID(t), nil)
		}
	}
}

func (c *restarter) Left(t id.TaskID) {
	c.left[t] = true
	if all(c.left) {
		c.h.JobDone()
	}
}

func all(of []bool) bool {
	for _, b := range of {
		if !b {
			return false
		}
	}
	return true
}

// starts counts the incarnations of every task, and knows when the first one drained.
type starts struct {
	of      [6]int
	drained int64
}

func (s *starts) Wants() trace.Mask {
	return trace.Mask(0).With(trace.TaskStarting, trace.TaskDrained)
}

func (s *starts) Observe(e *trace.Event) {
	if e.Kind == trace.TaskStarting {
		s.of[e.Task]++
	} else if s.drained == 0 {
		s.drained = e.Time
	}
}

// TestRestartOfOneTask crashes single tasks, several at about the same time too, before
// any has drained: only they are restarted, and the answer is right.
func TestRestartOfOneTask(t *testing.T) {
	s := sim.New()
	x := newExperiment(t, s, "none", testRecords, testKeys, 2)
	x.job.Algorithm = oneByOne()
	placement := []int{0, 1, 2, 3, 4, 4} // the sinks never crash: what they have appended stays
	first := &starts{}
	calm := x.run(t, sim.Config{Workers: 5, Placement: placement, Observers: []trace.Observer{first}})
	if calm.Verdict != sim.Done {
		t.Fatalf("%s: %v\n%s", calm.Verdict, calm.Err, calm.Stack)
	}
	restarts, kept := 0, 0
	for n := range uint64(200) {
		d := seed.New(n).Stream("crashes")
		var plan faults.Plan
		for range 1 + d.Draw(4) {
			plan.Faults = append(plan.Faults, faults.Fault{
				Kind: faults.Crash, Target: faults.Worker, Worker: d.Draw(4), When: faults.At(faults.Time(d.Range(1, first.drained))),
			})
		}
		count := &starts{}
		r := x.run(t, sim.Config{
			Seed: n, Policy: &sim.Random{}, Workers: 5, Placement: placement, Poison: true,
			Observers: []trace.Observer{count}, Injector: faults.NewInjector(plan), MaxTime: 120e9, MaxEvents: 2e6,
		})
		if err := x.check(testRecords, testKeys); r.Verdict != sim.Done || err != nil {
			t.Fatalf("seed %d, %s: %s: %v; answer: %v; last failure of a task: %v\n%s", n, plan, r.Verdict, r.Err, err, r.LastFailure, r.Stack)
		}
		began := 0
		for _, c := range count.of {
			began += c
			if c == 1 {
				kept++
			}
		}
		if began > 6+r.Crashes || count.of[4] != 1 || count.of[5] != 1 {
			t.Fatalf("seed %d: incarnations %v, crashes %d: something else was restarted", n, count.of, r.Crashes)
		}
		restarts += began - 6
	}
	t.Logf("%d tasks restarted, %d never", restarts, kept)
	if restarts < 100 || kept < 100 {
		t.Errorf("%d tasks restarted, %d kept: the test shows nothing", restarts, kept)
	}
}
