package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"weir/check"
	"weir/scenario"
	"weir/trace"
)

// tally counts what was seen of one combination.
type tally struct {
	Algorithm       string          `json:"algorithm"`
	State           string          `json:"state"`
	Sink            string          `json:"sink"`
	Workload        string          `json:"workload"`
	Runs            int64           `json:"runs"`
	Safety          int64           `json:"safety_violations"`
	Progress        int64           `json:"progress_violations"`
	Errors          int64           `json:"errors"`
	Duplicates      int64           `json:"duplicates_seen"`
	Losses          int64           `json:"losses_seen"`
	RowsAgain       int64           `json:"rows_again"`
	RowsTakenBack   int64           `json:"rows_taken_back"`
	LateRecords     int64           `json:"late_records"`
	Checkpoints     int64           `json:"checkpoints_completed"`
	Crashes         int64           `json:"crashes"`
	Coordinator     int64           `json:"coordinator_crashes"`
	Recoveries      int64           `json:"recoveries_from_snapshot"`
	Aborted         int64           `json:"rounds_given_up"`
	TimedOut        int64           `json:"rounds_timed_out"`
	Declined        int64           `json:"shares_declined"` // by a task that could not store its part
	FailedOver      int64           `json:"failed_over"`     // more rounds failed in a row than are tolerated
	FellBack        int64           `json:"fell_back"`       // to an older checkpoint, the newest being damaged
	GaveUp          int64           `json:"gave_up"`         // jobs that failed since a fault destroyed what they needed, or by their restart strategy
	Stopped         int64           `json:"stopped"`
	Kept            int64           `json:"tasks_kept,omitempty"`           // that recoveries left alone
	Rescaled        int64           `json:"rescaled"`                       // how often jobs went on as another graph
	Upgraded        int64           `json:"upgraded,omitempty"`             // of these, as another version
	Failovers       int64           `json:"failovers,omitempty"`            // how often another coordinator process took the lead
	Adopted         int64           `json:"adoptions,omitempty"`            // and no task restarted for it
	Rivals          int64           `json:"two_leaders,omitempty"`          // and the one before held its lease still
	Queries         int64           `json:"queries,omitempty"`              // asked
	Answers         int64           `json:"query_answers,omitempty"`        // about a key each, by a task or out of a checkpoint
	Savepoints      int64           `json:"savepoints,omitempty"`           // completed
	NotTaken        int64           `json:"operations_declined,omitempty"`  // that jobs were asked for, and did not take
	StoppedWith     int64           `json:"stopped_with,omitempty"`         // savepoints with which jobs ended
	Resumed         int64           `json:"resumed,omitempty"`              // of these, from which another job began
	CopiesTaken     int64           `json:"local_copies_taken,omitempty"`   // files that tasks were restored from, with local recovery
	CopiesMissing   int64           `json:"local_copies_missing,omitempty"` // files that were read from storage all the same: there was no copy
	CopiesDamaged   int64           `json:"local_copies_damaged,omitempty"` // or one that was not the file
	InputBuffers    int64           `json:"input_buffers_restored"`
	OutputBuffers   int64           `json:"output_buffers_restored"`
	CommitsRetried  int64           `json:"commits_retried"`
	LogRecords      int64           `json:"log_records_replayed"`
	LostWork        int64           `json:"lost_work_records"`
	Events          int64           `json:"events"`
	RunsPerSecond   float64         `json:"runs_per_second,omitempty"`
	EventsPerSecond float64         `json:"events_per_second,omitempty"`
	Seconds         float64         `json:"seconds,omitempty"`
	NotStruck       int64           `json:"plans_not_struck,omitempty"` // runs in which a fault of --plan changed nothing
	Interrupted     bool            `json:"interrupted,omitempty"`
	PairwiseOf      int             `json:"pairwise_of,omitempty"` // the summary: as of selection
	DrawnFrom       int             `json:"drawn_from,omitempty"`  // the summary of a sweep that draws: how many combinations there are
	Find            *find           `json:"find,omitempty"`        // likewise
	Marks           []scenario.Mark `json:"marks,omitempty"`       // likewise
	First           string          `json:"first_counterexample,omitempty"`
	Replay          string          `json:"replay,omitempty"`
	Refused         string          `json:"refused,omitempty"`    // why it cannot be run, by what the algorithm declares
	NotJudged       string          `json:"not_judged,omitempty"` // as of run

	Failures []failure `json:"failures,omitempty"` // by signature; of the summary those of all

	promised  string
	firstSeed uint64 // of First
	missed    string // a fault of a plan that did not strike
	worst     scenario.Kind
}

