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
	"weir/state/storage"
)

// desk is a coordinator with everything around it in the test's hands: what it
// stores, asks and says waits in the order in which it came.
type desk struct {
	t       testing.TB
	config  dataflow.Config
	job     dataflow.JobInfo
	disk    *storage.Memory
	c       *Coordinated
	tickets id.Ticket
	ops     []issued
	timers  []alarm
	now     dataflow.Nanos
	held    string // operations that contain this stay under way

	executing func(p *dataflow.Plan) // nil: tasks say nothing at once

	told    []string // "t1 trigger 1.1"
	plans   []*dataflow.Plan
	log     []string // events
	done    int
	deposed int
	failed  []error
}

type issued struct {
	ticket id.Ticket
	op     state.Op
}

type alarm struct {
	ticket id.Ticket
	at     dataflow.Nanos
}

const second = dataflow.Nanos(1e9)

func newDesk(t testing.TB, tasks int, settings ...func(c *dataflow.CheckpointConfig)) *desk {
	d := &desk{t: t, config: dataflow.DefaultConfig(), disk: storage.NewMemory(0)}
	d.config.Checkpoint.Interval, d.config.Checkpoint.Timeout = 10*second, 60*second
	for _, set := range settings {
		set(&d.config.Checkpoint)
	}
	d.job = dataflow.JobInfo{Name: "job", Config: &d.config, Tasks: make([]dataflow.TaskInfo, tasks)}
	for i := range d.job.Tasks {
		d.job.Tasks[i] = dataflow.TaskInfo{ID: id.TaskID(i), Name: fmt.Sprintf("op%d", i)}
	}
	return d
}

// start begins a coordinator that knows only what storage holds. What the one
// before it had under way stays so.
func (d *desk) start() *desk {
	d.job.Nonce++
	d.c = NewCoordinated(&d.config, Triggers{})
	d.ops, d.timers = nil, nil
	d.c.Start(d, &d.job)
	return d
}

// ready lets the storage settle and every task carry the newest plan out.
func (d *desk) ready() *desk {
	d.settle()
	if len(d.failed) == 0 {
		for i := range d.job.Tasks {
			d.c.Ready(id.TaskID(i), d.newest().Number)
		}
	}
	return d
}

func (d *desk) newest() *dataflow.Plan {
	d.t.Helper()
	if len(d.plans) == 0 {
		d.t.Fatalf("no plan was executed; %v", d.failed)
	}
	return d.plans[len(d.plans)-1]
}

// settle carries out what is under way, except what is held.
func (d *desk) settle() {
	for {
		i := slices.IndexFunc(d.ops, func(o issued) bool {
			return d.held == "" || !strings.Contains(o.op.Kind.String()+" "+o.op.Key, d.held)
		})
		if i < 0 {
			return
		}
		d.end(i, d.disk.Do(d.ops[i].op))
	}
}

func (d *desk) end(i int, r state.Result) {
	o := d.ops[i]
	d.ops = slices.Delete(d.ops, i, i+1)
	d.c.Done(o.ticket, r)
}

// tick lets d pass and everything settle after each expiry.
func (d *desk) tick(by dataflow.Nanos) {
	until := d.now + by
	for {
		i := -1
		for k := range d.timers {
			if d.timers[k].at <= until && (i < 0 || d.timers[k].at < d.timers[i].at) {
				i = k
			}
		}
		if i < 0 {
			break
		}
		a := d.timers[i]
		d.timers = slices.Delete(d.timers, i, i+1)
		d.now = a.at
		d.c.Timer(a.ticket)
		d.settle()
	}
	d.now = until
}

// ack stores a task's share of a round and acknowledges it. New files are
// uploaded, others are of earlier snapshots.
func (d *desk) ack(task id.TaskID, e id.Epoch, drained bool, files ...string) {
	s := dataflow.Stored{Ref: dataflow.SnapshotKey(task, e), Header: dataflow.Header{Epoch: e, Drained: drained}}
	d.disk.Do(state.Op{Kind: state.OpPut, Key: string(s.Ref), Data: []byte(s.Ref)})
	for _, f := range files {
		d.disk.Do(state.Op{Kind: state.OpPut, Key: f, Data: []byte(f)})
		s.Files = append(s.Files, state.FileRef{Name: f, Shared: true})
	}
	d.say(task, coordinator.Message{Kind: coordinator.Ack, Epoch: e, Stored: &s})
}

func (d *desk) say(from id.TaskID, m coordinator.Message) { d.c.Message(from, m.Encode()) }

// ackAll has every task acknowledge a round.
func (d *desk) ackAll(e id.Epoch) {
	for i := range d.job.Tasks {
		d.ack(id.TaskID(i), e, false)
	}
	d.settle()
}

// keys lists what stands in storage below the prefixes, without plans and leases.
func (d *desk) keys() string {
	var all []string
	for _, row := range d.disk.Do(state.Op{Kind: state.OpList}).List {
		if !strings.HasPrefix(row.Key, coordinator.PlanPrefix) && !strings.HasPrefix(row.Key, coordinator.LeasePrefix) {
			all = append(all, row.Key)
		}
	}
	return strings.Join(all, " ")
}

func (d *desk) want(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// heard returns what was said to the tasks since the last call.
func (d *desk) heard() string {
	s := strings.Join(d.told, ", ")
	d.told = nil
	return s
}

// saw returns the events that contain a text.
func (d *desk) saw(text string) (n int) {
	for _, l := range d.log {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

func (d *desk) fails(want ...string) {
	d.t.Helper()
	if len(d.failed) != 1 {
		d.t.Fatalf("the job fails %d times: %v", len(d.failed), d.failed)
	}
	for _, w := range want {
		if !strings.Contains(d.failed[0].Error(), w) {
			d.t.Errorf("the job fails with %q, want it to say %q", d.failed[0], w)
		}
	}
}

// --- CoordHost ---

func (d *desk) Tell(to id.TaskID, data []byte) {
	if dataflow.IsSaveMessage(data) {
		m, err := dataflow.DecodeSaveMessage(data)
		if err != nil {
			d.t.Fatal(err)
		}
		d.told = append(d.told, fmt.Sprintf("%s save %d %s", to, m.Kind, m.Epoch))
		return
	}
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		d.t.Fatal(err)
	}
	d.told = append(d.told, fmt.Sprintf("%s %s %s", to, m.Kind, m.Epoch))
}

func (d *desk) After(by dataflow.Nanos) id.Ticket {
	d.tickets++
	d.timers = append(d.timers, alarm{d.tickets, d.now + by})
	return d.tickets
}

func (d *desk) Store(op state.Op) id.Ticket {
	d.tickets++
	d.ops = append(d.ops, issued{d.tickets, op})
	return d.tickets
}

func (d *desk) Execute(p *dataflow.Plan) {
	if d.plans = append(d.plans, p); d.executing != nil {
		d.executing(p)
	}
}
func (d *desk) JobDone()            { d.done++ }
func (d *desk) JobFailed(err error) { d.failed = append(d.failed, err) }
func (d *desk) Deposed()            { d.deposed++ }
func (d *desk) Draw(int) int        { return 0 }

func (d *desk) Observe(k dataflow.TraceKind, t id.TaskID, _ id.Attempt, e id.Epoch, text string) {
	d.log = append(d.log, fmt.Sprintf("%s %s %s", k, e, text))
}
