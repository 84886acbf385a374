package counterexample

import (
	"cmp"
	"fmt"
	"strings"

	"weir/scenario"
)

// Result is what a replay says about its file.
type Result uint8

// The results.
const (
	Same     Result = iota // the same events to the last, and the same verdict
	Shown                  // other events, and the same oracle or verdict
	Other                  // another one is broken
	NotShown               // nothing is broken
)

// String returns the result in words.
func (r Result) String() string {
	return [...]string{"reproduced, every event as it was", "reproduced, by other events", "not reproduced: something else is broken", "not reproduced"}[r]
}

// Compare holds the replay of a file, whose decisions were recorded, against
// it, and names what is not as it was, causes before effects. now is a file
// that says what ran the replay.
func (f *File) Compare(o *scenario.Outcome, now *File) (Result, []string) {
	var changed []string
	say := func(format string, args ...any) { changed = append(changed, fmt.Sprintf(format, args...)) }
	for _, w := range [...]struct{ what, was, is string }{
		{"revision", f.Revision, now.Revision}, {"build", f.Build, now.Build}, {"go", f.Go, now.Go},
	} {
		if w.was != w.is {
			say("%s was %s, is %s", w.what, cmp.Or(w.was, "unknown"), cmp.Or(w.is, "unknown"))
		}
	}
	if len(f.Absent) > 0 {
		say("the file does not have these settings, which are as the build has them: %s", strings.Join(f.Absent, ", "))
	}
	if d := o.Drawn().Decisions; d != nil {
		if first, count := d.Departures(f.Decisions); first != nil {
			say("%d of %d decisions no longer apply, the first: %s", count, len(f.Decisions), first)
		}
	}
	is := ShowingOf(o)
	if is.Hash != f.Hash {
		say("hash was %016x, is %016x", f.Hash, is.Hash)
	}
	if is.Verdict != f.Verdict || is.Oracle != f.Oracle {
		say("verdict was %s, is %s", &f.Showing, &is)
	}
	if is.Where != f.Where && is.Oracle == f.Oracle {
		say("it was %s, is %s", cmp.Or(f.Where, "not said where"), cmp.Or(is.Where, "nowhere"))
	}
	return f.result(o, &is), changed
}

func (f *File) result(o *scenario.Outcome, is *Showing) Result {
	switch {
	case is.Hash == f.Hash && is.Verdict == f.Verdict && is.Oracle == f.Oracle:
		return Same
	case is.Verdict == f.Verdict && is.Oracle == f.Oracle:
		return Shown
	case o.Kind == scenario.Fine:
		return NotShown
	}
	return Other
}
