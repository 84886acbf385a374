package check

import (
	"fmt"

	"weir/id"
	"weir/trace"
)

// Where is how a run stood when an oracle spoke: the step of the protocol and
// the states of the parties, read off the typed events alone. Two violations of an
// oracle with the same Where are taken for one kind of failure. It names no
// task, time or number, which differ between runs of one kind.
type Where struct {
	// Step is the event at which it was seen; trace.Kinds: at the end of the run.
	Step trace.Kind
	// Round is how far the protocol was with the epoch that the violation names.
	Round Round
	// Task is what the task that it names was doing.
	Task Phase
	// CoordinatorDown: the coordinator had crashed and was not back.
	CoordinatorDown bool
	// Job is what the job was doing as a whole.
	Job Stage
}

// Round is how far the protocol was with an epoch.
type Round uint8

// The rounds. Without job-wide rounds an epoch is one task's snapshot: NoRound,
// Begun, Stored or GivenUp.
const (
	NoRound   Round = iota // no epoch, or nothing was seen of it
	Begun                  // triggered, or the task's snapshot has begun
	Stored                 // every part is durable
	Completed              // the record is durable: it counts
	GivenUp                // aborted, or the snapshot failed
	Subsumed               // completed, and no longer retained
)

// Phase is what a task was doing.
type Phase uint8

// The phases.
const (
	NoTask    Phase = iota // none in particular
	Waiting                // has not started yet
	Restoring              // a new incarnation has not finished its part of the plan
	Running
	Drained // has processed its last record
	Left
	Failed // gave up by itself
)

// Stage is what a job was doing as a whole.
type Stage uint8

// The stages.
const (
	Starting Stage = iota
	Going          // runs, whatever failed before: that is history and no state
	Broken         // something has failed, and no plan answers it yet
	Recovering
)

// String returns the five parts as name=value.
func (w Where) String() string {
	step, coordinator := "end", "up"
	if w.Step < trace.Kinds {
		step = w.Step.String()
	}
	if w.CoordinatorDown {
		coordinator = "down"
	}
	return fmt.Sprintf("step=%s round=%s task=%s coordinator=%s job=%s", step,
		[...]string{"none", "begun", "stored", "completed", "given-up", "subsumed"}[w.Round],
		[...]string{"none", "waiting", "restoring", "running", "drained", "left", "failed"}[w.Task], coordinator,
		[...]string{"starting", "running", "broken", "recovering"}[w.Job])
}

// stand is what Where needs of a run.
type stand struct {
	step   trace.Kind
	rounds map[id.Epoch]Round // job-wide
	phases []Phase            // by task
	down   bool
	stage  Stage
}

func (s *stand) reset() {
	if s.rounds == nil {
		s.rounds = map[id.Epoch]Round{}
	}
	clear(s.rounds)
	s.begin()
	s.step = 0
}

// begin says that the job starts, from nothing or with another graph.
func (s *stand) begin() {
	for i := range s.phases {
		s.phases[i] = Waiting
	}
	s.down, s.stage = false, Starting
}

// moving are the kinds that change how a run stands.
const moving = trace.Mask(1<<trace.Triggered | 1<<trace.AllAcked | 1<<trace.Completed | 1<<trace.Aborted | 1<<trace.Subsumed |
	1<<trace.TaskStarting | 1<<trace.TaskReady | 1<<trace.TaskDrained | 1<<trace.TaskLeft | 1<<trace.TaskFailed |
	1<<trace.WorkerCrashed | 1<<trace.CoordinatorCrashed | 1<<trace.CoordinatorStarted | 1<<trace.PlanExecuted)

// move takes an event that the model has admitted and taken; going says that
// the plan under way is carried out.
func (s *stand) move(e *trace.Event, going bool) {
	s.step = e.Kind
	switch e.Kind {
	case trace.Triggered:
		s.rounds[e.Epoch] = Begun
	case trace.AllAcked:
		s.rounds[e.Epoch] = Stored
	case trace.Completed:
		s.rounds[e.Epoch] = Completed
	case trace.Aborted:
		s.rounds[e.Epoch] = GivenUp
	case trace.Subsumed:
		s.rounds[e.Epoch] = Subsumed
	case trace.TaskStarting:
		s.phases[e.Task] = Restoring
	case trace.TaskReady:
		s.phases[e.Task] = Running
		s.ready(going)
	case trace.TaskDrained:
		s.phases[e.Task] = Drained
	case trace.TaskLeft:
		s.phases[e.Task] = Left
	case trace.TaskFailed:
		s.phases[e.Task], s.stage = Failed, Broken
	case trace.WorkerCrashed:
		s.stage = Broken
	case trace.CoordinatorCrashed:
		s.down, s.stage = true, Broken
	case trace.CoordinatorStarted:
		s.down = false
	case trace.PlanExecuted:
		if s.stage != Starting {
			s.stage = Recovering
		}
	default: // moves no party
	}
}

// ready ends the starting or the recovery once the last task is ready.
func (s *stand) ready(going bool) {
	if !going && s.stage != Broken {
		s.stage = Going
	}
}

// where returns how the run stands as to a task and an epoch; trace.Coordinator
// and 0: none in particular.
func (m *model) where(t id.TaskID, e id.Epoch) Where {
	w := Where{Step: m.stand.step, CoordinatorDown: m.stand.down, Job: m.stand.stage, Round: m.stand.rounds[e]}
	if t < 0 || int(t) >= len(m.tasks) || int(t) >= len(m.stand.phases) {
		return w
	}
	w.Task = m.stand.phases[t]
	if w.Round == NoRound && e != 0 {
		if p := m.find(&m.tasks[t], e); p != none {
			w.Round = m.snapshots[p].round()
		}
	}
	return w
}

// round is how far one task is with its snapshot.
func (s *snapshot) round() Round {
	switch {
	case s.failed:
		return GivenUp
	case s.stored:
		return Stored
	}
	return Begun
}
