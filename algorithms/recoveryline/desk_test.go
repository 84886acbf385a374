package recoveryline

import (
	"errors"
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

// desk is a coordinator of a job of one task, with everything around it in the test's hands:
// what it asks storage for waits in the order in which it came. Timers never fire.
type desk struct {
	t       *testing.T
	config  dataflow.Config
	job     dataflow.JobInfo
	disk    *storage.Memory
	c       *Coordinator
	tickets id.Ticket
	ops     map[id.Ticket]state.Op
	held    string // operations that contain this stay under way

	told    []string
	newest  *dataflow.Plan
	done    int
	deposed int
	failed  []error
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, config: dataflow.DefaultConfig(), disk: storage.NewMemory(0)}
	d.job = dataflow.JobInfo{Name: "job", Config: &d.config, Tasks: []dataflow.TaskInfo{{Name: "alone", NumGroups: 16, Parallelism: 1}}}
	return d
}

// start begins a coordinator that knows only what storage holds. What the one before it had
// under way is not done any more.
func (d *desk) start() *desk {
	d.job.Nonce++
	d.c, d.newest = NewCoordinator(&d.config), nil
	d.ops = map[id.Ticket]state.Op{}
	d.c.Start(d, &d.job)
	d.settle()
	return d
}

// ready has the task carry out the newest plan.
func (d *desk) ready() *desk {
	d.t.Helper()
	if d.newest == nil {
		d.t.Fatalf("no plan was executed; %v", d.failed)
	}
	d.c.Ready(0, d.newest.Number)
	return d
}

// settle carries out what is under way, except what is held.
func (d *desk) settle() {
	for t := id.Ticket(1); t <= d.tickets; t++ {
		op, ok := d.ops[t]
		if !ok || d.held != "" && strings.Contains(op.Kind.String()+" "+op.Key, d.held) {
			continue
		}
		delete(d.ops, t)
		d.c.Done(t, d.disk.Do(op))
		t = 0
	}
}

func (d *desk) put(key string, data []byte) {
	d.t.Helper()
	if r := d.disk.Do(state.Op{Kind: state.OpPut, Key: key, Data: data}); r.Status != state.OK {
		d.t.Fatal(r.Err)
	}
}

// keys lists what stands in storage, without plans and leases.
func (d *desk) keys() string {
	var all []string
	for _, row := range d.disk.Do(state.Op{Kind: state.OpList}).List {
		if !strings.HasPrefix(row.Key, coordinator.PlanPrefix) && !strings.HasPrefix(row.Key, coordinator.LeasePrefix) {
			all = append(all, row.Key)
		}
	}
	return strings.Join(all, " ")
}

func (d *desk) wantTold(what string, want ...string) {
	d.t.Helper()
	if !slices.Equal(d.told, want) {
		d.t.Errorf("%s: the task hears %q, want %q", what, d.told, want)
	}
	d.told = nil
}

// --- CoordHost ---

func (d *desk) Tell(_ id.TaskID, data []byte) {
	if dataflow.IsSaveMessage(data) {
		m, err := dataflow.DecodeSaveMessage(data)
		if err != nil {
			d.t.Fatal(err)
		}
		d.told = append(d.told, fmt.Sprintf("save %d %s", m.Kind, m.Epoch))
		return
	}
	m, _, err := coordinator.DecodeMessage(data)
	if err != nil {
		d.t.Fatal(err)
	}
	d.told = append(d.told, fmt.Sprintf("%s %s", m.Kind, m.Epoch))
}

func (d *desk) Store(op state.Op) id.Ticket {
	d.tickets++
	d.ops[d.tickets] = op
	return d.tickets
}

func (d *desk) After(dataflow.Nanos) id.Ticket { d.tickets++; return d.tickets }
func (d *desk) Execute(p *dataflow.Plan)       { d.newest = p }
func (d *desk) JobDone()                       { d.done++ }
func (d *desk) JobFailed(err error)            { d.failed = append(d.failed, err) }
func (d *desk) Deposed()                       { d.deposed++ }
func (d *desk) Draw(int) int                   { return 0 }

func (d *desk) Observe(dataflow.TraceKind, id.TaskID, id.Attempt, id.Epoch, string) {}

// TestEndedCoordinatorSavesNoMore: one that has failed, or that another has replaced, lets the
// tasks go on, and no savepoint of its comes about afterwards.
func TestEndedCoordinatorSavesNoMore(t *testing.T) {
	for what, end := range map[string]func(d *desk){
		"fails": func(d *desk) { d.c.fail(errors.New("a test wants it")) },
		"deposed": func(d *desk) {
			l := coordinator.Lease{Job: d.job.Name, Number: 2, Holder: 99}
			d.put(coordinator.LeaseKey(2), l.Encode())
			d.c.client.Confirm(func(err error) { t.Errorf("it leads; %v", err) })
		},
	} {
		d := newDesk(t).start().ready()
		d.settle()
		d.c.Savepoint(false)
		d.wantTold(what+": begun", "save 1 1.1")
		end(d)
		d.settle()
		d.wantTold(what+": ended", "save 3 1.1")
		d.c.Message(0, (&dataflow.SaveMessage{Kind: dataflow.SaveStands, Epoch: id.MakeEpoch(1, 1)}).Encode())
		d.settle()
		d.wantTold(what + ": afterwards")
		if len(d.failed)+d.deposed != 1 {
			t.Errorf("%s: failed %v, deposed %d", what, d.failed, d.deposed)
		}
	}
}
