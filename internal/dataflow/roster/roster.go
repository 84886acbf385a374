package roster

import (
	"slices"

	"weir/dataflow"
	"weir/id"
)

type (
	// Incarnation numbers the incarnations of one task from 1; 0 is none.
	Incarnation uint32
	// Connection numbers the beginnings and ends of connections of one channel.
	Connection uint32
	// Term numbers the incarnations of the coordinator from 1.
	Term uint32
)

// Phase is where the newest incarnation of a task stands.
type Phase uint8

// The phases, in order.
const (
	Absent   Phase = iota // no plan has started the task
	Starting              // planned, not built yet
	Alive
	Dead     // crashed, or failed by itself
	Isolated // dead, and everybody knows
)

// Roster is the machine. Its zero value is an empty job; Reset gives it one. It
// belongs to one goroutine.
type Roster struct {
	members  []member
	channels []channel
	ends     []id.ChannelID // memory of all inputs and outputs
	plan     id.Attempt
	term     Term
}

// member is a task.
type member struct {
	incarnation Incarnation
	attempt     id.Attempt
	term        Term // that started or kept it
	phase       Phase
	ready       bool // has said so for the newest plan
	inputs      []id.ChannelID
	outputs     []id.ChannelID
}

// channel is a channel with the connection it has now.
type channel struct {
	from, to   id.TaskID
	out, in    int32 // ports: among the outputs of from, the inputs of to
	connection Connection
	state      connectionState
	seen       id.Seq // position that the receiver reported last
}

type connectionState uint8

const (
	down connectionState = iota
	connecting
	up
)

// Reset forgets everything and takes the tasks of a job, of which none runs. Memory
// is used again. The roster keeps nothing of tasks.
func (r *Roster) Reset(tasks []dataflow.TaskInfo) {
	outs, ins := 0, 0
	for i := range tasks {
		outs, ins = outs+len(tasks[i].Outputs), ins+len(tasks[i].Inputs)
	}
	r.plan, r.term = 0, 1
	r.members = slices.Grow(r.members[:0], len(tasks))[:len(tasks)]
	r.channels = slices.Grow(r.channels[:0], outs)[:outs]
	clear(r.channels)
	r.ends = slices.Grow(r.ends[:0], outs+ins)
	for i := range tasks {
		t := &tasks[i]
		r.members[i] = member{inputs: r.wire(t.Inputs), outputs: r.wire(t.Outputs)}
		for n, k := range r.members[i].inputs {
			r.channels[k].to, r.channels[k].in = id.TaskID(i), int32(n)
		}
		for n, k := range r.members[i].outputs {
			r.channels[k].from, r.channels[k].out = id.TaskID(i), int32(n)
		}
	}
}

// Reshape takes the tasks of another graph of the same job, of which none runs, as Reset
// does. What was numbered goes on: no incarnation, connection, term or plan of before has
// the number of one to come, whatever task or channel it was of.
func (r *Roster) Reshape(tasks []dataflow.TaskInfo) {
	plan, term := r.plan, r.term
	var newest Incarnation
	for i := range r.members {
		newest = max(newest, r.members[i].incarnation)
	}
	var last Connection
	for k := range r.channels {
		last = max(last, r.channels[k].connection)
	}
	r.Reset(tasks)
	r.plan, r.term = plan, term+1
	for i := range r.members {
		r.members[i].incarnation = newest
	}
	for k := range r.channels {
		r.channels[k].connection = last + 1
	}
}

// wire keeps the numbers of channels.
func (r *Roster) wire(of []dataflow.Channel) []id.ChannelID {
	n := len(r.ends)
	for i := range of {
		r.ends = append(r.ends, of[i].ID)
	}
	return r.ends[n:len(r.ends):len(r.ends)]
}

// --- Questions ---

// Plan returns the number of the newest plan, 0 before the first.
func (r *Roster) Plan() id.Attempt { return r.plan }

// Term returns the incarnation of the coordinator.
func (r *Roster) Term() Term { return r.term }

// Tasks returns the number of tasks.
func (r *Roster) Tasks() int { return len(r.members) }

// Channels returns the number of channels.
func (r *Roster) Channels() int { return len(r.channels) }

// Incarnation returns the newest incarnation of a task.
func (r *Roster) Incarnation(t id.TaskID) Incarnation { return r.members[t].incarnation }

// Attempt returns the plan that started the newest incarnation of a task.
func (r *Roster) Attempt(t id.TaskID) id.Attempt { return r.members[t].attempt }

// Runs reports whether some task has been started and is not known to be dead.
func (r *Roster) Runs() bool {
	return slices.ContainsFunc(r.members, func(m member) bool { return m.phase != Absent && m.phase != Isolated })
}

// Phase returns where the newest incarnation of a task stands.
func (r *Roster) Phase(t id.TaskID) Phase { return r.members[t].phase }

// Current reports whether incarnation i of a task is alive: what is for another one
// is to be dropped.
func (r *Roster) Current(t id.TaskID, i Incarnation) bool {
	m := &r.members[t]
	return m.incarnation == i && m.phase == Alive
}

// Hears reports whether what incarnation i of a task sent to term c of the
// coordinator still counts.
func (r *Roster) Hears(t id.TaskID, i Incarnation, c Term) bool {
	m := &r.members[t]
	return c == r.term && m.term == c && m.incarnation == i && m.phase != Isolated
}

// Connection returns the number of the connection that a channel has or had last.
func (r *Roster) Connection(k id.ChannelID) Connection { return r.channels[k].connection }

// Up reports whether the sender of a channel is connected.
func (r *Roster) Up(k id.ChannelID) bool { return r.channels[k].state == up }

// Sender returns the task at the sending end and the output that it is there.
func (r *Roster) Sender(k id.ChannelID) (t id.TaskID, output int) {
	c := &r.channels[k]
	return c.from, int(c.out)
}

// Receiver returns the task at the receiving end and the input that it is there.
func (r *Roster) Receiver(k id.ChannelID) (t id.TaskID, input int) {
	c := &r.channels[k]
	return c.to, int(c.in)
}

// Inputs returns the channels into a task, by input. The roster owns them until Reset.
func (r *Roster) Inputs(t id.TaskID) []id.ChannelID { return r.members[t].inputs }

// Outputs returns the channels out of a task, by output. The roster owns them until Reset.
func (r *Roster) Outputs(t id.TaskID) []id.ChannelID { return r.members[t].outputs }
