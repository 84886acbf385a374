package sim

import (
	"fmt"
	"iter"
	"slices"

	"weir/dataflow"
	"weir/faults"
	"weir/id"
	"weir/sim/seed"
	"weir/state"
	"weir/trace"
)

// A reader is a party outside the job: a query of the plan has it ask for some keys of a keyed
// state, twice. The tasks that own them are each asked by a message what they have. And the
// reader reads in storage what the newest complete checkpoint has, by operations that take their
// time like anybody's, while the job goes on and deletes what it no longer needs. Whatever is answered
// is shown as Queried beside what there was by the simulator's own view: for that it scans all states at
// the instant of every snapshot, and those of all instances when a task answers. It reads
// no files and knows no key groups.

// Lookup is what a reader wants to know.
type Lookup struct {
	Operator, State string
	Keys            []state.Key
}

// Reader reads keys in the files of the newest complete checkpoint, which newest names, and says of
// which one they are: by key, all entries. It is code under test, and is called off the queue of
// events: each operation on st returns when its outcome has come.
type Reader func(st state.Storage, newest func() dataflow.Complete, l Lookup) (at dataflow.Complete, found [][]state.KeyedEntry, err error)

// queries are those of a run.
type queries struct {
	s       *Sim
	random  *seed.Stream
	due     []faults.Fault
	asks    []ask
	reading *reading // nil: none is under way
	number  uint32   // of the newest one
	waits   bool     // for the first checkpoint of a leg: then all tasks are there

	complete dataflow.Completion
	views    map[viewAt]view     // of snapshots, at their instant
	whole    map[id.Epoch][]view // of complete checkpoints
	before   []view              // of the newest
}

// ask is a question on its way to a task.
type ask struct {
	Lookup
	to int32
}

// view is what an instance of an operator has: by state and key, the hash of all entries.
type view struct {
	operator string
	has      map[string]uint64
}

type viewAt struct {
	task  id.TaskID
	epoch id.Epoch
}

func placeOf(name string, key []byte) string { return name + "\x00" + string(key) }

// begin forgets the run before.
func (q *queries) begin(s *Sim) {
	*q = queries{s: s, due: q.due[:0], asks: q.asks[:0]}
}

// watched reports whether somebody may ask: then snapshots are looked at.
func (q *queries) watched() bool { return q.s.cfg.Reader != nil }

// Wants is what the simulator's own view is made of.
func (q *queries) Wants() trace.Mask {
	return trace.Mask(0).With(trace.SnapshotBegun, trace.Completed, trace.PlanExecuted, trace.LineAdvanced)
}

// Observe looks at a task at the instant of its snapshot, and notes what is complete.
func (q *queries) Observe(e *trace.Event) {
	switch {
	case e.Kind == trace.SnapshotBegun:
		if t := q.s.startedBy(e.Task, e.Attempt); t != nil { // be it a zombie: the line may take it in
			if q.views == nil {
				q.views, q.whole = map[viewAt]view{}, map[id.Epoch][]view{}
			}
			q.views[viewAt{e.Task, e.Epoch}] = viewOf(t)
		}
	case e.Epoch != 0 && e.Kind != trace.LineAdvanced:
		q.gather(e.Epoch)
	}
	q.complete.Note(e.Kind, len(q.s.tasks), e.Task, e.Epoch)
	if q.waits && (e.Kind == trace.Completed || e.Kind == trace.LineAdvanced) {
		q.waits = false
		q.s.push(q.s.now, classCoordinator, kindQuery, 0, 0, 0)
	}
}

// gather puts a checkpoint together. A task that has left has no snapshot in it: what it had
// in the one before stands for it.
func (q *queries) gather(e id.Epoch) {
	if q.whole[e] == nil && q.views != nil {
		all := make([]view, len(q.s.tasks))
		for t := range all {
			v, ok := q.views[viewAt{id.TaskID(t), e}]
			if !ok && t < len(q.before) {
				v = q.before[t]
			}
			all[t] = v
		}
		q.whole[e] = all
	}
	q.before = q.whole[e]
}

// viewOf scans all that a task has.
func viewOf(t *taskHost) view {
	v := view{t.info.Name, map[string]uint64{}}
	store := t.task.State()
	for _, d := range store.States() {
		store.Entries(d.Name, func(e state.KeyedEntry) bool {
			v.has[placeOf(d.Name, e.Key)] += state.SumEntry(d.Name, e.Key, e.Field, e.Value)
			return true
		})
	}
	return v
}

