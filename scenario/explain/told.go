package explain

import (
	"fmt"
	"time"
)

// Told is what stands above a run however it is told.
type Told struct {
	Combination string   // "aligned on heap into two-phase, keyedcount, seed 12, mutant no-fence"
	Verdict     string   // "safety violation"
	Oracle      string   // that saw it, "" if none did
	Why         string   // the verdict in words, where no oracle saw it
	Waiting     []string // without progress: who waits for what
	Cause       string   // when the failure became near certain; "": nobody asked
	Changed     []string // what is not as it was when the run was saved; none: every event is
	Replay      string   // the command that runs it again
}

// Headline says in a sentence what was violated, and by which oracle it was seen.
func (t *Told) Headline(r *Run) string {
	switch {
	case r.Violation == nil && t.Why != "":
		return fmt.Sprintf("No oracle saw a violation, and the run ended with %q: %s.", t.Verdict, t.Why)
	case r.Violation == nil:
		return fmt.Sprintf("No promise was broken: %s.", t.Verdict)
	}
	v := r.Violation
	s := fmt.Sprintf("The oracle %q saw a violation at %v", v.Oracle, time.Duration(v.Time).Round(time.Microsecond))
	if r.At == len(r.Events) {
		s = fmt.Sprintf("The oracle %q saw a violation when the job had ended, at %v", v.Oracle, time.Duration(v.Time).Round(time.Microsecond))
	}
	if v.Task >= 0 {
		at := v.Task.String()
		if line := r.taskLine(r.At, v.Task); line >= 0 {
			at = r.Lines[line].Name
		}
		s += ", at " + at
	}
	if v.Epoch != 0 {
		s += fmt.Sprintf(", epoch %s", v.Epoch)
	}
	return s + ": " + v.Text + "."
}
