package check

import (
	"fmt"
	"slices"
	"time"

	"weir/id"
	"weir/trace"
)

// String returns the name of the oracle.
func (o Oracle) String() string {
	if o < Oracles {
		return list()[o].name
	}
	return fmt.Sprintf("oracle(%d)", uint8(o))
}

// Violation is one promise that was broken.
type Violation struct {
	Oracle Oracle
	Time   int64     // nanoseconds since the start of the run
	Task   id.TaskID // trace.Coordinator: none in particular
	Epoch  id.Epoch  // 0: none in particular
	Where  Where
	Text   string
}

// String returns the violation on one line.
func (v Violation) String() string {
	s := fmt.Sprintf("%s: at %v", v.Oracle, time.Duration(v.Time))
	if v.Task != trace.Coordinator {
		s += fmt.Sprintf(", task %s", v.Task)
	}
	if v.Epoch != 0 {
		s += fmt.Sprintf(", epoch %s", v.Epoch)
	}
	return s + ": " + v.Text
}

// Report is the verdict on one run. It belongs to its Checker and is valid
// until the next Reset.
type Report struct {
	// Violations has the first few of each oracle, in order of occurrence; Counts
	// counts all.
	Violations []Violation
	Counts     [Oracles]int
	// Stood is how the run stood at its end.
	Stood Where
	Stats
}

// Stats are counts of what happened.
type Stats struct {
	// Duplicates and Losses are source records whose effect stands more, or less,
	// often than it should in the surviving state or in committed output.
	Duplicates, Losses int

	Checkpoints          int // completed
	Savepoints           int // completed
	StoppedWith          int // savepoints with which the job has ended
	Crashes              int // of workers
	CoordinatorCrashes   int
	TaskFailures         int
	FellBack             int   // damaged checkpoints that a recovery passed over
	FailedOver           int   // times the job started again, too many rounds having failed
	Adopted              int   // plans of new coordinators under which every task went on
	RestoredTasks        int   // incarnations that restored a snapshot
	Kept                 int   // incarnations that a plan left alone
	Recoveries           int   // plans that restored at least one snapshot
	InputBuffers         int   // captured input put back
	OutputBuffers        int   // captured output put back
	LogRecords           int64 // items replayed from logs
	CommitsRetried       int
	LateRecords          int64 // that operators gave up as too late, in the surviving histories
	LostWork             int64 // records whose processing was rolled back
	CommittedRows        int64
	RowsAgain            int64 // that became visible although the answer has no more of them
	RowsTakenBack        int64 // that were visible when a rollback took back what they were made of
	LastFault, EndOfWork int64 // times
	// What the bounds of Pace are about, less what struck faults may have held up.
	LongestGap, EndAfterFault int64
	GapTimeouts               int // rounds given up in the longest gap since they took too long
	EndTimeouts               int // rounds given up since they took too long, since the last checkpoint or fault of a job that ended with an error
}

// Safe reports that no safety property was violated.
func (r *Report) Safe() bool { return r.Safety() == 0 }

// Safety counts the violations of safety properties.
func (r *Report) Safety() int {
	n := 0
	for o, c := range r.Counts {
		if Oracle(o) != Progress {
			n += c
		}
	}
	return n
}

// Behind makes r, which is that of a job that has begun from what the job of first has left, the report
// on both: times count from the beginning of the first, which took so long; those of violations do already.
func (r *Report) Behind(first *Report, took int64) {
	r.Violations = slices.Concat(first.Violations, r.Violations)
	for o := range r.Counts {
		r.Counts[o] += first.Counts[o]
	}
	a, b := &r.Stats, &first.Stats
	for _, x := range []struct{ sum, of *int }{
		{&a.Duplicates, &b.Duplicates}, {&a.Losses, &b.Losses}, {&a.Checkpoints, &b.Checkpoints}, {&a.Savepoints, &b.Savepoints}, {&a.StoppedWith, &b.StoppedWith},
		{&a.Crashes, &b.Crashes}, {&a.CoordinatorCrashes, &b.CoordinatorCrashes}, {&a.TaskFailures, &b.TaskFailures}, {&a.FellBack, &b.FellBack}, {&a.FailedOver, &b.FailedOver},
		{&a.Adopted, &b.Adopted}, {&a.Kept, &b.Kept}, {&a.RestoredTasks, &b.RestoredTasks}, {&a.Recoveries, &b.Recoveries}, {&a.InputBuffers, &b.InputBuffers}, {&a.OutputBuffers, &b.OutputBuffers}, {&a.CommitsRetried, &b.CommitsRetried},
	} {
		*x.sum += *x.of
	}
	for _, x := range []struct{ sum, of *int64 }{
		{&a.LogRecords, &b.LogRecords}, {&a.LateRecords, &b.LateRecords}, {&a.LostWork, &b.LostWork}, {&a.CommittedRows, &b.CommittedRows}, {&a.RowsAgain, &b.RowsAgain}, {&a.RowsTakenBack, &b.RowsTakenBack},
	} {
		*x.sum += *x.of
	}
	a.LastFault, a.EndOfWork = a.LastFault+took, a.EndOfWork+took
	a.LongestGap, a.EndAfterFault, a.GapTimeouts = max(a.LongestGap, b.LongestGap), max(a.EndAfterFault, b.EndAfterFault), max(a.GapTimeouts, b.GapTimeouts)
	a.EndTimeouts += b.EndTimeouts
}

// Acquit takes the violations of an oracle back: whoever set its bounds knows
// better by now.
func (r *Report) Acquit(o Oracle) {
	r.Counts[o] = 0
	r.Violations = slices.DeleteFunc(r.Violations, func(v Violation) bool { return v.Oracle == o })
}

// keptPerOracle is how many violations of an oracle are kept in words.
const keptPerOracle = 4

// violate counts a violation and keeps it if there is room.
func (r *Report) violate(v Violation, format string, args []any) {
	if r.Counts[v.Oracle]++; r.Counts[v.Oracle] <= keptPerOracle {
		v.Text = fmt.Sprintf(format, args...)
		r.Violations = append(r.Violations, v)
	}
}
