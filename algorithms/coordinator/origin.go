package coordinator

import (
	"fmt"
	"slices"
	"strings"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
)

// Beginning is what the tasks of a job begin with, by TaskID; empty: with nothing. It stands in
// every plan as long as the job may go back to it.
type Beginning []*dataflow.Saved

// Beginning returns what the tasks of a plan begin with, in a job that may have another shape by
// now: empty if the plan says nothing, or there is none.
func (p *PlanRecord) Beginning(tasks []dataflow.TaskInfo) Beginning {
	if p == nil || len(p.Plan.Tasks) == 0 || p.Plan.Tasks[0].Saved == nil {
		return nil
	}
	b := make(Beginning, len(tasks))
	for i := range tasks {
		first, n := p.Shape.Of(tasks[i].Name)
		if n > 0 {
			b[i] = p.Plan.Tasks[first].Saved
			continue
		}
		s := *p.Plan.Tasks[0].Saved
		s.Operator = ""
		b[i] = &s
	}
	return b
}

// Epoch is that of the savepoint, 0: there is none.
func (b Beginning) Epoch() id.Epoch {
	if len(b) == 0 {
		return 0
	}
	return b[0].Epoch
}

// UpTo is the newest of the savepoint and of the transactions that it names, 0: there is none.
func (b Beginning) UpTo() id.Epoch {
	if len(b) == 0 {
		return 0
	}
	return b[0].UpTo()
}

// Names is the number of tasks that the job had that wrote the savepoint.
func (b Beginning) Names() int {
	if len(b) == 0 {
		return 0
	}
	return b[0].Names
}

// Into writes it into a plan.
func (b Beginning) Into(p *dataflow.Plan) {
	for t := range b {
		p.Tasks[t].Saved = b[t]
	}
}

// LetGo deletes the savepoint of a job that goes back to it no more, if it is the job's own, the
// manifest first: without it there is no savepoint. Whoever starts in the middle of it does it again.
func (b Beginning) LetGo(c *Client, then func()) {
	if len(b) == 0 || !b[0].Claimed {
		then()
		return
	}
	nothing := func(string) bool { return false }
	manifest := savepoint.ManifestKey(b[0].Root)
	c.DeleteConfirmed([]string{manifest}, nothing, func() {
		c.Find([]string{b[0].Root + "/"}, func(rows []state.Entry, _ []string) {
			keys := make([]string, len(rows))
			for i := range rows {
				keys[i] = rows[i].Key
			}
			c.DeleteConfirmed(keys, nothing, then)
		})
	})
}

// ReadBeginning reads manifest and indexes of the savepoint that a job begins from. An error says what is
// wrong with it, or why it is none for this job.
func ReadBeginning(c *Client, j *dataflow.JobInfo, then func(Beginning, error)) {
	root := j.From.Root
	key := savepoint.ManifestKey(root)
	c.Do(state.Op{Kind: state.OpGet, Key: key}, func(r state.Result) {
		m, err := readManifest(key, r)
		if err != nil {
			then(nil, err)
			return
		}
		readIndexes(c, root, m, func(parts []*savepoint.Index, err error) {
			if err != nil {
				then(nil, err)
				return
			}
			then(Begin(j.Name, j.From, m, parts, j.Tasks))
		})
	})
}

func readManifest(key string, r state.Result) (*savepoint.Manifest, error) {
	err := unreadable(key, r)
	var m *savepoint.Manifest
	if err == nil {
		m, err = savepoint.DecodeManifest(r.Data)
	}
	if err != nil {
		return nil, &savepoint.Damage{File: key, Holds: "the whole savepoint", Err: err}
	}
	return m, nil
}

func unreadable(key string, r state.Result) error {
	if r.Status == state.OK {
		return nil
	}
	return &state.OpError{Kind: state.OpGet, Key: key, Status: r.Status, Err: r.Err}
}

