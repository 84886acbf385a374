package rounds

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// newPipes is a desk of two pipelines of two tasks, t0 to t1 and t2 to t3, that restart by region.
func newPipes(t testing.TB, settings ...func(c *dataflow.CheckpointConfig)) *desk {
	d := newDesk(t, 4, settings...)
	d.config.Restart.Failover = dataflow.FailoverRegion
	for _, from := range []id.TaskID{0, 2} {
		d.job.Tasks[from].Outputs = []dataflow.Channel{{ID: id.ChannelID(from / 2), Peer: from + 1}}
		d.job.Tasks[from+1].Inputs = []dataflow.Channel{{ID: id.ChannelID(from / 2), Peer: from}}
	}
	return d
}

// modes says what the newest plan does: its number, and for each task what it goes back to or "keep".
func (d *desk) modes() string {
	d.t.Helper()
	p := d.newest()
	all := []string{fmt.Sprint(uint32(p.Number))}
	for i := range p.Tasks {
		switch x := &p.Tasks[i]; {
		case x.Mode == dataflow.Keep && x.Ref == "":
			all = append(all, "keep")
		case x.Mode == dataflow.Keep:
			all = append(all, "keep and restore "+string(x.Ref))
		case x.Ref == "":
			all = append(all, "nothing")
		default:
			all = append(all, string(x.Ref))
		}
	}
	return strings.Join(all, ", ")
}

func TestRegions(t *testing.T) {
	d := newPipes(t)
	if got := regionsOf(d.job.Tasks, ""); !slices.Equal(got, []id.TaskID{0, 0, 2, 2}) {
		t.Errorf("%v", got)
	}
	d.job.Tasks[3].Outputs = []dataflow.Channel{{ID: 2, Peer: 0}}
	if got := regionsOf(d.job.Tasks, ""); !slices.Equal(got, []id.TaskID{0, 0, 0, 0}) {
		t.Errorf("with an edge between them: %v", got)
	}
}

// TestRegionGoesBackAlone: its tasks restart from the newest checkpoint. The round under way is
// given up, and those who are kept hear of it; its record does not count, late or not; the next
// round has the number of the plan, and needs the shares of all.
func TestRegionGoesBackAlone(t *testing.T) {
	d := newPipes(t).start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.tick(10 * second)
	d.ack(2, ep(1, 2), false)
	d.heard()
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	d.want("plan", d.modes(), "2, snap/t0/1.1, snap/t1/1.1, keep, keep")
	d.want("told", d.heard(), "t0 abort 1.2, t1 abort 1.2, t2 abort 1.2, t3 abort 1.2")
	if p := d.newest(); p.Tasks[3].Stable != ep(1, 1) || d.saw("plan-executed 1.1 restart 2, keep 2") != 1 {
		t.Errorf("the plan is %+v, the log %q", p, d.log)
	}
	d.want("storage", d.keys(), "chk/1.1 snap/t0/1.1 snap/t1/1.1 snap/t2/1.1 snap/t3/1.1")
	d.ready()
	d.ack(3, ep(1, 2), false) // late
	d.tick(10 * second)
	d.want("told", d.heard(), "t0 trigger 2.1, t1 trigger 2.1, t2 trigger 2.1, t3 trigger 2.1")
	for _, task := range []id.TaskID{0, 1, 2} {
		d.ack(task, ep(2, 1), false)
	}
	d.settle()
	if d.saw("completed 2.1") > 0 {
		t.Error("the round is complete without a share of t3")
	}
	d.ack(3, ep(2, 1), false)
	d.settle()
	d.want("told", d.heard(), "t0 complete 2.1, t1 complete 2.1, t2 complete 2.1, t3 complete 2.1")
}

func TestBeforeTheFirstCheckpoint(t *testing.T) {
	d := newPipes(t).start().ready()
	d.c.Failed([]id.TaskID{2}, nil)
	d.settle()
	d.want("plan", d.modes(), "2, keep, keep, nothing, nothing")
}

// TestFailuresMeet: what fails while a plan is being made, or carried out, is restarted too.
func TestFailuresMeet(t *testing.T) {
	start := func() *desk {
		d := newPipes(t).start().ready()
		d.tick(10 * second)
		d.ackAll(ep(1, 1))
		return d
	}
	d := start()
	d.held = "create plan/2"
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	d.c.Failed([]id.TaskID{0}, nil) // of the same region
	d.held = ""
	d.settle()
	d.want("the same region", d.modes(), "2, snap/t0/1.1, snap/t1/1.1, keep, keep")

	d = start()
	d.held = "create plan/2"
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	d.c.Failed([]id.TaskID{3}, nil)
	d.held = ""
	d.settle()
	d.want("the other one, before the plan is durable", d.modes(), "3, snap/t0/1.1, snap/t1/1.1, snap/t2/1.1, snap/t3/1.1")
	if len(d.plans) != 2 {
		t.Errorf("%d plans were executed, want the first and the third", len(d.plans))
	}

	d = start()
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	d.c.Failed([]id.TaskID{3}, nil)
	d.settle()
	d.want("the other one, before the first is back", d.modes(), "3, snap/t0/1.1, snap/t1/1.1, snap/t2/1.1, snap/t3/1.1")

	d = start()
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	for _, task := range []id.TaskID{0, 1} {
		d.c.Ready(task, 2)
	}
	d.c.Failed([]id.TaskID{3}, nil)
	d.settle()
	d.want("the other one, when the first is back", d.modes(), "3, keep, keep, snap/t2/1.1, snap/t3/1.1")
	d.ready()
	d.tick(10 * second)
	d.ackAll(ep(3, 1))
	if d.saw("completed 3.1") != 1 {
		t.Errorf("no checkpoint completes: %q", d.log)
	}
}

