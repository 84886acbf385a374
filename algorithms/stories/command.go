package stories

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/state"
)

// Run tells the story in the file and compares it with what stands there.
func Run(t *testing.T, path string) {
	s := &Story{}
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		s.chapter.Reset()
		s.level = full
		s.command(t, d)
		if s.observer != nil {
			s.observer.flush()
		}
		return s.chapter.String()
	})
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// close frees what still runs. A story that ends in the middle of a job must
// say so with its last command.
func (s *Story) close() error {
	for _, t := range s.tasks {
		s.end(t)
	}
	if s.job.Graph == nil {
		return fmt.Errorf("a story without a job")
	}
	return nil
}

func (s *Story) command(t *testing.T, d *datadriven.TestData) {
	switch d.Cmd {
	case "graph":
		sources := number(d, "source", 1)
		s.setGraph(shape{
			sources: sources, splits: number(d, "splits", sources), counts: number(d, "count", 1), sinks: number(d, "sink", 1),
			forward: value(d, "edge") == "forward", reorders: d.HasArg("reorders"),
		})
	case "input":
		for _, a := range d.CmdArgs {
			kind := "t"
			if s.shape.hasSplits() {
				kind = "s"
			}
			n, err := strconv.Atoi(strings.TrimPrefix(a.Key, kind))
			if err != nil || n >= s.shape.splits {
				d.Fatalf(t, "input of %s: there is no such source or split", a.Key)
			}
			s.shape.input[n] = slices.DeleteFunc(a.Vals, func(v string) bool { return v == "" })
		}
	case "algorithm":
		a, err := catalog.Lookup(d.CmdArgs[0].Key)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.disk.Reset(number(d, "limit", 0))
		s.draw = number(d, "draw", 0)
		if err := s.setAlgorithm(a, config(d)); err != nil {
			d.Fatalf(t, "%v", err)
		}
	case "start":
		s.level = protocol
		s.coord.start()
		s.settle(nobody)
	case "settle":
		if !d.HasArg("full") {
			s.level = protocol
		}
		s.settle(followers)
	case "finish":
		s.level = outcomes
		s.finish(t, d)
	case "turn", "deliver", "message", "report":
		for n := range number(d, "times", 1) {
			if why := s.move(t, d); why != "" {
				if n == 0 {
					s.tell("%s", why)
				}
				break
			}
		}
	case "messages":
		s.messages()
	case "trigger":
		s.trigger(t, d)
	case "timeout":
		s.expire(s.next(func(x *timer) bool { return x.task == nil && x.d == s.job.Config.Checkpoint.Timeout }))
	case "store":
		s.store(t, d)
	case "hold":
		s.held = append(s.held, values(d, "match")...)
	case "release":
		s.held = nil
	case "crash":
		s.crashCommand(t, d)
	case "late":
		s.lateCommand(t, d)
	case "damage":
		s.damage(t, d)
	default:
		s.show(t, d)
	}
}

func config(d *datadriven.TestData) dataflow.Config {
	const second = dataflow.Nanos(1e9)
	c := dataflow.DefaultConfig()
	c.Groups, c.BatchTimeout = 8, 0
	c.SourceBatch = number(d, "batch", 1)
	c.Credits, c.QueueBuffers = number(d, "credits", 4), number(d, "queue", 4)
	k := &c.Checkpoint
	k.Interval, k.Timeout = 10*second, 60*second
	k.Retain, k.MaxConcurrent, k.Tolerated = number(d, "retain", 1), number(d, "concurrent", 1), number(d, "tolerated", 0)
	k.Fallback = d.HasArg("fallback")
	if d.HasArg("pause") {
		k.MinPause = 5 * second
	}
	return c
}

func number(d *datadriven.TestData, key string, otherwise int) int {
	v := value(d, key)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		panic(fmt.Sprintf("%s: %s=%s: want a number", d.Pos, key, v))
	}
	return n
}

func value(d *datadriven.TestData, key string) string {
	if v := values(d, key); len(v) > 0 {
		return v[0]
	}
	return ""
}

func values(d *datadriven.TestData, key string) []string {
	a, _ := d.Arg(key)
	return a.Vals
}

// task returns the task that an argument names.
func (s *Story) task(t *testing.T, d *datadriven.TestData, name string) *task {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "t"))
	if err != nil || n < 0 || n >= len(s.tasks) {
		d.Fatalf(t, "there is no task %q", name)
	}
	return s.tasks[n]
}

