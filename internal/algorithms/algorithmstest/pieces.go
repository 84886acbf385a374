package algorithmstest

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// pieces is the coordinator that goes with piece: it restarts what failed from
// its head and keeps the rest. merge, if not nil, makes what the restarted tasks
// are told of what the survivors report and of the sections in the heads.
type pieces struct {
	h       dataflow.CoordHost
	j       *dataflow.JobInfo
	client  *coordinator.Client
	merge   func(parts [][]byte) []byte
	splits  coordinator.Assignment
	number  id.Attempt // of the newest plan or reservation
	tries   int        // of recoveries; what an older one began counts for nothing
	waiting int
	running bool
	held    bool       // collect waits for tasks to be ready
	ending  bool       // every task has left; what is old is deleted
	plan    id.Attempt // the newest that was executed
	tasks   []pieceStatus
	parts   [][]byte
}

type pieceStatus struct {
	dead, ready, left, asked bool
	head                     id.Epoch
}

const (
	report coordinator.MessageKind = "report" // to a task: say what you know; from one: Text. Epoch: try
	gone   coordinator.MessageKind = "gone"   // to a task: the one that Text names has left, with all that was sent to it
)

func (c *pieces) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.h, c.j, c.client, c.tasks = h, j, coordinator.NewClient(h), make([]pieceStatus, len(j.Tasks))
	c.client.Deposed = h.Deposed
	for t := range c.tasks {
		c.tasks[t].dead = true
	}
	coordinator.ReadStorage(c.client, j, nil, func(p *coordinator.PlanRecord, highest id.Attempt, _ []state.Entry, err error) {
		if err == nil {
			c.splits, err = p.Assignment(j.Tasks)
		}
		if err != nil {
			h.JobFailed(err)
			return
		}
		c.number = highest
		c.recover()
		c.look()
	})
}

// look asks now and then whether this coordinator leads: one that was taken for dead may claim
// the lead late, and fences tasks that it cannot start again.
func (c *pieces) look() {
	c.client.After(c.j.Config.Checkpoint.Interval, func() {
		c.client.Confirm(func(error) { c.look() })
	})
}

func (c *pieces) Timer(t id.Ticket)                { c.client.Timer(t) }
func (c *pieces) Done(t id.Ticket, r state.Result) { c.client.Done(t, r) }

func (c *pieces) Failed(tasks []id.TaskID, _ error) {
	if c.ending {
		return // every task has left: a plan would only be one more object
	}
	for _, t := range tasks {
		c.tasks[t].dead = true
	}
	c.held = false
	if c.tries > 0 {
		c.recover()
	}
}

// recover reserves a number: a fence must not outlive its coordinator and stand
// above the attempts of the next one. Who does not lead any more reserves none.
func (c *pieces) recover() {
	c.tries++
	c.running = false
	try := c.tries
	c.client.Confirm(func(err error) {
		switch {
		case try != c.tries:
		case err != nil:
			c.h.JobFailed(err)
		default:
			p := &coordinator.PlanRecord{}
			p.Plan.Tasks = make([]dataflow.TaskPlan, len(c.tasks))
			c.create(p, func() { c.collect() })
		}
	})
}

// create makes a plan durable under the next number.
func (c *pieces) create(p *coordinator.PlanRecord, then func()) {
	c.number++
	try := c.tries
	p.Job, p.Nonce, p.Shape, p.Plan.Number = c.j.Name, c.j.Nonce, coordinator.ShapeOf(c.j.Tasks), c.number
	c.splits.Into(&p.Plan)
	c.client.Do(state.Op{Kind: state.OpCreate, Key: coordinator.PlanKey(c.number), Data: p.Encode()}, func(r state.Result) {
		switch {
		case try != c.tries:
		case r.Status != state.OK:
			c.recover()
		default:
			then()
		}
	})
}

// collect asks the survivors, and finds the heads of the others. One that still
// carries out the last plan is waited for: it is not cut off from the survivors,
// so it can neither be asked nor be taken for dead.
func (c *pieces) collect() {
	c.held = slices.ContainsFunc(c.tasks, func(s pieceStatus) bool { return !s.dead && !s.ready })
	if c.held {
		return
	}
	c.parts, c.waiting = nil, 1
	for t := range c.tasks {
		s := &c.tasks[t]
		s.asked = !s.dead && !s.left && c.merge != nil
		if s.asked {
			c.waiting++
			c.h.Tell(id.TaskID(t), (&coordinator.Message{Kind: report, Epoch: id.Epoch(c.tries)}).Encode())
		} else if s.dead {
			c.waiting++
			c.find(id.TaskID(t), c.tries)
		}
	}
	c.arrived()
}

// find fences a task's head log, then looks which snapshot it names.
func (c *pieces) find(t id.TaskID, try int) {
	c.client.Do(state.Op{Kind: state.OpFence, Key: headLog(t), Attempt: c.number}, func(state.Result) {
		c.client.List([]string{coordinator.SnapshotPrefix + t.String() + "/"}, func(rows []state.Entry, err error) {
			slices.SortFunc(rows, func(a, b state.Entry) int {
				x, _ := coordinator.EpochOfKey(a.Key)
				y, _ := coordinator.EpochOfKey(b.Key)
				return int(int64(y) - int64(x))
			})
			c.try(t, try, rows)
		})
	})
}

