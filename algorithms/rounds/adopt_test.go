package rounds

import (
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// takeOver begins a coordinator of another process, while tasks of the one before run.
func (d *desk) takeOver() *desk {
	d.job.Adopt, d.told = true, nil
	d.start().settle()
	return d
}

// keepsAll reports whether a plan keeps every task.
func keepsAll(p *dataflow.Plan) bool {
	for i := range p.Tasks {
		if p.Tasks[i].Mode != dataflow.Keep {
			return false
		}
	}
	return true
}

// TestTakeOverKeepsAll: rounds begin under the plan's own number when every task has answered, what
// the one before had under way is swept, and what it had completed is announced once more.
func TestTakeOverKeepsAll(t *testing.T) {
	d := newDesk(t, 2).start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.tick(10 * second)
	d.ack(0, ep(1, 2), false)
	d.takeOver()
	if p := d.newest(); p.Number != 2 || !keepsAll(p) {
		t.Fatalf("the plan is %+v, want one that keeps all", p)
	}
	d.tick(20 * second)
	d.want("before all have answered", d.heard(), "")
	d.c.Ready(0, 2)
	d.c.Ready(1, 1) // of another plan
	d.want("before all have answered", d.heard(), "")
	d.c.Ready(1, 2)
	d.settle()
	d.want("then", d.heard(), "t0 complete 1.1, t1 complete 1.1")
	d.want("storage", d.keys(), "chk/1.1 snap/t0/1.1 snap/t1/1.1")
	d.ack(1, ep(1, 2), false) // it was on its way
	d.tick(10 * second)
	d.ackAll(ep(2, 1))
	d.want("the first round", d.heard(), "t0 trigger 2.1, t1 trigger 2.1, t0 complete 2.1, t1 complete 2.1")
	if n := d.saw("plan-executed"); n != 2 {
		t.Errorf("%d plans", n)
	}
	// The next one counts what both have completed.
	if d.takeOver(); d.newest().Number != 3 || d.saw("plan-executed 2.1 keep all") != 1 {
		t.Errorf("plan %d; %v", d.newest().Number, d.log)
	}
}

// dying tells of a task that is dead when a plan that keeps it is executed.
type dying struct{ *desk }

func (d dying) Execute(p *dataflow.Plan) {
	d.desk.Execute(p)
	if keepsAll(p) {
		d.c.Failed([]id.TaskID{1}, nil)
	}
}

// TestTakeOverOfTheDead: one task died while nobody led. All restart, by the next plan, which is
// there before anything is swept; with whatever restart strategy.
func TestTakeOverOfTheDead(t *testing.T) {
	d := newDesk(t, 2)
	d.config.Restart.Strategy = dataflow.RestartNone
	d.start().ready()
	d.tick(10 * second)
	d.ackAll(ep(1, 1))
	d.job.Adopt = true
	d.job.Nonce++
	d.c = NewCoordinated(&d.config, Triggers{})
	d.ops, d.timers, d.told = nil, nil, nil
	d.held = "create plan/3"
	d.c.Start(dying{d}, &d.job)
	d.settle()
	if p := d.newest(); p.Number != 2 || !keepsAll(p) {
		t.Fatalf("the plan is %+v", p)
	}
	for _, o := range d.ops {
		if o.op.Key != coordinator.PlanKey(3) {
			t.Errorf("under way: %s %s", o.op.Kind, o.op.Key)
		}
	}
	d.held = ""
	d.settle()
	if p := d.newest(); p.Number != 3 || p.Tasks[0].Ref != "snap/t0/1.1" || p.Tasks[1].Mode != dataflow.Restart {
		t.Errorf("the plan is %+v, want one that restarts all from 1.1", p)
	}
	d.ready()
	d.want("nobody is told anything", d.heard(), "")
	if len(d.failed) > 0 {
		t.Error(d.failed)
	}
}

// TestTakeOverLearnsWhoHasLeft: from tasks that say so again; the job ends when all have.
func TestTakeOverLearnsWhoHasLeft(t *testing.T) {
	d := newDesk(t, 2).start().ready()
	d.tick(10 * second)
	d.ack(0, ep(1, 1), true)
	d.ack(1, ep(1, 1), false)
	d.settle()
	d.takeOver()
	if p := d.newest(); !p.Tasks[0].Left || !p.Tasks[1].Left {
		t.Errorf("the plan is %+v: nobody is asked whether it has left", p)
	}
	d.say(0, coordinator.Message{Kind: Leaving, Epoch: ep(1, 1)})
	d.c.Left(0)
	d.ready()
	d.want("who hears of the base", d.heard(), "t1 complete 1.1")
	d.tick(10 * second)
	d.ack(1, ep(2, 1), true)
	d.settle()
	d.want("the round of one task", d.heard(), "t1 trigger 2.1, t1 complete 2.1")
	d.c.Left(1)
	d.settle()
	if d.done != 1 {
		t.Errorf("the job is done %d times", d.done)
	}
}

// TestNothingToTakeOver: a job of another shape, and one whose newest checkpoint is damaged, restart
// as ever; so does one whose tasks do not run.
func TestNothingToTakeOver(t *testing.T) {
	for name, change := range map[string]func(d *desk){
		"nobody runs": func(d *desk) { d.job.Adopt = false },
		"another shape": func(d *desk) {
			d.job.Tasks = append(d.job.Tasks, dataflow.TaskInfo{ID: 2, Name: "op1", Index: 1})
		},
		"damaged": func(d *desk) {
			d.disk.Do(state.Op{Kind: state.OpPut, Key: "chk/1.2", Data: []byte("no record")})
		},
	} {
		d := newDesk(t, 2, func(c *dataflow.CheckpointConfig) { c.Retain, c.Fallback = 2, true }).start().ready()
		for i := range uint32(2) {
			d.tick(10 * second)
			d.ackAll(ep(1, i+1))
		}
		d.job.Adopt = true
		change(d)
		d.start().settle()
		if len(d.failed) > 0 {
			t.Fatalf("%s: %v", name, d.failed)
		}
		if p := d.newest(); p.Number != 2 || keepsAll(p) {
			t.Errorf("%s: the plan is %+v", name, p)
		}
	}
}

// started is a kernel that plan 1 has started.
type started struct{ dataflow.Kernel }

func (started) Attempt() id.Attempt { return 1 }

// TestAMissedRoundIsDeclined: a task that has turned a newer colour before it hears of a round of its plan,
// be that one that keeps it, says so; of older plans nobody asks.
func TestAMissedRoundIsDeclined(t *testing.T) {
	for e, want := range map[id.Epoch]bool{ep(1, 7): false, ep(2, 1): true, ep(2, 2): false, ep(2, 3): false} {
		c := &Colour{Participant: Participant{K: started{}, kept: ep(2, 0), Newest: ep(2, 2)}, taken: []id.Epoch{ep(1, 8), ep(2, 2)}}
		if got := c.missed(e); got != want {
			t.Errorf("%s is missed: %v, want %v", e, got, want)
		}
	}
	c := &Colour{Participant: Participant{K: started{}, Newest: ep(1, 8)}, taken: []id.Epoch{ep(1, 8)}}
	if !c.missed(ep(1, 7)) {
		t.Error("a round of the plan that has started the task is not missed")
	}
}