// move lets one thing happen that the first argument names, or says why it cannot.
func (s *Story) move(t *testing.T, d *datadriven.TestData) (why string) {
	who := d.CmdArgs[0].Key
	if d.Cmd == "deliver" {
		n, err := strconv.Atoi(strings.TrimPrefix(who, "c"))
		if err != nil || n < 0 || n >= len(s.channels) {
			d.Fatalf(t, "there is no channel %q", who)
		}
		if !s.deliver(s.channels[n], number(d, "nth", 1)) {
			return who + ": nothing is on the wire"
		}
		return ""
	}
	x := s.task(t, d, who)
	switch {
	case d.Cmd == "message" && s.hear(&x.inbox, value(d, "match")), d.Cmd == "report" && s.hear(&x.outbox, value(d, "match")):
	case d.Cmd != "turn":
		return who + ": there is no message"
	case x.run == nil:
		return who + " does not run"
	case !x.run.Runnable():
		return who + " cannot take a turn"
	default:
		s.step(x, dataflow.Event{Kind: dataflow.EvTurn})
	}
	return ""
}

// deliver moves the nth item on the wire to its receiver.
func (s *Story) deliver(c *channel, nth int) bool {
	if len(c.wire) < nth {
		return false
	}
	b := c.wire[nth-1]
	c.wire = slices.Delete(c.wire, nth-1, nth)
	s.detail("%s brings %s", c.id, describe(b))
	s.arrive(c, b)
	return true
}

func (s *Story) arrive(c *channel, b *dataflow.Buffer) {
	if c.to.run != nil {
		s.step(c.to, dataflow.Event{Kind: dataflow.EvArrive, Port: c.in, Buffer: b})
	}
}

// hear hands the first message of a queue over that matches: messages may
// overtake each other.
func (s *Story) hear(box *[]*message, match string) bool {
	i := slices.IndexFunc(*box, func(m *message) bool { return strings.Contains(m.String(), match) })
	if i < 0 {
		return false
	}
	m := (*box)[i]
	*box = slices.Delete(*box, i, i+1)
	s.handOver(m)
	return true
}

func (s *Story) handOver(m *message) {
	t := m.task
	if !m.toCoord {
		s.detail("%s hears: %s", t.info.ID, m)
		if t.run != nil {
			s.step(t, dataflow.Event{Kind: dataflow.EvMessage, Data: m.data})
		}
		return
	}
	s.detail("coordinator hears of %s: %s", t.info.ID, m)
	switch m.kind {
	case said:
		s.coord.half.Message(t.info.ID, m.data)
	case isReady:
		s.coord.half.Ready(t.info.ID, m.attempt)
	case hasLeft:
		s.coord.half.Left(t.info.ID)
	}
	s.atOnce()
}

// messages hands all messages over until there are none.
func (s *Story) messages() (worked bool) {
	for again := true; again; {
		again = false
		for _, t := range s.tasks {
			for s.hear(&t.inbox, "") || s.hear(&t.outbox, "") {
				again, worked = true, true
			}
		}
	}
	return worked
}

// workers says who gets turns while things settle.
type workers uint8

const (
	nobody    workers = iota
	followers         // everybody but the sources
	everybody
)

// settle lets everything under way arrive and be handled.
func (s *Story) settle(who workers) {
	for again := true; again; {
		again = s.all()
		again = s.messages() || again
		for _, c := range s.channels {
			for who > nobody && s.deliver(c, 1) {
				again = true
			}
		}
		for _, t := range s.tasks {
			works := who == everybody || who == followers && t.info.Role != dataflow.RoleSource
			for works && t.run != nil && t.run.Runnable() {
				s.step(t, dataflow.Event{Kind: dataflow.EvTurn})
				again = true
			}
		}
	}
}

// next returns the timer that expires first among those that ok accepts.
func (s *Story) next(ok func(x *timer) bool) *timer {
	var first *timer
	for _, x := range s.timers {
		alive := x.task == nil && x.term == s.roster.Term() || x.task != nil && s.roster.Current(x.task.info.ID, x.inc)
		if alive && ok(x) && (first == nil || x.at < first.at) {
			first = x
		}
	}
	return first
}

