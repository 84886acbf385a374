package stories

import (
	"fmt"
	"strings"

	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/internal/dataflow/roster"
	"weir/state/heap"
	"weir/state/storage"
)

// Story is a job under somebody's hands: everything that is under way waits in
// a queue until a command moves it.
type Story struct {
	shape    shape
	job      dataflow.Job
	tasks    []*task
	channels []*channel
	coord    *coordHost
	roster   roster.Roster

	disk    *storage.Memory
	outside *external.Store
	handed  []id.Offset // by source task: what its log has handed out

	effects []*effect
	numbers int // of effects, messages and items that got one
	held    []string
	timers  []*timer
	now     int64
	late    []*message // whose incarnation is gone
	lost    []*item    // buffers of cut connections
	soon    []func()   // what a driver does at once: credits, connections, failures

	draw     int // what the coordinator draws
	over     bool
	observer *narrator
	line     int
	level    level
	chapter  strings.Builder
}

// task is one task through all its incarnations; it is the Host of the one that runs.
type task struct {
	s      *Story
	info   *dataflow.TaskInfo
	op     dataflow.Operator
	run    *dataflow.Task // nil: none runs
	inbox  []*message     // from the coordinator
	outbox []*message     // to it
}

// inc is the number of the newest incarnation.
func (t *task) inc() roster.Incarnation { return t.s.roster.Incarnation(t.info.ID) }

// attempt is the plan that started it.
func (t *task) attempt() id.Attempt { return t.s.roster.Attempt(t.info.ID) }

// channel is a channel's wire.
type channel struct {
	id       id.ChannelID
	from, to *task
	out, in  int
	number   roster.Connection // that the wire belongs to
	wire     []*dataflow.Buffer
}

// item is a buffer that was lost with its connection.
type item struct {
	number int
	c      *channel
	b      *dataflow.Buffer
}

// message is one between coordinator and task, or a task's report.
type message struct {
	number  int
	task    *task
	toCoord bool
	kind    messageKind
	attempt id.Attempt
	data    []byte
}

type messageKind uint8

const (
	said messageKind = iota
	isReady
	hasLeft
)

type timer struct {
	task *task // nil: coordinator
	inc  roster.Incarnation
	term roster.Term
	at   int64
	d    dataflow.Nanos
	t    id.Ticket
}

// setGraph prepares a job; the algorithm comes later.
func (s *Story) setGraph(x shape) {
	x.input = make([][]string, x.splits)
	*s = Story{shape: x, line: s.line}
	s.observer = &narrator{s: s}
	s.disk = storage.NewMemory(0)
	outside, err := external.OpenStore(external.StoreConfig{OnCommit: s.observer.committed})
	if err != nil {
		panic(err)
	}
	s.outside = outside
}

func (s *Story) setAlgorithm(a dataflow.Algorithm, c dataflow.Config) error {
	s.shape.sink = sinks.For(a.Properties())
	if err := c.Validate(); err != nil {
		return err
	}
	g := s.shape.graph()
	infos, err := g.Expand(c.Groups)
	if err != nil {
		return err
	}
	s.job = dataflow.Job{Name: "story", Graph: g, Algorithm: a, Backend: heap.Backend{}, Config: c}
	s.handed = make([]id.Offset, s.shape.splits)
	s.roster.Reset(infos)
	for i := range infos {
		s.tasks = append(s.tasks, &task{s: s, info: &infos[i]})
	}
	for k := range id.ChannelID(s.roster.Channels()) {
		from, out := s.roster.Sender(k)
		to, in := s.roster.Receiver(k)
		s.channels = append(s.channels, &channel{id: k, from: s.tasks[from], to: s.tasks[to], out: out, in: in})
	}
	for _, v := range g.Vertices {
		s.tell("%s: %s", v.Name, s.names(v.Name))
	}
	for _, c := range s.channels {
		s.tell("%s: %s -> %s", c.id, c.from.info.ID, c.to.info.ID)
	}
	s.coord = &coordHost{s: s}
	return nil
}

func (s *Story) names(vertex string) string {
	var all []string
	for _, t := range s.tasks {
		if t.info.Name == vertex {
			all = append(all, t.info.ID.String())
		}
	}
	return strings.Join(all, " ")
}

// tell adds one numbered line.
func (s *Story) tell(format string, args ...any) {
	s.observer.flush()
	s.line++
	fmt.Fprintf(&s.chapter, "%3d  %s\n", s.line, fmt.Sprintf(format, args...))
}

// level says how much is told.
type level uint8

const (
	full     level = iota // every buffer, message and operation
	protocol              // what the algorithm does
	outcomes              // what comes of it
)