// readIndexes reads all indexes of a savepoint, in the order of the manifest.
func readIndexes(c *Client, root string, m *savepoint.Manifest, then func([]*savepoint.Index, error)) {
	var parts []*savepoint.Index
	left, failed := 0, false
	for i := range m.Operators {
		left += len(m.Operators[i].Parts)
	}
	parts = make([]*savepoint.Index, left)
	if left == 0 {
		then(nil, nil)
		return
	}
	n := 0
	for i := range m.Operators {
		o := &m.Operators[i]
		for k := range o.Parts {
			at, key := n, savepoint.IndexKey(root, o.Parts[k].Task)
			n++
			c.Do(state.Op{Kind: state.OpGet, Key: key}, func(r state.Result) {
				if failed {
					return
				}
				err := unreadable(key, r)
				if err != nil {
					err = &savepoint.Damage{File: key, Holds: fmt.Sprintf("all states and key groups of %s[%d]", o.Name, k), Err: err}
				} else {
					parts[at], err = savepoint.ReadIndex(root, m, o, k, r.Data)
				}
				if left--; err != nil {
					failed = true
					then(nil, err)
				} else if left == 0 {
					then(parts, nil)
				}
			})
		}
	}
}

// Begin says what the tasks of job name begin with where from is a savepoint with a manifest and
// indexes, these in the order of the manifest. The error, which wraps state.ErrIncompatible, says why the
// job cannot begin from it, and what would help.
func Begin(name string, from *dataflow.Origin, m *savepoint.Manifest, parts []*savepoint.Index, tasks []dataflow.TaskInfo) (Beginning, error) {
	if err := begins(name, from, m, parts, tasks); err != nil {
		return nil, fmt.Errorf("%w: %w", err, state.ErrIncompatible)
	}
	names := 0
	var sealed []dataflow.Sealed
	for _, x := range parts {
		names = max(names, int(x.ID)+1)
		for _, e := range x.Pending {
			sealed = append(sealed, dataflow.Sealed{Task: x.ID, Epoch: e})
		}
	}
	b := make(Beginning, len(tasks))
	for i := range tasks {
		s := &dataflow.Saved{Root: from.Root, Epoch: m.Epoch, Names: names, Claimed: from.Claimed, Sealed: sealed}
		if was := nameIn(from, m, tasks[i].Name); was != "" {
			s.Operator = was
		}
		b[i] = s
	}
	return b, nil
}

// nameIn returns what an operator of the job is called in the savepoint; "": it is new.
func nameIn(from *dataflow.Origin, m *savepoint.Manifest, operator string) string {
	for _, r := range from.Renamed {
		if r.To == operator {
			return r.From
		}
	}
	for i := range m.Operators {
		if o := m.Operators[i].Name; o == operator && nameNow(from, o) == operator && !slices.Contains(from.Dropped, o) {
			return o
		}
	}
	return ""
}

// nameNow returns what an operator of the savepoint is called in the job, if that has it.
func nameNow(from *dataflow.Origin, operator string) string {
	for _, r := range from.Renamed {
		if r.From == operator {
			return r.To
		}
	}
	return operator
}

func begins(name string, from *dataflow.Origin, m *savepoint.Manifest, parts []*savepoint.Index, tasks []dataflow.TaskInfo) error {
	if m.Job != name {
		return fmt.Errorf("it is a savepoint of job %q, this is job %q: run that one, or name a savepoint of this one", m.Job, name)
	}
	if n := tasks[0].NumGroups; m.Groups != n {
		return fmt.Errorf("it has %d key groups and the job %d: a job keeps the number of its key groups; give it %d", m.Groups, n, m.Groups)
	}
	if err := namesFit(from, m, ShapeOf(tasks)); err != nil {
		return err
	}
	for i := range m.Operators {
		o := &m.Operators[i]
		shares := parts[:len(o.Parts)]
		parts = parts[len(o.Parts):]
		if slices.Contains(from.Dropped, o.Name) {
			if err := settled(shares, "dropped"); err != nil {
				return err
			}
			continue
		}
		now := nameNow(from, o.Name)
		at := slices.IndexFunc(tasks, func(t dataflow.TaskInfo) bool { return t.Name == now })
		if !writes(&tasks[at]) {
			if err := settled(shares, fmt.Sprintf("%q, which is no sink", now)); err != nil {
				return err
			}
		}
		if err := takesSplits(&tasks[at], shares); err != nil {
			return err
		}
	}
	return nil
}