// query takes a step of the plan that has fallen due. One at a time is under way.
func (s *Sim) query(f *faults.Fault) {
	q := &s.queries
	q.due = append(q.due, *f)
	q.turn()
}

// turn begins with the next query unless one is under way, or the leg has only just begun.
func (q *queries) turn() {
	if q.reading == nil && !q.waits {
		q.next()
	}
}

// next begins with the first query that is due and has something to ask for.
func (q *queries) next() {
	for len(q.due) > 0 && !q.s.over {
		f := q.due[0]
		q.due = slices.Delete(q.due, 0, 1)
		l, ok := q.draw(&f)
		if !ok {
			q.s.result.Missed = append(q.s.result.Missed, f) // nothing is there
			continue
		}
		q.s.result.Queries++
		q.askTasks(l)
		q.read(l)
		return
	}
}

// mostKeys are drawn for one query, beside one that nobody has.
const mostKeys = 3

// draw draws what is asked for, from what there is at the moment: keys of a state.
func (q *queries) draw(f *faults.Fault) (l Lookup, ok bool) {
	if q.random == nil {
		q.random = q.s.seeds.Stream(queryStream)
	}
	var names []string
	for i := range q.s.graph.Vertices {
		if v := &q.s.graph.Vertices[i]; v.Keyed && (f.Operator == "" || f.Operator == v.Name) {
			names = append(names, v.Name)
		}
	}
	if len(names) == 0 {
		return l, false
	}
	l.Operator = names[q.random.Draw(len(names))]
	var states []string
	keys := map[string][]state.Key{}
	for _, t := range q.s.tasks {
		if t.info.Name != l.Operator || t.task == nil {
			continue
		}
		store := t.task.State()
		for _, d := range store.States() {
			if d.Kind == state.KindTimers {
				continue
			}
			if !slices.Contains(states, d.Name) {
				states = append(states, d.Name)
			}
			store.Entries(d.Name, func(e state.KeyedEntry) bool {
				if all := keys[d.Name]; len(all) == 0 || string(all[len(all)-1].Bytes) != string(e.Key) {
					keys[d.Name] = append(all, state.Key{Hash: state.HashBytes(e.Key), Group: e.Group, Bytes: slices.Clone(e.Key)})
				}
				return true
			})
		}
	}
	if len(states) == 0 {
		return l, false
	}
	l.State = states[q.random.Draw(len(states))]
	there := keys[l.State]
	for range min(mostKeys, len(there)) {
		l.Keys = append(l.Keys, there[q.random.Draw(len(there))])
	}
	l.Keys = append(l.Keys, state.KeyOf([]byte("nobody"), q.s.groups))
	return l, true
}

// instances returns the tasks of an operator, by instance.
func (s *Sim) instances(operator string) []dataflow.TaskInfo {
	i := slices.IndexFunc(s.infos, func(t dataflow.TaskInfo) bool { return t.Name == operator })
	return s.infos[i : i+s.infos[i].Parallelism]
}

// askTasks sends to each task the keys that it owns.
func (q *queries) askTasks(l Lookup) {
	s := q.s
	tasks := s.instances(l.Operator)
	for i, own := range dataflow.Owned(tasks, l.Keys, s.cfg.Job.Config.Mutant) {
		if own == nil {
			continue
		}
		a := ask{Lookup{l.Operator, l.State, nil}, int32(tasks[i].ID)}
		for _, k := range own {
			a.Keys = append(a.Keys, l.Keys[k])
		}
		q.asks = append(q.asks, a)
		s.push(s.now+s.delay(s.cfg.Model.Message, MessageDelay, int(a.to)), classTask, kindAsk, a.to, s.tasks[a.to].inc(), uint64(len(q.asks)-1))
	}
}

// onAsk has a task answer. One that was replaced is asked by nobody.
func (s *Sim) onAsk(e *event) {
	t, put := s.current(e)
	if put || t == nil || !s.isCurrent(e.ref, e.gen) {
		return
	}
	a := &s.queries.asks[e.arg]
	sums := make([]uint64, len(a.Keys))
	_, err := t.task.Lookup(a.State, a.Keys, func(i int, d state.Descriptor, x state.KeyedEntry) {
		sums[i] += state.SumEntry(d.Name, a.Keys[i].Bytes, x.Field, x.Value)
	})
	if err != nil { // whoever asks is told to ask again
		return
	}
	var all []view
	for _, o := range s.tasks {
		if o.info.Name == a.Operator && o.task != nil {
			all = append(all, viewOf(o))
		}
	}
	for i := range a.Keys {
		s.queried(a.Lookup, i, t.info.ID, t.attempt(), 0, sums[i], sumIn(all, a.Lookup, i))
	}
}

