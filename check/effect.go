package check

import (
	"fmt"
	"strings"

	"weir/id"
	"weir/trace"
)

// finishEffect is the effect oracle: every source record stands on the
// surviving branches as often as it should. It returns how many records stand
// more, and less, often, whatever is promised.
func (c *Checker) finishEffect() (duplicates, losses int) {
	clear(c.counts)
	for i := range c.tasks {
		if t := &c.tasks[i]; t.fed {
			c.addLineage(t.segment, c.records(t))
		}
	}
	firstDup, firstLoss := -1, -1
	for r, n := range c.counts {
		want := c.x.copies(r)
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
	c.report.Duplicates, c.report.Losses = duplicates, losses
	promise := c.promised(c.x.State)
	if duplicates > 0 && promise != AtLeastOnce {
		c.violate(Effect, trace.Coordinator, 0, "%d of %d records stand too often in the final state: %s", duplicates, c.x.Records, c.explain(firstDup, true))
	}
	if losses > 0 && promise != AtMostOnce {
		c.violate(Effect, trace.Coordinator, 0, "%d of %d records are missing from the final state: %s", losses, c.x.Records, c.explain(firstLoss, false))
	}
	return duplicates, losses
}

// promised is what holds for this run: without failures all guarantees are one.
func (c *Checker) promised(g Guarantee) Guarantee {
	if c.undisturbed() {
		return ExactlyOnce
	}
	return g
}

func (c *Checker) undisturbed() bool {
	return c.report.Crashes == 0 && c.report.CoordinatorCrashes == 0 && c.report.TaskFailures == 0
}

// explain describes what became of the records from first on that stand too
// often (or too seldom), by c.counts.
func (c *Checker) explain(first int, tooOften bool) string {
	var b strings.Builder
	const shown = 5
	k := 0
	for r := first; r < len(c.counts); r++ {
		n, want := c.counts[r], c.x.copies(r)
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
		fmt.Fprintf(&b, "%d (%d times, want %d%s)", r, n, want, c.where(uint32(r)))
	}
	return "record " + b.String()
}

// where names the tasks on whose branch a record stands.
func (c *Checker) where(r uint32) string {
	var b strings.Builder
	for i := range c.tasks {
		t := &c.tasks[i]
		if t.fed && c.stands(r, t) {
			if b.Len() == 0 {
				b.WriteString("; in ")
			} else {
				b.WriteString(" and ")
			}
			b.WriteString(c.taskName(i))
		}
	}
	return b.String()
}

func (c *Checker) stands(r uint32, t *task) bool {
	s, n := t.segment, c.records(t)
	for s != none {
		g := &c.segments[s]
		for _, x := range g.ids[:max(n-g.base, 0)] {
			if x == r {
				return true
			}
		}
		s, n = g.parent, min(n, g.base)
	}
	return false
}

// taskName returns a task's id with its name if that is known.
func (c *Checker) taskName(i int) string {
	if n := c.x.Tasks[i].Name; n != "" {
		return fmt.Sprintf("%s (%s)", id.TaskID(i), n)
	}
	return id.TaskID(i).String()
}
