// The effect oracle: at the end every source record stands on the surviving
// branches of the first tasks as often as the algorithm promises.
//
// It does not verify what those tasks made of a record, nor anything behind them:
// that is seen in the output.

package check

import (
	"fmt"
	"strings"

	"weir/trace"
)

type effect struct{ judge }

func newEffect(j judge) watcher { return &effect{j} }

func (o *effect) Wants() trace.Mask { return 0 }

func (o *effect) Observe(*trace.Event) {}

func (o *effect) Reset() {}

// Finish holds what the model has counted against the promise.
func (o *effect) Finish(End) {
	if !o.done {
		return
	}
	duplicates, losses := 0, 0
	firstDup, firstLoss := -1, -1
	for r, n := range o.counts {
		want := o.x.copies(r)
		if n > want {
			if duplicates++; firstDup < 0 {
				firstDup = r
			}
		} else if n < want {
			if losses++; firstLoss < 0 {
				firstLoss = r
			}
		}
	}
	promise := o.promised(o.x.State)
	if duplicates > 0 && promise != AtLeastOnce {
		o.violate(trace.Coordinator, 0, "%d of %d records stand too often in the final state: %s", duplicates, o.x.Records, o.explain(firstDup, true))
	}
	if losses > 0 && promise != AtMostOnce {
		o.violate(trace.Coordinator, 0, "%d of %d records are missing from the final state: %s", losses, o.x.Records, o.explain(firstLoss, false))
	}
}

// explain describes what became of the records from first on that stand too
// often (or too seldom), by o.counts.
func (o *effect) explain(first int, tooOften bool) string {
	var b strings.Builder
	const shown = 5
	k := 0
	for r := first; r < len(o.counts); r++ {
		n, want := o.counts[r], o.x.copies(r)
		if n == want || n > want != tooOften {
			continue
		}
		if k++; k > shown {
			b.WriteString(", ...")
			break
		}
		if k > 1 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d (%d times, want %d%s)", r, n, want, o.where(uint32(r)))
	}
	return "record " + b.String()
}

// where names the tasks on whose branch a record stands.
func (o *effect) where(r uint32) string {
	var b strings.Builder
	for i := range o.tasks {
		t := &o.tasks[i]
		if t.fed && o.stands(r, t) {
			if b.Len() == 0 {
				b.WriteString("; in ")
			} else {
				b.WriteString(" and ")
			}
			b.WriteString(o.taskName(i))
		}
	}
	return b.String()
}

func (o *effect) stands(r uint32, t *task) bool {
	s, n := t.segment, o.records(t)
	for s != none {
		g := &o.segments[s]
		for _, x := range g.ids[:max(n-g.base, 0)] {
			if x == r {
				return true
			}
		}
		s, n = g.parent, min(n, g.base)
	}
	return false
}
