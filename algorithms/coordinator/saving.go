package coordinator

import (
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
	"weir/trace"
)

// SavepointPrefix is where the savepoints of a running job stand: save/EPOCH is the root of
// one. No retention knows them, and nobody deletes them.
const SavepointPrefix = "save/"

// SavepointRoot is the root of a savepoint. Its epoch holds the attempt, so that what a
// coordinator or task that was replaced still writes is under no other one's root.
func SavepointRoot(e id.Epoch) string { return SavepointPrefix + e.String() }

// The mistakes of savepoints.
const (
	// MutantSavepointNotDrained: shares are written as soon as all tasks have answered,
	// whatever is under way between them.
	MutantSavepointNotDrained dataflow.Mutant = "savepoint-not-drained"
	// MutantSavepointCollected: a savepoint goes with the checkpoints that are older than
	// those retained.
	MutantSavepointCollected dataflow.Mutant = "savepoint-collected"
	// MutantSavepointCommits: who stops with a savepoint commits as soon as it is complete, and
	// takes no checkpoint first.
	MutantSavepointCommits dataflow.Mutant = "savepoint-commits"
)

// Saving is the coordinator's half of savepoints, the same for all algorithms; the kernels
// of the tasks have the other one (dataflow/saving.go). It probes the tasks until nothing is
// under way, has each write its share, and makes the manifest. A savepoint is complete when
// that is durable and its maker has then seen no newer claim of the lead.
//
// With the last one the job ends: while all tasks still stand where the savepoint has them,
// the algorithm covers it with snapshots of its own, by which all output up to it is committed.
// Only then does the job end. If it fails before, it goes back to what it has itself, of which
// the savepoint is no part, and nothing was committed for the savepoint's sake; it is asked
// again.
type Saving struct {
	client *Client
	h      dataflow.CoordHost
	j      *dataflow.JobInfo
	owner  saver

	asked   bool // one is to be taken, or is under way
	last    bool // and the job ends with it
	stage   saveStage
	epoch   id.Epoch
	at      []*Part // positions of the tasks, in the wave under way
	open    bool    // one of them has output that is not committed
	pace    dataflow.Nanos
	parts   []savepoint.PartRef
	taken   []id.Epoch
	written []bool
	gone    []bool // has left since the savepoint is complete
	missing int
	timeout id.Ticket
	newest  id.Epoch // complete; 0: there is none
}

// saver is what the coordinator of an algorithm does in a savepoint.
type saver interface {
	// Cover has the job take snapshots of its own that hold all that savepoint e does, and commit.
	// taken are the numbers under which the tasks count it. Then it calls Saving.Covered.
	Cover(e id.Epoch, taken []id.Epoch)
	// EndWith ends the job behind savepoint e: all its output is committed.
	EndWith(e id.Epoch)
	// SavingOver goes on after a savepoint, whatever came of it.
	SavingOver()
}

type saveStage uint8

const (
	noSave   saveStage = iota
	draining           // until nothing is under way
	writing
	naming   // the manifest is being made
	covering // complete; the job takes its own snapshots, and ends
	settling // until all output is committed
)

// NewSaving returns a Saving that has been asked for nothing.
func NewSaving(c *Client, h dataflow.CoordHost, j *dataflow.JobInfo, owner saver) *Saving {
	return &Saving{client: c, h: h, j: j, owner: owner}
}

// Ask asks for a savepoint, as soon as the job can take one; last: the job ends with it. Whoever
// asks twice gets one.
func (s *Saving) Ask(last bool) {
	s.asked, s.last = true, s.last || last
	for i := range s.j.Tasks {
		if t := &s.j.Tasks[i]; t.Heads > 0 {
			s.Refuse(t.Name + " lies in a loop, and whether it asks for its end, and what came round, has no place in a savepoint")
			return
		}
	}
}

// Waiting reports that one is asked for and not begun: no snapshot of the job begins before.
func (s *Saving) Waiting() bool { return s.asked && s.stage == noSave }

// UnderWay reports that one is, and is not complete: no snapshot of the job begins meanwhile.
func (s *Saving) UnderWay() bool { return s.stage != noSave && s.stage < covering }

