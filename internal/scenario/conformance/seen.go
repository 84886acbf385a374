package conformance

import (
	"weir/id"
	"weir/trace"
)

// counts are what the runs of one suite showed, beside the verdicts of the oracles.
type counts struct {
	Completed   int // job-wide checkpoints
	Stored      int // snapshots of tasks
	Rounds      int // most rounds under way at once
	Local       int // most snapshots of one task under way at once
	CapturedIn  int
	CapturedOut int
	FromLog     int // buffers replayed from a log
	Disorder    int // buffers delivered ahead of others
	Throws      int // recoveries in a job that is not deterministic
	Recoveries  int // from a snapshot
	Kept        int // tasks that a recovery left alone
	Rolled      int // tasks that a recovery restarted although their worker stood
	Duplicates  int
	Losses      int
	Twice       int // failures while another one had no plan yet
	During      int // failures between a recovery's plan and its last task's being ready
	Ended       int // failures when some tasks had processed their last record, and some had not
	Increments  int // snapshots stored on a backend with increments
}

// seen counts while a run goes on.
type seen struct {
	counts
	open     map[id.Epoch]bool
	local    map[id.TaskID]map[id.Epoch]bool
	position map[id.ChannelID]uint64
	plan     id.Attempt
	started  map[id.TaskID]id.Attempt // of the newest incarnation; what older ones do counts for nothing
	// dead are the workers that crashed and have not begun a task since; answered
	// is the plan that last did so on each.
	dead     map[int]bool
	answered map[int]id.Attempt
	whole    bool       // the next plan starts everything: of a new coordinator, or a task gave up by itself
	wholly   id.Attempt // the newest that did
	ends
}

// begin forgets what a run before left open.
func (s *seen) begin() {
	s.open, s.local, s.position = map[id.Epoch]bool{}, map[id.TaskID]map[id.Epoch]bool{}, map[id.ChannelID]uint64{}
	s.started = map[id.TaskID]id.Attempt{}
	s.dead, s.answered, s.plan, s.whole, s.wholly = map[int]bool{}, map[int]id.Attempt{}, 0, true, 0
	s.ends.begin()
}

// Wants are the kinds that tell.
func (s *seen) Wants() trace.Mask {
	return trace.Mask(0).With(trace.Triggered, trace.Completed, trace.Aborted, trace.SnapshotBegun, trace.SnapshotStored, trace.SnapshotFailed,
		trace.CapturedIn, trace.CapturedOut, trace.Injected, trace.Delivered, trace.TaskStarting, trace.TaskRestored, trace.TaskReady,
		trace.PlanExecuted, trace.WorkerCrashed, trace.CoordinatorStarted, trace.TaskFailed, trace.TaskDrained)
}

// Observe takes the next event.
func (s *seen) Observe(e *trace.Event) {
	if e.Task >= 0 && e.Attempt < s.started[e.Task] {
		return
	}
	s.failures(e)
	switch e.Kind {
	case trace.Triggered:
		s.open[e.Epoch] = true
		s.Rounds = max(s.Rounds, len(s.open))
	case trace.Completed:
		s.Completed++
		delete(s.open, e.Epoch)
	case trace.Aborted:
		delete(s.open, e.Epoch)
	case trace.SnapshotBegun:
		if s.local[e.Task] == nil {
			s.local[e.Task] = map[id.Epoch]bool{}
		}
		s.local[e.Task][e.Epoch] = true
		s.Local = max(s.Local, len(s.local[e.Task]))
	case trace.SnapshotStored:
		s.Stored++
		delete(s.local[e.Task], e.Epoch)
	case trace.SnapshotFailed:
		delete(s.local[e.Task], e.Epoch)
	case trace.CapturedIn:
		s.CapturedIn++
	case trace.CapturedOut:
		s.CapturedOut++
	case trace.Injected:
		if e.Way == trace.FromLog {
			s.FromLog++
		}
	case trace.Delivered:
		if e.To < s.position[e.Channel] && e.Way != trace.Reinjected {
			s.Disorder++
		}
		s.position[e.Channel] = max(s.position[e.Channel], e.To)
	default:
		s.recovery(e)
	}
}

// recovery follows who is restarted. A kept task answers a plan as what it was.
func (s *seen) recovery(e *trace.Event) {
	switch e.Kind {
	case trace.PlanExecuted:
		clear(s.open)
		clear(s.local)
		if s.plan = e.Attempt; s.whole {
			s.whole, s.wholly = false, e.Attempt
		}
	case trace.TaskReady:
		if e.Attempt < s.plan {
			s.Kept++
		}
	case trace.TaskStarting:
		clear(s.position) // positions of its channels go back
		s.started[e.Task] = e.Attempt
		clear(s.local[e.Task])
		w := int(e.Task) % workers
		if s.dead[w] {
			delete(s.dead, w)
			s.answered[w] = e.Attempt
		}
		if e.Attempt != s.wholly && s.answered[w] != e.Attempt {
			s.Rolled++
		}
	case trace.TaskRestored:
		if e.Epoch != 0 {
			s.Recoveries++
		}
	case trace.WorkerCrashed:
		s.dead[int(e.Worker)] = true
	case trace.CoordinatorStarted, trace.TaskFailed:
		s.whole = true
	default: // nothing that tells
	}
}
