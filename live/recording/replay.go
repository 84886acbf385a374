package recording

import (
	"errors"
	"fmt"
	"runtime/debug"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// Options is where replayed tasks run.
type Options struct {
	Observer trace.Observer // nil: nobody looks; Time is not set
	// FS and Dir are for backends that keep local files, as in dataflow.Env. Each
	// incarnation gets a directory of its own below Dir.
	FS  any
	Dir string
}

// DivergedError says where a replay first differs from its recording.
type DivergedError struct {
	Task    id.TaskID
	Attempt id.Attempt
	Step    int    // index of the event in the incarnation, from 0; -1: none in particular
	What    string // the event and what differs
}

// Error names the incarnation, the event and what differs.
func (e *DivergedError) Error() string { return "replay: " + e.What }

// Replay runs every incarnation of rec again, from what the recording holds
// alone, and compares the chains after every event; then it checks that what
// arrived on every connection is what was sent there, in order. job must be
// built like the one recorded, with Config.HashContents on. The first
// difference is a DivergedError.
func Replay(job *dataflow.Job, rec *Recording, o Options) error {
	if !job.Config.HashContents {
		return errors.New("replay: Config.HashContents is off: there is nothing to compare")
	}
	info, err := job.Graph.Expand(job.Config.Groups)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	m := newMatcher(info)
	for i, x := range rec.Incarnations {
		if x == nil {
			continue // the recording was cut short before it began
		}
		if x.Task < 0 || int(x.Task) >= len(info) {
			return fmt.Errorf("replay: the recording has task %s, the job %d tasks: it is of another job", x.Task, len(info))
		}
		p := &player{job: job, x: x, info: info, task: &info[x.Task], matcher: m, connections: make([]uint64, len(info[x.Task].Outputs)), transfers: map[id.Ticket]state.Transfer{}}
		at := o
		if o.Dir != "" {
			at.Dir = fmt.Sprintf("%s/replay-%d", o.Dir, i)
		}
		if err := p.play(at); err != nil {
			return err
		}
	}
	return m.check()
}

// player replays one incarnation. It is the host of its task.
type player struct {
	job         *dataflow.Job
	x           *Incarnation
	info        []dataflow.TaskInfo
	task        *dataflow.TaskInfo
	matcher     *matcher
	step        int
	answer      int      // next answer of the step
	connections []uint64 // by output, 0: none
	transfers   map[id.Ticket]state.Transfer
	failure     error // Host.Fail
	diverged    error
}

// play feeds the incarnation its events.
func (p *player) play(o Options) (err error) {
	task, err := dataflow.NewTask(p.job, p.task, dataflow.Env{Host: p, Observer: o.Observer, Dir: o.Dir, FS: o.FS})
	if err != nil {
		return fmt.Errorf("replay: %s: %w", p.x.name(p.info), err)
	}
	defer func() {
		if v := recover(); v != nil {
			err = p.differs("it panics: %v\n%s", v, debug.Stack())
			return
		}
		err = errors.Join(err, task.Close())
	}()
	for p.step = range p.x.Steps {
		s := &p.x.Steps[p.step]
		if !s.Ended {
			p.matcher.cutShort(p.x) // a panic, or the end of the recording
			return nil
		}
		if err := p.before(s); err != nil {
			return err
		}
		p.answer = 0
		ev := *s.Event
		if ev.Buffer != nil {
			b := *ev.Buffer // the task may trim it
			ev.Buffer = &b
		}
		task.Step(&ev)
		if err := p.after(s, task.Chain()); err != nil {
			return err
		}
	}
	return nil
}

// before does what the driver had done by the time of the event.
func (p *player) before(s *Step) error {
	ev := s.Event
	if !p.hasPort(ev) {
		return p.differs("the task has %d inputs and %d outputs: the recording is of another job", len(p.task.Inputs), len(p.task.Outputs))
	}
	switch ev.Kind {
	case dataflow.EvArrive:
		p.matcher.arrived(p, s.Connection, ev.Port, ev.Buffer)
	case dataflow.EvConnected:
		p.connections[ev.Port] = s.Connection
		p.matcher.connected(s.Connection, p.task.Outputs[ev.Port].ID, p.x)
	case dataflow.EvCutOutput:
		p.connections[ev.Port] = 0
	case dataflow.EvTransfer:
		if ev.Err == nil {
			return p.transfer(ev.Ticket)
		}
	default: // the driver had nothing to do
	}
	return nil
}

// hasPort reports whether the task has the input or output that an event names.
func (p *player) hasPort(ev *dataflow.Event) bool {
	switch ev.Kind {
	case dataflow.EvArrive, dataflow.EvCutInput:
		return ev.Port < len(p.task.Inputs) && (ev.Kind != dataflow.EvArrive || ev.Buffer != nil)
	case dataflow.EvCredit, dataflow.EvCutOutput, dataflow.EvConnected, dataflow.EvReply:
		return ev.Port < len(p.task.Outputs)
	case dataflow.EvStart, dataflow.EvKeep:
		return ev.Plan != nil
	default:
		return true
	}
}

func (p *player) after(s *Step, chain uint64) error {
	switch {
	case p.diverged != nil:
		return p.diverged
	case p.answer < len(s.Answers):
		return p.differs("it asked for %d answers (draws, clock, random numbers), the recorded run for %d", p.answer, len(s.Answers))
	case p.failure != nil && !s.Failed:
		return p.differs("it fails: %v; the recorded run did not", p.failure)
	case p.failure == nil && s.Failed:
		return p.differs("the recorded run failed: %s; the replay does not", s.Failure)
	case chain != s.Chain:
		return p.differs("its chain is %016x, recorded %016x", chain, s.Chain)
	}
	p.failure = nil
	return nil
}

func (p *player) differs(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	return &DivergedError{
		Task: p.x.Task, Attempt: p.x.Attempt, Step: p.step,
		What: fmt.Sprintf("%s: event %d (%s): %s", p.x.name(p.info), p.step, describe(p.x.Steps[p.step].Event, p.x.Steps[p.step].Connection), what),
	}
}

// transfer carries a transfer out with the recorded outcomes of its operations.
func (p *player) transfer(t id.Ticket) error {
	tr := p.transfers[t]
	if tr == nil {
		return p.differs("it completes transfer %d, which the replay has not begun", t)
	}
	delete(p.transfers, t)
	recorded := p.x.transfers[t]
	var results []state.Result
	for {
		ops, done, err := tr.Next(results)
		if err != nil {
			return p.differs("transfer %d fails: %v; the recorded one did not", t, err)
		}
		if done {
			return nil
		}
		results = make([]state.Result, len(ops))
		for i := range ops {
			var ok bool
			if recorded, results[i], ok = outcome(recorded, &ops[i]); !ok {
				return p.differs("transfer %d wants %s %q, which the recorded one did not ask for", t, ops[i].Kind, ops[i].Key)
			}
		}
	}
}

// outcome takes the recorded outcome of op. A write that was not recorded is
// fine: how state is cut into files is the backend's affair.
func outcome(recorded []transferResult, op *state.Op) (rest []transferResult, r state.Result, ok bool) {
	for i := range recorded {
		if recorded[i].kind == op.Kind && recorded[i].key == op.Key {
			r = recorded[i].result
			return append(recorded[:i:i], recorded[i+1:]...), r, true
		}
	}
	if op.Kind == state.OpPut || op.Kind == state.OpCreate {
		return recorded, state.Result{Status: state.OK}, true
	}
	return recorded, r, false
}

// next returns the next recorded answer, which must be of this kind.
func (p *player) next(kind entryKind) Answer {
	s := &p.x.Steps[p.step]
	if p.answer < len(s.Answers) && s.Answers[p.answer].kind == kind {
		p.answer++
		return s.Answers[p.answer-1]
	}
	if p.diverged == nil {
		p.diverged = p.differs("it asks for an answer (a draw, the clock or a random number) that the recorded run did not ask for there")
	}
	return Answer{kind: kind}
}

// The Host of the replayed task: what it does goes nowhere, except that sends
// are kept for matching and transfers for their completion.

func (p *player) Send(out int, b *dataflow.Buffer) { p.matcher.sent(p.connections[out], b) }

func (p *player) Transfer(t id.Ticket, tr state.Transfer) { p.transfers[t] = tr }

func (p *player) Draw(c dataflow.Choice, n int) int {
	a := p.next(entryDraw)
	if p.diverged == nil && (a.choice != c || a.n != n) {
		p.diverged = p.differs("it makes choice %d among %d, the recorded run choice %d among %d", c, n, a.choice, a.n)
	}
	return int(a.value)
}

func (p *player) Now() int64     { return int64(p.next(entryNow).value) }
func (p *player) Random() uint64 { return p.next(entryRandom).value }

func (p *player) Fail(err error) { p.failure = err }

func (p *player) NewBuffer() *dataflow.Buffer {
	return &dataflow.Buffer{Data: make([]byte, 0, min(p.job.Config.BatchBytes, 4<<10))}
}

func (p *player) Credit(int, int, *dataflow.Buffer)          {}
func (p *player) Back(int, []byte)                           {}
func (p *player) Tell([]byte)                                {}
func (p *player) Timer(id.Ticket, dataflow.Nanos)            {}
func (p *player) Store(id.Ticket, state.Op)                  {}
func (p *player) External(id.Ticket, dataflow.ExtOp)         {}
func (p *player) HandedOut(id.SplitID, id.Offset, id.Offset) {}
func (p *player) Ready([]id.Seq)                             {}
func (p *player) Left()                                      {}