func newTally(c *scenario.Config) tally {
	promised := "refused" // New says why
	if p, err := c.Promise(); err == nil {
		promised = p.Short()
	}
	return tally{Algorithm: c.Algorithm.Name, State: c.State, Sink: c.SinkName(), Workload: c.Workload.Name(), NotJudged: c.NotJudged(), promised: promised}
}

// note adds the outcome of a seed.
func (t *tally) note(o *scenario.Outcome, seed uint64) {
	t.Runs++
	switch o.Kind {
	case scenario.Unsafe:
		t.Safety += int64(o.Report.Safety())
	case scenario.NoProgress:
		t.Progress++
	case scenario.Broken, scenario.Crashed:
		t.Errors++
	case scenario.Fine, scenario.Interrupted:
	}
	if o.Kind != scenario.Fine && (t.First == "" || seed < t.firstSeed) {
		t.First, t.Replay, t.firstSeed = o.Why(), o.Config.Command(seed), seed
	}
	if o.Kind != scenario.Fine {
		t.failed(o)
	}
	t.worst = max(t.worst, o.Kind)
	if o.Report == nil {
		return
	}
	t.notStruck(o)
	s, r := &o.Report.Stats, &o.Result
	t.addStats(s)
	if o.Whole() {
		t.addOutput(s)
	}
	t.Checkpoints += int64(o.Checkpoints())
	if t.addCounts(&r.Counts); o.GaveUp() {
		t.GaveUp++
	}
	t.CopiesTaken += int64(r.Copies.Taken)
	t.CopiesMissing += int64(r.Copies.Missing)
	t.CopiesDamaged += int64(r.Copies.Damaged)
	t.Crashes += int64(r.Crashes)
	t.Coordinator += int64(r.CoordinatorCrashes)
	t.Failovers += int64(r.Failovers)
	t.Rivals += int64(r.Rivals)
	t.NotTaken += int64(len(r.Declined))
	t.Upgraded += int64(r.Upgraded)
	t.Resumed += int64(r.Resumed)
	t.Rescaled -= int64(r.Unchanged)
	t.Queries += int64(r.Queries)
	t.Answers += r.Counts[trace.Queried]
	t.Events += r.Events
}

// notStruck counts a run in which something that was planned did not happen.
func (t *tally) notStruck(o *scenario.Outcome) {
	if o.Config.Faults != scenario.PlannedFaults {
		return
	}
	missed := notStruck(o)
	for _, d := range declined(o) {
		missed = append(missed, d+" (the job declined it)")
	}
	if len(missed) > 0 {
		t.NotStruck++
		t.missed = missed[0]
	}
}

// neverStruck makes a combination an error whose runs are fine, and in none of
// which all of the plan happened: nothing was tried.
func (t *tally) neverStruck() {
	if t.NotStruck == 0 || t.NotStruck < t.Runs || t.worst != scenario.Fine {
		return
	}
	t.worst, t.Errors = scenario.Broken, t.Runs
	t.First = fmt.Sprintf("in none of %d runs did all of the plan strike; in the last one not: %s", t.Runs, t.missed)
}

// addCounts adds what failed, or ended, by itself.
func (t *tally) addCounts(counts *[trace.Kinds]int64) {
	t.Aborted += counts[trace.Aborted]
	t.TimedOut += counts[trace.TimedOut]
	t.Declined += counts[trace.Declined]
	t.FailedOver += counts[trace.FailedOver]
	t.FellBack += counts[trace.FellBack]
	t.Stopped += counts[trace.Stopped]
	t.Rescaled += counts[trace.Rescaled]
}

// addOutput adds what is held beside the promise. A run that damage had go back or give
// up shows more than its combination leaves open: it is counted in FellBack and GaveUp.
func (t *tally) addOutput(s *check.Stats) {
	t.Duplicates += int64(s.Duplicates)
	t.Losses += int64(s.Losses)
	t.RowsAgain += s.RowsAgain
	t.RowsTakenBack += s.RowsTakenBack
	t.LateRecords += s.LateRecords
}

