package check

import (
	"bytes"
	"fmt"

	"weir/trace"
)

// Run is a run to be compared with another of the same tape. Events may be nil
// when only hashes were kept.
type Run struct {
	Hash   uint64
	Events []trace.Event // with Data of their own
}

// Determinism compares two runs of the same tape: equal hashes, and where events
// were kept, equal events. The violation shows the first event that differs.
func Determinism(a, b Run) []Violation {
	for i := range min(len(a.Events), len(b.Events)) {
		if x, y := &a.Events[i], &b.Events[i]; !equalEvents(x, y) {
			return []Violation{differs(x.Time, "event %d differs: %s in the first run, %s in the second", i, Describe(x), Describe(y))}
		}
	}
	if n := min(len(a.Events), len(b.Events)); a.Events != nil && b.Events != nil && len(a.Events) != len(b.Events) {
		longer, which := a.Events, "first"
		if len(b.Events) > n {
			longer, which = b.Events, "second"
		}
		return []Violation{differs(longer[n].Time, "one run has %d events, the other %d; only in the %s: %s", len(a.Events), len(b.Events), which, Describe(&longer[n]))}
	}
	if a.Hash != b.Hash {
		return []Violation{differs(0, "hash %016x in the first run, %016x in the second, and no event that was kept differs", a.Hash, b.Hash)}
	}
	return nil
}

func differs(at int64, format string, args ...any) Violation {
	return Violation{Oracle: SameRun, Time: at, Task: trace.Coordinator, Text: fmt.Sprintf(format, args...)}
}

func equalEvents(a, b *trace.Event) bool {
	return a.Time == b.Time && a.Kind == b.Kind && a.Attempt == b.Attempt && a.Task == b.Task && a.Channel == b.Channel &&
		a.Epoch == b.Epoch && a.From == b.From && a.To == b.To && a.At == b.At && a.Sum == b.Sum && a.Op == b.Op && a.Outcome == b.Outcome && a.Cause == b.Cause && a.Way == b.Way &&
		a.Worker == b.Worker && a.Key == b.Key && a.Text == b.Text && bytes.Equal(a.Data, b.Data)
}

// Describe returns an event on one line, without fields that it does not use.
func Describe(e *trace.Event) string {
	s := fmt.Sprintf("%d ns %s", e.Time, e.Kind)
	if e.Task != trace.Coordinator {
		s += fmt.Sprintf(" task=%s", e.Task)
	}
	if e.Channel != trace.NoChannel {
		s += fmt.Sprintf(" channel=%s", e.Channel)
	}
	if e.Attempt != 0 {
		s += fmt.Sprintf(" attempt=%d", uint32(e.Attempt))
	}
	if e.Epoch != 0 {
		s += fmt.Sprintf(" epoch=%s", e.Epoch)
	}
	if e.From != 0 || e.To != 0 {
		s += fmt.Sprintf(" (%d, %d]", e.From, e.To)
	}
	if e.Sum != 0 {
		s += fmt.Sprintf(" sum=%016x", e.Sum)
	}
	if len(e.Data) > 0 {
		s += fmt.Sprintf(" %d bytes", len(e.Data))
	}
	return s + quoted(e.Words())
}

// quoted is nothing for no words.
func quoted(words string) string {
	if words == "" {
		return ""
	}
	return fmt.Sprintf(" %q", words)
}
