package explain

import (
	"fmt"
	"strconv"
	"strings"

	"weir/dataflow"
	"weir/trace"
)

// Of a buffer so many records are shown, of a record so many bytes.
const (
	shownRecords = 6
	shownBytes   = 24
	shownRow     = 60 // of a row in canonical form
)

// contents renders what an event carries: records by their numbers where they
// leave a source, rows as the answer has them, else their bytes.
func (r *Recorder) contents(e *trace.Event) string {
	if len(e.Data) == 0 {
		return ""
	}
	switch e.Kind {
	case trace.Sealed, trace.Delivered, trace.CapturedIn, trace.CapturedOut, trace.Injected, trace.OutputCommitted:
	default:
		return plain(e.Data) // a key, or one record
	}
	var all []string
	n := 0
	for rec, rest := dataflow.NextRecord(e.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if n++; n > shownRecords {
			continue
		}
		switch {
		case e.Kind == trace.OutputCommitted || r.toSink[e.Channel]:
			all = append(all, r.row(rec))
		case r.fromSource[e.Channel]:
			all = append(all, "#"+strconv.FormatUint(r.job.RecordID(rec), 10))
		default:
			all = append(all, plain(rec))
		}
	}
	if n > shownRecords {
		all = append(all, fmt.Sprintf("and %d more", n-shownRecords))
	}
	return strings.Join(all, " ")
}

func (r *Recorder) row(b []byte) string {
	text := r.job.Row(b)
	switch {
	case text == "":
		return plain(b)
	case len(text) > shownRow:
		return text[:shownRow] + "..."
	}
	return text
}

// plain returns bytes as text if they are that, else in base 16.
func plain(b []byte) string {
	text, more := b, ""
	if len(b) > shownBytes {
		text, more = b[:shownBytes], "..."
	}
	for _, c := range text {
		if c < ' ' || c > '~' {
			return fmt.Sprintf("%x%s", text, more)
		}
	}
	return string(text) + more
}
