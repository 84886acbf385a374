package reminders

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// TestReference: each record makes its rows, most of them set in the past, some
// by a timer at or behind the timer's own time.
func TestReference(t *testing.T) {
	w := New().(*Workload)
	w.Small()
	rows, err := w.Reference()
	if err != nil || len(rows) != w.Events()*int(w.settings.hops) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	past, back := 0, 0
	for seq := range uint64(w.Events()) {
		if w.settings.lag(seq) > 2*jitter {
			past++
		}
		if w.settings.gap(seq, 1) <= 0 {
			back++
		}
		if at := w.settings.time(seq); at <= int64(seq)*step-jitter || at > int64(seq)*step {
			t.Errorf("record %d is of time %d", seq, at)
		}
	}
	if past < w.Events()/4 || back < w.Events()/10 {
		t.Errorf("%d records are due far in the past, %d reminders lie behind the one before: the workload shows little", past, back)
	}
}

// TestAnswer: a row that is there twice is named, one of an idle timer is no
// row of the reference, a bad one is refused.
func TestAnswer(t *testing.T) {
	w := New()
	row := make([]byte, rowBytes)
	if _, err := w.Canonical([][]byte{row, row}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a duplicate: %v", err)
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
	binary.LittleEndian.PutUint64(row, ^uint64(0))
	rows, err := w.Canonical([][]byte{row})
	if err != nil || !bytes.HasPrefix(rows[0], []byte(`{"seq":-1,`)) {
		t.Errorf("the row of an idle timer is %s, %v", rows, err)
	}
}