func (c *pieces) try(t id.TaskID, try int, rows []state.Entry) {
	if try != c.tries {
		return
	}
	if len(rows) == 0 {
		c.tasks[t].head = 0
		c.arrived()
		return
	}
	c.client.Do(state.Op{Kind: state.OpGet, Key: rows[0].Key}, func(r state.Result) {
		if r.Status == state.Corrupt { // it may be the head
			c.h.JobFailed(r.Err)
			return
		}
		s, err := dataflow.DecodeSnapshot(r.Data)
		if err != nil {
			c.try(t, try, rows[1:]) // deleted meanwhile: it is not the head
			return
		}
		save := state.NewReader(s.Save)
		at, section := save.Uvarint(), save.Bytes()
		c.client.Do(state.Op{Kind: state.OpReadLog, Key: headLog(t), From: id.Seq(at - 1), To: id.Seq(at)}, func(r state.Result) {
			if r.Status == state.Corrupt {
				c.h.JobFailed(r.Err)
				return
			}
			_, _, epoch, _, err := state.NextEntry(r.Data)
			if err != nil || len(epoch) != 8 || id.Epoch(binary.LittleEndian.Uint64(epoch)) != s.Epoch || try != c.tries {
				c.try(t, try, rows[1:])
				return
			}
			c.tasks[t].head = s.Epoch
			c.parts = append(c.parts, section)
			c.arrived()
		})
	})
}

func (c *pieces) Message(from id.TaskID, data []byte) {
	m, _, err := coordinator.DecodeMessage(data)
	if s := &c.tasks[from]; err == nil && m.Kind == report && s.asked && m.Epoch == id.Epoch(c.tries) {
		s.asked = false
		c.parts = append(c.parts, []byte(m.Text))
		c.arrived()
	}
}

// arrived makes the plan once everything is known.
func (c *pieces) arrived() {
	if c.waiting--; c.waiting > 0 {
		return
	}
	p := &coordinator.PlanRecord{}
	for t, s := range c.tasks {
		tp := dataflow.TaskPlan{Mode: dataflow.Keep}
		if s.dead {
			tp = dataflow.TaskPlan{Mode: dataflow.Restart, Stable: s.head, Left: s.left}
			if s.head != 0 {
				tp.Ref = dataflow.SnapshotKey(id.TaskID(t), s.head)
			}
			if c.merge != nil {
				tp.Data = c.merge(c.parts)
			}
		}
		p.Plan.Tasks = append(p.Plan.Tasks, tp)
	}
	c.create(p, func() { c.execute(p) })
}

func (c *pieces) execute(p *coordinator.PlanRecord) {
	c.h.Observe(trace.PlanDurable, trace.Coordinator, c.number, 0, "")
	for t := range c.tasks {
		if s := &c.tasks[t]; s.dead && s.head != 0 {
			c.h.Observe(trace.LineAdvanced, id.TaskID(t), c.number, s.head, "")
		}
		c.tasks[t].dead, c.tasks[t].ready, c.tasks[t].asked = false, false, false
	}
	c.running, c.plan = true, c.number
	c.h.Observe(trace.PlanExecuted, trace.Coordinator, c.number, 0, "restart what failed")
	c.h.Execute(&p.Plan)
	coordinator.DropPlans(c.client, c.number, nil)
}

func (c *pieces) Ready(t id.TaskID, a id.Attempt) {
	c.tasks[t].ready = c.tasks[t].ready || a == c.plan && !c.tasks[t].dead
	for _, out := range c.j.Tasks[t].Outputs {
		if c.tasks[out.Peer].left {
			c.tell(t, out.Peer) // it will not acknowledge any more
		}
	}
	if c.held {
		c.collect()
	}
	c.finish()
}

func (c *pieces) tell(t, left id.TaskID) {
	c.h.Tell(t, (&coordinator.Message{Kind: gone, Text: left.String()}).Encode())
}

// Left: it answers no more; all that it knew stands in its head.
func (c *pieces) Left(t id.TaskID) {
	s := &c.tasks[t]
	s.left = true
	for _, in := range c.j.Tasks[t].Inputs {
		c.tell(in.Peer, t)
	}
	if s.asked {
		s.asked = false
		c.arrived()
	}
	c.finish()
}

// finish ends the job when every task has left; the newest snapshot of each and the
// newest plan stay. Those older may have been asked for and not be gone yet.
func (c *pieces) finish() {
	if slices.ContainsFunc(c.tasks, func(s pieceStatus) bool { return !s.left || !s.ready }) || !c.running {
		return
	}
	c.running, c.ending = false, true
	c.client.List([]string{coordinator.SnapshotPrefix, coordinator.FilePrefix, coordinator.PlanPrefix}, func(rows []state.Entry, err error) {
		newest := map[string]id.Epoch{}
		for _, r := range rows {
			if e, _ := coordinator.EpochOfKey(r.Key); strings.HasPrefix(r.Key, coordinator.SnapshotPrefix) {
				newest[taskOf(r.Key)] = max(newest[taskOf(r.Key)], e)
			}
		}
		var old []string
		for _, r := range rows {
			if n, plan := coordinator.AttemptOfPlan(r.Key); plan {
				if n < c.number {
					old = append(old, r.Key)
				}
			} else if e, _ := coordinator.EpochOfKey(r.Key); e != newest[taskOf(r.Key)] {
				old = append(old, r.Key)
			}
		}
		if err != nil {
			c.h.JobFailed(errors.Join(err))
			return
		}
		c.client.DeleteConfirmed(old, func(string) bool { return false }, func() {
			c.h.Observe(trace.JobDone, trace.Coordinator, c.number, 0, "")
			c.h.JobDone()
		})
	})
}

// taskOf is the part of the key of a snapshot or a file that names the task.
func taskOf(key string) string { return strings.Split(key, "/")[1] }
