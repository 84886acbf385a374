package check

import (
	"slices"

	"weir/id"
	"weir/trace"
)

// inheritance is a checkpoint of a former graph as the tasks of later ones go on from
// it: which of them has which record nobody needs to know, as it is inherited as a whole.
type inheritance struct {
	epoch    id.Epoch
	leg      int     // of its graph, in model.legs
	parts    []int32 // by task of that graph: the snapshot in it
	root     int32   // what that graph rested on itself, none: nothing
	records  int     // source records delivered up to it, root's among them
	survived bool    // no recovery had rolled it back when it was last taken up
}

// inheritance returns the place of checkpoint e in m.inheritances; none: it is of the
// graph that the job is, or lacks a snapshot.
func (m *model) inheritance(e id.Epoch) int32 {
	n := m.legOf(e)
	if n == len(m.legs) {
		return none
	}
	for i := range m.inheritances {
		if m.inheritances[i].epoch == e {
			return int32(i)
		}
	}
	h := inheritance{epoch: e, leg: n, root: none}
	for i := range m.legs[n].tasks {
		t := &m.legs[n].tasks[i]
		p := m.find(t, e)
		if t.left && (p == none || !m.snapshots[p].stored) {
			p = t.part // drained before and gone meanwhile
		}
		if p == none {
			return none
		}
		s := &m.snapshots[p]
		h.parts = append(h.parts, p)
		h.root = max(h.root, s.inherits)
		if t.fed {
			h.records += s.records
		}
	}
	h.records += m.inheritedRecords(h.root)
	m.inheritances = append(m.inheritances, h)
	return int32(len(m.inheritances) - 1)
}

// inheritedRecords returns how many source records are in an inheritance.
func (m *model) inheritedRecords(h int32) int {
	if h == none {
		return 0
	}
	return m.inheritances[h].records
}

// inherited returns what the histories of the tasks rest on, as they stand.
func (m *model) inherited() int32 {
	h := none
	for i := range m.tasks {
		h = max(h, m.tasks[i].inherits)
	}
	return h
}

// inherit lets a task go on from a checkpoint of a former graph, if there is one: with a
// history that rests on it, or with that of its own number if the job is that graph again.
// Else the restore oracle says that there is none.
func (m *model) inherit(e *trace.Event, t *task) {
	h := m.inheritance(e.Epoch)
	if base := m.inheritance(m.line.base); m.line.active && base != none && m.again(base) {
		if p := m.inheritances[base].parts[e.Task]; m.snapshots[p].epoch == e.Epoch {
			h = base // a task that had left has an older share in it
		}
	}
	if h == none {
		return
	}
	if m.takenUp != h || m.by != e.Attempt {
		m.takenUp, m.by = h, e.Attempt
		m.takeUp(&m.inheritances[h])
	}
	x := &m.inheritances[h]
	t.survived = x.survived
	m.report.LostWork += int64(m.records(t))
	if m.again(h) {
		m.goOn(e, t, x.parts[e.Task])
		return
	}
	m.report.RestoredTasks++
	m.fromNothing(t)
	t.inherits, t.made = h, true
	m.line.restored(e.Task, e.Epoch)
}

// again reports that the job is the graph again that inheritance h is of: numbers of
// tasks and channels mean the same, and nothing is handed out anew.
func (m *model) again(h int32) bool {
	l := &m.legs[m.inheritances[h].leg]
	return slices.Equal(l.xTasks, m.x.Tasks) && slices.Equal(l.xChannels, m.x.Channels)
}

// takeUp goes back to an inheritance: what its graph did behind it is rolled back, and
// all that later graphs did.
func (m *model) takeUp(h *inheritance) {
	h.survived = true
	for i, p := range h.parts {
		t, s := &m.legs[h.leg].tasks[i], &m.snapshots[p]
		h.survived = h.survived && m.survives(s, t.segment)
		m.tick++
		t.segment, t.inherits = m.branch(s.segment, s.records, s.tick), s.inherits
	}
	for n := h.leg + 1; n < len(m.legs); n++ {
		for i := range m.legs[n].tasks {
			t := &m.legs[n].tasks[i]
			t.segment, t.inherits = m.branch(none, 0, 0), none
		}
	}
	m.report.LostWork += int64(max(m.standing-h.records, 0))
	m.standing = h.records
}

// addInherited adds to counts the source records in inheritance h.
func (m *model) addInherited(counts []int32, h int32) {
	for h != none {
		x := &m.inheritances[h]
		for i, p := range x.parts {
			if m.legs[x.leg].tasks[i].fed {
				s := &m.snapshots[p]
				m.addLineage(counts, s.segment, s.records)
			}
		}
		h = x.root
	}
}

// inheritedOffset returns how far a split was read at inheritance h.
func (m *model) inheritedOffset(h int32, n id.SplitID) (offset uint64, ok bool) {
	for _, p := range m.inheritances[h].parts {
		if offset, ok = m.offsetOf(&m.snapshots[p], n); ok {
			break
		}
	}
	return offset, ok
}

// predecessor returns the snapshot of the only former instance whose place task n takes in
// inheritance h; none: it is made of all. An operator with as many instances as before
// goes on one by one, unless it reads splits, which are dealt out anew.
func (m *model) predecessor(h int32, n id.TaskID) int32 {
	x, self := &m.inheritances[h], &m.x.Tasks[n]
	instances, index := instancesOf(m.x.Tasks, self, n)
	former, _ := instancesOf(m.legs[x.leg].xTasks, self, 0)
	if self.Source || former != instances {
		return none
	}
	at := 0
	for i := range m.legs[x.leg].xTasks {
		if sameOperator(&m.legs[x.leg].xTasks[i], self) {
			if at == index {
				return x.parts[i]
			}
			at++
		}
	}
	return none
}

// instancesOf counts the instances of an operator, and those in front of task n.
func instancesOf(tasks []Task, operator *Task, n id.TaskID) (all, before int) {
	for i := range tasks {
		if sameOperator(&tasks[i], operator) {
			if all++; i < int(n) {
				before++
			}
		}
	}
	return all, before
}

// sameOperator reports whether two tasks, of whatever graphs, are instances of one.
func sameOperator(a, b *Task) bool { return a.Operator == b.Operator }