// Begin begins savepoint e.
func (s *Saving) Begin(e id.Epoch) {
	s.stage, s.epoch = draining, e
	n := len(s.j.Tasks)
	s.parts, s.taken, s.missing = make([]savepoint.PartRef, n), make([]id.Epoch, n), n
	s.written, s.gone = make([]bool, n), make([]bool, n)
	c := &s.j.Config.Checkpoint
	s.pace = max(c.Interval/1000, 1)
	s.timeout = s.client.After(c.Timeout, func() {
		if s.epoch == e && s.UnderWay() && s.stage != naming { // a manifest under way cannot be withdrawn
			s.Refuse("it takes too long")
		}
	})
	s.probe()
}

func (s *Saving) tellAll(m dataflow.SaveMessage) {
	m.Epoch = s.epoch
	data := m.Encode()
	for t := range s.j.Tasks {
		s.h.Tell(id.TaskID(t), data)
	}
}

// probe asks all tasks where they stand.
func (s *Saving) probe() {
	s.at, s.open = make([]*Part, len(s.j.Tasks)), false
	for t, gone := range s.gone {
		if gone {
			s.at[t] = &Part{}
		}
	}
	s.tellAll(dataflow.SaveMessage{Kind: dataflow.SaveProbe})
}

// Message takes a message about a savepoint; false: it is another one.
func (s *Saving) Message(from id.TaskID, data []byte) bool {
	if !dataflow.IsSaveMessage(data) {
		return false
	}
	m, err := dataflow.DecodeSaveMessage(data)
	if err != nil {
		panic(err) // both ends are this program
	}
	if m.Epoch != s.epoch || s.stage == noSave {
		return true // late
	}
	switch m.Kind {
	case dataflow.SaveStands:
		if s.stage == draining || s.stage == settling {
			s.at[from] = &Part{Delivered: m.Delivered, Sealed: m.Sealed}
			s.open = s.open || m.Open
			s.judge()
		}
	case dataflow.SaveWritten:
		s.shareWritten(from, &m)
	case dataflow.SaveRefused:
		if s.stage == draining || s.stage == writing {
			s.Refuse(m.Text)
		}
	default: // goes the other way
	}
	return true
}

// judge ends a wave that all have answered: with the next step, or with another wave, a
// quarter later than the last.
func (s *Saving) judge() {
	for _, p := range s.at {
		if p == nil {
			return
		}
	}
	switch {
	case s.stage == settling && !s.open:
		s.stage, s.asked = noSave, false // tasks stay where they are
		s.owner.EndWith(s.epoch)
	case s.stage == draining && (Empty(s.j.Tasks, s.at) || s.j.Config.Mutant == MutantSavepointNotDrained):
		s.stage = writing
		s.tellAll(dataflow.SaveMessage{Kind: dataflow.SaveWrite, Root: SavepointRoot(s.epoch)})
	default:
		s.at = make([]*Part, len(s.j.Tasks)) // nobody is waited for until the next wave
		e, stage := s.epoch, s.stage
		s.client.After(s.pace, func() {
			if s.epoch == e && s.stage == stage {
				s.probe()
			}
		})
		s.pace += max(s.pace/4, 1)
	}
}

// Empty reports that every receiver has got what its sender has sent; at are the positions of
// the tasks.
func Empty(tasks []dataflow.TaskInfo, at []*Part) bool {
	sent := map[id.ChannelID]id.Seq{}
	for t := range tasks {
		for i := range tasks[t].Outputs {
			sent[tasks[t].Outputs[i].ID] = at[t].Sealed[i]
		}
	}
	for t := range tasks {
		for i := range tasks[t].Inputs {
			if at[t].Delivered[i] != sent[tasks[t].Inputs[i].ID] {
				return false
			}
		}
	}
	return true
}

