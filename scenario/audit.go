package scenario

import (
	"fmt"
	"hash/fnv"
	"strings"

	"weir/sim"
)

// Audited is what a run leaves for another process, or another build, to be held
// against: it is the same run if these are the same.
type Audited struct {
	Run    string   `json:"run"`    // the command that makes it, of which the seed is a part
	Drawn  string   `json:"drawn"`  // hash of settings and plan
	Events int      `json:"events"` // of the simulator
	Sums   []string `json:"sums"`   // hash of all events up to the end of each window of AuditWindow
	Hash   string   `json:"hash"`   // of the run
	Seen   string   `json:"seen"`   // verdict, and a hash of what the oracles counted
}

// AuditWindow is how many events there are from one sum to the next.
const AuditWindow = sim.LogWindow

// Audit runs the combination with one seed, hashing it as it goes. The outcome is valid
// until the next run; one that was interrupted or could not be made has left nothing.
func (r *Runner) Audit(seedNumber uint64) (Audited, *Outcome) {
	var log sim.EventLog
	log.To = -1 // the sums are enough
	o := r.logged(seedNumber, &log)
	a := Audited{Run: r.cfg.Command(seedNumber)}
	if o.Report == nil {
		return a, o
	}
	a.Drawn = digest(o.drawn.Settings.Lines(), o.drawn.Splits, o.Plan.String())
	a.Events, a.Hash = log.Len(), fmt.Sprintf("%016x", o.Result.Hash)
	for _, sum := range log.Sums() {
		a.Sums = append(a.Sums, fmt.Sprintf("%016x", sum))
	}
	a.Seen = o.Kind.String() + " " + digest(o.Why(), o.Report.Stats, o.Result.Counts, o.Digest())
	return a, o
}

// AuditEvents returns the events of a run from its beginning through the window of that
// number, which counts from 0: a line each, with time, kind, task or other party, and the
// hashes of the schedule and of that party after it.
func (r *Runner) AuditEvents(seedNumber uint64, window int) ([]string, *Outcome) {
	log := sim.EventLog{To: (window + 1) * AuditWindow}
	o := r.logged(seedNumber, &log)
	return log.Lines(), o
}

func (r *Runner) logged(seedNumber uint64, log *sim.EventLog) *Outcome {
	r.log = log
	defer func() { r.log = nil }()
	return r.Run(seedNumber)
}

func digest(parts ...any) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%v", parts)
	return fmt.Sprintf("%016x", h.Sum64())
}

// Differs says where two runs with one seed part, "" if they do not. window is that of
// the first events that differ, -1: none do.
func (a *Audited) Differs(b *Audited) (where string, window int) {
	if a.Drawn != b.Drawn {
		return fmt.Sprintf("settings or plan are drawn differently: %s, and %s", a.Drawn, b.Drawn), -1
	}
	for i := range min(len(a.Sums), len(b.Sums)) {
		if a.Sums[i] != b.Sums[i] {
			return fmt.Sprintf("events %d to %d differ: %s, and %s", i*AuditWindow, (i+1)*AuditWindow-1, a.Sums[i], b.Sums[i]), i
		}
	}
	switch {
	case a.Events != b.Events:
		return fmt.Sprintf("%d events, and %d", a.Events, b.Events), min(len(a.Sums), len(b.Sums))
	case a.Hash != b.Hash:
		return fmt.Sprintf("all events are the same, and the hashes are not: %s, and %s", a.Hash, b.Hash), -1
	case a.Seen != b.Seen:
		return fmt.Sprintf("the run is the same, and is judged %s, and %s", a.Seen, b.Seen), -1
	}
	return "", -1
}

// FirstDifference returns the first of the lines of two runs that differ, "" if none do;
// of one that has fewer the missing line.
func FirstDifference(a, b []string) string {
	for i := range max(len(a), len(b)) {
		x, y := "over", "over"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if strings.TrimSpace(x) != strings.TrimSpace(y) {
			return fmt.Sprintf("event %d: %s\n  and: %s", i, x, y)
		}
	}
	return ""
}
