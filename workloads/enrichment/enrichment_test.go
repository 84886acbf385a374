package enrichment

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func small() *Workload {
	w := New().(*Workload)
	w.Small()
	return w
}

// TestReference: every event makes a row, of every class there are several rules,
// and some hold for events that came before them.
func TestReference(t *testing.T) {
	w := small()
	rows, err := w.Reference()
	if err != nil || len(rows) != w.Events()*3/4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	rules, none, ahead := map[string]bool{}, 0, 0
	for _, row := range rows {
		var seq, key, rule int
		if _, err := fmt.Sscanf(string(row), `{"seq":%d,"key":%d,"rule":%d}`, &seq, &key, &rule); err != nil {
			t.Fatal(err)
		}
		switch {
		case rule < 0:
			none++
		case rule > seq:
			ahead++
		}
		_, of, _ := strings.Cut(string(row), `"rule":`)
		rules[of] = true
	}
	if len(rules) < 10 || none == 0 || ahead == 0 {
		t.Errorf("%d rules hold, for %d events none, for %d a later one: the workload shows little", len(rules), none, ahead)
	}
}

// TestAnswers: the record named is the first with which every partition's watermark
// has reached the event, counted by hand.
func TestAnswers(t *testing.T) {
	w := small()
	w.settings.numEvents = 40
	for of := range 4 {
		of++
		a, err := w.Answers(of)
		if err != nil {
			t.Fatal(err)
		}
		for seq := range int64(40) {
			want := int64(-1)
			watermarks := make([]int64, of)
			for p := range watermarks {
				watermarks[p] = -1 << 60
			}
			for taken := range int64(40) {
				watermarks[taken%int64(of)] = (taken+int64(of))*step - jitter
				reached := taken >= seq
				for _, wm := range watermarks {
					reached = reached && wm >= w.settings.time(uint64(seq))
				}
				if reached {
					want = taken
					break
				}
			}
			if got := a.Record(binary.LittleEndian.AppendUint64(nil, uint64(seq))); got != want {
				t.Errorf("%d partitions: event %d is answered for record %d, want %d", of, seq, got, want)
			}
		}
	}
}

// TestAnswer: a row that is there twice is named, a bad one refused.
func TestAnswer(t *testing.T) {
	w, row := small(), make([]byte, rowBytes)
	if _, err := w.Canonical([][]byte{row, row}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a duplicate: %v", err)
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
}