func (t *tally) addStats(s *check.Stats) {
	t.Savepoints += int64(s.Savepoints)
	t.StoppedWith += int64(s.StoppedWith)
	t.Adopted += int64(s.Adopted)
	t.Recoveries += int64(s.Recoveries)
	t.Kept += int64(s.Kept)
	t.InputBuffers += int64(s.InputBuffers)
	t.OutputBuffers += int64(s.OutputBuffers)
	t.CommitsRetried += int64(s.CommitsRetried)
	t.LogRecords += s.LogRecords
	t.LostWork += s.LostWork
}

// add sums rows into a total.
func (t *tally) add(o *tally) {
	for _, p := range [...][2]*int64{
		{&t.Runs, &o.Runs}, {&t.Safety, &o.Safety}, {&t.Progress, &o.Progress}, {&t.Errors, &o.Errors}, {&t.NotStruck, &o.NotStruck}, {&t.Duplicates, &o.Duplicates},
		{&t.Losses, &o.Losses}, {&t.RowsAgain, &o.RowsAgain}, {&t.RowsTakenBack, &o.RowsTakenBack}, {&t.LateRecords, &o.LateRecords}, {&t.Checkpoints, &o.Checkpoints}, {&t.Crashes, &o.Crashes}, {&t.Coordinator, &o.Coordinator},
		{&t.Aborted, &o.Aborted}, {&t.TimedOut, &o.TimedOut}, {&t.Declined, &o.Declined}, {&t.FailedOver, &o.FailedOver}, {&t.FellBack, &o.FellBack}, {&t.GaveUp, &o.GaveUp}, {&t.Stopped, &o.Stopped}, {&t.Rescaled, &o.Rescaled}, {&t.Upgraded, &o.Upgraded}, {&t.Failovers, &o.Failovers}, {&t.Adopted, &o.Adopted}, {&t.Rivals, &o.Rivals}, {&t.Queries, &o.Queries}, {&t.Answers, &o.Answers}, {&t.Savepoints, &o.Savepoints}, {&t.StoppedWith, &o.StoppedWith}, {&t.Resumed, &o.Resumed}, {&t.NotTaken, &o.NotTaken},
		{&t.CopiesTaken, &o.CopiesTaken}, {&t.CopiesMissing, &o.CopiesMissing}, {&t.CopiesDamaged, &o.CopiesDamaged},
		{&t.Recoveries, &o.Recoveries}, {&t.Kept, &o.Kept}, {&t.InputBuffers, &o.InputBuffers}, {&t.OutputBuffers, &o.OutputBuffers},
		{&t.CommitsRetried, &o.CommitsRetried}, {&t.LogRecords, &o.LogRecords}, {&t.LostWork, &o.LostWork}, {&t.Events, &o.Events},
	} {
		*p[0] += *p[1]
	}
	t.Failures = append(t.Failures, o.Failures...)
	t.worst = max(t.worst, o.worst)
	if t.First == "" {
		t.First, t.Replay = o.First, o.Replay
	}
}

func (t *tally) rates(d time.Duration) {
	t.Seconds = d.Seconds()
	t.RunsPerSecond, t.EventsPerSecond = float64(t.Runs)/t.Seconds, float64(t.Events)/t.Seconds
}

// seen says in a few words what a combination showed.
func (t *tally) seen() string {
	var parts []string
	if t.Losses > 0 {
		parts = append(parts, fmt.Sprintf("%d lost", t.Losses))
	}
	if t.Duplicates > 0 {
		parts = append(parts, fmt.Sprintf("%d twice", t.Duplicates))
	}
	if t.RowsAgain > 0 {
		parts = append(parts, fmt.Sprintf("%d rows again", t.RowsAgain))
	}
	if t.RowsTakenBack > 0 {
		parts = append(parts, fmt.Sprintf("%d rows taken back", t.RowsTakenBack))
	}
	switch {
	case t.Runs > 0 && t.NotJudged != "":
		parts = append(parts, "output not judged")
	case t.Runs > 0 && len(parts) == 0:
		parts = append(parts, "exactly once")
	}
	if t.LateRecords > 0 {
		parts = append(parts, fmt.Sprintf("%d too late", t.LateRecords))
	}
	for _, ended := range []struct {
		n    int64
		what string
	}{{t.FellBack, "went back on damage"}, {t.GaveUp, "gave up"}} {
		if ended.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", ended.n, ended.what))
		}
	}
	return strings.Join(parts, ", ")
}