// sumIn is what instances of an operator have under a key together.
func sumIn(all []view, l Lookup, i int) (sum uint64) {
	for k := range all {
		if all[k].operator == l.Operator {
			sum += all[k].has[placeOf(l.State, l.Keys[i].Bytes)]
		}
	}
	return sum
}

// queried shows an answer beside what there is.
func (s *Sim) queried(l Lookup, i int, t id.TaskID, a id.Attempt, e id.Epoch, got, is uint64) {
	s.observers.count(trace.Event{
		Kind: trace.Queried, Task: t, Channel: trace.NoChannel, Attempt: a, Epoch: e, Sum: got, To: is, Data: l.Keys[i].Bytes, Text: fmt.Sprintf("%s of %s", l.State, l.Operator),
	})
}

// reading is a reader at work in storage.
type reading struct {
	number uint32
	next   func() (state.Op, bool)
	stop   func()
	result state.Result // of the operation that it waits for
	yield  func(state.Op) bool

	lookup Lookup
	at     dataflow.Complete
	found  [][]state.KeyedEntry
	err    error
}

// Do issues an operation and returns when its outcome has come; a reader that is given
// up hears that it is unknown.
func (r *reading) Do(op state.Op) state.Result {
	if !r.yield(op) {
		return state.Result{Status: state.Failed, Err: fmt.Errorf("%s %q: the reader has been given up", op.Kind, op.Key)}
	}
	return r.result
}

// read begins a reading.
func (q *queries) read(l Lookup) {
	q.number++
	r := &reading{number: q.number, lookup: l}
	read := q.s.cfg.Reader
	r.next, r.stop = iter.Pull(func(yield func(state.Op) bool) {
		r.yield = yield
		r.at, r.found, r.err = read(r, q.complete.Newest, l)
	})
	q.reading = r
	q.step()
}

// step lets the reader go on to its next operation, or to its answer.
func (q *queries) step() {
	r := q.reading
	if op, more := r.next(); more {
		issue(q.s, &q.s.stores, op, owner{kind: ofReader, inc: r.number})
		return
	}
	q.reading = nil
	for i := range r.found {
		if r.err != nil { // nothing is complete, or it is damaged
			break
		}
		var got uint64
		for k := range r.found[i] {
			x := &r.found[i][k]
			got += state.SumEntry(r.lookup.State, x.Key, x.Field, x.Value)
		}
		q.answered(r, i, got)
	}
	q.next()
}

// answered shows what a checkpoint has under a key beside what it has by our own view.
func (q *queries) answered(r *reading, i int, got uint64) {
	if r.at.Line == nil {
		q.s.queried(r.lookup, i, trace.Coordinator, 0, r.at.Epoch, got, sumIn(q.whole[r.at.Epoch], r.lookup, i))
		return
	}
	tasks := q.s.instances(r.lookup.Operator)
	owner := tasks[state.InstanceOf(r.lookup.Keys[i].Group, len(tasks), q.s.groups)].ID
	var all []view
	for t, e := range r.at.Line {
		all = append(all, q.views[viewAt{id.TaskID(t), e}])
	}
	q.s.queried(r.lookup, i, owner, 0, r.at.Line[owner], got, sumIn(all, r.lookup, i))
}

// outcome hands the reader what came of its operation.
func (q *queries) outcome(number uint32, res state.Result) {
	if r := q.reading; r != nil && r.number == number {
		r.result = res
		q.step()
	}
}

// endLeg ends the query under way, as the job goes on as another one. Those that are due wait for it.
func (q *queries) endLeg() {
	q.stopReading()
	q.waits = len(q.due) > 0
}

func (q *queries) stopReading() {
	if r := q.reading; r != nil {
		q.reading = nil
		r.stop()
	}
}

// giveUp ends what is under way, as the run is over.
func (q *queries) giveUp() {
	q.stopReading()
	q.s.result.Missed = append(q.s.result.Missed, q.due...)
	q.due = q.due[:0]
}
