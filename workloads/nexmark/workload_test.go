package nexmark

import (
	"bytes"
	"strings"
	"testing"

	"weir/dataflow"
)

// TestWorkloadInputLines compares what a user gets with the golden event files.
func TestWorkloadInputLines(t *testing.T) {
	for _, set := range sets() {
		w := &Workload{"q5", setSettings(t, set)}
		var b bytes.Buffer
		if err := w.InputLines(&b); err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(b.Bytes(), []byte("\n"))
		if got, want := Digest(lines[:len(lines)-1]), readManifest(t, set).Events.SHA256; got != want {
			t.Errorf("%s: digest %s, want %s", set, got, want)
		}
	}
}

func TestWorkloadSettings(t *testing.T) {
	w := Q8()
	if w.Name() != "nexmark-q8" || w.Events() != 1000 || len(w.Settings()) != 0 {
		t.Errorf("%s, %d events, %q", w.Name(), w.Events(), w.Settings())
	}
	if err := w.Set("windowSizeSec", "3"); err != nil {
		t.Fatal(err)
	}
	if err := w.SetEvents(5); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.Settings(), " "); got != "numEvents=5 windowSizeSec=3" {
		t.Errorf("changes are %q", got)
	}
	w.Small()
	again := Q8()
	for _, change := range w.Settings() {
		name, value, _ := strings.Cut(change, "=")
		if err := again.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if again.(*Workload).settings != w.(*Workload).settings {
		t.Errorf("settings %q do not lead back", w.Settings())
	}
	if err := w.Set("windows", "3"); err == nil || !strings.Contains(err.Error(), "known are baseTime") {
		t.Errorf("unknown setting: %v", err)
	}
	if _, err := New("q6"); err == nil || !strings.Contains(err.Error(), "q0, q1, q5, q8") {
		t.Errorf("unknown query: %v", err)
	}
	if _, err := (&Workload{"q5", Settings{}}).Graph(1, nil); err == nil {
		t.Error("a graph of settings that are not valid")
	}
}

func TestRecordIDAndPartitions(t *testing.T) {
	s := workloadDefaults()
	s.NumEvents = 101
	g, err := NewGenerator(s)
	if err != nil {
		t.Fatal(err)
	}
	w := Q0()
	var e Event
	for seq := range s.NumEvents {
		g.Event(seq, &e)
		if got := w.RecordID(AppendEvent(nil, &e)); got != uint64(seq) {
			t.Fatalf("record %d has id %d", seq, got)
		}
	}
	for of := 1; of <= 4; of++ {
		total := 0
		for index := range of {
			total += int(newPartition(g, index, of).Len())
		}
		if total != 101 {
			t.Errorf("%d partitions hold %d records", of, total)
		}
	}
}

func TestSmallGivesEveryQueryRows(t *testing.T) {
	for _, query := range Queries() {
		w, err := New(query)
		if err != nil {
			t.Fatal(err)
		}
		w.Small()
		rows, err := w.Reference()
		if err != nil || len(rows) < 4 {
			t.Errorf("%s: %d rows, %v", query, len(rows), err)
		}
		graph, err := w.Graph(2, func() dataflow.Operator { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := graph.Expand(128); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}