// detail is a line about a single buffer, message or operation.
func (s *Story) detail(format string, args ...any) {
	if s.level == full {
		s.tell(format, args...)
	}
}

// act is a line about what the algorithm does.
func (s *Story) act(format string, args ...any) {
	if s.level <= protocol {
		s.tell(format, args...)
	}
}

// step gives a task one event and does what a driver does at once.
func (s *Story) step(t *task, ev dataflow.Event) {
	t.run.Step(&ev)
	s.atOnce()
}

func (s *Story) atOnce() {
	for len(s.soon) > 0 {
		f := s.soon[0]
		s.soon = s.soon[1:]
		f()
	}
}

// execute carries a plan out.
func (s *Story) execute(p *dataflow.Plan) {
	effects, ok := s.roster.Execute(nil, p)
	if !ok {
		s.tell("plan %s is older than %s and ignored", p.Number, s.roster.Plan())
		return
	}
	s.carry(effects)
}

// carry carries out what the roster asks for, in order.
func (s *Story) carry(effects []roster.Effect) {
	s.emptyWires()
	for i := range effects {
		switch e := &effects[i]; e.Kind {
		case roster.Discard:
			s.end(s.tasks[e.Task])
		case roster.CutOutput, roster.CutInput, roster.Keep:
			if s.roster.Current(e.Task, e.Incarnation) {
				ev := e.Event()
				s.tasks[e.Task].run.Step(&ev)
			}
		case roster.Start:
			s.begin(s.tasks[e.Task], e)
		case roster.Connect:
			k, number := e.Channel, e.Connection
			s.soon = append(s.soon, func() { s.connect(s.channels[k], number) })
		case roster.TellReady:
			s.tasks[e.Task].report(isReady, nil)
		case roster.TellFailed:
			s.atOnce()
			if s.coord.half != nil {
				s.coord.half.Failed(e.Tasks, e.Cause)
			}
		}
	}
}

// emptyWires puts aside what is on the wires of connections that are no more.
func (s *Story) emptyWires() {
	for _, c := range s.channels {
		if c.number == s.roster.Connection(c.id) {
			continue
		}
		for _, b := range c.wire {
			s.lost = append(s.lost, &item{len(s.lost) + 1, c, b})
		}
		c.wire, c.number = nil, s.roster.Connection(c.id)
	}
}

// begin starts a new incarnation.
func (s *Story) begin(t *task, e *roster.Effect) {
	job := s.job
	g := *job.Graph
	g.Vertices = append([]dataflow.Vertex(nil), g.Vertices...)
	v := &g.Vertices[t.info.Vertex]
	made := v.New
	v.New = func() dataflow.Operator { t.op = made(); return t.op }
	job.Graph = &g
	run, err := dataflow.NewTask(&job, t.info, dataflow.Env{Host: t, Observer: s.observer})
	if err != nil {
		s.tell("%s cannot start: %v", t.info.ID, err)
		return
	}
	t.run = run
	s.roster.Started(e.Task, e.Incarnation)
	ev := e.Event()
	for _, index := range e.Part.Splits {
		ev.Offsets = append(ev.Offsets, s.handed[index])
	}
	run.Step(&ev)
}

// end discards an incarnation: its objects, timers and messages. What it asked
// of storage may still take effect.
func (s *Story) end(t *task) {
	if t.run == nil {
		return
	}
	_ = t.run.Close()
	t.run = nil
	s.retire(t.inbox)
	s.retire(t.outbox)
	t.inbox, t.outbox = nil, nil
}

func (s *Story) retire(ms []*message) {
	for _, m := range ms {
		if m.kind == said {
			m.number = len(s.late) + 1
			s.late = append(s.late, m)
		}
	}
}

// connect makes a connection.
func (s *Story) connect(c *channel, number roster.Connection) {
	if seen, ok := s.roster.Connected(c.id, number); ok {
		s.step(c.from, dataflow.Event{Kind: dataflow.EvConnected, Port: c.out, Seq: seen})
	}
}

// crash ends tasks and has it noticed at once.
func (s *Story) crash(ts []*task) {
	for _, t := range ts {
		s.tell("%s of %s crashes", t.info.ID, t.attempt())
		s.end(t)
	}
	s.bury(nil, ts)
	s.atOnce()
}

// bury has the death of tasks noticed.
func (s *Story) bury(cause error, ts []*task) {
	var dead []roster.Ref
	for _, t := range ts {
		s.roster.Died(t.info.ID, t.inc())
		dead = append(dead, roster.Ref{Task: t.info.ID, Incarnation: t.inc()})
	}
	s.carry(s.roster.Noticed(nil, cause, dead...))
}