// TestAllGoBack: where going back is not about tasks that failed.
func TestAllGoBack(t *testing.T) {
	unreadable := &state.OpError{Kind: state.OpGet, Key: "snap/t1/1.2"}
	for what, x := range map[string]struct {
		do   func(d *desk)
		want string
	}{
		"a coordinator that has just started": {func(d *desk) { d.start() }, "2, snap/t0/1.2, snap/t1/1.2, snap/t2/1.2, snap/t3/1.2"},
		"rounds fail too often": {func(d *desk) {
			d.tick(10 * second)
			d.say(1, coordinator.Message{Kind: coordinator.Decline, Epoch: ep(1, 3), Text: "full"})
		}, "2, snap/t0/1.2, snap/t1/1.2, snap/t2/1.2, snap/t3/1.2"},
		"a damaged checkpoint": {func(d *desk) {
			d.c.Failed([]id.TaskID{1}, nil)
			d.settle()
			d.c.Failed([]id.TaskID{1}, unreadable)
		}, "3, snap/t0/1.1, snap/t1/1.1, snap/t2/1.1, snap/t3/1.1"},
	} {
		d := newPipes(t, retaining(2, true), func(c *dataflow.CheckpointConfig) { c.Tolerated = 0 }).start().ready()
		for k := range uint32(2) {
			d.tick(10 * second)
			d.ackAll(ep(1, k+1))
		}
		x.do(d)
		d.settle()
		d.want(what, d.modes(), x.want)
	}
	d := newPipes(t)
	d.config.Restart.Failover = dataflow.FailoverFull
	d.start().ready()
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	d.want("as the settings say", d.modes(), "2, nothing, nothing, nothing, nothing")
}

// TestKeptTasksAreHeard: what those who are kept say, once and for all, while the plan waits for
// its delay. The job ends when the others have left too.
func TestKeptTasksAreHeard(t *testing.T) {
	d := newPipes(t)
	d.config.Restart.Strategy, d.config.Restart.FixedDelay, d.config.Restart.FixedAttempts = dataflow.RestartFixedDelay, second, 3
	d.start().ready()
	for _, task := range []id.TaskID{2, 3} {
		d.say(task, coordinator.Message{Kind: Drained})
	}
	d.tick(10 * second)
	for task := range id.TaskID(4) {
		d.ack(task, ep(1, 1), task > 1)
	}
	d.settle()
	d.c.Failed([]id.TaskID{0}, nil)
	for _, task := range []id.TaskID{2, 3} {
		d.say(task, coordinator.Message{Kind: Leaving, Epoch: ep(1, 1)})
		d.c.Left(task)
	}
	d.tick(second)
	d.want("plan", d.modes(), "2, snap/t0/1.1, snap/t1/1.1, keep, keep")
	d.ready()
	d.heard()
	for _, task := range []id.TaskID{0, 1} {
		d.say(task, coordinator.Message{Kind: Drained})
	}
	d.tick(1)
	d.want("told", d.heard(), "t0 trigger 2.1, t1 trigger 2.1")
	d.ack(0, ep(2, 1), true)
	d.ack(1, ep(2, 1), true)
	d.settle()
	d.c.Left(0)
	d.c.Left(1)
	d.settle()
	if d.done != 1 {
		t.Errorf("the job has ended %d times: %q", d.done, d.log)
	}
	d.want("storage", d.keys(), "chk/2.1 snap/t0/2.1 snap/t1/2.1 snap/t2/1.1 snap/t3/1.1")
}

// TestAPlanStaysUntilTheNextIsThere: a task that a plan keeps turns out to be dead while it is
// executed. What comes in its place is not durable yet: its sweep does not take this one.
func TestAPlanStaysUntilTheNextIsThere(t *testing.T) {
	d := newPipes(t).start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.executing = func(p *dataflow.Plan) {
		if p.Number == 2 {
			d.held = "create plan/3"
			d.c.Failed([]id.TaskID{3}, nil)
		}
	}
	d.c.Failed([]id.TaskID{1}, nil)
	d.settle()
	if rows := d.disk.Do(state.Op{Kind: state.OpList, Key: coordinator.PlanPrefix}).List; len(rows) == 0 {
		t.Error("storage has no plan")
	}
	d.held = ""
	d.settle()
	d.want("plan", d.modes(), "3, snap/t0/1.1, snap/t1/1.1, snap/t2/1.1, snap/t3/1.1")
}
