package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Errors of whoever asks a running job.
var (
	// ErrRecovering: a task that would have to answer does not run at the moment. Ask again.
	ErrRecovering = errors.New("the job is recovering")
	// ErrEnded: the job has ended.
	ErrEnded = errEnded
	// ErrUnknownOperator is wrapped by an error that lists the operators with keyed state.
	ErrUnknownOperator = errors.New("unknown operator")
)

// Found is what the job has under one key, as its owner had it between two of its steps.
type Found struct {
	// Task is the owner of the key group, Attempt that of the incarnation that has answered.
	Task    id.TaskID
	Attempt id.Attempt
	// Entries are the caller's, with their own memory: one, or of a map one for each field;
	// none: there is nothing under the key.
	Entries []state.KeyedEntry
}

// Lookup reads what a keyed state of an operator has under keys, each at the task that owns its key
// group, on that task's own goroutine between two of its steps. The answer has the order of keys. Keys of
// one task are read at one moment; those of different tasks are not. What is read may be rolled
// back. Nothing of the job waits for it.
//
// Errors wrap ErrUnknownOperator, dataflow.ErrUnknownState, ErrRecovering or ErrEnded, or are
// those of ctx or of a store that has failed.
func (j *Job) Lookup(ctx context.Context, operator, name string, keys []state.Key) (state.Descriptor, []Found, error) {
	l := j.leg.Load()
	tasks, err := l.keyed(operator)
	if err != nil {
		return state.Descriptor{}, nil, err
	}
	found := make([]Found, len(keys))
	var asks []*question
	descriptors := make([]state.Descriptor, len(tasks))
	for i, at := range dataflow.Owned(tasks, keys, l.job.Config.Mutant) {
		if at == nil && (asks != nil || i < len(tasks)-1) { // somebody has to say whether there is such a state
			continue
		}
		var own []state.Key
		for _, k := range at {
			own = append(own, keys[k])
		}
		asks = append(asks, newQuestion(l, &tasks[i], func(t *dataflow.Task, a id.Attempt) (err error) {
			for _, k := range at {
				found[k] = Found{Task: tasks[i].ID, Attempt: a}
			}
			descriptors[i], err = t.Lookup(name, own, func(n int, _ state.Descriptor, e state.KeyedEntry) {
				f := &found[at[n]]
				f.Entries = append(f.Entries, state.KeyedEntry{Group: e.Group, Key: own[n].Bytes, Field: slices.Clone(e.Field), Value: slices.Clone(e.Value)})
			})
			return err
		}))
	}
	if err := j.ask(ctx, asks); err != nil {
		return state.Descriptor{}, nil, err
	}
	return descriptors[asks[0].info.Index], found, nil
}

// States returns the keyed states that an operator has, timers among them, by name. Errors
// are those of Lookup.
func (j *Job) States(ctx context.Context, operator string) ([]state.Descriptor, error) {
	l := j.leg.Load()
	tasks, err := l.keyed(operator)
	if err != nil {
		return nil, err
	}
	var all []state.Descriptor
	q := newQuestion(l, &tasks[0], func(t *dataflow.Task, _ id.Attempt) (err error) {
		all, err = t.States()
		return err
	})
	if err := j.ask(ctx, []*question{q}); err != nil {
		return nil, err
	}
	return all, nil
}

// Keyed returns the tasks of an operator that has keyed state, by instance. Errors wrap
// ErrUnknownOperator.
func (j *Job) Keyed(operator string) ([]dataflow.TaskInfo, error) {
	return j.leg.Load().keyed(operator)
}

func (l *leg) keyed(operator string) ([]dataflow.TaskInfo, error) {
	known := l.operators()
	if !slices.Contains(known, operator) {
		return nil, fmt.Errorf("%w: no operator with keyed state is called %q; known: %s", ErrUnknownOperator, operator, strings.Join(known, ", "))
	}
	i := slices.IndexFunc(l.info, func(t dataflow.TaskInfo) bool { return t.Name == operator })
	return l.info[i : i+l.info[i].Parallelism], nil
}

// Operators returns the names of the operators with keyed state, in the order of the graph.
func (j *Job) Operators() (names []string) { return j.leg.Load().operators() }

func (l *leg) operators() (names []string) {
	for _, v := range l.job.Graph.Vertices {
		if v.Keyed {
			names = append(names, v.Name)
		}
	}
	return names
}

// question is something that a task is to do between two steps, on its own goroutine.
type question struct {
	leg    *leg
	info   *dataflow.TaskInfo
	do     func(t *dataflow.Task, a id.Attempt) error
	err    error         // of do
	runner *runner       // that is asked; nil: nobody yet
	done   chan struct{} // closed when it was answered
}

func newQuestion(l *leg, t *dataflow.TaskInfo, do func(*dataflow.Task, id.Attempt) error) *question {
	return &question{leg: l, info: t, do: do, done: make(chan struct{})}
}

// ask has questions answered, and waits for the answers. When it fails a task may still
// be about to write into what belongs to the caller.
func (j *Job) ask(ctx context.Context, all []*question) error {
	if err := j.look(ctx, func(c *control) error { return c.ask(all) }); err != nil {
		return err
	}
	for _, q := range all {
		if err := q.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// look has f called by the control loop, between two events of the coordinator, and returns its
// error. When ctx ends first f may still be called.
func (j *Job) look(ctx context.Context, f func(c *control) error) error {
	return j.request(ctx, report{kind: repLook, look: f})
}

// request has the control loop do something, and returns its answer.
func (j *Job) request(ctx context.Context, m report) error {
	m.answer = make(chan error, 1)
	j.control.post(m)
	select {
	case err := <-m.answer:
		return err
	case <-j.done:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wait returns when the question was answered, or will not be any more.
func (q *question) wait(ctx context.Context) error {
	select {
	case <-q.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-q.runner.ended:
		select {
		case <-q.done: // it was answered with its last step
		default:
			return fmt.Errorf("%w: %s[%d] has ended before it could answer", ErrRecovering, q.info.Name, q.info.Index)
		}
	}
	if errors.Is(q.err, dataflow.ErrNotReady) {
		return fmt.Errorf("%w: %w", ErrRecovering, q.err)
	}
	return q.err
}

// ask passes questions on to the incarnations that run.
func (c *control) ask(all []*question) error {
	for _, q := range all {
		r, alive := c.aliveIn(q.leg, q.info)
		if !alive {
			return fmt.Errorf("%w: %s[%d] does not run", ErrRecovering, q.info.Name, q.info.Index)
		}
		q.runner = r
	}
	for _, q := range all {
		q.runner.asked.put(q)
		q.runner.inbox.post(message{kind: msgNudge})
	}
	return nil
}

// questions are those that a runner has not answered yet. They stand beside its inbox, so
// that a message is no larger for them; a nudge announces them.
type questions struct {
	mu  sync.Mutex
	all []*question
}

func (q *questions) put(x *question) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all = append(q.all, x)
}

func (q *questions) take() []*question {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.all
	q.all = nil
	return all
}

// answer answers what the task has been asked.
func (r *runner) answer() {
	for _, q := range r.asked.take() {
		q.err = q.do(r.task, r.attempt)
		close(q.done)
	}
}