func (t *tally) verdict() string {
	switch {
	case t.Refused != "":
		return "refused"
	case t.Runs == 0:
		return "not run"
	case t.worst == scenario.Fine && t.NotJudged != "":
		return "kept where judged"
	case t.worst == scenario.Fine:
		return "kept"
	case t.Safety > 0:
		return fmt.Sprintf("BROKEN (%d)", t.Safety)
	}
	return strings.ToUpper(t.worst.String())
}

// printMatrix prints a row per combination, the totals, and the first
// counterexample of each combination with the command that replays it.
func printMatrix(w io.Writer, rows []tally, total *tally) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(tw, format, args...) }
	p("ALGORITHM\tSTATE\tSINK\tWORKLOAD\tPROMISED (OUTPUT)\tSEEN\tRUNS\tCHECKPOINTS\tCRASHES\tRECOVERIES\tPROMISE\n")
	for i := range rows {
		r := &rows[i]
		p("%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d+%d\t%d\t%s\n", r.Algorithm, r.State, r.Sink, r.Workload, r.promised, r.seen(), r.Runs, r.Checkpoints, r.Crashes, r.Coordinator, r.Recoveries, r.verdict())
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d runs in %.1f s (%.0f/s, %.2f million events/s): %d crashes of workers, %d of the coordinator, %d recoveries from a snapshot;\n"+
		"restored %d input and %d output buffers, replayed %d log records, retried %d commits; %d safety violations, %d runs without progress\n",
		total.Runs, total.Seconds, total.RunsPerSecond, total.EventsPerSecond/1e6, total.Crashes, total.Coordinator, total.Recoveries,
		total.InputBuffers, total.OutputBuffers, total.LogRecords, total.CommitsRetried, total.Safety, total.Progress)
	if err == nil && total.Rescaled > total.Upgraded {
		_, err = fmt.Fprintf(w, "jobs were rescaled %d times\n", total.Rescaled-total.Upgraded)
	}
	if err == nil && total.Upgraded > 0 {
		_, err = fmt.Fprintf(w, "jobs were upgraded %d times\n", total.Upgraded)
	}
	if err == nil && total.Failovers > 0 {
		_, err = fmt.Fprintf(w, "another coordinator process took the lead %d times, %d of them while the one before held its lease\n", total.Failovers, total.Rivals)
	}
	if err == nil && total.Adopted > 0 {
		_, err = fmt.Fprintf(w, "%d times no task restarted for it\n", total.Adopted)
	}
	if err == nil && total.Queries > 0 {
		_, err = fmt.Fprintf(w, "%d queries got %d answers\n", total.Queries, total.Answers)
	}
	if err == nil && total.Savepoints > 0 {
		_, err = fmt.Fprintf(w, "%d savepoints were taken, and %d jobs ended with one\n", total.Savepoints, total.StoppedWith)
	}
	if err == nil && total.Resumed > 0 {
		_, err = fmt.Fprintf(w, "from %d of these another job began\n", total.Resumed)
	}
	if err == nil && total.NotTaken > 0 {
		_, err = fmt.Fprintf(w, "%d operations were declined by the job\n", total.NotTaken)
	}
	if err == nil && total.CopiesTaken+total.CopiesMissing+total.CopiesDamaged > 0 {
		_, err = fmt.Fprintf(w, "of the files that tasks were restored from %d were local copies; of %d there was none, of %d a bad one\n", total.CopiesTaken, total.CopiesMissing, total.CopiesDamaged)
	}
	if err == nil {
		err = printRates(w, total)
	}
	if err == nil && total.Find != nil {
		_, err = fmt.Fprintln(w, total.Find)
	}
	for i := range rows {
		if r := &rows[i]; r.First != "" && err == nil {
			_, err = fmt.Fprintf(w, "\n%s, %s, %s, %s: %s\n  replay: %s\n", r.Algorithm, r.State, r.Sink, r.Workload, r.First, r.Replay)
		}
	}
	return err
}