// shareWritten takes a share; with the last one comes the manifest.
func (s *Saving) shareWritten(from id.TaskID, m *dataflow.SaveMessage) {
	if s.stage != writing || s.written[from] {
		return
	}
	s.parts[from], s.taken[from], s.written[from] = m.Part, m.Taken, true
	s.h.Observe(trace.Acked, from, s.epoch.Attempt(), s.epoch, "")
	if s.missing--; s.missing > 0 {
		return
	}
	s.stage = naming
	e, m0 := s.epoch, s.manifest()
	s.h.Observe(trace.AllAcked, trace.Coordinator, e.Attempt(), e, "")
	s.client.Do(m0.Create(SavepointRoot(e)), func(r state.Result) {
		if s.epoch != e || s.stage != naming {
			return
		}
		if r.Status != state.OK {
			s.Refuse(Error(savepoint.ManifestKey(SavepointRoot(e)), r).Error())
			return
		}
		s.client.Confirm(func(err error) {
			switch {
			case s.epoch != e || s.stage != naming:
			case err != nil:
				s.Refuse(fmt.Sprintf("its manifest stands, and storage does not say who leads: %v", err))
			default:
				s.complete()
			}
		})
	})
}

func (s *Saving) manifest() *savepoint.Manifest {
	m := &savepoint.Manifest{Job: s.j.Name, Epoch: s.epoch, Groups: s.j.Config.Groups}
	for i := range s.j.Tasks {
		if n := len(m.Operators); n == 0 || m.Operators[n-1].Name != s.j.Tasks[i].Name {
			m.Operators = append(m.Operators, savepoint.Operator{Name: s.j.Tasks[i].Name})
		}
		o := &m.Operators[len(m.Operators)-1]
		o.Parts = append(o.Parts, s.parts[i])
	}
	return m
}

func (s *Saving) complete() {
	s.client.Cancel(s.timeout)
	s.newest = s.epoch
	s.h.Observe(trace.Saved, trace.Coordinator, s.epoch.Attempt(), s.epoch, "")
	if !s.last {
		s.over()
		return
	}
	s.stage = covering
	if s.j.Config.Mutant == MutantSavepointCommits {
		for t, e := range s.taken {
			s.h.Tell(id.TaskID(t), (&Message{Kind: Complete, Epoch: e}).Encode())
		}
		s.Covered()
		return
	}
	s.owner.Cover(s.epoch, s.taken)
}

// Covered: the job's own snapshots hold all that the savepoint does. What is left is that
// the last output is committed.
func (s *Saving) Covered() {
	if s.stage != covering {
		return
	}
	s.stage, s.pace = settling, max(s.j.Config.Checkpoint.Interval/1000, 1)
	s.probe()
}

// Left: a task has finished and gone. Nobody writes its share any more. All it had to
// commit is committed.
func (s *Saving) Left(task id.TaskID) {
	switch {
	case s.UnderWay() && !s.written[task]:
		s.Refuse(fmt.Sprintf("%s of %s has finished: only checkpoints have what it had", s.j.Tasks[task].Name, task))
	case s.stage == settling:
		s.at[task] = &Part{}
		s.gone[task] = true
		s.judge()
	case s.stage != noSave:
		s.gone[task] = true
	}
}

// Refuse gives up what was asked for, and says why. Before it has begun it has no epoch.
func (s *Saving) Refuse(why string) {
	if !s.asked {
		return
	}
	e := s.epoch
	if s.stage == noSave {
		e = 0 // else of the one before
	}
	s.h.Observe(trace.Declined, trace.Coordinator, e.Attempt(), e, "savepoint: "+why)
	s.over()
}

// over ends what was asked for.
func (s *Saving) over() {
	s.asked, s.last = false, false
	s.stop()
	s.owner.SavingOver()
}

// Interrupt gives up the savepoint under way, as the job has failed. It is taken when the
// job runs again.
func (s *Saving) Interrupt() {
	if s.stage != noSave {
		s.stop()
	}
}

// stop lets the tasks go on.
func (s *Saving) stop() {
	if s.stage != noSave {
		s.client.Cancel(s.timeout)
		s.tellAll(dataflow.SaveMessage{Kind: dataflow.SaveOver})
	}
	s.stage = noSave
}

// Collect is called when checkpoints are let go, with the oldest that is retained: savepoints are
// not the job's to delete.
func (s *Saving) Collect(oldest id.Epoch) {
	if s.j.Config.Mutant == MutantSavepointCollected && s.newest != 0 && s.newest < oldest {
		s.client.Delete([]string{savepoint.ManifestKey(SavepointRoot(s.newest))}, nil)
		s.newest = 0
	}
}
