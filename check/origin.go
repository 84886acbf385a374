package check

import (
	"cmp"
	"maps"
	"slices"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// Origin is the savepoint that a job begins from: what it holds, and what had become visible
// before. To the oracles it is a checkpoint of a former graph without channels, of which
// nothing else is known.
type Origin struct {
	Epoch id.Epoch
	Owns  func(key string) bool // of its objects in storage
	// Claimed: the job may delete it once it goes back to it no more.
	Claimed bool
	Tasks   []OriginTask // by TaskID of the job that wrote it
	Rows    [][]byte     // visible before
	// RowsUnknown: nobody knows which rows were. Of those of the answer none is missing then, and
	// where several make one row of it nothing can be said.
	RowsUnknown bool
	// Held is the least of what held for state and output of the job before (Checker.Held), 0:
	// exactly once. Nobody makes more of it any more.
	Held Guarantee
	// TakenBack is how many visible rows rollbacks of the job before had taken back that had not come again.
	TakenBack int64
}

// ReadOrigin reads the savepoint below root, of which the timers of event time are the state
// eventTimers, as docs/snapshot-format.md says: with nothing of the code that is judged. Operators are
// called as they were, and splits are numbered within them: see As.
func ReadOrigin(st state.Storage, root, eventTimers string) (*Origin, error) {
	e, tasks, err := readSaved(st, root)
	if err != nil {
		return nil, err
	}
	o := &Origin{Epoch: e}
	for _, t := range slices.Sorted(maps.Keys(tasks)) {
		x := tasks[t]
		for len(o.Tasks) <= int(t) {
			o.Tasks = append(o.Tasks, OriginTask{})
		}
		o.Tasks[t] = OriginTask{Operator: x.operator, Sum: x.adds, Watermark: x.watermark, Splits: x.splits, Pending: x.pending}
		for _, at := range x.timers {
			if to := &o.Tasks[t].Timers; at.state == eventTimers {
				*to = append(*to, at.OriginTime)
			} else {
				o.Tasks[t].Alarms = append(o.Tasks[t].Alarms, at.OriginTime)
			}
		}
	}
	return o, nil
}

// As returns the origin as a job knows it: now says what it calls an operator, "" if it has it no
// more, and which is the first of its splits.
func (o *Origin) As(now func(operator string) (name string, first id.SplitID)) *Origin {
	as := *o
	as.Tasks = slices.Clone(o.Tasks)
	for i := range as.Tasks {
		t := &as.Tasks[i]
		name, first := now(t.Operator)
		t.Operator, t.Splits = name, nil
		for _, s := range o.Tasks[i].Splits {
			if s.Split += first; name != "" {
				t.Splits = append(t.Splits, s)
			}
		}
	}
	return &as
}

// unknown reports that rows of the answer may have become visible before the job began, which nobody
// knows of.
func (o *Origin) unknown() bool { return o != nil && o.RowsUnknown }

// takenBack returns how many rows may come again since they did not in the job before.
func (o *Origin) takenBack() int64 {
	if o == nil {
		return 0
	}
	return o.TakenBack
}

// held returns a guarantee as far as it holds for a job that begins from o.
func (o *Origin) held(g Guarantee) Guarantee {
	if o == nil || o.Held == 0 {
		return g
	}
	return min(g, o.Held)
}

// OriginTask is what a savepoint holds of one task.
type OriginTask struct {
	Operator  string // as it is called now; "": the job has it no more
	Sum       uint64 // of the state that adds up over instances
	Watermark int64
	Splits    []OriginSplit
	Pending   []id.Epoch   // transactions sealed and not known to be committed
	Timers    []OriginTime // of event time
	Alarms    []OriginTime // of processing time
}

// OriginSplit is how far a split was read, and what its source had said of event time.
type OriginSplit struct {
	Split     id.SplitID
	Offset    uint64
	Watermark int64
	Ended     bool
}

// OriginTime is a timer.
type OriginTime struct {
	At  int64
	Key []byte
}

// origins is the number of former graphs that a run begins with.
func (m *model) origins() int {
	if m.x.Origin == nil {
		return 0
	}
	return 1
}

// ofOrigin reports that an epoch is of the time before the job began.
func (m *model) ofOrigin(e id.Epoch) bool {
	return m.x.Origin != nil && e != 0 && e.Attempt() <= m.x.Origin.Epoch.Attempt()
}

// originate begins a run with the origin as a former graph. Which of its tasks has which
// record is not known: the first one is given all.
func (m *model) originate() {
	o := m.x.Origin
	if o == nil {
		return
	}
	l := leg{graph: graph{tasks: make([]task, len(o.Tasks))}, last: o.Epoch.Attempt()}
	h := inheritance{epoch: o.Epoch, root: none}
	for i := range o.Tasks {
		x, t := &o.Tasks[i], &l.tasks[i]
		l.xTasks = append(l.xTasks, Task{Operator: x.Operator, Source: len(x.Splits) > 0})
		*t = task{fed: i == 0, part: none, restored: none, inherits: none, segment: m.branch(none, 0, 0)}
		s := snapshot{task: id.TaskID(i), epoch: o.Epoch, segment: t.segment, splits: none, inherits: none, sum: x.Sum, marks: len(m.marks), captures: none, stored: true, landed: true}
		if i == 0 {
			m.segments[t.segment].ids = m.handedOut(m.segments[t.segment].ids)
			s.records = len(m.segments[t.segment].ids)
			h.records = s.records
		}
		m.tick++
		s.tick = m.tick
		for _, p := range x.Splits {
			m.positions = append(m.positions, position{s.splits, p.Split, p.Offset})
			s.splits = int32(len(m.positions) - 1)
		}
		h.parts = append(h.parts, int32(len(m.snapshots)))
		t.snapshots = append(t.snapshots, int32(len(m.snapshots)))
		m.snapshots = append(m.snapshots, s)
	}
	m.legs, m.inheritances = append(m.legs, l), append(m.inheritances, h)
}

// handedOut appends the records in front of the offsets of the origin.
func (m *model) handedOut(ids []uint32) []uint32 {
	for i := range m.x.Origin.Tasks {
		for _, p := range m.x.Origin.Tasks[i].Splits {
			s := m.x.Splits[p.Split]
			for k := range min(p.Offset, m.x.size(p.Split)) {
				ids = append(ids, uint32(s.Residue+int(k)*s.Modulus))
			}
		}
	}
	return ids
}

// clock is event time of the task in the origin.
func (x *OriginTask) clock() clock {
	c := clock{at: x.Watermark, before: x.Watermark, seen: x.Watermark, owed: trace.NoTime, holding: holding{timers: timersOf(x.Timers)}}
	for _, s := range x.Splits {
		c.splits = append(c.splits, said{s.Split, s.Watermark, s.Ended})
	}
	return c
}

// timersOf returns timers by time.
func timersOf(all []OriginTime) []timer {
	var out []timer
	for _, t := range all {
		out = append(out, timer{t.At, hash(t.Key)})
	}
	slices.SortFunc(out, func(a, b timer) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) })
	return out
}

// names reports that the origin names a transaction as sealed.
func (o *Origin) names(t id.TaskID, e id.Epoch) bool {
	return int(t) < len(o.Tasks) && slices.Contains(o.Tasks[t].Pending, e)
}

// has reports that the origin has an operator.
func (o *Origin) has(operator string) bool {
	return slices.ContainsFunc(o.Tasks, func(x OriginTask) bool { return x.Operator == operator })
}
