package coordinator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
	"weir/state/storage"
)

// counter is the desk of a coordinator that does nothing but savepoints of a job source, sink: it
// is the coordinator's host and owner, and the tasks are in the test's hands.
type counter struct {
	*bell
	job     dataflow.JobInfo
	disk    *storage.Memory
	saving  *coordinator.Saving
	ops     []state.Op
	tickets []id.Ticket // of ops
	told    []string    // since the last call of heard
	seen    []string    // events, and what the owner was asked for
}

func newCounter(t *testing.T) *counter {
	config := dataflow.DefaultConfig()
	c := &counter{bell: newBell(t), disk: storage.NewMemory(0)}
	channel := []dataflow.Channel{{ID: 1}}
	c.job = dataflow.JobInfo{Name: "job", Config: &config, Tasks: []dataflow.TaskInfo{{Name: "source", Outputs: channel}, {ID: 1, Name: "sink", Inputs: channel}}}
	c.client = coordinator.NewClient(c)
	c.saving = coordinator.NewSaving(c.client, c, &c.job, c)
	return c
}

func (c *counter) Tell(to id.TaskID, data []byte) {
	if m, err := dataflow.DecodeSaveMessage(data); err != nil {
		c.t.Error(err)
	} else {
		c.told = append(c.told, fmt.Sprintf("%s %d %s", to, m.Kind, m.Epoch))
	}
}

func (c *counter) Store(op state.Op) id.Ticket {
	c.bell.tickets++
	c.ops, c.tickets = append(c.ops, op), append(c.tickets, c.bell.tickets)
	return c.bell.tickets
}

func (c *counter) Deposed()     {}
func (c *counter) Draw(int) int { return 0 }

func (c *counter) Observe(k dataflow.TraceKind, _ id.TaskID, a id.Attempt, e id.Epoch, text string) {
	if e.Attempt() != a {
		c.t.Errorf("%s %s in attempt %d", k, e, a)
	}
	c.seen = append(c.seen, strings.TrimSpace(fmt.Sprintf("%s %s %s", k, e, text)))
}

func (c *counter) Cover(e id.Epoch, taken []id.Epoch) {
	c.seen = append(c.seen, fmt.Sprintf("cover %s by %v", e, taken))
}
func (c *counter) EndWith(e id.Epoch) { c.seen = append(c.seen, fmt.Sprintf("end with %s", e)) }
func (c *counter) SavingOver()        { c.seen = append(c.seen, "over") }

// settle carries out what storage was asked for.
func (c *counter) settle() {
	for len(c.ops) > 0 {
		op, t := c.ops[0], c.tickets[0]
		c.ops, c.tickets = c.ops[1:], c.tickets[1:]
		c.client.Done(t, c.disk.Do(op))
	}
}

func (c *counter) say(from id.TaskID, m dataflow.SaveMessage) {
	if !c.saving.Message(from, m.Encode()) {
		c.t.Errorf("message %d is none of a savepoint", m.Kind)
	}
}

// stand answers a probe: the source has sent so much, the sink got so much.
func (c *counter) stand(e id.Epoch, sent, got id.Seq, open bool) {
	c.say(0, dataflow.SaveMessage{Kind: dataflow.SaveStands, Epoch: e, Sealed: []id.Seq{sent}})
	c.say(1, dataflow.SaveMessage{Kind: dataflow.SaveStands, Epoch: e, Delivered: []id.Seq{got}, Open: open})
}

// write has both tasks write their shares; the manifest is made when storage settles.
func (c *counter) write(e id.Epoch) {
	for t := range id.TaskID(2) {
		c.say(t, dataflow.SaveMessage{Kind: dataflow.SaveWritten, Epoch: e, Taken: e + id.Epoch(t), Part: savepoint.PartRef{Task: t}})
	}
}

func (c *counter) wantTold(what string, want ...string) {
	c.t.Helper()
	if got := c.told; !slices.Equal(got, want) {
		c.t.Errorf("%s: tasks hear %q, want %q", what, got, want)
	}
	c.told = nil
}