func (s *Story) expire(x *timer) bool {
	if x == nil {
		return false
	}
	s.timers = slices.DeleteFunc(s.timers, func(y *timer) bool { return y == x })
	s.now = max(s.now, x.at)
	if x.task != nil {
		s.step(x.task, dataflow.Event{Kind: dataflow.EvTimer, Ticket: x.t})
	} else {
		s.coord.half.Timer(x.t)
		s.atOnce()
	}
	return true
}

func (s *Story) trigger(t *testing.T, d *datadriven.TestData) {
	of := func(x *timer) bool { return x.task == nil && x.d != s.job.Config.Checkpoint.Timeout }
	if len(d.CmdArgs) > 0 {
		who := s.task(t, d, d.CmdArgs[0].Key)
		of = func(x *timer) bool { return x.task == who }
	}
	before, waiting := s.line, s.unheard()
	for range 4 { // one that was given up does nothing
		if !s.expire(s.next(of)) {
			s.tell("nobody waits for a timer")
		}
		if s.observer.flush(); s.line > before || s.unheard() > waiting {
			return
		}
	}
	s.tell("nothing comes of it")
}

// unheard counts the coordinator's messages that have not reached their tasks.
func (s *Story) unheard() (n int) {
	for _, t := range s.tasks {
		n += len(t.inbox)
	}
	return n
}

// finish runs the job to its end.
func (s *Story) finish(t *testing.T, d *datadriven.TestData) {
	for range 100 {
		s.settle(everybody)
		if s.over {
			return
		}
		if !s.expire(s.next(func(x *timer) bool { return x.d != s.job.Config.Checkpoint.Timeout })) {
			break
		}
	}
	d.Fatalf(t, "the job does not end:\n%s", s.chapter.String())
}

func (s *Story) store(t *testing.T, d *datadriven.TestData) {
	how, ok := map[string]outcome{"ok": well, "fail": failed, "lie": lying, "refuse": refused}[d.CmdArgs[0].Key]
	if !ok {
		d.Fatalf(t, "store %s: want ok, fail, lie or refuse", d.CmdArgs[0].Key)
	}
	match := value(d, "match")
	if match == "" {
		if how != well {
			d.Fatalf(t, "all cannot fail: say which, match=")
		}
		s.all()
		return
	}
	for _, e := range slices.Clone(s.effects) {
		if strings.Contains(e.String(), match) {
			s.endEffect(e, how)
			return
		}
	}
	d.Fatalf(t, "no operation under way matches %q; there are:\n%v", match, s.effects)
}

func (s *Story) crashCommand(t *testing.T, d *datadriven.TestData) {
	if d.CmdArgs[0].Key == "coordinator" {
		s.coord.crash()
		return
	}
	var ts []*task
	for _, a := range d.CmdArgs {
		ts = append(ts, s.task(t, d, a.Key))
	}
	s.crash(ts)
}

func (s *Story) lateCommand(t *testing.T, d *datadriven.TestData) {
	if match := value(d, "message"); match != "" {
		for i, m := range s.late {
			if strings.Contains(m.long(), match) {
				s.late = slices.Delete(s.late, i, i+1)
				s.tell("late: %s", m.long())
				s.handOver(m)
				return
			}
		}
		d.Fatalf(t, "no late message matches %q; there are %v", match, s.late)
	}
	match := value(d, "item")
	for i, x := range s.lost {
		if strings.Contains(x.c.id.String()+" "+describe(x.b), match) {
			s.lost = slices.Delete(s.lost, i, i+1)
			s.tell("late: %s brings %s of a connection that is gone", x.c.id, describe(x.b))
			s.arrive(x.c, x.b)
			return
		}
	}
	d.Fatalf(t, "no buffer of a cut connection matches %q", match)
}

func (m *message) long() string {
	if m.toCoord {
		return fmt.Sprintf("%s to coordinator: %s", m.task.info.ID, m)
	}
	return fmt.Sprintf("coordinator to %s: %s", m.task.info.ID, m)
}

// damage flips a bit of an object.
func (s *Story) damage(t *testing.T, d *datadriven.TestData) {
	key := d.CmdArgs[0].Key
	r := s.disk.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK {
		d.Fatalf(t, "%s: %s", key, r.Status)
	}
	r.Data[len(r.Data)/2] ^= 4 // the storage keeps the bytes it was given, and their checksum
	s.tell("a bit of %s flips", key)
}
