package nexmark

import (
	"fmt"
	"strings"
	"testing"

	"weir/workloads"
)

// times are settings under which event time moves differently.
func times() map[string][][2]string {
	return map[string][][2]string{
		"constant":    nil,
		"later":       {{"firstEventNumber", "12345"}, {"firstEventId", "777"}},
		"sine":        {{"nextEventRate", "40000"}, {"ratePeriodSec", "7"}},
		"square":      {{"nextEventRate", "30000"}, {"ratePeriodSec", "3"}, {"rateShape", "SQUARE"}},
		"shuffled":    {{"outOfOrderGroupSize", "10"}},
		"shuffled on": {{"outOfOrderGroupSize", "64"}, {"firstEventNumber", "7"}, {"nextEventRate", "30000"}, {"ratePeriodSec", "3"}},
	}
}

func timed(t *testing.T, query string, settings [][2]string) (*Workload, *Generator) {
	t.Helper()
	made, err := New(query)
	if err != nil {
		t.Fatal(err)
	}
	w := made.(*Workload)
	w.Small()
	w.settings.NumEvents, w.settings.FirstEventID = 3000, 0
	for _, s := range settings {
		if err := w.Set(s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	g, err := NewGenerator(w.settings)
	if err != nil {
		t.Fatal(err)
	}
	return w, g
}

// TestRowsOfEventsTellTheirEvent: the row of every event leads back to it.
func TestRowsOfEventsTellTheirEvent(t *testing.T) {
	for name, settings := range times() {
		for _, query := range []string{"q0", "q1"} {
			w, g := timed(t, query, settings)
			answers, err := w.Answers(3)
			if err != nil || !answers.Prompt {
				t.Fatalf("%s %s: prompt %v, %v", query, name, answers.Prompt, err)
			}
			project := projectQ0()
			if query == "q1" {
				project = projectQ1()
			}
			var e Event
			for seq := range w.settings.NumEvents {
				g.Event(seq, &e)
				row, made := project(nil, AppendEvent(nil, &e))
				if got := answers.Record(row); made && got != seq {
					t.Fatalf("%s %s: the row of event %d answers %d: %s", query, name, seq, got, row)
				}
			}
		}
	}
}

// TestRowsOfWindowsTellWhatLetThemFire: the slowest partition's first event
// whose watermark has passed the end, found by looking at all.
func TestRowsOfWindowsTellWhatLetThemFire(t *testing.T) {
	for name, settings := range times() {
		for _, query := range []string{"q5", "q8"} {
			for partitions := 1; partitions <= 3; partitions++ {
				w, g := timed(t, query, settings)
				answers, err := w.Answers(partitions)
				if err != nil || answers.Prompt {
					t.Fatalf("%s %s: prompt %v, %v", query, name, answers.Prompt, err)
				}
				fired := 0
				for _, row := range windowRows(w, g) {
					want, known := firing(w, g, row, partitions)
					got := answers.Record(row)
					if known && got != want || !known && got < w.settings.NumEvents {
						t.Errorf("%s %s, %d partitions: %s answers event %d, want %d (%v)", query, name, partitions, row, got, want, known)
					}
					if known {
						fired++
					}
				}
				if fired == 0 {
					t.Errorf("%s %s: the end of the input closed every window", query, name)
				}
			}
		}
	}
}

// windowRows returns a row of every window of the stream.
func windowRows(w *Workload, g *Generator) (rows [][]byte) {
	var first, last Event
	g.Event(0, &first)
	g.Event(w.settings.NumEvents-1, &last)
	size, period := w.settings.WindowSizeSec*1000, w.settings.WindowPeriodSec*1000
	for start := (first.TS - size) / period * period; start <= last.TS; start += period {
		if w.query == "q5" {
			rows = append(rows, AppendQ5Row(nil, &Q5Row{WindowStart: start, WindowEnd: start + size}))
		} else {
			rows = append(rows, AppendQ8Row(nil, &Q8Row{WindowStart: start}))
		}
	}
	return rows
}

// firing looks for the event that a row's window waited for; none if the input
// ends before.
func firing(w *Workload, g *Generator, row []byte, partitions int) (seq int64, known bool) {
	var start int64
	_, _ = fmt.Sscanf(string(row), `{"windowStart":%d`, &start)
	end := start + w.settings.WindowSizeSec*1000
	passed := map[int64]bool{}
	var e Event
	for seq := range w.settings.NumEvents {
		if g.Event(seq, &e); e.WM >= end {
			passed[seq%int64(partitions)] = true
		}
		if len(passed) == partitions {
			return seq, true
		}
	}
	return 0, false
}

func TestRowsThatDoNotTellAreRefused(t *testing.T) {
	for _, c := range []struct {
		settings [][2]string
		want     string
	}{
		{[][2]string{{"numEventGenerators", "1"}}, "raise numEventGenerators"},
		{[][2]string{{"outOfOrderGroupSize", "1906"}}, "choose another size"},
	} {
		w, _ := timed(t, "q1", c.settings)
		if _, err := w.Answers(2); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.settings, err)
		}
		w, _ = timed(t, "q5", c.settings)
		if _, err := w.Answers(2); err != nil {
			t.Errorf("q5 needs no row of one event: %v", err)
		}
	}
	w, _ := timed(t, "q5", nil)
	answers, err := w.Answers(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"", "{}", `{"windowEnd":`, `{"windowEnd":x}`} {
		if got := answers.Record([]byte(row)); got >= 0 {
			t.Errorf("%q answers event %d", row, got)
		}
	}
}

func TestEveryQueryIsTimedAndSized(t *testing.T) {
	for _, query := range Queries() {
		w, err := New(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := w.(workloads.Timed); !ok {
			t.Errorf("%s is not timed", query)
		}
		if s := w.(workloads.Sized).Size(1000); s.Output <= 0 || s.MostRecords <= 0 {
			t.Errorf("%s: %+v", query, s)
		}
	}
}
