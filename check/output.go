package check

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"weir/trace"
)

// addOutput keeps rows that became visible.
func (c *Checker) addOutput(e *trace.Event) {
	c.report.CommittedRows += int64(e.To)
	c.rows = append(c.rows, e.Data...)
}

// finishOutput is the output oracle: what a read-committed reader saw is the
// reference answer. duplicates and losses are what the effect oracle found.
func (c *Checker) finishOutput(duplicates, losses int) {
	c.rowList = c.rowList[:0]
	for data := c.rows; len(data) > 0; {
		row, rest, ok := nextRecord(data)
		if !ok {
			c.violate(Output, trace.Coordinator, 0, "committed rows are damaged behind row %d", len(c.rowList))
			return
		}
		c.rowList = append(c.rowList, row)
		data = rest
	}
	rows, err := c.x.Canonical(c.rowList)
	if err != nil {
		c.violate(Output, trace.Coordinator, 0, "committed rows cannot be read: %v", err)
		return
	}
	c.canonical = append(c.canonical[:0], rows...)
	if !slices.IsSortedFunc(c.canonical, bytes.Compare) {
		slices.SortFunc(c.canonical, bytes.Compare)
	}
	extra, missing := difference(c.canonical, c.reference)
	if c.x.PerRecord {
		c.report.Duplicates = max(c.report.Duplicates, len(extra))
		c.report.Losses = max(c.report.Losses, len(missing))
	}
	c.judgeOutput(extra, missing, duplicates == 0 && losses == 0)
}

// judgeOutput holds the differences against the promise. Where one row stands
// for many records, a weaker guarantee promises nothing about single rows.
func (c *Checker) judgeOutput(extra, missing [][]byte, clean bool) {
	promise := c.promised(c.x.Output)
	if promise != ExactlyOnce && !c.x.PerRecord {
		return
	}
	note := ""
	if clean {
		note = " (although every record stands in the state of the first tasks exactly once: it happened behind them)"
	}
	if len(extra) > 0 && promise != AtLeastOnce {
		c.violate(Output, trace.Coordinator, 0, "%d committed rows of %d are not in the reference answer, or too often: %s%s", len(extra), len(c.canonical), quoteRows(extra), note)
	}
	if len(missing) > 0 && promise != AtMostOnce {
		c.violate(Output, trace.Coordinator, 0, "%d rows of the reference answer's %d were never committed: %s%s", len(missing), len(c.reference), quoteRows(missing), note)
	}
}

// difference compares two sorted multisets.
func difference(got, want [][]byte) (extra, missing [][]byte) {
	for len(got) > 0 && len(want) > 0 {
		switch bytes.Compare(got[0], want[0]) {
		case 0:
			got, want = got[1:], want[1:]
		case -1:
			extra, got = append(extra, got[0]), got[1:]
		default:
			missing, want = append(missing, want[0]), want[1:]
		}
	}
	return append(extra, got...), append(missing, want...)
}

// quoteRows shows the first few rows.
func quoteRows(rows [][]byte) string {
	const shown, width = 3, 120
	var parts []string
	for _, r := range rows[:min(len(rows), shown)] {
		if len(r) > width {
			parts = append(parts, fmt.Sprintf("%q...", r[:width]))
		} else {
			parts = append(parts, fmt.Sprintf("%q", r))
		}
	}
	if len(rows) > shown {
		parts = append(parts, "...")
	}
	return strings.Join(parts, ", ")
}

// Rows returns the committed rows of the finished run in canonical form,
// sorted; none if the job did not end. Valid until the next Reset.
func (c *Checker) Rows() [][]byte { return c.canonical }
