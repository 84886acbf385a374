package stories

import (
	"fmt"
	"strings"

	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
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

	draw     int        // what the coordinator draws
	plan     id.Attempt // newest executed
	over     bool
	observer *narrator
	line     int
	level    level
	chapter  strings.Builder
}

// task is one task through all its incarnations; it is the Host of the one that runs.
type task struct {
	s         *Story
	info      *dataflow.TaskInfo
	op        dataflow.Operator
	run       *dataflow.Task // nil: none runs
	inc       int
	attempt   id.Attempt
	isolated  bool
	ready     bool
	delivered []id.Seq
	inbox     []*message // from the coordinator
	outbox    []*message // to it
}

// channel is a channel's wire.
type channel struct {
	id       id.ChannelID
	from, to *task
	out, in  int
	up       bool
	gen      int
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
	inc     int // of the task
	coord   int // incarnation of the coordinator
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
	inc  int
	at   int64
	d    dataflow.Nanos
	t    id.Ticket
}

// setGraph prepares a job; the algorithm comes later.
func (s *Story) setGraph(sources, counts, sinks int, forward bool) {
	*s = Story{shape: shape{sources: sources, counts: counts, sinks: sinks, forward: forward, input: make([][]string, sources)}, line: s.line}
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
	s.handed = make([]id.Offset, len(infos))
	for i := range infos {
		t := &task{s: s, info: &infos[i], isolated: true, delivered: make([]id.Seq, len(infos[i].Inputs))}
		s.tasks = append(s.tasks, t)
		for n, o := range infos[i].Outputs {
			for int(o.ID) >= len(s.channels) {
				s.channels = append(s.channels, &channel{id: id.ChannelID(len(s.channels))})
			}
			s.channels[o.ID].from, s.channels[o.ID].out = t, n
		}
	}
	for _, t := range s.tasks {
		for n, in := range t.info.Inputs {
			s.channels[in.ID].to, s.channels[in.ID].in = t, n
		}
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
	if p.Number <= s.plan {
		s.tell("plan %s is older than %s and ignored", p.Number, s.plan)
		return
	}
	s.plan = p.Number
	for i, t := range s.tasks {
		t.ready = false
		if p.Tasks[i].Mode == dataflow.Restart {
			s.end(t)
		}
	}
	for i, t := range s.tasks {
		if p.Tasks[i].Mode == dataflow.Restart {
			s.isolate(t)
		}
	}
	for i, t := range s.tasks {
		tp := &p.Tasks[i]
		if tp.Mode == dataflow.Keep {
			if t.run != nil {
				t.run.Step(&dataflow.Event{Kind: dataflow.EvKeep, Plan: tp, Attempt: p.Number})
			}
			continue
		}
		s.begin(t, tp, p.Number)
	}
}

// begin starts a new incarnation.
func (s *Story) begin(t *task, p *dataflow.TaskPlan, a id.Attempt) {
	t.inc++
	t.attempt, t.isolated = a, false
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
	run.Step(&dataflow.Event{Kind: dataflow.EvStart, Plan: p, Attempt: a, Offset: s.handed[t.info.ID]})
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

// isolate cuts the others off from t.
func (s *Story) isolate(t *task) {
	if t.isolated {
		return
	}
	t.isolated = true
	for _, c := range s.channels {
		if c.from != t && c.to != t {
			continue
		}
		s.cut(c)
		if c.from != t && c.from.run != nil {
			c.from.run.Step(&dataflow.Event{Kind: dataflow.EvCutOutput, Port: c.out})
		}
		if c.to != t && c.to.run != nil {
			c.to.run.Step(&dataflow.Event{Kind: dataflow.EvCutInput, Port: c.in})
		}
	}
}

func (s *Story) cut(c *channel) {
	c.up = false
	c.gen++
	for _, b := range c.wire {
		s.lost = append(s.lost, &item{len(s.lost) + 1, c, b})
	}
	c.wire = nil
}

// connect begins the connections that have both ends ready.
func (s *Story) connect() {
	for _, c := range s.channels {
		if c.up || !c.from.ready || !c.to.ready {
			continue
		}
		c.up = true
		s.step(c.from, dataflow.Event{Kind: dataflow.EvConnected, Port: c.out, Seq: c.to.delivered[c.in]})
	}
}

// crash ends tasks and has it noticed at once.
func (s *Story) crash(ts []*task) {
	var gone []id.TaskID
	for _, t := range ts {
		s.tell("%s of %s crashes", t.info.ID, t.attempt)
		s.end(t)
		gone = append(gone, t.info.ID)
	}
	for _, t := range ts {
		s.isolate(t)
	}
	s.atOnce()
	if s.coord.half != nil {
		s.coord.half.Failed(gone, nil)
		s.atOnce()
	}
}