// namesFit matches the operators of savepoint and job.
func namesFit(from *dataflow.Origin, m *savepoint.Manifest, now Shape) error {
	was := make(Shape, len(m.Operators))
	for i := range m.Operators {
		was[i] = Operator{m.Operators[i].Name, len(m.Operators[i].Parts)}
	}
	taken := map[string]string{}
	for _, r := range from.Renamed {
		_, before := was.Of(r.From)
		_, after := now.Of(r.To)
		switch {
		case before == 0:
			return fmt.Errorf("operator %q, which is called %q now, is not in the savepoint; it has %s", r.From, r.To, was.names())
		case after == 0:
			return fmt.Errorf("operator %q is called %q now, and the job has none of that name; it has %s", r.From, r.To, now.names())
		case taken[r.To] != "" || slices.Contains(from.Dropped, r.From):
			return fmt.Errorf("operator %q is to be %q, and something else is said of one of both: say one thing of each", r.From, r.To)
		}
		taken[r.To] = r.From
	}
	for _, d := range from.Dropped {
		if _, n := was.Of(d); n == 0 {
			return fmt.Errorf("operator %q, which may be dropped, is not in the savepoint; it has %s", d, was.names())
		}
	}
	for i := range was {
		name := was[i].Name
		if slices.Contains(from.Dropped, name) {
			continue
		}
		next := nameNow(from, name)
		if _, n := now.Of(next); n == 0 {
			return fmt.Errorf("it holds operator %q, which this job does not have (it has %s): allow that what it holds is lost (--allow-dropped %s), or say what it is called now (--rename %s=NAME)", name, now.names(), name, name)
		}
		if by := taken[next]; by != "" && by != name {
			return fmt.Errorf("operators %q and %q of the savepoint would both be %q: allow that one of them is dropped (--allow-dropped %s)", by, name, next, name)
		}
		taken[next] = name
	}
	return nil
}

// names lists the operators of a shape.
func (s Shape) names() string {
	var all []string
	for i := range s {
		all = append(all, s[i].Name)
	}
	return strings.Join(all, ", ")
}

// settled refuses to lose transactions that nobody else than a sink in the place of theirs can commit.
func settled(shares []*savepoint.Index, become string) error {
	for _, x := range shares {
		if len(x.Pending) > 0 {
			return fmt.Errorf("operator %q cannot be %s: %s[%d] has sealed %d transactions that nobody else can commit; give them to a sink of the job (--rename %s=NAME)", x.Operator, become, x.Operator, x.Instance, len(x.Pending), x.Operator)
		}
	}
	return nil
}

// writes reports whether a task writes to the external store.
func writes(t *dataflow.TaskInfo) bool {
	return t.Role == dataflow.RoleSink || t.Role == dataflow.RoleWriter
}

// takesSplits refuses an operator that does not read the splits that its shares have.
func takesSplits(t *dataflow.TaskInfo, shares []*savepoint.Index) error {
	readers := map[int]int{}
	for _, x := range shares {
		for _, s := range x.Splits {
			readers[s.Split]++
		}
	}
	for s := range max(t.Splits, len(readers)) {
		if readers[s] != 1 || s >= t.Splits {
			return fmt.Errorf("operator %q has %d splits in the savepoint and %d in the job: a job keeps the number of its splits; give it %d", shares[0].Operator, len(readers), t.Splits, len(readers))
		}
	}
	return nil
}

// Vanish has the sinks of a plan settle the names of tasks below n that are none of theirs: those
// of sinks of other shapes, of which no snapshot may tell.
func Vanish(n id.TaskID, tasks []dataflow.TaskInfo, p *dataflow.Plan) {
	var sinks []int
	for i := range tasks {
		if writes(&tasks[i]) {
			sinks = append(sinks, i)
		}
	}
	for name := range n {
		if len(sinks) == 0 {
			return // nothing outside
		}
		if int(name) >= len(tasks) || !writes(&tasks[name]) {
			t := &p.Tasks[sinks[int(name)%len(sinks)]]
			t.Vanished = append(t.Vanished, name)
		}
	}
}