func (c *counter) wantSeen(what string, want ...string) {
	c.t.Helper()
	if got := c.seen; !slices.Equal(got, want) {
		c.t.Errorf("%s: %q, want %q", what, got, want)
	}
	c.seen = nil
}

// TestSavepointWaitsForTheChannels: shares are written when a whole wave of answers finds nothing
// under way, and the savepoint is complete when its manifest is durable.
func TestSavepointWaitsForTheChannels(t *testing.T) {
	c, e := newCounter(t), id.MakeEpoch(2, 1)
	c.saving.Ask(false)
	c.saving.Begin(e)
	c.wantTold("begun", "t0 1 2.1", "t1 1 2.1")
	c.stand(e, 5, 4, false)
	c.wantTold("something under way")
	c.pass(c.job.Config.Checkpoint.Interval / 1000)
	c.wantTold("another wave", "t0 1 2.1", "t1 1 2.1")
	c.stand(e, 5, 5, true)
	c.wantTold("nothing under way", "t0 2 2.1", "t1 2 2.1")
	c.write(e)
	c.wantSeen("written", "acked 2.1", "acked 2.1", "all-acked 2.1")
	c.settle()
	c.wantSeen("durable", "savepoint-complete 2.1", "over")
	c.wantTold("complete", "t0 3 2.1", "t1 3 2.1")
	if r := c.disk.Do(state.Op{Kind: state.OpGet, Key: savepoint.ManifestKey(coordinator.SavepointRoot(e))}); r.Status != state.OK {
		t.Errorf("its manifest: %v", r.Status)
	}
}

// TestStopWithASavepoint ends the job when it is covered and all output is committed.
func TestStopWithASavepoint(t *testing.T) {
	c, e := newCounter(t), id.MakeEpoch(2, 1)
	c.saving.Ask(true)
	c.saving.Begin(e)
	c.stand(e, 5, 5, true)
	c.write(e)
	c.settle()
	c.wantSeen("complete", "acked 2.1", "acked 2.1", "all-acked 2.1", "savepoint-complete 2.1", "cover 2.1 by [2.1 2.2]")
	c.told = nil
	c.saving.Covered()
	c.wantTold("covered", "t0 1 2.1", "t1 1 2.1")
	c.stand(e, 5, 5, true)
	c.wantSeen("output is open")
	c.pass(c.job.Config.Checkpoint.Interval / 1000)
	c.stand(e, 5, 5, false)
	c.wantSeen("all is committed", "end with 2.1")
}

// TestRefusedBeforeItBegins: what was only asked for has no epoch, least of all that of the
// savepoint before it, which is complete.
func TestRefusedBeforeItBegins(t *testing.T) {
	c, e := newCounter(t), id.MakeEpoch(2, 1)
	c.saving.Ask(false)
	c.saving.Begin(e)
	c.saving.Refuse("a test does not want it")
	c.wantSeen("under way", "declined 2.1 savepoint: a test does not want it", "over")
	c.saving.Ask(false)
	c.saving.Refuse("a test does not want it")
	c.wantSeen("asked for", "declined 0.0 savepoint: a test does not want it", "over")
	c.saving.Refuse("nobody has asked")
	c.wantSeen("not asked for")
}

// TestInterruptedSavepointIsOver: the tasks go on, and what they say of it afterwards, and what
// storage does, comes late. It is still asked for.
func TestInterruptedSavepointIsOver(t *testing.T) {
	for _, durable := range []bool{false, true} {
		c, e := newCounter(t), id.MakeEpoch(2, 1)
		c.saving.Ask(true)
		c.saving.Interrupt()
		c.wantTold("not begun")
		c.saving.Begin(e)
		c.stand(e, 5, 5, false)
		c.told = nil
		if durable {
			c.write(e)
		}
		c.seen = nil
		c.saving.Interrupt()
		c.wantTold("interrupted", "t0 3 2.1", "t1 3 2.1")
		c.write(e)
		c.settle()
		c.pass(10 * c.job.Config.Checkpoint.Timeout)
		c.wantSeen("late")
		c.wantTold("late")
		if !c.saving.Waiting() {
			t.Error("it is not asked for any more")
		}
	}
}
