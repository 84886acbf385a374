// The progress oracle: the job ends, and after the last fault checkpoints
// complete and the job ends within the bounds of [Pace], which grow by all that
// the struck stalls and delays may hold up. A job that runs without completing
// checkpoints has none. Without rounds a checkpoint completes when the line of a
// total failure advances. A change of the graph counts as a fault that holds nothing up.
// A restart strategy may hold a job up by its delay, and end it after more failures than it answers.
//
// It does not verify that a job is fast where no bound is set, nor after a fault
// that slows something down for good: checkpoints that come eight intervals apart
// after a failover stay below the bound. The bounds are a suspicion that whoever
// sets them confirms (package scenario: by the same seed without faults).

package check

import (
	"time"

	"weir/trace"
)

// Pace bounds how long things take, in nanoseconds; 0: no bound.
type Pace struct {
	// Checkpoint bounds the time from a completed checkpoint, a fault, a recovery or
	// the start to the next completed checkpoint or the end.
	Checkpoint int64
	// End bounds the time from the last fault (or the start) to the end of the job.
	End int64
	// Garbage bounds how long an object that nothing refers to may stay in storage.
	Garbage int64
	// Restart bounds the time from a failure to the plan that answers it, where the restart strategy
	// holds it back: one that comes within it may end so much later. 0: it does not.
	Restart int64
	// Trim bounds how long a message log keeps what the recovery line has passed.
	Trim int64
}

type progress struct {
	judge
	since    int64  // when the next checkpoint became due to come
	timedOut int    // rounds since then that were given up for taking too long
	late     int    // such rounds since the last checkpoint or fault: failing over because of them is none
	failures int    // of workers, of tasks by themselves, of rounds in a row
	failed   int64  // when the newest of them struck
	held     uint64 // nanoseconds by which faults struck so far may hold up
}

func newProgress(j judge) watcher { return &progress{judge: j} }

func (o *progress) Wants() trace.Mask {
	return kinds(trace.Completed, trace.LineAdvanced, trace.PlanExecuted, trace.WorkerCrashed, trace.CoordinatorCrashed, trace.FailedOver, trace.FellBack, trace.TimedOut, trace.StoreDone, trace.FaultInjected, trace.Rescaled, trace.TaskFailed)
}

func (o *progress) Reset() {
	o.since, o.timedOut, o.late, o.held, o.failures, o.failed = 0, 0, 0, 0, 0, 0
}

func (o *progress) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.Completed, trace.LineAdvanced:
		o.due("until a checkpoint completed")
		o.begin()
		o.late = 0
	case trace.PlanExecuted:
		if o.pace.Restart > 0 && !o.tooLong(o.now-o.failed, o.pace.Restart) {
			o.report.LastFault = o.now
		}
		o.begin()
	case trace.TaskFailed:
		o.fail()
	case trace.TimedOut:
		o.timedOut++
		o.late++
	case trace.StoreDone:
		if e.Outcome == trace.Refused { // for good: it costs the round that it is of
			o.struck()
		}
	case trace.FaultInjected:
		o.held = addHeld(o.held, e.To)
		o.struck()
	case trace.WorkerCrashed:
		o.fail()
		o.struck()
	case trace.FailedOver:
		late := o.late
		o.fail()
		o.struck()
		o.late = late
	default:
		o.struck()
	}
}

func (o *progress) fail() { o.failures, o.failed = o.failures+1, o.now }

func (o *progress) struck() {
	o.begin()
	o.late = 0
	o.report.LastFault = o.now
}

func (o *progress) begin() { o.since, o.timedOut = o.now, 0 }

// due ends a stretch of time in which a checkpoint should have completed.
func (o *progress) due(what string) {
	gap := o.now - o.since
	if d := gap - int64(o.held); o.held != trace.NoBound && d > o.report.LongestGap {
		o.report.LongestGap, o.report.GapTimeouts = d, o.timedOut
	}
	if o.tooLong(gap, o.pace.Checkpoint) {
		o.violate(trace.Coordinator, 0, "%v passed %s; at most %v is expected, and %v for what faults held up", time.Duration(gap), what, time.Duration(o.pace.Checkpoint), time.Duration(o.held))
	}
}

func (o *progress) tooLong(d, bound int64) bool {
	return bound > 0 && o.held != trace.NoBound && d > bound+int64(o.held)
}

// Finish: the job ended, and soon enough.
func (o *progress) Finish(end End) {
	r := o.report
	r.EndOfWork = o.now
	switch {
	case end.Cancelled, end.Left:
	case !o.done && end.Err != nil && o.x.MayFail:
	case !o.done && end.GaveUp && o.mayGiveUp && o.failures > o.giveUpAfter:
	case !o.done && end.Err != nil:
		r.EndTimeouts = o.late
		o.violate(trace.Coordinator, 0, "the job failed: %v", end.Err)
	case !o.done:
		o.violate(trace.Coordinator, 0, "the job did not end; %d checkpoints completed, the last fault struck at %v", r.Checkpoints, time.Duration(r.LastFault))
	default:
		o.due("without a checkpoint before the job ended")
		d := o.now - r.LastFault
		if o.held != trace.NoBound {
			r.EndAfterFault = max(0, d-int64(o.held))
		}
		if o.tooLong(d, o.pace.End) {
			o.violate(trace.Coordinator, 0, "the job ended %v after the last fault; at most %v is expected, and %v for what faults held up", time.Duration(d), time.Duration(o.pace.End), time.Duration(o.held))
		}
	}
}
