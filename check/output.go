// The output oracle: what a read-committed reader saw is the reference answer, as
// exactly as the algorithm promises.
//
// It does not verify when rows became visible, nor in which order; and nothing
// about single rows where one stands for many records under a weaker guarantee.

package check

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"weir/trace"
)

type output struct {
	judge
	reference [][]byte // sorted
	rows      []byte   // committed rows, framed
	rowList   [][]byte
	canonical [][]byte
}

func newOutput(j judge) watcher {
	return &output{judge: j, reference: slices.SortedFunc(slices.Values(j.x.Reference), bytes.Compare)}
}

func (o *output) Wants() trace.Mask { return kinds(trace.OutputCommitted) }

func (o *output) Reset() { o.rows, o.canonical = o.rows[:0], o.canonical[:0] }

// Observe keeps rows that became visible.
func (o *output) Observe(e *trace.Event) {
	o.report.CommittedRows += int64(e.To)
	o.rows = append(o.rows, e.Data...)
}

// Finish compares what became visible with the reference.
func (o *output) Finish(End) {
	if !o.done {
		return
	}
	clean := o.report.Duplicates == 0 && o.report.Losses == 0
	o.rowList = o.rowList[:0]
	for data := o.rows; len(data) > 0; {
		row, rest, ok := nextRecord(data)
		if !ok {
			o.violate(trace.Coordinator, 0, "committed rows are damaged behind row %d", len(o.rowList))
			return
		}
		o.rowList = append(o.rowList, row)
		data = rest
	}
	rows, err := o.x.Canonical(o.rowList)
	if err != nil {
		o.violate(trace.Coordinator, 0, "committed rows cannot be read: %v", err)
		return
	}
	o.canonical = append(o.canonical[:0], rows...)
	if !slices.IsSortedFunc(o.canonical, bytes.Compare) {
		slices.SortFunc(o.canonical, bytes.Compare)
	}
	extra, missing := difference(o.canonical, o.reference)
	if o.x.PerRecord {
		o.report.Duplicates = max(o.report.Duplicates, len(extra))
		o.report.Losses = max(o.report.Losses, len(missing))
	}
	o.judgeOutput(extra, missing, clean)
}

// judgeOutput holds the differences against the promise. Where one row stands
// for many records, a weaker guarantee promises nothing about single rows.
func (o *output) judgeOutput(extra, missing [][]byte, clean bool) {
	promise := o.promised(o.x.Output)
	if promise != ExactlyOnce && !o.x.PerRecord {
		return
	}
	note := ""
	if clean {
		note = " (although every record stands in the state of the first tasks exactly once: it happened behind them)"
	}
	if len(extra) > 0 && promise != AtLeastOnce {
		o.violate(trace.Coordinator, 0, "%d committed rows of %d are not in the reference answer, or too often: %s%s", len(extra), len(o.canonical), quoteRows(extra), note)
	}
	if len(missing) > 0 && promise != AtMostOnce {
		o.violate(trace.Coordinator, 0, "%d rows of the reference answer's %d were never committed: %s%s", len(missing), len(o.reference), quoteRows(missing), note)
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
