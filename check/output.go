// The output oracle: what a read-committed reader saw is the reference answer, as
// exactly as algorithm and sink promise: at the end, and at every instant nothing
// was visible that is not allowed. Where rows are visible at once, those that a
// rollback takes back, and those that come again, are counted.
//
// It does not verify in which order rows became visible, except those of a key of
// which the newest counts; and nothing about single rows where one stands for many
// records and the state is not exact.

package check

import (
	"bytes"
	"encoding/binary"
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
	reader    reader
	back      takenBack
	former    []takenBack // of graphs that are over
	flawed    bool        // a row was refuted when it became visible
}

func newOutput(j judge) watcher {
	o := &output{judge: j, reference: slices.SortedFunc(slices.Values(j.x.Reference), bytes.Compare)}
	if j.x.Values {
		o.reference = Distinct(o.reference)
	}
	if j.x.AtOnce && j.x.State != AtMostOnce {
		o.back = make(takenBack, len(j.x.Tasks))
	}
	return o
}

func (o *output) Reshape() {
	if o.back != nil {
		o.former = append(o.former, o.back)
		o.back = make(takenBack, len(o.tasks))
	}
}

func (o *output) Wants() trace.Mask {
	if o.back != nil {
		return takenBackKinds()
	}
	return kinds(trace.OutputCommitted)
}

func (o *output) Reset() {
	o.rows, o.canonical, o.flawed = o.rows[:0], o.canonical[:0], false
	o.reader.reset(&o.x, o.reference)
	o.back.reset()
	o.former = nil
	if x := o.x.Origin; x != nil {
		if o.back != nil {
			o.former = append(o.former, make(takenBack, len(x.Tasks)))
		}
		for _, row := range x.Rows {
			o.rows = appendFramed(o.rows, row)
			o.reader.take(row)
		}
	}
}

// appendFramed appends a row in the framing of buffers.
func appendFramed(b, row []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(row))), row...)
}

// Observe reads rows as they become visible.
func (o *output) Observe(e *trace.Event) {
	if o.back != nil {
		o.report.RowsTakenBack += o.takeBack(e)
	}
	if e.Kind != trace.OutputCommitted {
		return
	}
	o.report.CommittedRows += int64(e.To)
	at := len(o.rows)
	o.rows = append(o.rows, e.Data...)
	for data := o.rows[at:]; len(data) > 0; {
		row, rest, ok := nextRecord(data)
		if !ok {
			return // Finish says so
		}
		o.read(e, row)
		data = rest
	}
}

// read holds one row against what is promised at this instant. Under an inexact
// state a row that stands for many records may be anything.
func (o *output) read(e *trace.Event, row []byte) {
	f := o.reader.take(row)
	if f == again {
		o.report.RowsAgain++
	}
	exact := o.promisedOutput() == ExactlyOnce
	switch {
	case f == sound, o.flawed:
		return
	case f == stale:
	case o.promised(o.x.State) != ExactlyOnce && !o.x.PerRecord:
		return
	case f == again && !exact, f == again && o.x.Values:
		return
	}
	o.flawed = true
	if o.x.Alone != nil { // as people read it
		row = o.x.Alone(nil, row)
	}
	o.violate(e.Task, e.Epoch, "row %s became visible, %s", quoteRows([][]byte{row}), f)
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
	if o.x.Values {
		o.rowList = o.reader.value.Rows(o.rowList[:0])
	}
	rows, err := o.x.Canonical(o.rowList)
	if err != nil && o.x.Origin.unknown() && o.x.Alone == nil {
		return
	}
	if err != nil && o.report.FellBack == 0 && o.x.Origin.held(ExactlyOnce) == ExactlyOnce { // else rows that come twice are to be expected
		o.violate(trace.Coordinator, 0, "committed rows cannot be read: %v", err)
		return
	}
	o.canonical = append(o.canonical[:0], rows...)
	if !slices.IsSortedFunc(o.canonical, bytes.Compare) {
		slices.SortFunc(o.canonical, bytes.Compare)
	}
	if o.x.Values {
		o.canonical = Distinct(o.canonical)
	}
	extra, missing := difference(o.canonical, o.reference)
	if o.x.Origin.unknown() {
		missing = nil
		if o.x.Alone == nil {
			return
		}
	}
	if o.x.PerRecord {
		o.report.Duplicates = max(o.report.Duplicates, len(extra))
		o.report.Losses = max(o.report.Losses, len(missing))
	}
	if !o.x.NoReference {
		o.judgeOutput(extra, missing, clean)
	}
	if o.back != nil && !o.x.Values && o.x.State == ExactlyOnce && o.report.RowsAgain > o.report.RowsTakenBack+o.x.Origin.takenBack() {
		o.violate(trace.Coordinator, 0, "%d rows became visible again, and rollbacks had taken %d back", o.report.RowsAgain, o.report.RowsTakenBack+o.x.Origin.takenBack())
	}
}

// judgeOutput holds the differences against the promise. Where one row stands
// for many records, a weaker guarantee promises nothing about single rows.
func (o *output) judgeOutput(extra, missing [][]byte, clean bool) {
	promise := o.promisedOutput()
	if promise != ExactlyOnce && !o.x.PerRecord && o.promised(o.x.State) != ExactlyOnce {
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
